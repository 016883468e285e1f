//! Events of the Responses API as a response, as a chat completion, or as its chunks.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use net::Body;
use net::body::Error;
use serde_json::{Map, Value, json};

use super::Usage;
use super::events::{Events, Unreadable};

/// How a response ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ended {
    /// With this document, whole or cut short.
    With(Value),
    /// With an error: its code, and what the service says.
    Failed(String, String),
}

/// Puts the events of a response together.
#[derive(Debug, Default)]
pub(super) struct Whole {
    items: Vec<Value>,
    pub(super) ended: Option<Ended>,
}

impl Whole {
    pub(super) fn event(&mut self, event: &Value) {
        match kind(event) {
            "response.output_item.done" => self.items.extend(event.get("item").cloned()),
            "response.completed" | "response.incomplete" => {
                let mut response = event.get("response").cloned().unwrap_or_default();
                // A service that stores nothing leaves the output of its last event empty.
                let empty = response.get("output").and_then(Value::as_array).is_none_or(Vec::is_empty);
                if let Some(response) = response.as_object_mut().filter(|_| empty) {
                    response.insert("output".to_owned(), std::mem::take(&mut self.items).into());
                }
                self.ended = Some(Ended::With(response));
            }
            "response.failed" | "error" => self.ended = Some(failed(event)),
            _ => {}
        }
    }
}

/// A response as a chat completion.
pub(super) fn completion(response: &Value) -> Value {
    let output = response.get("output").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (mut text, mut refusal, mut calls) = (String::new(), String::new(), Vec::new());
    for item in output {
        match kind(item) {
            "message" => {
                for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
                    text.push_str(string(part, "text"));
                    refusal.push_str(string(part, "refusal"));
                }
            }
            "function_call" => calls.push(json!({
                "id": item.get("call_id"), "type": "function",
                "function": { "name": item.get("name"), "arguments": item.get("arguments") },
            })),
            _ => {}
        }
    }
    let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
    let some = |text: String| if text.is_empty() { Value::Null } else { text.into() };
    message.insert("refusal".to_owned(), some(refusal));
    let reason = reason(response, !calls.is_empty());
    if calls.is_empty() {
        message.insert("content".to_owned(), text.into());
    } else {
        message.insert("content".to_owned(), some(text));
        message.insert("tool_calls".to_owned(), calls.into());
    }
    json!({
        "id": response.get("id"), "object": "chat.completion", "created": created(response), "model": response.get("model"),
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
        "usage": usage(response),
    })
}

/// The body of a response, translated as it comes. A response that breaks off before its end breaks off here too.
pub(super) struct Chunks {
    body: Body,
    events: Events,
    chat: Chat,
    ready: VecDeque<Bytes>,
}

impl Chunks {
    pub(super) fn new(body: Body, usage: Usage) -> Self {
        Self { body, events: Events::default(), chat: Chat::new(usage), ready: VecDeque::new() }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        for event in self.events.feed(piece)? {
            let chunks = self.chat.event(&event);
            self.ready.extend(chunks.into_iter().map(Bytes::from));
        }
        Ok(())
    }
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None if self.chat.done => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(Error::Unfinished))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && let Err(error) = self.take(&data)
                    {
                        return Poll::Ready(Some(Err(Error::Refused(Box::new(error)))));
                    }
                }
            }
        }
    }
}

/// What is known of a completion so far.
struct Chat {
    head: Map<String, Value>,
    usage: Usage,
    /// Calls of tools by their place in the output.
    calls: Vec<Value>,
    done: bool,
}

impl Chat {
    fn new(usage: Usage) -> Self {
        Self { head: Map::new(), usage, calls: Vec::new(), done: false }
    }

