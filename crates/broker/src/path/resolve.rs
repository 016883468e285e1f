//! Step 6: the only step that is lent a secret, for a permit and the receipt of its intent.
//!
//! Most integrations need one secret that is there. What needs more (one of several, a token that is made first, a body that
//! is signed) is rare and in `special`, boxed.

use catalog::{Choice, Integration};
use evidence::Receipt;
use model::{Code, Refusal, Retry, SecretRef};
use secrets::Opened;

use crate::Worker;
use crate::path::admit::Admitted;
pub(crate) use special::{Saved, Special};

mod program;
mod special;

/// The secrets of one call. Consumed by the next step.
pub(crate) struct Lent {
    opened: Vec<Opened>,
    special: Option<Box<Special>>,
}

impl Lent {
    /// The secret of a field of this integration.
    pub(crate) fn find(&self, integration: &Integration, field: &str) -> Result<&Opened, Refusal> {
        self.get(integration, field).ok_or_else(|| missing(field))
    }

    /// The secret of these fields that serves this call: of several, only one was opened.
    pub(crate) fn chosen(&self, integration: &Integration, choice: &Choice) -> Result<&Opened, Refusal> {
        let found = choice.fields().find_map(|field| self.get(integration, field));
        found.ok_or_else(|| missing(choice.fields().next().unwrap_or_default()))
    }

    fn get(&self, integration: &Integration, field: &str) -> Option<&Opened> {
        let wanted = integration.secrets().get(field)?;
        self.opened.iter().find(|opened| *opened.reference() == wanted.reference)
    }

    pub(crate) fn all(&self) -> &[Opened] {
        &self.opened
    }

    pub(crate) fn special(&self) -> Option<&Special> {
        self.special.as_deref()
    }

    pub(crate) fn take_special(&mut self) -> Option<Box<Special>> {
        self.special.take()
    }
}

/// Opens what the integration's auth schemes need. An operation of Doorward itself needs nothing.
pub(crate) async fn secrets(
    worker: &Worker,
    admitted: &mut Admitted,
    receipt: &Receipt,
) -> Result<Lent, Refusal> {
    if admitted.way.is_some() {
        return Box::pin(program::secrets(worker, admitted, receipt)).await;
    }
    if !admitted.integration.has_plain_auth() {
        return Box::pin(special::secrets(worker, admitted, receipt)).await;
    }
    plain(worker, admitted, receipt).await
}

/// The secrets of schemes that want nothing but them.
async fn plain(worker: &Worker, admitted: &mut Admitted, receipt: &Receipt) -> Result<Lent, Refusal> {
    let unsealed = worker.broker().unsealed()?;
    let mut opened = Vec::new();
    for field in admitted.integration.auth().iter().flat_map(catalog::AuthScheme::fields) {
        let Some(wanted) = admitted.integration.secrets().get(field) else { continue };
        worker.broker().bound()?;
        let lent = open(unsealed.secrets(), (admitted, receipt), &wanted.reference).await;
        opened.push(lent.map_err(|error| refused(&error))?);
    }
    Ok(Lent { opened, special: None })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the step that is lent secrets, after permit and receipt"
)]
async fn open(
    secrets: &secrets::Secrets,
    (admitted, receipt): (&Admitted, &Receipt),
    reference: &SecretRef,
) -> Result<Opened, secrets::Error> {
    secrets.open(&admitted.permit, receipt, reference).await
}

/// A field that the integration's file does not have.
pub(crate) fn missing(field: &str) -> Refusal {
    Refusal::new(Code::SecretMissing, format!("the integration has no secret called `{field}`"))
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
