//! What a client asks for and gets back, in both APIs.

use serde_json::json;

use super::events::Events;
use super::stream::{Chunks, Ended, Whole, completion};
use super::*;

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn asked(value: Value) -> (Value, Wants) {
    chat::chat(object(value)).unwrap_or_else(|refused| panic!("{}", refused.refusal().message))
}

fn refused(value: Value) -> String {
    chat::chat(object(value)).unwrap_err().refusal().message.clone()
}

#[test]
fn a_provider_chooses_the_integration_and_codex_has_two_endpoints() {
    let target = |text: &str| text.parse::<Target>().unwrap();
    let (route, turn) = Provider::OpenAi.route(&Method::GET, target("/v1/models?x=1")).unwrap();
    assert_eq!(
        (route.integration.as_str(), route.target.as_str(), turn),
        ("openai", "/v1/models?x=1", Turn::Same)
    );
    let (route, turn) = Provider::Codex.route(&Method::POST, target("/v1/chat/completions")).unwrap();
    assert_eq!(
        (route.integration.as_str(), route.target.as_str(), turn),
        ("openai-codex", "/responses", Turn::Chat)
    );
    for (method, path) in
        [(Method::GET, "/v1/models"), (Method::GET, "/v1/responses"), (Method::POST, "/v1/embeddings")]
    {
        let message = Provider::Codex.route(&method, target(path)).unwrap_err().refusal().message.clone();
        assert!(message.contains("the provider `openai-codex` has no"), "{message}");
    }
    assert!(
        "anthropic".parse::<Provider>().is_err() && !is_ours("/v1") && !is_ours("/v10/x") && is_ours("/v1/x")
    );
}

#[test]
fn a_conversation_becomes_instructions_and_input() {
    let (written, wants) = asked(json!({
        "model": "gpt-5-codex", "reasoning_effort": "low", "temperature": 1, "n": 1, "user": null,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "developer", "content": [{ "type": "text", "text": "In verse." }] },
            { "role": "user", "content": [
                { "type": "text", "text": "look" }, { "type": "image_url", "image_url": { "url": "data:image/png;base64,x" } } ] },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "call_1", "type": "function", "function": { "name": "look", "arguments": "{}" } } ] },
            { "role": "tool", "tool_call_id": "call_1", "content": "a door" },
            { "role": "assistant", "content": "Aye.", "refusal": null, "annotations": [] },
        ],
        "tools": [{ "type": "function", "function": { "name": "look", "parameters": { "type": "object" } } }],
        "tool_choice": { "type": "function", "function": { "name": "look" } },
        "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": {} } },
    }));
    assert_eq!(wants, Wants::Chat);
    assert_eq!(
        written,
        json!({
            "model": "gpt-5-codex", "reasoning": { "effort": "low" }, "stream": true, "store": false,
            "instructions": "Be brief.\n\nIn verse.",
            "input": [
                { "type": "message", "role": "user", "content": [
                    { "type": "input_text", "text": "look" },
                    { "type": "input_image", "image_url": "data:image/png;base64,x", "detail": "auto" } ] },
                { "type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "call_1", "output": "a door" },
                { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Aye." }] },
            ],
            "tools": [{ "type": "function", "name": "look", "parameters": { "type": "object" } }],
            "tool_choice": { "type": "function", "name": "look" },
            "text": { "format": { "type": "json_schema", "name": "n", "schema": {} } },
        })
    );
}

#[test]
fn what_the_service_does_not_take_is_refused_by_name() {
    let hi = json!([{ "role": "user", "content": "hi" }]);
    for (name, value) in [
        ("max_tokens", json!(5)),
        ("temperature", json!(0.2)),
        ("stop", json!(["x"])),
        ("n", json!(2)),
        ("seed", json!(1)),
        ("store", json!(true)),
        ("functions", json!([])),
        ("logprobs", json!(true)),
    ] {
        let message = refused(json!({ "model": "m", "messages": hi, name: value }));
        assert!(message.contains(&format!("does not take `{name}`")), "{message}");
    }
    let odd = refused(json!({ "model": "m", "messages": hi, "CANARY x": 1 }));
    assert!(!odd.contains("CANARY"), "{odd}");
    for messages in [
        json!("hi"),
        json!([{ "role": "wizard", "content": "x" }]),
        json!([{ "role": "user" }]),
        json!([{ "role": "user", "content": [{ "type": "input_audio", "input_audio": {} }] }]),
    ] {
        assert!(!refused(json!({ "model": "m", "messages": messages })).is_empty());
    }
    assert!(
        refused(json!({ "messages": hi, "stream": "yes" })).contains("`stream` is neither true nor false")
    );
}

#[test]
fn what_a_message_says_that_can_not_be_said_there_is_refused_by_name() {
    let said = |message: Value| {
        refused(json!({ "model": "m", "messages": [{ "role": "user", "content": "a" }, message] }))
    };
    for (message, named) in [
        (json!({ "role": "system", "content": "late" }), "a system message stands behind"),
        (json!({ "role": "assistant", "content": null, "refusal": "no" }), "`refusal`"),
        (json!({ "role": "user", "name": "bob", "content": "b" }), "`name`"),
        (json!({ "role": "tool", "content": "a" }), "`tool_call_id`"),
        (
            json!({ "role": "assistant", "tool_calls": [{ "function": { "name": "f", "arguments": "{}" } }] }),
            "`id`",
        ),
        (json!({ "role": "assistant", "tool_calls": {} }), "`tool_calls`"),
        (json!({ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] }), "`url`"),
    ] {
        let told = said(message.clone());
        assert!(told.contains(named), "{message}: {told}");
    }
}