    /// The chunks that an event makes.
    fn event(&mut self, event: &Value) -> Vec<String> {
        match kind(event) {
            "response.created" => {
                let response = event.get("response").cloned().unwrap_or_default();
                let field = |name: &str| response.get(name).cloned().unwrap_or_default();
                self.head = Map::from_iter([
                    ("id".to_owned(), field("id")),
                    ("object".to_owned(), "chat.completion.chunk".into()),
                    ("created".to_owned(), created(&response)),
                    ("model".to_owned(), field("model")),
                ]);
                vec![self.delta(json!({ "role": "assistant", "content": "" }))]
            }
            "response.output_text.delta" => vec![self.delta(json!({ "content": event.get("delta") }))],
            "response.refusal.delta" => vec![self.delta(json!({ "refusal": event.get("delta") }))],
            "response.output_item.added" => {
                let Some(item) = event.get("item").filter(|item| kind(item) == "function_call") else {
                    return Vec::new();
                };
                let index = self.calls.len();
                self.calls.push(event.get("output_index").cloned().unwrap_or_default());
                let function = json!({ "name": item.get("name"), "arguments": "" });
                let call = json!({ "index": index, "id": item.get("call_id"), "type": "function", "function": function });
                vec![self.delta(json!({ "tool_calls": [call] }))]
            }
            "response.function_call_arguments.delta" => {
                let place = event.get("output_index");
                let Some(index) = self.calls.iter().position(|known| Some(known) == place) else {
                    return Vec::new();
                };
                let call = json!({ "index": index, "function": { "arguments": event.get("delta") } });
                vec![self.delta(json!({ "tool_calls": [call] }))]
            }
            "response.completed" | "response.incomplete" => {
                self.ended(event.get("response").unwrap_or(&Value::Null))
            }
            "response.failed" | "error" => {
                self.done = true;
                let Ended::Failed(code, message) = failed(event) else { return Vec::new() };
                let error = json!({ "error": { "message": message, "type": "server_error", "param": null, "code": code } });
                vec![format!("data: {error}\n\n")]
            }
            _ => Vec::new(),
        }
    }

    fn ended(&mut self, response: &Value) -> Vec<String> {
        self.done = true;
        let reason = reason(response, !self.calls.is_empty());
        let mut chunks =
            vec![self.chunk(json!([{ "index": 0, "delta": {}, "finish_reason": reason }]), Value::Null)];
        if self.usage == Usage::Told {
            chunks.push(self.chunk(json!([]), usage(response)));
        }
        chunks.push("data: [DONE]\n\n".to_owned());
        chunks
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
    fn delta(&self, delta: Value) -> String {
        self.chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), Value::Null)
    }

    fn chunk(&self, choices: Value, usage: Value) -> String {
        let mut chunk = self.head.clone();
        chunk.insert("choices".to_owned(), choices);
        if self.usage == Usage::Told {
            chunk.insert("usage".to_owned(), usage);
        }
        format!("data: {}\n\n", Value::Object(chunk))
    }
}

fn kind(value: &Value) -> &str {
    string(value, "type")
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn failed(event: &Value) -> Ended {
    let error = event.pointer("/response/error").or_else(|| event.get("error")).unwrap_or(event);
    let code = string(error, "code");
    let message = string(error, "message");
    let message = if message.is_empty() { "the service could not answer" } else { message };
    Ended::Failed(if code.is_empty() { "server_error" } else { code }.to_owned(), message.to_owned())
}

fn created(response: &Value) -> Value {
    // Some services write it with a fraction.
    let seconds = response.get("created_at").and_then(Value::as_f64).unwrap_or_default();
    format!("{seconds:.0}").parse::<u64>().unwrap_or_default().into()
}

fn reason(response: &Value, called: bool) -> &'static str {
    match response.pointer("/incomplete_details/reason").and_then(Value::as_str) {
        Some("content_filter") => "content_filter",
        Some(_) => "length",
        None if called => "tool_calls",
        None => "stop",
    }
}

fn usage(response: &Value) -> Value {
    let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) else { return Value::Null };
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    json!({
        "prompt_tokens": number("/input_tokens"),
        "completion_tokens": number("/output_tokens"),
        "total_tokens": number("/total_tokens"),
        "prompt_tokens_details": { "cached_tokens": number("/input_tokens_details/cached_tokens") },
        "completion_tokens_details": { "reasoning_tokens": number("/output_tokens_details/reasoning_tokens") },
    })
}
