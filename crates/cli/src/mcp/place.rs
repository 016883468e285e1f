//! Where the operations are: at the running broker, or here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use broker::{Asked, Inbound, Operate, Outbound};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use mcp::{Answer, Input, Kind, Offer, Operations, Performing};
use model::{Access, Code, Door, Fact, Holder, IntegrationName, OperationName, Refusal, Risk};
use net::plain::{Place as At, Plain};
use net::{Body, problem};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Outcome;
use crate::management::{Own, Running};
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

    async fn asked(
        plain: &Plain,
        method: http::Method,
        path: String,
        capability: &HeaderValue,
    ) -> Result<Response<Bytes>, Refusal> {
        let mut presented = b"Bearer ".to_vec();
        presented.extend_from_slice(capability.as_bytes());
        let mut presented = HeaderValue::from_bytes(&presented).map_err(unsendable)?;
        presented.set_sensitive(true);
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, presented);
        let request = request.body(Body::empty()).map_err(unsendable)?;
        let reply = plain.send(request).await;
        reply.map_err(|error| {
            Refusal::new(Code::SourceUnavailable, format!("the broker does not answer: {error}"))
        })
    }
}

impl Operations for Place {
    async fn offers(&self, capability: Option<HeaderValue>) -> Result<Vec<Offer>, Refusal> {
        let capability = capability.ok_or_else(absent)?;
        let listed = match self {
            Self::Socket(plain) => {
                let reply =
                    Self::asked(plain, http::Method::GET, "/v1/operations".to_owned(), &capability).await?;
                answered(&reply)?
            }
            Self::Here(_, worker) => worker.offers(Door::Cli, facts(), capability)?,
        };
        let described: Vec<Described> = serde_json::from_value(listed).map_err(strange)?;
        Ok(described.into_iter().map(Offer::from).collect())
    }

    async fn perform(&self, capability: Option<HeaderValue>, call: Performing) -> Result<Answer, Refusal> {
        let capability = capability.ok_or_else(absent)?;
        let Performing { integration, operation, inputs } = call;
        match self {
            Self::Socket(plain) => {
                let mut path = format!("/v1/operations/{integration}/{operation}");
                for (place, (name, value)) in inputs.iter().enumerate() {
                    let mark = if place == 0 { '?' } else { '&' };
                    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
                    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
                    path.push_str(&format!("{mark}{name}={value}"));
                }
                told(&Self::asked(plain, http::Method::POST, path, &capability).await?)
            }
            Self::Here(_, worker) => {
                let operate = Operate { integration, operation, inputs, payload: None, wish: None };
                let inbound = Inbound {
                    door: Door::Cli,
                    facts: facts(),
                    capability: Some(capability),
                    asked: Asked::Operate(operate),
                };
                match worker.call(inbound).await? {
                    Outbound::Answer(answer) => {
                        let status = if answer.failed { 502 } else { 200 };
                        Ok(answer_of(answer.evidence.to_string(), status, answer.value))
                    }
                    Outbound::Reply(evidence, reply) => {
                        let status = reply.status().as_u16();
                        let broken = |_| Refusal::new(Code::UpstreamReply, "the reply broke off");
                        let bytes = reply.into_body().collect().await.map_err(broken)?.to_bytes();
                        Ok(answer_of(evidence.to_string(), status, read(&bytes)))
                    }
                    Outbound::Lease(..) => Err(Refusal::new(Code::Denied, "tools get no credentials")),
                }
            }
        }
    }
}

/// The reply of the broker to an operation: its answer, or what the service said.
fn told(reply: &Response<Bytes>) -> Result<Answer, Refusal> {
    let evidence =
        reply.headers().get(problem::EVIDENCE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if reply.headers().contains_key(problem::REFUSAL) {
        return Err(refused(reply));
    }
    let value = match read(reply.body()) {
        Value::Object(mut fields) if fields.contains_key("evidence") && fields.contains_key("answer") => {
            fields.remove("answer").unwrap_or_default()
        }
        value => value,
    };
    Ok(answer_of(evidence.to_owned(), reply.status().as_u16(), value))
}

fn answer_of(evidence: String, status: u16, value: Value) -> Answer {
    Answer { evidence, failed: status >= 400 || value.get("failed").is_some(), value }
}

fn answered(reply: &Response<Bytes>) -> Result<Value, Refusal> {
    if reply.headers().contains_key(problem::REFUSAL) {
        return Err(refused(reply));
    }
    serde_json::from_slice(reply.body()).map_err(strange)
}

/// A refusal of the broker, as it wrote it.
fn refused(reply: &Response<Bytes>) -> Refusal {
    let told: Told = match serde_json::from_slice(reply.body()) {
        Ok(told) => told,
        Err(error) => return strange(error),
    };
    let code = Code::from_word(&told.code).unwrap_or(Code::SourceUnavailable);
    let mut refusal = Refusal::new(code, told.detail);
    refusal.hint = told.hint;
    refusal.evidence = told.evidence;
    refusal
}

#[derive(Deserialize)]
struct Told {
    code: String,
    detail: String,
    hint: Option<String>,
    evidence: Option<model::EvidenceId>,
}

/// JSON, else text.
fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

fn facts() -> Fact {
    let holder = Holder { uid: Some(rustix::process::geteuid().as_raw()), ..Holder::default() };
    Fact { holder, ..Fact::default() }
}

fn absent() -> Refusal {
    Refusal::new(Code::Unauthenticated, "no capability was presented")
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn strange(error: serde_json::Error) -> Refusal {
    Refusal::new(Code::SourceUnavailable, format!("the broker's answer can't be understood: {error}"))
}

fn unsendable(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::BadRequest, format!("the request can't be sent: {error}"))
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
