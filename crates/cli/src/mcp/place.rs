//! Where the operations are: at the running broker, or here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use mcp::{Answer, Input, Kind, Offer, Operations, Performing};
use model::{Access, Code, Door, IntegrationName, OperationName, Refusal, Risk};
use net::Body;
use net::plain::{Place as At, Plain};
use serde::Deserialize;

use crate::context::Context;
use crate::failure::{Failure, Kind as FailureKind, Outcome};
use crate::management::{Own, Performed, Running, perform, understood};
use crate::wire;

/// Where the operations are.
pub(super) enum Place {
    /// At the broker that answers on this socket.
    Socket(Plain),
    /// In this process.
    Here(Mutex<Option<Own>>, std::sync::Arc<broker::Worker>),
}

impl Place {
    /// The running broker, or the home itself.
    pub(super) fn open(context: &Context) -> Outcome<Self> {
        if Running::find(context)?.is_some() {
            let socket = At::Unix(context.home()?.socket());
            return Ok(Self::Socket(Plain::new(socket, PATIENCE, LARGEST_ANSWER)));
        }
        let own = Own::open_at(context.home()?, &context.settings()?, wire::Serving::Threads(1))?;
        let worker = own.worker();
        Ok(Self::Here(Mutex::new(Some(own)), worker))
    }

    /// Ends in good order.
    pub(super) fn close(&self) -> Outcome {
        match self {
            Self::Socket(_) => Ok(()),
            Self::Here(own, _) => {
                own.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Own::close)
            }
        }
    }
}

impl Operations for Place {
    async fn offers(&self, capability: Option<HeaderValue>) -> Result<Vec<Offer>, Refusal> {
        let capability = capability.ok_or_else(absent)?;
        let listed = match self {
            Self::Socket(plain) => {
                let request = Request::get("/v1/operations").header(perform::CAPABILITY, capability);
                let request = request.body(Body::empty()).map_err(|error| {
                    Refusal::new(Code::BadRequest, format!("the request can't be sent: {error}"))
                })?;
                understood(&sent(plain, request).await?).map_err(refused)?
            }
            Self::Here(_, worker) => worker.offers(Door::Cli, perform::facts(), capability)?,
        };
        let described: Vec<Described> = serde_json::from_value(listed).map_err(|error| {
            Refusal::new(Code::SourceUnavailable, format!("the broker's answer can't be understood: {error}"))
        })?;
        Ok(described.into_iter().map(Offer::from).collect())
    }

    async fn perform(&self, capability: Option<HeaderValue>, call: Performing) -> Result<Answer, Refusal> {
        let capability = Some(capability.ok_or_else(absent)?);
        let Performing { integration, operation, inputs } = call;
        let done = match self {
            Self::Socket(plain) => {
                let request = perform::request((&integration, &operation), &inputs, capability);
                perform::performed(&sent(plain, request.map_err(refused)?).await?)
            }
            Self::Here(_, worker) => {
                let inbound = perform::inbound((integration, operation), inputs, capability);
                perform::came_of(worker.call(inbound).await?)
            }
        };
        let Performed { evidence, value, failed } = done.map_err(refused)?;
        Ok(Answer { evidence: evidence.to_string(), value, failed })
    }
}

async fn sent(plain: &Plain, request: Request<Body>) -> Result<Response<Bytes>, Refusal> {
    plain.send(request).await.map_err(|error| {
        Refusal::new(Code::SourceUnavailable, format!("the broker does not answer: {error}"))
    })
}

/// The broker's refusal, or what kept it from being understood.
fn refused(failure: Failure) -> Refusal {
    let (code, evidence) = match failure.kind {
        FailureKind::Refused(code, evidence) => (code, evidence),
        _ => (Code::SourceUnavailable, None),
    };
    let mut refusal = Refusal::new(code, failure.to_string());
    refusal.hint = failure.hint.map(String::from);
    refusal.evidence = evidence;
    refusal
}

fn absent() -> Refusal {
    Refusal::new(Code::Unauthenticated, "no capability was presented")
}

/// An operation as the broker describes it.
#[derive(Deserialize)]
struct Described {
    integration: IntegrationName,
    operation: OperationName,
    title: String,
    docs: Option<String>,
    access: Access,
    risk: Risk,
    inputs: std::collections::BTreeMap<String, DescribedInput>,
}

#[derive(Deserialize)]
struct DescribedInput {
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    pattern: Option<String>,
    max: usize,
    required: bool,
}

impl From<Described> for Offer {
    fn from(described: Described) -> Self {
        let Described { integration, operation, title, docs, access, risk, inputs } = described;
        let inputs = inputs.into_iter().map(|(name, input)| Input {
            name,
            title: input.title,
            kind: match input.kind.as_str() {
                "integer" => Kind::Integer,
                "boolean" => Kind::Boolean,
                "list" => Kind::List,
                "json" => Kind::Json,
                _ => Kind::Text,
            },
            pattern: input.pattern,
            most: Some(input.max),
            required: input.required,
        });
        Self { integration, operation, title, docs, access, risk, inputs: inputs.collect() }
    }
}

/// A service may take its time.
const PATIENCE: Duration = Duration::from_secs(600);
const LARGEST_ANSWER: usize = 64 << 20;
