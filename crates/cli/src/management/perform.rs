//! Operations of services by name, with the capability of whoever asks.

use broker::{Asked, Inbound, Operate, Outbound};
use bytes::Bytes;
use http::{HeaderValue, Request};
use memory::Secret;
use model::{Door, Fact, Holder, Inputs, IntegrationName, OperationName};
use net::Body;
use serde_json::json;

use super::{Own, Performed, Running, Told, VERSIONS, understood};
use crate::failure::{Failure, Outcome};

impl Running {
    pub(super) fn perform(
        &self,
        (integration, operation): (&IntegrationName, &OperationName),
        inputs: &Inputs,
        capability: Option<&Secret>,
    ) -> Outcome<Performed> {
        let mut request = Request::post(format!("/v1/operations/{integration}/{operation}"))
            .header(http::header::CONTENT_TYPE, "application/json");
        if let Some(capability) = capability {
            request = request.header("x-doorward-capability", presented(capability)?);
        }
        let body = Bytes::from(json!({ "inputs": inputs }).to_string());
        let request = request
            .body(Body::full(body))
            .map_err(|error| Failure::doing("could not write the request", &error))?;
        let reply = self.runtime.block_on(self.plain.send(request))?;
        // Of an operation that failed there is an answer as well.
        let told = serde_json::from_slice::<Told>(reply.body());
        match told {
            Ok(told) => {
                let failed = !reply.status().is_success();
                Ok(Performed { evidence: told.evidence, value: told.answer, failed })
            }
            Err(error) => {
                understood(&reply)?;
                Err(Failure::doing("the broker's answer can't be understood", &error).hint(VERSIONS))
            }
        }
    }
}

impl Own {
    pub(super) fn perform(
        &self,
        (integration, operation): (IntegrationName, OperationName),
        inputs: Inputs,
        capability: Option<&Secret>,
    ) -> Outcome<Performed> {
        let holder = Holder { uid: Some(rustix::process::geteuid().as_raw()), ..Holder::default() };
        let inbound = Inbound {
            door: Door::Cli,
            facts: Fact { holder, ..Fact::default() },
            capability: capability.map(presented).transpose()?,
            asked: Asked::Operate(Operate { integration, operation, inputs, payload: None, wish: None }),
        };
        match self.call(inbound)? {
            Outbound::Answer(answer) => {
                Ok(Performed { evidence: answer.evidence, value: answer.value, failed: answer.failed })
            }
            Outbound::Reply(..) | Outbound::Lease(..) => {
                Err(Failure::new("the operation gave something else than an answer"))
            }
        }
    }
}

/// As it is presented: nobody prints it.
#[expect(clippy::disallowed_methods, reason = "presents the capability to the broker")]
fn presented(capability: &Secret) -> Outcome<HeaderValue> {
    let value = capability.expose(HeaderValue::from_bytes);
    let mut value = value.map_err(|_| Failure::new("the file holds no capability"))?;
    value.set_sensitive(true);
    Ok(value)
}
