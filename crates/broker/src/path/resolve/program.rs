//! What a program is lent: the secrets that its files name.

use evidence::Receipt;
use model::Refusal;

use super::{Lent, missing, open, plain, refused, special};
use crate::Worker;
use crate::path::admit::{Admitted, way};

/// Opens them.
pub(super) async fn secrets(
    worker: &Worker,
    admitted: &mut Admitted,
    receipt: &Receipt,
) -> Result<Lent, Refusal> {
    let integration = &admitted.integration;
    let operation = admitted.permit.call().operation().clone();
    let wants = way::wants_credential(integration, &operation) || way::wants_lease(integration);
    let mut lent = match (wants, integration.has_plain_auth()) {
        (false, _) => Lent { opened: Vec::new(), special: None },
        (true, true) => plain(worker, admitted, receipt).await?,
        (true, false) => special::secrets(worker, admitted, receipt).await?,
    };
    let unsealed = worker.broker().unsealed()?;
    worker.broker().bound()?;
    for field in way::secret_fields(&admitted.integration, &operation, admitted.way.as_deref()) {
        let wanted = admitted.integration.secrets().get(field).ok_or_else(|| missing(field))?;
        if lent.opened.iter().any(|opened| *opened.reference() == wanted.reference) {
            continue;
        }
        let opened = open(unsealed.secrets(), (admitted, receipt), &wanted.reference).await;
        lent.opened.push(opened.map_err(|error| refused(&error))?);
    }
    Ok(lent)
}
