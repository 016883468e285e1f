//! `agent.use`, `agent.reveal`, `agent.append`: what a capability is for. Each is a call of its own, which goes down the one
//! path with the name of the capability presented like a token; so it is that call that is permitted, counted and recorded,
//! under the integration that it is for.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use model::{CapabilityId, Code, Inputs, Refusal};
use net::Body;
use net::body::{Bounds, collect_bounded};
use policy::Named;
use policy::files::{Action, ResourceKind, ResourceName};
use serde_json::{Map, Value, json};

use super::ask::{Append, Reveal, Tool, Use, Wanted};
use super::request::{unread, wrong};
use super::row::reached;
use super::{Asker, answered, borne, json as strict, tool};
use crate::inbound::{Answer, Asked, Forward, Inbound, Operate, Outbound};
use crate::manage::{Done, Managing};
use crate::{Payload, Worker};

/// Performs a call of an integration whose credentials the capability reaches.
pub(crate) async fn use_it(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let asked: Use = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let performing = Performing::of(managing, &asker, &asked.capability_id)?;
    if let Some(word) = asked.action.as_deref().filter(|word| !word.is_empty()) {
        let action: Action = word.parse().map_err(unread)?;
        let (actions, _) = performing.reach();
        if performing.named.is_some() && !actions.contains(&action) && !actions.contains(&Action::Admin) {
            let message = format!("Capability does not allow the action `{action}`");
            return Ok(performing.refused(&Refusal::new(Code::Denied, message)));
        }
    }
    match (asked.request, asked.tool) {
        (Some(request), None) => send(&performing, request).await,
        (None, Some(tool)) => run(&performing, tool).await,
        _ => Err(wrong("there is either a `request` or a `tool` to use the capability for")),
    }
}

/// A request of an integration.
async fn send(performing: &Performing, request: Wanted) -> Result<Done, Refusal> {
    match performing.call(Asked::Forward(Box::new(forward(request)?))).await {
        Ok(Outbound::Reply(evidence, reply)) => {
            let (parts, body) = reply.into_parts();
            let bounds = Bounds { bytes: MOST_REPLY, frame: IDLE, whole: WHOLE };
            let Ok(bytes) = collect_bounded(body, bounds).await else {
                let message = "the call was made, but its reply broke off or is larger than 512 KiB";
                let refusal = Refusal::new(Code::UpstreamReply, message)
                    .hint("ask for a capability with `bearer`, and call the gateway")
                    .recorded(evidence);
                return Ok(performing.refused(&refusal));
            };
            let mut said = Map::new();
            said.insert("status".to_owned(), "ok".into());
            said.insert("http_status".to_owned(), parts.status.as_u16().into());
            said.insert("headers".to_owned(), spoken_headers(&parts.headers));
            match std::str::from_utf8(&bytes) {
                Ok(text) => said.insert("body".to_owned(), text.into()),
                Err(_) => said.insert("body_base64".to_owned(), crypto::to_base64(&bytes).into()),
            };
            Ok(performing.done(said, evidence))
        }
        Ok(Outbound::Answer(answer) | Outbound::Lease(answer, _)) => Ok(performing.strange(&answer)),
        Err(refusal) => Ok(performing.refused(&refusal)),
    }
}

/// A tool: an operation by its name, most often one that a program does.
async fn run(performing: &Performing, tool: Tool) -> Result<Done, Refusal> {
    let (integration, operation) = tool::meant(&tool.name)?;
    let operate = Operate::new(integration, operation, tool.inputs.0);
    match performing.call(Asked::Operate(operate)).await {
        Ok(Outbound::Answer(answer)) => Ok(performing.done(tool::said(&answer), answer.evidence)),
        Ok(Outbound::Lease(answer, _)) => Ok(performing.strange(&answer)),
        Ok(Outbound::Reply(..)) => Ok(performing.refused(&not_found())),
        Err(refusal) => Ok(performing.refused(&refusal)),
    }
}

/// Shows a secret, where that is allowed at all.
pub(crate) async fn reveal(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let asked: Reveal = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let performing = Performing::of(managing, &asker, &asked.capability_id)?;
    let Some(name) = performing.resource(asked.resource.as_deref(), ResourceKind::Secret)? else {
        return Ok(performing.refused(&not_found()));
    };
    let performing = performing.about(format!("secret:/{name}"));
    let inputs = Inputs::from([("name".to_owned(), name)]);
    let operate = operate("secret.reveal", inputs, None)?;
    match performing.call(Asked::Operate(operate)).await {
        Ok(Outbound::Answer(Answer { evidence, value: Value::Object(shown), failed: _ })) => {
            let mut said = Map::new();
            said.insert("status".to_owned(), "ok".into());
            said.extend(shown);
            Ok(performing.done(said, evidence))
        }
        Ok(Outbound::Answer(answer) | Outbound::Lease(answer, _)) => Ok(performing.strange(&answer)),
        Ok(Outbound::Reply(..)) => Ok(performing.refused(&not_found())),
        Err(refusal) => Ok(performing.refused(&refusal)),
    }
}

