//! Operations of services by name, with the capability of whoever asks.

use broker::{Asked, Inbound, Operate, Outbound};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use memory::Secret;
use model::{Door, Fact, Holder, Inputs, IntegrationName, OperationName};
use net::Body;
use serde_json::json;

use super::{Own, Performed, Running, Told, VERSIONS, Who, understood};
use crate::failure::{Failure, Outcome};

impl Running {
    pub(crate) fn perform(
        &self,
        named: (&IntegrationName, &OperationName),
        inputs: &Inputs,
        who: &Who,
    ) -> Outcome<Performed> {
        let mut request = request(named, inputs, None)?;
        request.headers_mut().extend(who.headers());
        performed(&self.runtime.block_on(self.plain.send(request))?)
    }
}

impl Own {
    pub(super) fn perform(
        &self,
        named: (IntegrationName, OperationName),
        inputs: Inputs,
        who: &Who,
    ) -> Outcome<Performed> {
        let mut inbound = inbound(named, inputs, who.capability.clone());
        inbound.facts.claims.clone_from(&who.claims);
        came_of(self.call(inbound)?)
    }
}

/// The request with which a running broker is asked to perform an operation.
pub(crate) fn request(
    (integration, operation): (&IntegrationName, &OperationName),
    inputs: &Inputs,
    capability: Option<HeaderValue>,
) -> Outcome<Request<Body>> {
    let mut request = Request::post(format!("/v1/operations/{integration}/{operation}"))
        .header(http::header::CONTENT_TYPE, "application/json");
    if let Some(capability) = capability {
        request = request.header(CAPABILITY, capability);
    }
    let body = Bytes::from(json!({ "inputs": inputs }).to_string());
    request.body(Body::full(body)).map_err(|error| Failure::doing("could not write the request", &error))
}

/// What the reply to it says came of it.
pub(crate) fn performed(reply: &Response<Bytes>) -> Outcome<Performed> {
    // Of an operation that failed there is an answer as well.
    match serde_json::from_slice::<Told>(reply.body()) {
        Ok(told) => {
            let failed = !reply.status().is_success();
            Ok(Performed { evidence: told.evidence, value: told.answer, failed })
        }
        Err(error) => {
            understood(reply)?;
            Err(Failure::doing("the broker's answer can't be understood", &error).hint(VERSIONS))
        }
    }
}

/// The same as a call of this process.
pub(crate) fn inbound(
    (integration, operation): (IntegrationName, OperationName),
    inputs: Inputs,
    capability: Option<HeaderValue>,
) -> Inbound {
    Inbound {
        door: Door::Cli,
        facts: facts(),
        capability,
        asked: Asked::Operate(Operate::new(integration, operation, inputs)),
    }
}

/// What came of the call.
pub(crate) fn came_of(outbound: Outbound) -> Outcome<Performed> {
    match outbound {
        Outbound::Answer(answer) => {
            Ok(Performed { evidence: answer.evidence, value: answer.value, failed: answer.failed })
        }
        Outbound::Reply(..) | Outbound::Lease(..) => {
            Err(Failure::new("the operation gave something else than an answer"))
        }
    }
}

/// Whoever runs this process.
pub(crate) fn facts() -> Fact {
    let holder = Holder { uid: Some(rustix::process::geteuid().as_raw()), ..Holder::default() };
    Fact { holder, ..Fact::default() }
}

/// Where a capability stands in a request to a running broker.
pub(crate) const CAPABILITY: &str = "x-doorward-capability";

/// As it is presented: nobody prints it.
#[expect(clippy::disallowed_methods, reason = "presents the capability to the broker")]
pub(super) fn presented(capability: &Secret) -> Outcome<HeaderValue> {
    let value = capability.expose(HeaderValue::from_bytes);
    let mut value = value.map_err(|_| Failure::new("the file holds no capability"))?;
    value.set_sensitive(true);
    Ok(value)
}
