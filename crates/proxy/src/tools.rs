//! Operations in the words of a tool router: `GET /v1/tools` and `POST /v1/tools:execute`, also as `/tools` and `/execute` where no integration has
//! these names. Resources and prompts are listed, and there are none; what is not kept here is refused with 501.
//!
//! Programs that speak to such a router go on as they are. Its `Context` says who asks, for whom and where: that is taken and not
//! believed, for who asks is proven by the capability. Words that the router knows are read as it reads them; words of ours are the
//! name of an integration and of its operation.

use std::sync::Arc;

use broker::{Operate, Worker, document, inputs_of, presented, spans, tool, tool_output, tool_refusal};
use http::header::HeaderValue;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use model::{Code, Fact, Inputs, Refusal};
use net::{Body, Peer};
use serde_json::{Map, Value, json};

use crate::browser::Guarded;
use crate::operation;
use crate::refused::Refused;

/// What is asked for, still without its body.
#[derive(Debug)]
pub(crate) enum Called {
    /// Which tools there are.
    List,
    /// What there is none of.
    Nothing(&'static str),
    /// What is not here, and where it is found instead.
    Absent(&'static str),
    /// To do one thing.
    Execute(Box<(Fact, Option<HeaderValue>, Option<spans::Remote>)>),
}

/// Whether a path is one of these.
pub(crate) fn is_one(path: &str) -> bool {
    [LIST, EXECUTE, RESOURCES, PROMPTS, RESOLVE, LOGS].contains(&path)
}

/// The long path that a short one stands for, where it is no integration's.
pub(crate) fn long_for(path: &str, is_integration: impl Fn(&str) -> bool) -> Option<&'static str> {
    let long = match path {
        "/tools" => LIST,
        "/execute" => EXECUTE,
        _ => return None,
    };
    (!is_integration(path.trim_start_matches('/'))).then_some(long)
}

/// Reads the head.
pub(crate) fn read(_: Guarded, parts: &Parts, path: &str, peer: &Peer) -> Result<Called, Refused> {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    match path {
        LIST | RESOURCES | PROMPTS | LOGS if !reads => {
            return Err(Refused::method("this is read with GET", "GET, HEAD"));
        }
        LIST => return Ok(Called::List),
        RESOURCES => return Ok(Called::Nothing("resources")),
        PROMPTS => return Ok(Called::Nothing("prompts")),
        LOGS => return Ok(Called::Absent(NO_LOGS)),
        _ if parts.method != Method::POST => {
            return Err(Refused::method("a tool is called with POST", "POST"));
        }
        RESOLVE => return Ok(Called::Absent(NO_ARTIFACTS)),
        _ => {}
    }
    let facts = operation::facts(parts, peer)?;
    let parent = spans::parent(&parts.headers);
    Ok(Called::Execute(Box::new((facts, presented::capability(&parts.headers)?, parent))))
}

/// Answers it.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    called: Called,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let head = match called {
        Called::List => return Ok(operation::document(StatusCode::OK, &worker.broker().tools())),
        Called::Nothing(what) => return Ok(operation::document(StatusCode::OK, &json!({ what: [] }))),
        Called::Absent(why) => {
            let said = json!({ "error": "not implemented", "message": why });
            return Ok(operation::document(StatusCode::NOT_IMPLEMENTED, &said));
        }
        Called::Execute(head) => head,
    };
    let (facts, capability, parent) = *head;
    let Wanted { operate, id, words: (tool, action) } = wanted(&operation::whole(body).await?)?;
    let performed = operation::perform(worker, (operate.within(parent), facts, capability), |answer| {
        let (output, used) = tool_output(&answer.value);
        let mut said = json!({
            "tool_call_id": id.unwrap_or_else(|| format!("tool_{}", answer.evidence)),
            "Output": output, "Used": used, "evidence": answer.evidence,
        });
        if let (Some(said), Some(why)) = (said.as_object_mut(), answer.value.get("failed")) {
            said.insert("failed".to_owned(), why.clone());
        }
        said
    });
    performed.await.map_err(|refusal| tool_refusal(worker.broker(), (&tool, &action), refusal))
}

/// What a body asks for.
struct Wanted {
    operate: Operate,
    /// The caller's own name for the call.
    id: Option<String>,
    /// Tool and action, as they were written.
    words: (String, String),
}

/// Reads a body. Names are read without regard to case and `_`, as such routers do; one that is there twice has two readings.
fn wanted(bytes: &[u8]) -> Result<Wanted, Refusal> {
    let wrong = |message: &str| Refusal::new(Code::BadRequest, message).hint(FORM);
    let read = document::read(bytes).map_err(|error| match document::says_twice(&error) {
        true => wrong("a member of the body is there twice"),
        false => wrong("invalid json"),
    })?;
    let Value::Object(read) = read else { return Err(wrong("invalid json")) };
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in read {
        let plain = name.to_ascii_lowercase().replace('_', "");
        if !KNOWN.contains(&plain.as_str()) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            return Err(wrong(&format!("the body has no member `{name}`")));
        }
        if members.insert(plain, value).is_some() {
            return Err(wrong("a member of the body is there twice"));
        }
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let tool_name = text("tool").ok_or_else(|| wrong("tool required"))?;
    let action = text("action").ok_or_else(|| wrong("action required"))?;
    let unknown = || wrong("unknown tool or action").hint("`GET /v1/tools`, and `doorward op list`");
    let (integration, operation) = tool(tool_name, action).ok_or_else(unknown)?;
    if integration.as_str() == "doorward" {
        return Err(Refusal::new(Code::NotFound, "Doorward itself is not managed here"));
    }
    let inputs = match members.get("input") {
        None | Some(Value::Null) => Inputs::new(),
        Some(input @ Value::Object(_)) => inputs_of(json!({ "inputs": input }).to_string().as_bytes())
            .map_err(|_| wrong("`input` has a member that is no value of an input, such as `null`"))?,
        Some(_) => return Err(wrong("`input` is an object")),
    };
    let id = match members.get("toolcallid") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) if id.is_empty() => None,
        Some(Value::String(id)) if id.len() <= LONGEST && id.bytes().all(|b| b.is_ascii_graphic()) => {
            Some(id.clone())
        }
        Some(_) => return Err(wrong("`tool_call_id` is at most 128 visible characters")),
    };
    let words = (tool_name.to_owned(), action.to_owned());
    Ok(Wanted { operate: Operate::new(integration, operation, inputs), id, words })
}

const LIST: &str = "/v1/tools";
const EXECUTE: &str = "/v1/tools:execute";
const RESOURCES: &str = "/v1/resources";
const PROMPTS: &str = "/v1/prompts";
const RESOLVE: &str = "/v1/resources:resolve";
const LOGS: &str = "/v1/tools/logs";
const NO_LOGS: &str = "lines of a call are not kept: the answer to the call has what was said, and `doorward evidence show ID` what was done";
const NO_ARTIFACTS: &str =
    "artifacts are not given away: an operation that takes one reads it itself, as `values_ref` of Helm does";
const FORM: &str = "`{\"tool\": \"kubectl\", \"action\": \"scale\", \"input\": {..}}`";
/// Members of a body, in small letters and without `_`. The last two say who and where, and are not believed.
const KNOWN: [&str; 6] = ["tool", "action", "input", "toolcallid", "executionid", "context"];
const LONGEST: usize = 128;
