//! What a client asks for, as the service behind a subscription takes it.
//!
//! A parameter that is not known here, or that the service does not take, is refused by name: one that was left out would be a
//! limit that nobody keeps.

use serde_json::{Map, Value, json};

use super::{Usage, Wants};
use crate::refused::Refused;

/// A request of the Responses API: it streams, stores nothing and has instructions.
pub(super) fn response(mut asked: Map<String, Value>) -> Result<(Value, Wants), Refused> {
    let streams = flag(&asked, "stream")?.unwrap_or(false);
    if flag(&asked, "store")? == Some(true) {
        return Err(untaken("store", "nothing is stored there"));
    }
    if let Some(Value::String(text)) = asked.get("input") {
        let input = json!([message("user", json!([{ "type": "input_text", "text": text }]))]);
        asked.insert("input".to_owned(), input);
    }
    let instructed = asked.get("instructions").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !instructed {
        asked.insert("instructions".to_owned(), INSTRUCTIONS.into());
    }
    asked.insert("stream".to_owned(), true.into());
    asked.insert("store".to_owned(), false.into());
    Ok((Value::Object(asked), if streams { Wants::Same } else { Wants::Response }))
}

/// A chat completion as a request of the Responses API.
pub(super) fn chat(mut asked: Map<String, Value>) -> Result<(Value, Wants), Refused> {
    let streams = flag(&asked, "stream")?.unwrap_or(false);
    if flag(&asked, "store")? == Some(true) {
        return Err(untaken("store", "nothing is stored there"));
    }
    let options = asked.remove("stream_options");
    let told = options.as_ref().and_then(|options| options.get("include_usage")).and_then(Value::as_bool);
    let mut written = Map::new();
    let Some(Value::Array(messages)) = asked.remove("messages") else {
        return Err(Refused::bad("`messages` is missing, or no list"));
    };
    let (instructions, input) = conversation(messages)?;
    written.insert("instructions".to_owned(), instructions.into());
    written.insert("input".to_owned(), input.into());
    for (name, value) in asked {
        parameter(&mut written, &name, value)?;
    }
    written.insert("stream".to_owned(), true.into());
    written.insert("store".to_owned(), false.into());
    let wants = match (streams, told) {
        (false, _) => Wants::Chat,
        (true, Some(true)) => Wants::ChatStream(Usage::Told),
        (true, _) => Wants::ChatStream(Usage::Untold),
    };
    Ok((Value::Object(written), wants))
}

