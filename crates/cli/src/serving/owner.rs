//! What the house does by itself: operations of Doorward's own, in the name of its owner.

use std::sync::Arc;

use broker::{Asked, Inbound, Operate, Outbound, Payload, Worker};
use model::{Code, Door, Fact, Inputs, Refusal};

use crate::management::perform::facts;

/// One call down the path. `purpose` says in its evidence what made the house do it.
pub(super) async fn operate(
    worker: &Arc<Worker>,
    operation: &str,
    (inputs, payload): (Inputs, Option<Payload>),
    purpose: Option<&str>,
) -> Result<Outbound, Refusal> {
    let strange = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let house = "doorward".parse().map_err(strange)?;
    let operate = Operate::new(house, operation.parse().map_err(strange)?, inputs).with(payload);
    let facts = Fact { purpose: purpose.map(str::to_owned), ..facts() };
    let inbound = Inbound { door: Door::Socket, facts, capability: None, asked: Asked::Operate(operate) };
    worker.call(inbound).await
}
