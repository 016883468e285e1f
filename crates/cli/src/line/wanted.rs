//! What a command asks of an agent, whichever command line said it.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::failure::{Failure, Outcome};

/// A request for a capability, or for a narrower one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) resource: Option<String>,
    pub(crate) actions: Vec<String>,
    pub(crate) ttl: Option<u64>,
    pub(crate) max_uses: Option<u64>,
    pub(crate) identity: Option<String>,
    pub(crate) purpose: Option<String>,
    /// JSON, as it was typed.
    pub(crate) constraints: Option<String>,
    /// JSON, as it was typed.
    pub(crate) context: Option<String>,
    pub(crate) holder: Option<String>,
    pub(crate) bearer: bool,
    pub(crate) output: Output,
}

/// Into which file an answer goes, and who may read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    pub(crate) file: Option<PathBuf>,
    pub(crate) mode: Option<String>,
    pub(crate) group: Option<String>,
}

/// Which capabilities are listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) identity: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) limit: u64,
    pub(crate) offset: u64,
}

/// A use of a capability.
#[derive(Debug, Clone)]
pub(crate) enum Use {
    /// One request to an integration.
    Request { integration: String, method: String, path: String, headers: Vec<String>, data: Option<Vec<u8>> },
    /// A tool that the owner declared.
    Tool { name: String, inputs: Vec<String> },
    /// The secret itself, where it may be disclosed.
    Reveal { resource: Option<String> },
    /// A line for a stream of evidence.
    Log { message: String, fields: Vec<String>, resource: Option<String> },
}

impl Wanted {
    /// The payload of `capability_request`, or of `capability_narrow` with the id of the one that is narrowed.
    pub(crate) fn payload(&self, narrowed: Option<&str>) -> Outcome<Value> {
        for (flag, number) in [("--ttl", self.ttl), ("--max-uses", self.max_uses)] {
            if number == Some(0) {
                return Err(Failure::usage(format!("`{flag}` is a number from 1"))
                    .hint("leave it out for what is usual"));
            }
        }
        let of_requests =
            [("--identity", &self.identity), ("--holder", &self.holder), ("--context", &self.context)];
        if let Some((flag, _)) = of_requests.iter().find(|(_, typed)| narrowed.is_some() && typed.is_some()) {
            let message =
                format!("a narrowing of the agent takes no `{flag}`: it has that of what it comes from");
            return Err(Failure::usage(message));
        }
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        put("capability_id", narrowed.map(Value::from));
        put("resource", self.resource.clone().map(Value::from));
        put(
            "actions",
            Some(&self.actions).filter(|actions| !actions.is_empty()).map(|actions| json!(actions)),
        );
        put("ttl", self.ttl.map(Value::from));
        put("max_uses", self.max_uses.map(Value::from));
        put("identity", self.identity.clone().map(Value::from));
        put("purpose", self.purpose.clone().map(Value::from));
        put("constraints", object("--constraints", self.constraints.as_deref())?);
        put("context", object("--context", self.context.as_deref())?);
        put("holder", self.holder.clone().map(Value::from));
        // A file is for another program, which the kernel does not know as the holder.
        put("bearer", (self.bearer || self.output.file.is_some()).then_some(Value::Bool(true)));
        Ok(Value::Object(fields))
    }
}

impl Filter {
    /// The payload of `capability_list`.
    ///
    /// # Errors
    /// When there is no such status.
    pub(crate) fn payload(&self) -> Outcome<Value> {
        let Self { identity, kind, status, resource, limit, offset } = self;
        if let Some(status) = status.as_deref().filter(|status| !STATUSES.contains(status)) {
            let near = catalog::nearest_word(status, STATUSES);
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let failure = Failure::usage(format!("`--status` is one of `{}`", STATUSES.join("`, `")));
            return Err(failure.maybe_hint(hint));
        }
        let texts = [("identity", identity), ("type", kind), ("status", status), ("resource", resource)];
        let texts =
            texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
        let numbers = [("limit".to_owned(), json!(limit)), ("offset".to_owned(), json!(offset))];
        Ok(json!({ "filter": texts.chain(numbers).collect::<Map<_, _>>() }))
    }
}

/// What a capability may be.
const STATUSES: [&str; 3] = ["active", "expired", "revoked"];

impl Use {
    /// Type and payload of the message.
    pub(crate) fn message(&self, id: &str) -> Outcome<(&'static str, Value)> {
        match self {
            Self::Request { integration, method, path, headers, data } => {
                let mut request = json!({ "integration": integration, "method": method, "path": path });
                if !headers.is_empty() {
                    put(&mut request, "headers", pairs(headers, ':', "a header is written `name: value`")?);
                }
                match data.as_deref().map(std::str::from_utf8) {
                    None => {}
                    Some(Ok(text)) => put(&mut request, "body", json!(text)),
                    Some(Err(_)) => {
                        put(&mut request, "body_base64", json!(base64(data.as_deref().unwrap_or_default())));
                    }
                }
                Ok(("capability_use", json!({ "capability_id": id, "request": request })))
            }
            Self::Tool { name, inputs } => {
                let inputs = pairs(inputs, '=', "an input is written `name=value`")?;
                Ok((
                    "capability_use",
                    json!({ "capability_id": id, "tool": { "name": name, "inputs": inputs } }),
                ))
            }
            Self::Reveal { resource } => {
                Ok(("secret_read", with_resource(json!({ "capability_id": id }), resource)))
            }
            Self::Log { message, fields, resource } => {
                let mut payload = json!({ "capability_id": id, "message": message });
                if !fields.is_empty() {
                    put(&mut payload, "fields", pairs(fields, '=', "a field is written `name=value`")?);
                }
                Ok(("log_append", with_resource(payload, resource)))
            }
        }
    }
}

fn with_resource(mut payload: Value, resource: &Option<String>) -> Value {
    if let Some(resource) = resource {
        put(&mut payload, "resource", json!(resource));
    }
    payload
}

/// Sets a field of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// JSON that was typed behind a flag; it has to be an object.
pub(crate) fn object(flag: &str, typed: Option<&str>) -> Outcome<Option<Value>> {
    let Some(typed) = typed else { return Ok(None) };
    // A key that is there twice would mean the one here and the other to whoever reads along.
    match broker::document::read(typed.as_bytes()) {
        Ok(value) if value.is_object() => Ok(Some(value)),
        Ok(_) => Err(Failure::usage(format!("`{flag}` is JSON, but no object"))),
        Err(error) if broker::document::says_twice(&error) => {
            Err(Failure::usage(format!("`{flag}` has a key twice (column {})", error.column())))
        }
        Err(error) => Err(Failure::usage(format!("`{flag}` is not JSON (column {})", error.column()))
            .hint("put it in single quotes: `'{\"environment\":{\"environment\":\"test\"}}'`")),
    }
}

fn pairs(written: &[String], mark: char, wrong: &'static str) -> Outcome<Value> {
    let pairs = written.iter().map(|pair| {
        let (name, value) = pair.split_once(mark).ok_or_else(|| Failure::usage(wrong))?;
        Ok((name.trim().to_owned(), json!(value.trim_start())))
    });
    Ok(Value::Object(pairs.collect::<Outcome<_>>()?))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
