//! What the models say: completions, responses, and the events of both.

use serde_json::{Value, json};

fn wants_tool(body: &Value) -> bool {
    body["tools"].as_array().is_some_and(|tools| !tools.is_empty())
}

pub(super) fn chat(body: &Value) -> Value {
    let (message, reason) = if wants_tool(body) {
        let call = json!({ "id": "call_1", "type": "function", "function": { "name": "look", "arguments": ARGUMENTS } });
        (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
    } else {
        (json!({ "role": "assistant", "content": TEXT.concat() }), "stop")
    };
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9 },
    })
}

pub(super) fn chat_events(body: &Value) -> String {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": choices, "usage": usage });
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, reason: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": reason }]), Value::Null)
    };
    let mut events = delta(json!({ "role": "assistant", "content": "" }), Value::Null);
    for piece in TEXT {
        events.push_str(&delta(json!({ "content": piece }), Value::Null));
    }
    events.push_str(&delta(json!({}), "stop".into()));
    if body["stream_options"]["include_usage"] == true {
        events.push_str(&chunk(
            json!([]),
            json!({ "prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9 }),
        ));
    }
    events.push_str("data: [DONE]\n\n");
    events
}

fn output(body: &Value) -> Value {
    if wants_tool(body) {
        json!({ "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": ARGUMENTS, "status": "completed" })
    } else {
        let content = json!([{ "type": "output_text", "text": TEXT.concat(), "annotations": [] }]);
        json!({ "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content })
    }
}

pub(super) fn response(body: &Value, status: &str) -> Value {
    let done = status == "completed";
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": body["model"],
        "output": if done { json!([output(body)]) } else { json!([]) },
        "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        "usage": if done { json!({
            "input_tokens": 5, "output_tokens": 4, "total_tokens": 9,
            "input_tokens_details": { "cached_tokens": 0 }, "output_tokens_details": { "reasoning_tokens": 0 },
        }) } else { Value::Null },
    })
}

pub(super) fn response_events(body: &Value) -> String {
    let mut number = 0;
    let mut events = String::new();
    let mut say = |kind: &str, more: Value| {
        let mut event = json!({ "type": kind, "sequence_number": number });
        number += 1;
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        events.push_str(&format!("event: {kind}\ndata: {event}\n\n"));
    };
    say("response.created", json!({ "response": response(body, "in_progress") }));
    let item = output(body);
    say("response.output_item.added", json!({ "output_index": 0, "item": begun(&item) }));
    if wants_tool(body) {
        for piece in [&ARGUMENTS[..4], &ARGUMENTS[4..]] {
            say(
                "response.function_call_arguments.delta",
                json!({ "item_id": "fc_1", "output_index": 0, "delta": piece }),
            );
        }
        say(
            "response.function_call_arguments.done",
            json!({ "item_id": "fc_1", "output_index": 0, "arguments": ARGUMENTS }),
        );
    } else {
        let place = json!({ "item_id": "msg_1", "output_index": 0, "content_index": 0 });
        let with = |more: Value| {
            let mut place = place.clone();
            place.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            place
        };
        say(
            "response.content_part.added",
            with(json!({ "part": { "type": "output_text", "text": "", "annotations": [] } })),
        );
        for piece in TEXT {
            say("response.output_text.delta", with(json!({ "delta": piece, "logprobs": [] })));
        }
        say("response.output_text.done", with(json!({ "text": TEXT.concat(), "logprobs": [] })));
        say(
            "response.content_part.done",
            with(json!({ "part": { "type": "output_text", "text": TEXT.concat(), "annotations": [] } })),
        );
    }
    say("response.output_item.done", json!({ "output_index": 0, "item": item }));
    say("response.completed", json!({ "response": response(body, "completed") }));
    events
}

/// An item before anything of it came.
fn begun(item: &Value) -> Value {
    let mut item = item.clone();
    let fields = item.as_object_mut().expect("an object");
    fields.insert("status".to_owned(), "in_progress".into());
    if fields.contains_key("arguments") {
        fields.insert("arguments".to_owned(), "".into());
    } else {
        fields.insert("content".to_owned(), json!([]));
    }
    item
}

const TEXT: [&str; 3] = ["Hello", " from", " here."];
const ARGUMENTS: &str = r#"{"at":"door"}"#;
