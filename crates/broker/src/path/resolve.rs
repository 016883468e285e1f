//! Step 6: the only step that is lent a secret, for a permit and the receipt of its intent.

use evidence::Receipt;
use model::{Code, Refusal, Retry};
use secrets::Opened;

use crate::Worker;
use crate::path::admit::Admitted;

/// The secrets of one call, by the field that they fill. Consumed by the next step.
pub(crate) struct Lent(Vec<(String, Opened)>);

impl Lent {
    /// Takes the secret of a field.
    pub(crate) fn find(&self, field: &str) -> Result<&Opened, Refusal> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, opened)| opened).ok_or_else(|| {
            Refusal::new(Code::SecretMissing, format!("the integration has no secret called `{field}`"))
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Opened> {
        self.0.iter().map(|(_, opened)| opened)
    }
}

/// Opens what the integration's auth schemes need. An operation of Doorward itself needs nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the step that is lent secrets, after permit and receipt"
)]
pub(crate) async fn secrets(
    worker: &Worker,
    admitted: &Admitted,
    receipt: &Receipt,
) -> Result<Lent, Refusal> {
    let unsealed = worker.broker().unsealed()?;
    let mut lent = Vec::new();
    for field in admitted.integration.auth().iter().flat_map(catalog::AuthScheme::fields) {
        let Some(wanted) = admitted.integration.secrets().get(field) else { continue };
        worker.broker().bound()?;
        let opened = unsealed.secrets().open(&admitted.permit, receipt, &wanted.reference).await;
        lent.push((field.to_owned(), opened.map_err(|error| refused(&error))?));
    }
    Ok(Lent(lent))
}

fn refused(error: &secrets::Error) -> Refusal {
    let code = error.code();
    let refusal = Refusal::new(code, error.to_string());
    let refusal = if code == Code::SourceUnavailable { refusal.retry(Retry::Safe) } else { refusal };
    match error.hint() {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}