fn parameter(written: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Refused> {
    let usual = |usual: &Value| value.is_null() || value == *usual;
    match name {
        "stream" | "store" => {}
        "model" | "parallel_tool_calls" | "prompt_cache_key" | "service_tier" => {
            written.insert(name.to_owned(), value);
        }
        "tools" => {
            let Value::Array(tools) = value else { return Err(Refused::bad("`tools` is no list")) };
            let tools = tools.into_iter().map(tool).collect::<Result<Vec<_>, _>>()?;
            written.insert(name.to_owned(), tools.into());
        }
        "tool_choice" => {
            let choice = match value.pointer("/function/name") {
                Some(function) => json!({ "type": "function", "name": function }),
                None => value,
            };
            written.insert(name.to_owned(), choice);
        }
        "reasoning_effort" => {
            written.insert("reasoning".to_owned(), json!({ "effort": value }));
        }
        "verbosity" => text_setting(written, "verbosity", value),
        "response_format" => text_setting(written, "format", format(value)?),
        // What is said with the value that counts anyway is no wish.
        "temperature" | "top_p" | "n" if usual(&json!(1)) || value.as_f64() == Some(1.0) => {}
        "frequency_penalty" | "presence_penalty" if usual(&json!(0)) || value.as_f64() == Some(0.0) => {}
        "logprobs" if usual(&json!(false)) => {}
        _ if value.is_null() => {}
        _ => return Err(untaken(name, "the service has no such setting")),
    }
    Ok(())
}

fn text_setting(written: &mut Map<String, Value>, name: &str, value: Value) {
    let text = written.entry("text").or_insert_with(|| json!({}));
    if let Some(text) = text.as_object_mut() {
        text.insert(name.to_owned(), value);
    }
}

fn format(mut value: Value) -> Result<Value, Refused> {
    match value.get("type").and_then(Value::as_str) {
        Some("json_schema") => {
            let schema = value.get_mut("json_schema").map(Value::take);
            let Some(Value::Object(mut schema)) = schema else {
                return Err(Refused::bad("`response_format` has no `json_schema`"));
            };
            schema.insert("type".to_owned(), "json_schema".into());
            Ok(Value::Object(schema))
        }
        Some("json_object" | "text") => Ok(value),
        _ => Err(Refused::bad("`response_format` has a type that is not known")),
    }
}

fn tool(mut tool: Value) -> Result<Value, Refused> {
    let function = tool.get_mut("function").map(Value::take);
    let is_function = tool.get("type").and_then(Value::as_str) == Some("function");
    match function {
        Some(Value::Object(mut function)) if is_function => {
            function.insert("type".to_owned(), "function".into());
            Ok(Value::Object(function))
        }
        _ => Err(Refused::bad("a tool is no function")),
    }
}

/// Instructions, and what was said.
fn conversation(messages: Vec<Value>) -> Result<(String, Vec<Value>), Refused> {
    let (mut instructions, mut input) = (Vec::new(), Vec::new());
    for one in messages {
        let role = one.get("role").and_then(Value::as_str).unwrap_or_default();
        sayable(&one, role)?;
        match role {
            // There is one place for them, in front of everything.
            "system" | "developer" if !input.is_empty() => {
                return Err(untaken("messages", "a system message stands behind one of somebody else")
                    .hint("put it first; `POST /v1/responses` takes the rest"));
            }
            "system" | "developer" => instructions.push(plain(one.get("content"))?),
            "user" => input.push(message("user", parts(one.get("content"), "input_text")?)),
            "assistant" => {
                if one.get("content").is_some_and(|content| !content.is_null() && content != "") {
                    input.push(message("assistant", parts(one.get("content"), "output_text")?));
                }
                match one.get("tool_calls") {
                    None | Some(Value::Null) => {}
                    Some(Value::Array(calls)) => {
                        for call in calls {
                            input.push(called(call)?);
                        }
                    }
                    Some(_) => return Err(Refused::bad("`tool_calls` of a message is no list")),
                }
            }
            "tool" => input.push(json!({
                "type": "function_call_output", "call_id": said(&one, "/tool_call_id", "a tool's message")?,
                "output": plain(one.get("content"))?,
            })),
            _ => return Err(Refused::bad("a message has a role that is not known")),
        }
    }
    let instructions =
        if instructions.is_empty() { INSTRUCTIONS.to_owned() } else { instructions.join("\n\n") };
    Ok((instructions, input))
}

/// Refuses what a message says beyond what can be said there. What is empty says nothing: clients send back what they were given.
fn sayable(one: &Value, role: &str) -> Result<(), Refused> {
    let own: &[&str] = match role {
        "assistant" => &["role", "content", "tool_calls"],
        "tool" => &["role", "content", "tool_call_id"],
        _ => &["role", "content"],
    };
    let empty = |value: &Value| {
        value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
    };
    let further = one.as_object().into_iter().flatten();
    match further.filter(|(name, _)| !own.contains(&name.as_str())).find(|(_, value)| !empty(value)) {
        Some((name, _)) => Err(untaken(name, "a message there has no such member")),
        None => Ok(()),
    }
}

/// A call of a tool that was asked for earlier.
fn called(call: &Value) -> Result<Value, Refused> {
    if call.get("type").is_some_and(|kind| kind != "function") {
        return Err(Refused::bad("a call of a tool is none of a function"));
    }
    let what = "a call of a tool";
    Ok(json!({
        "type": "function_call", "call_id": said(call, "/id", what)?,
        "name": said(call, "/function/name", what)?, "arguments": said(call, "/function/arguments", what)?,
    }))
}

/// A text that has to be there.
fn said<'a>(within: &'a Value, at: &str, what: &str) -> Result<&'a str, Refused> {
    let name = at.rsplit('/').next().unwrap_or_default();
    let text = within.pointer(at).and_then(Value::as_str);
    text.ok_or_else(|| Refused::bad(format!("{what} has no `{name}`, or one that is no text")))
}

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn message(role: &str, content: Value) -> Value {
    json!({ "type": "message", "role": role, "content": content })
}

/// A text, or the texts of parts.
fn plain(content: Option<&Value>) -> Result<String, Refused> {
    match content {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| part.get("text").and_then(Value::as_str).map(ToOwned::to_owned);
            let texts: Option<Vec<String>> = parts.iter().map(text).collect();
            texts
                .map(|texts| texts.join(""))
                .ok_or_else(|| Refused::bad("a message has a part that is no text"))
        }
        _ => Err(Refused::bad("a message has no content")),
    }
}

fn parts(content: Option<&Value>, kind: &str) -> Result<Value, Refused> {
    let Some(Value::Array(parts)) = content else {
        return Ok(json!([{ "type": kind, "text": plain(content)? }]));
    };
    let part = |part: &Value| match (part.get("type").and_then(Value::as_str), part.get("text")) {
        (Some("text"), Some(text @ Value::String(_))) => Ok(json!({ "type": kind, "text": text })),
        (Some("image_url"), _) if kind == "input_text" => {
            let url = said(part, "/image_url/url", "an image")?;
            let detail = part.pointer("/image_url/detail").cloned().unwrap_or_else(|| "auto".into());
            Ok(json!({ "type": "input_image", "image_url": url, "detail": detail }))
        }
        _ => Err(Refused::bad("a message has a part that can't be translated")
            .hint("texts and images can; `POST /v1/responses` takes the rest")),
    };
    parts.iter().map(part).collect()
}

fn flag(asked: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refused> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Refused::bad(format!("`{name}` is neither true nor false"))),
    }
}

fn untaken(name: &str, why: &str) -> Refused {
    // A name is repeated only where it plainly is one.
    let plain = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let shown = if plain { format!("`{name}`") } else { "a parameter of the request".to_owned() };
    Refused::bad(format!("the provider `openai-codex` does not take {shown}: {why}")).hint("leave it out")
}

const INSTRUCTIONS: &str = "You are a helpful assistant.";
