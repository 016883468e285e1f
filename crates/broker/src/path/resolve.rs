//! Step 6: the only step that is lent a secret, for a permit and the receipt of its intent.

use catalog::Integration;
use evidence::Receipt;
use model::{Code, Refusal, Retry};
use secrets::Opened;

use crate::Worker;
use crate::path::admit::Admitted;

/// The secrets of one call. Consumed by the next step.
pub(crate) struct Lent(Vec<Opened>);

impl Lent {
    /// The secret of a field of this integration.
    pub(crate) fn find(&self, integration: &Integration, field: &str) -> Result<&Opened, Refusal> {
        let wanted = integration.secrets().get(field);
        wanted
            .and_then(|wanted| self.0.iter().find(|opened| *opened.reference() == wanted.reference))
            .ok_or_else(|| {
                Refusal::new(Code::SecretMissing, format!("the integration has no secret called `{field}`"))
            })
    }

    pub(crate) fn all(&self) -> &[Opened] {
        &self.0
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
        lent.push(opened.map_err(|error| refused(&error))?);
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
