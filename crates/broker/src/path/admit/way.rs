//! How an operation by name is done: by its program where that is here and can be run safely, else by a request, else not at all.
//!
//! It is decided once, before the intent is recorded, and never changed: a program that failed may have done something, so its
//! operation is not done again by a request.

use catalog::{AuthScheme, Integration, Slot};
use model::{OperationName, Refusal};

use super::Admitted;
use crate::broker::Broker;
use crate::inbound::Asked;
use crate::programs::{self, Way};

/// Whether there is anything to decide: operations of Doorward itself and requests have one way each.
pub(crate) fn is_open(admitted: &Admitted) -> bool {
    let Admitted { inbound, integration, .. } = admitted;
    matches!(inbound.asked, Asked::Operate(_)) && !integration.internal() && !crate::mint::mints(integration)
}

/// Decides it.
pub(crate) async fn choose(broker: &Broker, admitted: &mut Admitted) -> Result<(), Refusal> {
    let Asked::Operate(operate) = &admitted.inbound.asked else { return Ok(()) };
    let integration = &admitted.integration;
    let Some(operation) = integration.operations().get(&operate.operation) else { return Ok(()) };
    // A read beside a write is for its evidence: a request costs least, and says the same.
    let by_request = operate.led.is_some() && operation.method().is_some();
    if by_request && integration.check_said(&operate.operation, &operate.inputs).is_ok() {
        return Ok(());
    }
    let why = match operation.cli() {
        Some(cli) if !cli.suits(admitted.permit.call().inputs()) => {
            format!("`{}` could take these inputs for something else than a request does", cli.program())
        }
        Some(cli) => match broker.machine().way(integration, cli).await {
            Ok(way) => {
                admitted.way = Some(Box::new(way));
                return Ok(());
            }
            Err(why) => why,
        },
        None => "there is no program for it".to_owned(),
    };
    if operation.method().is_none() {
        return Err(programs::not_available(operation, &why));
    }
    integration.check_said(&operate.operation, &operate.inputs)
}

/// The secrets that a call is lent: those of its program's files, or those of its request.
pub(crate) fn secret_fields<'a>(
    integration: &'a Integration,
    operation: &OperationName,
    way: Option<&Way>,
) -> Vec<&'a str> {
    let of_requests = || integration.auth().iter().flat_map(AuthScheme::fields);
    if way.is_none() {
        return of_requests().collect();
    }
    let mut fields: Vec<&str> = if wants_lease(integration) { of_requests().collect() } else { Vec::new() };
    for slot in slots(integration, operation) {
        match slot {
            Slot::Secret(name) => fields.push(name),
            Slot::Credential => fields.extend(of_requests()),
            _ => {}
        }
    }
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// Whether the program's files hold what would be on a request.
pub(crate) fn wants_credential(integration: &Integration, operation: &OperationName) -> bool {
    slots(integration, operation).any(|slot| *slot == Slot::Credential)
}

/// Whether the program is lent a session that is made of the credential.
pub(crate) fn wants_lease(integration: &Integration) -> bool {
    integration.program().is_some_and(|program| program.lease().is_some())
}

fn slots<'a>(
    integration: &'a Integration,
    operation: &OperationName,
) -> impl Iterator<Item = &'a Slot> + use<'a> {
    integration.program_files(operation).flat_map(|(_, text)| text.slots())
}
