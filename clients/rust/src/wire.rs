//! The protocol without any socket: what is sent for a call, what may come back, and whether a call may be sent twice.

use serde_json::{Map, Value, json};

use crate::Error;
use crate::types::{
    CapabilityList, CapabilityResponse, LogResponse, SecretResponse, UseRequest, UseResult, ValidationResult,
};
use crate::{Secret, random, token};

/// The longest message in either direction, its newline included.
pub(crate) const FRAME: usize = 1024 * 1024;

/// One call: its message, the type of its answer, and how that is read.
pub(crate) struct Call<T> {
    pub(crate) kind: &'static str,
    pub(crate) payload: Value,
    pub(crate) answer: &'static str,
    pub(crate) read: fn(Value) -> Result<T, Error>,
    /// It changes nothing, or what it makes expires by itself.
    pub(crate) repeatable: bool,
}

/// A line that is ready to be sent.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) line: Vec<u8>,
}

impl<T> Call<T> {
    pub(crate) fn message(&self) -> Result<Message, Error> {
        let id = random::message_id()
            .map_err(|error| Error::Protocol(format!("the kernel gave no random bytes: {error}")))?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let timestamp = token::time::shown(u64::try_from(now.as_millis()).unwrap_or_default());
        let envelope = json!({
            "version": "1.0", "type": self.kind, "id": id, "timestamp": timestamp, "payload": self.payload,
        });
        let mut line = envelope.to_string().into_bytes();
        line.push(b'\n');
        if line.len() > FRAME { Err(Error::TooLarge(line.len())) } else { Ok(Message { id, line }) }
    }

    /// Reads the line that came back.
    pub(crate) fn result(&self, id: &str, line: &[u8]) -> Result<T, Error> {
        let answer: Value = serde_json::from_slice(line)
            .map_err(|error| Error::Protocol(format!("the agent's answer is not JSON: {error}")))?;
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = text("type").to_owned();
        // A message that the agent could not read has no id that it could answer with.
        let unread = kind == "error_response" && text("id").is_empty();
        if text("id") != id && !unread {
            return Err(Error::Protocol("the agent answered another message".to_owned()));
        }
        if text("version") != "1.0" {
            let version = text("version");
            return Err(Error::Protocol(format!(
                "the agent speaks version {version} of the protocol, not 1.0"
            )));
        }
        let Value::Object(mut answer) = answer else { return Err(missing("payload")) };
        let payload = answer.remove("payload").filter(Value::is_object).ok_or_else(|| missing("payload"))?;
        if kind == "error_response" {
            return Err(refusal(&payload));
        }
        if kind != self.answer {
            let expected = self.answer;
            return Err(Error::Protocol(format!(
                "the agent answered with `{kind}` where `{expected}` was expected"
            )));
        }
        (self.read)(payload)
    }
}

fn refusal(payload: &Value) -> Error {
    let said = |key: &str| payload.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if said("code") == "outcome_unknown" {
        // The agent itself gave up waiting for what it had begun.
        return Error::OutcomeUnknown(format!("the outcome is unknown: {}", said("error")));
    }
    let message = Some(said("error")).filter(|text| !text.is_empty());
    Error::Refused {
        message: message.unwrap_or_else(|| "refused without a reason".to_owned()),
        code: said("code"),
        hint: said("hint"),
        evidence: said("evidence"),
    }
}

fn missing(key: &str) -> Error {
    Error::Protocol(format!("the agent's answer has no `{key}`"))
}

fn typed<T: serde::de::DeserializeOwned>(payload: Value) -> Result<T, Error> {
    serde_json::from_value(payload)
        .map_err(|error| Error::Protocol(format!("the agent's answer can't be read: {error}")))
}

fn with_status<T: serde::de::DeserializeOwned>(payload: Value) -> Result<T, Error> {
    let status = payload.get("status").and_then(Value::as_str).unwrap_or_default();
    if status.is_empty() { Err(missing("status")) } else { typed(payload) }
}

fn capability(payload: Value) -> Result<CapabilityResponse, Error> {
    let response: CapabilityResponse = with_status(payload)?;
    let good = |capability: &crate::Capability| !capability.id.is_empty() && capability.ends().is_some();
    if response.status == "granted" && !response.capability.as_ref().is_some_and(good) {
        return Err(missing("capability` with `id` and `expires_at"));
    }
    Ok(response)
}

fn validation(payload: Value) -> Result<ValidationResult, Error> {
    let there = payload.get("valid").is_some_and(Value::is_boolean);
    if there { typed(payload) } else { Err(missing("valid")) }
}

fn list(payload: Value) -> Result<CapabilityList, Error> {
    let there = payload.get("capabilities").is_some_and(Value::is_array);
    if there { typed(payload) } else { Err(missing("capabilities")) }
}

