//! Where the operations are: at the running broker, or here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use broker::{Asked, Inbound, Operate, Payload, SystemClock};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use mcp::{Answer, Input, Kind, Offer, Operations, Performing};
use model::{Access, Clock, Code, Door, Inputs, IntegrationName, OperationName, Refusal, Risk};
use net::Body;
use net::plain::{Place as At, Plain};
use serde::Deserialize;
use serde_json::Value;

use super::admission::{Admissions, Exchanged, Seen};
use crate::context::Context;
use crate::failure::{Failure, Kind as FailureKind, Outcome};
use crate::management::{Own, Performed, Running, perform, understood};
use crate::wire;

/// Where the operations are, and what access tokens were exchanged for there.
pub(super) struct Place {
    at: Operated,
    admissions: Admissions,
}

/// Where they are performed.
enum Operated {
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
            return Ok(Self::of(Operated::Socket(Plain::new(socket, PATIENCE, LARGEST_ANSWER))));
        }
        let own = Own::open_at(context.home()?, &context.settings()?, wire::Serving::Threads(1))?;
        let worker = own.worker();
        Ok(Self::of(Operated::Here(Mutex::new(Some(own)), worker)))
    }

    fn of(at: Operated) -> Self {
        Self { at, admissions: Admissions::default() }
    }

    /// Ends in good order.
    pub(super) fn close(&self) -> Outcome {
        match &self.at {
            Operated::Socket(_) => Ok(()),
            Operated::Here(own, _) => {
                own.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Own::close)
            }
        }
    }
}

impl Operations for Place {
    async fn offers(&self, capability: Option<HeaderValue>) -> Result<Vec<Offer>, Refusal> {
        let capability = capability.ok_or_else(absent)?;
        let listed = match &self.at {
            Operated::Socket(plain) => {
                let request = Request::get("/v1/operations").header(perform::CAPABILITY, capability);
                let request = request.body(Body::empty()).map_err(|error| {
                    Refusal::new(Code::BadRequest, format!("the request can't be sent: {error}"))
                })?;
                understood(&sent(plain, request).await?).map_err(refused)?
            }
            Operated::Here(_, worker) => worker.offers(Door::Cli, perform::facts(), capability)?,
        };
        let described: Vec<Described> = serde_json::from_value(listed).map_err(|error| {
            Refusal::new(Code::SourceUnavailable, format!("the broker's answer can't be understood: {error}"))
        })?;
        Ok(described.into_iter().map(Offer::from).collect())
    }

    async fn admit(&self, token: HeaderValue) -> Result<Vec<HeaderValue>, Refusal> {
        let digest = match self.admissions.look(&token) {
            Seen::Known(known) => return known,
            Seen::New(digest) => digest,
        };
        let answer = match self.exchanged(&token).await {
            Ok(value) => Exchanged::read(value),
            Err(refusal) => Err(refusal),
        };
        self.admissions.keep(digest, answer, SystemClock::default().now())
    }

    async fn perform(&self, capability: Option<HeaderValue>, call: Performing) -> Result<Answer, Refusal> {
        let capability = Some(capability.ok_or_else(absent)?);
        let Performing { integration, operation, inputs } = call;
        let done = match &self.at {
            Operated::Socket(plain) => {
                let request = perform::request((&integration, &operation), &inputs, capability);
                perform::performed(&sent(plain, request.map_err(refused)?).await?)
            }
            Operated::Here(_, worker) => {
                let inbound = perform::inbound((integration, operation), inputs, capability);
                perform::came_of(worker.call(inbound).await?)
            }
        };
        let Performed { evidence, value, failed } = done.map_err(refused)?;
        Ok(Answer { evidence: evidence.to_string(), value, failed })
    }
}

impl Place {
    /// What the broker gives for an access token.
    async fn exchanged(&self, token: &HeaderValue) -> Result<Value, Refusal> {
        match &self.at {
            Operated::Socket(plain) => {
                let request = Request::post(format!("/v1/operations/doorward/{EXCHANGE}"))
                    .header(http::header::CONTENT_TYPE, "application/octet-stream")
                    .body(Body::full(Bytes::copy_from_slice(token.as_bytes())));
                let request = request.map_err(|error| {
                    Refusal::new(Code::BadRequest, format!("the request can't be sent: {error}"))
                })?;
                let mut told = understood(&sent(plain, request).await?).map_err(refused)?;
                Ok(told.get_mut("answer").map(Value::take).unwrap_or_default())
            }
            Operated::Here(_, worker) => {
                let (integration, operation) = (named("doorward")?, named(EXCHANGE)?);
                let payload = Some(Payload::new(token.as_bytes().to_vec())?);
                let asked = Asked::Operate(Operate::new(integration, operation, Inputs::new()).with(payload));
                let inbound = Inbound { door: Door::Cli, facts: perform::facts(), capability: None, asked };
                Ok(perform::came_of(worker.call(inbound).await?).map_err(refused)?.value)
            }
        }
    }
}

fn named<T: std::str::FromStr<Err = model::ParseError>>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
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

/// The operation that takes access tokens.
const EXCHANGE: &str = "capability.exchange";
/// A service may take its time.
const PATIENCE: Duration = Duration::from_secs(600);
const LARGEST_ANSWER: usize = 64 << 20;