/// Appends to a stream of the evidence.
pub(crate) async fn append(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let asked: Append = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let performing = Performing::of(managing, &asker, &asked.capability_id)?;
    let Some(stream) = performing.resource(asked.resource.as_deref(), ResourceKind::Log)? else {
        return Ok(performing.refused(&not_found()));
    };
    let fields: Map<String, Value> =
        asked.fields.into_iter().flat_map(|fields| fields.0).map(|(key, value)| (key, value.0)).collect();
    let payload = json!({ "message": asked.message, "fields": fields }).to_string();
    let performing = performing.about(format!("log:/{stream}"));
    let inputs = Inputs::from([("stream".to_owned(), stream)]);
    let operate = operate("log.append", inputs, Some(Payload::new(payload.into_bytes())?))?;
    match performing.call(Asked::Operate(operate)).await {
        Ok(Outbound::Answer(Answer { evidence, .. })) => {
            let said = Map::from_iter([("status".to_owned(), "ok".into())]);
            Ok(performing.done(said, evidence))
        }
        Ok(Outbound::Lease(answer, _)) => Ok(performing.strange(&answer)),
        Ok(Outbound::Reply(..)) => Ok(performing.refused(&not_found())),
        Err(refusal) => Ok(performing.refused(&refusal)),
    }
}

/// A use that is under way.
struct Performing {
    worker: Arc<Worker>,
    name: String,
    inbound: Inbound,
    /// What is known of the capability; nothing where it is not this caller's.
    named: Option<Named>,
    /// The resource that is meant, where that is one of those that the capability is for; empty where it is not known.
    about: String,
}

impl Performing {
    fn of(managing: &Managing<'_>, asker: &Asker, name: &str) -> Result<Self, Refusal> {
        if name.is_empty() {
            return Err(wrong("capability_id is required"));
        }
        let worker = Arc::clone(managing.worker);
        let id = name.parse::<CapabilityId>().ok();
        let named = id.and_then(|id| worker.broker().grants().named(id));
        let named = match id {
            Some(_) => named.filter(|named| named.held_by(&asker.facts.holder).is_some()),
            // The nearest one with a name: what its holder narrowed by himself, the call itself is held to.
            None => borne::line(managing, asker, name).and_then(|line| {
                let grants = worker.broker().grants();
                line.into_iter().rev().find(|named| grants.named(named.id).is_some())
            }),
        };
        let mut capability =
            HeaderValue::from_str(name).map_err(|_| wrong("the capability's name is not text"))?;
        capability.set_sensitive(true);
        if id.is_none() && !name.starts_with("cap1_") {
            // Whatever it is, it is nobody's.
            capability = HeaderValue::from_static("cap_00000000000000000000000000");
        }
        let inbound = Inbound {
            door: managing.admitted.identified.caller.door(),
            facts: asker.facts.clone(),
            capability: Some(capability),
            asked: Asked::Operate(operate("agent.list", Inputs::new(), None)?),
        };
        // Never a token.
        let name = named.as_ref().map(|named| named.id.to_string()).unwrap_or_default();
        Ok(Self { worker, name, inbound, named, about: String::new() })
    }

    /// The same, about one resource.
    fn about(self, about: String) -> Self {
        Self { about, ..self }
    }

    fn reach(&self) -> (Vec<Action>, Option<ResourceName>) {
        self.named.as_ref().map_or((Vec::new(), None), |named| reached(&named.caveats))
    }

    /// The path of the resource that is meant: the one that is named, or the one that the capability is for.
    fn resource(&self, asked: Option<&str>, kind: ResourceKind) -> Result<Option<String>, Refusal> {
        let named = match asked.filter(|text| !text.is_empty()) {
            Some(text) => Some(text.parse::<ResourceName>().map_err(unread)?),
            None => self.reach().1,
        };
        match named {
            None => Ok(None),
            Some(name) if name.kind() != kind => {
                Err(wrong(format!("`{name}` is no resource for this: it takes `{}:/...`", kind.as_str())))
            }
            Some(name) if name.prefix().is_some() => {
                Err(wrong(format!("`{name}` is more than one; say which with `resource`")))
            }
            Some(name) => Ok(Some(name.path().to_owned())),
        }
    }

    async fn call(&self, asked: Asked) -> Result<Outbound, Refusal> {
        let Inbound { door, facts, capability, .. } = &self.inbound;
        let inbound = Inbound { door: *door, facts: facts.clone(), capability: capability.clone(), asked };
        nested(Arc::clone(&self.worker), inbound).await
    }

    /// How often it may still be used, of itself and of all that it comes from.
    fn left(&self) -> Option<u32> {
        let line = self.worker.broker().grants().lineage(self.named.as_ref()?.id)?;
        line.iter().map(|named| named.uses.saturating_sub(named.used)).min()
    }