fn secret(mut payload: Value) -> Result<SecretResponse, Error> {
    let mut take = |key: &str| match payload.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let status = take("status").filter(|text| !text.is_empty()).ok_or_else(|| missing("status"))?;
    let value = match take("value_base64") {
        Some(coded) => Some(
            token::base64::from_standard(&coded)
                .ok_or_else(|| Error::Protocol("`value_base64` is not base 64".to_owned()))?,
        ),
        None => take("value").map(String::into_bytes),
    };
    Ok(SecretResponse {
        status,
        value: value.map(Secret::new),
        message: take("message").unwrap_or_default(),
        evidence: take("evidence").unwrap_or_default(),
    })
}

// === calls ===

pub(crate) fn request(payload: Value) -> Call<CapabilityResponse> {
    // A lost answer leaves a capability that nobody knows and that expires by itself.
    Call {
        kind: "capability_request",
        payload,
        answer: "capability_response",
        read: capability,
        repeatable: true,
    }
}

pub(crate) fn validate(id: &str, context: Option<&Value>) -> Call<ValidationResult> {
    let payload = given([("capability_id", Some(json!(id))), ("context", context.cloned())]);
    Call {
        kind: "capability_validate",
        payload,
        answer: "validation_response",
        read: validation,
        repeatable: true,
    }
}

pub(crate) fn revoke(id: &str, reason: Option<&str>) -> Call<CapabilityResponse> {
    let payload = given([("capability_id", Some(json!(id))), ("reason", reason.map(|text| json!(text)))]);
    Call {
        kind: "capability_revoke",
        payload,
        answer: "capability_response",
        read: capability,
        repeatable: false,
    }
}

pub(crate) fn listing(filter: Value) -> Call<CapabilityList> {
    let payload = given([("filter", Some(filter))]);
    Call { kind: "capability_list", payload, answer: "capability_response", read: list, repeatable: true }
}

pub(crate) fn narrow(id: &str, less: Value) -> Call<CapabilityResponse> {
    let mut payload = less;
    if let Value::Object(members) = &mut payload {
        members.insert("capability_id".to_owned(), json!(id));
    }
    Call {
        kind: "capability_narrow",
        payload,
        answer: "capability_response",
        read: capability,
        repeatable: true,
    }
}

pub(crate) fn use_request(id: &str, request: &UseRequest) -> Call<UseResult> {
    let (mut text, mut coded) = (None, None);
    match request.body.as_deref().map(std::str::from_utf8) {
        Some(Ok(body)) => text = Some(json!(body)),
        Some(Err(_)) => coded = request.body.as_deref().map(|body| json!(token::base64::to_standard(body))),
        None => {}
    }
    let written = given([
        ("integration", Some(json!(request.integration))),
        ("method", Some(json!(or(&request.method, "GET")))),
        ("path", Some(json!(or(&request.path, "/")))),
        ("headers", (!request.headers.is_empty()).then(|| json!(request.headers))),
        ("body", text),
        ("body_base64", coded),
    ]);
    let action = request.action.as_ref().map(|action| json!(action));
    use_of(given([("capability_id", Some(json!(id))), ("action", action), ("request", Some(written))]))
}

pub(crate) fn use_tool(id: &str, name: &str, inputs: &Map<String, Value>) -> Call<UseResult> {
    use_of(json!({ "capability_id": id, "tool": { "name": name, "inputs": inputs } }))
}

fn use_of(payload: Value) -> Call<UseResult> {
    Call { kind: "capability_use", payload, answer: "use_response", read: with_status, repeatable: false }
}

pub(crate) fn read_secret(id: &str, resource: Option<&str>) -> Call<SecretResponse> {
    let payload = given([("capability_id", Some(json!(id))), ("resource", resource.map(|text| json!(text)))]);
    Call { kind: "secret_read", payload, answer: "secret_response", read: secret, repeatable: false }
}

pub(crate) fn append_log(
    id: &str,
    message: &str,
    fields: Option<&Map<String, Value>>,
    resource: Option<&str>,
) -> Call<LogResponse> {
    let payload = given([
        ("capability_id", Some(json!(id))),
        ("message", Some(json!(message))),
        ("fields", fields.map(|fields| json!(fields))),
        ("resource", resource.map(|text| json!(text))),
    ]);
    Call { kind: "log_append", payload, answer: "log_response", read: with_status, repeatable: false }
}

pub(crate) fn plain(kind: &'static str, answer: &'static str) -> Call<Value> {
    Call { kind, payload: json!({}), answer, read: Ok, repeatable: true }
}

fn given<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect())
}

const fn or<'a>(given: &'a str, otherwise: &'a str) -> &'a str {
    if given.is_empty() { otherwise } else { given }
}