#[test]
fn a_response_is_streamed_stores_nothing_and_has_instructions() {
    let write = |value: Value| chat::response(object(value)).unwrap();
    let (written, wants) = write(json!({ "model": "m", "input": "hi" }));
    assert_eq!(wants, Wants::Response);
    assert_eq!((&written["stream"], &written["store"]), (&json!(true), &json!(false)));
    assert_eq!(written["input"][0]["content"][0], json!({ "type": "input_text", "text": "hi" }));
    assert!(written["instructions"].as_str().is_some_and(|text| !text.is_empty()));
    let (written, wants) = write(json!({ "model": "m", "input": [], "instructions": "x", "stream": true }));
    assert_eq!((wants, &written["instructions"]), (Wants::Same, &json!("x")));
    assert!(chat::response(object(json!({ "model": "m", "input": "hi", "store": true }))).is_err());
}

/// The events of an answer, cut into pieces of so many bytes.
fn events(all: &[Value], size: usize) -> Vec<Bytes> {
    let mut text = String::new();
    for event in all {
        text.push_str(&format!("event: {}\r\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    }
    text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn answer(output: Value, more: Value) -> Value {
    let mut response = json!({
        "id": "resp_1", "object": "response", "created_at": 7.5, "model": "m", "status": "completed", "output": output,
        "usage": { "input_tokens": 5, "output_tokens": 4, "total_tokens": 9, "output_tokens_details": { "reasoning_tokens": 2 } },
    });
    response.as_object_mut().unwrap().extend(object(more));
    response
}

fn spoken() -> Vec<Value> {
    let item = json!({ "type": "message", "content": [{ "type": "output_text", "text": "Hello" }] });
    vec![
        json!({ "type": "response.created", "response": answer(json!([]), json!({})) }),
        json!({ "type": "response.output_text.delta", "delta": "Hel" }),
        json!({ "type": "response.output_text.delta", "delta": "lo" }),
        json!({ "type": "response.output_item.done", "item": item }),
        json!({ "type": "response.completed", "response": answer(json!([]), json!({})) }),
    ]
}

fn called() -> Vec<Value> {
    let item = |arguments: &str| json!({ "type": "function_call", "call_id": "call_1", "name": "look", "arguments": arguments });
    vec![
        json!({ "type": "response.created", "response": answer(json!([]), json!({})) }),
        json!({ "type": "response.output_item.added", "output_index": 1, "item": item("") }),
        json!({ "type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{\"a\"" }),
        json!({ "type": "response.function_call_arguments.delta", "output_index": 1, "delta": ":1}" }),
        json!({ "type": "response.completed", "response": answer(json!([item("{\"a\":1}")]), json!({})) }),
    ]
}

/// The chunks of a stream, and whether it came to its end.
async fn chunks(pieces: Vec<Bytes>, usage: Usage) -> (Vec<Value>, bool) {
    let (sender, body) = Body::channel(pieces.len() + 1);
    for piece in pieces {
        sender.send(piece).await.unwrap();
    }
    sender.finish(None).await.unwrap();
    let translated = Body::stream(Chunks::new(body, usage));
    let bounds = Bounds { bytes: 1 << 20, frame: Duration::from_secs(9), whole: Duration::from_secs(9) };
    let Ok(bytes) = collect_bounded(translated, bounds).await else { return (Vec::new(), false) };
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (Events::default().feed(text.as_bytes()).unwrap(), text.ends_with("data: [DONE]\n\n"))
}

#[tokio::test]
async fn events_become_chunks_however_they_are_cut() {
    for size in [1, 7, 64, 100_000] {
        let (said, done) = chunks(events(&spoken(), size), Usage::Told).await;
        let deltas: Vec<&Value> =
            said.iter().filter_map(|chunk| chunk["choices"].get(0)).map(|choice| &choice["delta"]).collect();
        let (role, hel, lo, end) = (
            json!({ "role": "assistant", "content": "" }),
            json!({ "content": "Hel" }),
            json!({ "content": "lo" }),
            json!({}),
        );
        assert_eq!(deltas, [&role, &hel, &lo, &end], "{size}");
        assert_eq!((said[3]["choices"][0]["finish_reason"].as_str(), done), (Some("stop"), true));
        let last = said.last().unwrap();
        assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(9)));
        assert_eq!(
            (&last["id"], &last["object"], &last["created"]),
            (&json!("resp_1"), &json!("chat.completion.chunk"), &json!(8))
        );
    }
    let (said, _) = chunks(events(&spoken(), 64), Usage::Untold).await;
    assert!(said.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test]
async fn calls_of_tools_are_streamed_by_their_place() {
    let (said, done) = chunks(events(&called(), 50), Usage::Untold).await;
    let calls: Vec<&Value> =
        said.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0")).collect();
    assert_eq!(
        calls[0],
        &json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "look", "arguments": "" } })
    );
    assert_eq!(calls[2], &json!({ "index": 0, "function": { "arguments": ":1}" } }));
    assert_eq!(
        (said.last().unwrap()["choices"][0]["finish_reason"].as_str(), done),
        (Some("tool_calls"), true)
    );
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_can_not_be_read_breaks_off_and_an_error_is_told() {
    let mut cut = spoken();
    let _ = cut.pop();
    assert_eq!(chunks(events(&cut, 64), Usage::Untold).await, (Vec::new(), false));
    assert_eq!(chunks(vec![Bytes::from_static(b"data: {\n\n")], Usage::Untold).await, (Vec::new(), false));
    let failed = json!({ "type": "response.failed", "response": { "error": { "code": "rate_limit_exceeded", "message": "slow down" } } });
    let (said, done) = chunks(events(&[failed], 64), Usage::Untold).await;
    assert_eq!(
        (&said[0]["error"]["code"], &said[0]["error"]["message"], done),
        (&json!("rate_limit_exceeded"), &json!("slow down"), false)
    );
}

#[test]
fn a_whole_answer_is_put_together_from_its_items() {
    let whole = |all: &[Value]| {
        let mut whole = Whole::default();
        all.iter().for_each(|event| whole.event(event));
        whole.ended.unwrap()
    };
    let Ended::With(response) = whole(&spoken()) else { panic!() };
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello");
    let chat = completion(&response);
    assert_eq!(
        (&chat["choices"][0]["message"]["content"], &chat["usage"]["prompt_tokens"]),
        (&json!("Hello"), &json!(5))
    );
    assert_eq!(chat["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
    let Ended::With(response) = whole(&called()) else { panic!() };
    let chat = completion(&response);
    assert_eq!(
        chat["choices"][0]["message"]["tool_calls"][0]["function"],
        json!({ "name": "look", "arguments": "{\"a\":1}" })
    );
    assert_eq!(
        (&chat["choices"][0]["finish_reason"], &chat["choices"][0]["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let short = answer(json!([]), json!({ "incomplete_details": { "reason": "max_output_tokens" } }));
    assert_eq!(completion(&short)["choices"][0]["finish_reason"], "length");
    let failed = json!({ "type": "error", "code": "server_error", "message": "no" });
    assert_eq!(whole(&[failed]), Ended::Failed("server_error".to_owned(), "no".to_owned()));
}

#[test]
fn an_event_without_end_is_given_up() {
    let mut events = Events::default();
    let piece = vec![b'x'; 1 << 20];
    assert!((0..9).any(|_| events.feed(&piece).is_err()));
}

#[tokio::test]
async fn a_refusal_has_the_shape_of_the_vendor_and_stops_a_client_from_repeating() {
    let refusal = model::Refusal::new(model::Code::OutcomeUnknown, "nobody knows").hint("look");
    let reply = told::refused(&refusal);
    assert_eq!(reply.headers()["x-should-retry"], "false");
    assert_eq!(reply.headers()["x-doorward-refusal"], "outcome_unknown");
    let bounds = Bounds { bytes: 1 << 20, frame: Duration::from_secs(9), whole: Duration::from_secs(9) };
    let body = collect_bounded(reply.into_body(), bounds).await.unwrap();
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&said["error"]["message"], &said["error"]["code"]),
        (&json!("nobody knows (look)"), &json!("outcome_unknown"))
    );
}