    fn done(&self, mut said: Map<String, Value>, evidence: model::EvidenceId) -> Done {
        said.insert("evidence".to_owned(), evidence.to_string().into());
        said.extend(self.left().map(|left| ("uses_left".to_owned(), left.into())));
        let mut fields = vec![("capability", self.name.clone()), ("call", evidence.to_string())];
        fields.extend((!self.about.is_empty()).then(|| ("resource", self.about.clone())));
        answered(Value::Object(said), &fields)
    }

    /// A refusal of the call is an answer to whoever used the capability.
    fn refused(&self, refusal: &Refusal) -> Done {
        let denied = !matches!(
            refusal.code,
            Code::UpstreamReply
                | Code::UpstreamTimeout
                | Code::UpstreamUnreachable
                | Code::OutcomeUnknown
                | Code::EvidenceUnavailable
                | Code::SourceUnavailable
                | Code::SecretMissing
                | Code::Sealed
        );
        let mut said = Map::new();
        said.insert("status".to_owned(), if denied { "denied" } else { "error" }.into());
        said.insert("message".to_owned(), refusal.message.clone().into());
        said.insert("code".to_owned(), refusal.code.as_str().into());
        said.extend(reason(refusal.code).map(|word| ("reason".to_owned(), word.into())));
        said.extend(refusal.hint.clone().map(|hint| ("hint".to_owned(), hint.into())));
        said.extend(refusal.evidence.map(|id| ("evidence".to_owned(), id.to_string().into())));
        said.extend(self.left().map(|left| ("uses_left".to_owned(), left.into())));
        let call = refusal.evidence.map(|id| id.to_string()).unwrap_or_default();
        let mut fields = vec![
            ("capability", self.name.clone()),
            ("call", call),
            ("status", if denied { "denied" } else { "error" }.to_owned()),
            ("reason", refusal.code.as_str().to_owned()),
        ];
        fields.extend((!self.about.is_empty()).then(|| ("resource", self.about.clone())));
        Done { code: Some(refusal.code), ..answered(Value::Object(said), &fields) }
    }

    fn strange(&self, answer: &Answer) -> Done {
        let message = "the call gave an answer that this message can't carry";
        self.refused(&Refusal::new(Code::UpstreamReply, message).recorded(answer.evidence))
    }
}

/// A call within an operation. A function of its own with a boxed answer, for a call can't hold a call of its own kind.
fn nested(
    worker: Arc<Worker>,
    inbound: Inbound,
) -> Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>> {
    Box::pin(async move { worker.call(inbound).await })
}

fn operate(operation: &str, inputs: Inputs, payload: Option<Payload>) -> Result<Operate, Refusal> {
    let (integration, operation) = ("doorward".parse().map_err(unread)?, operation.parse().map_err(unread)?);
    Ok(Operate::new(integration, operation, inputs).with(payload))
}

fn forward(wanted: Wanted) -> Result<Forward, Refusal> {
    let Wanted { integration, method, path, headers, body, body_base64 } = wanted;
    let integration = integration.parse().map_err(unread)?;
    let method = method.as_deref().unwrap_or("GET").parse().map_err(unread)?;
    let target = path.parse().map_err(|error: model::ParseError| {
        wrong(format!("the path is malformed: expected {}", error.expected()))
    })?;
    let mut written = HeaderMap::new();
    for (name, value) in headers.unwrap_or_default().0 {
        let bad = || wrong("a header has a name or value that can't be sent");
        let name = HeaderName::try_from(name).map_err(|_| bad())?;
        written.append(name, HeaderValue::try_from(value).map_err(|_| bad())?);
    }
    let body = match (body.map(|body| body.0), body_base64) {
        (None | Some(Value::Null), None) => Body::empty(),
        (Some(Value::String(text)), None) => Body::full(text),
        (Some(value), None) => {
            if !written.contains_key(http::header::CONTENT_TYPE) {
                written.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Body::full(value.to_string())
        }
        (None, Some(text)) => {
            Body::full(crypto::from_base64(&text).map_err(|_| wrong("`body_base64` is not base 64"))?)
        }
        (Some(_), Some(_)) => return Err(wrong("there is either a `body` or a `body_base64`")),
    };
    Ok(Forward::new(integration, method, target, written, body))
}

fn spoken_headers(headers: &HeaderMap) -> Value {
    let mut said = Map::new();
    for name in headers.keys() {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        said.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(", ").into());
    }
    Value::Object(said)
}

/// The word of the agent's documents for a refusal.
const fn reason(code: Code) -> Option<&'static str> {
    match code {
        Code::UsesExhausted => Some("USAGE_LIMIT_EXCEEDED"),
        Code::Expired => Some("EXPIRED"),
        Code::Revoked => Some("REVOKED"),
        Code::Unauthenticated => Some("CAP_NOT_FOUND"),
        Code::Denied | Code::RateLimited | Code::ApprovalRequired => Some("CONSTRAINT_VIOLATION"),
        _ => None,
    }
}

fn not_found() -> Refusal {
    Refusal::new(Code::Unauthenticated, "capability not found")
}

/// What fits into a frame of the agent's protocol, also in base 64.
const MOST_REPLY: usize = 512 * 1024;
const IDLE: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_secs(25);
