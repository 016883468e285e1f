//! Anthropic: counting tokens and listing models, with keys.
//!
//! Source: the API reference (versioning, errors, "Count tokens in a Message", "List Models").

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A part of Anthropic that runs.
pub struct Anthropic(Server<State>);

served!(Anthropic);

struct State {
    key: String,
    models: BTreeSet<String>,
}

impl Anthropic {
    /// Starts one that takes this key and has these models.
    #[must_use]
    pub fn start(key: &str, models: &[&str]) -> Self {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        Self(Server::start(State { key: key.to_owned(), models }))
    }

    /// Takes this key, and no other any more.
    pub fn change_key(&self, key: &str) {
        self.0.change(|state| key.clone_into(&mut state.key));
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        if heard.header("anthropic-version") != Some("2023-06-01") {
            return failed(400, "invalid_request_error", "anthropic-version: header is required");
        }
        match heard.header("x-api-key") {
            None => return failed(401, "authentication_error", "x-api-key header is required"),
            Some(key) if key != self.key => return failed(401, "authentication_error", "invalid x-api-key"),
            Some(_) => {}
        }
        match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "/v1/models") => {
                let data: Vec<Value> =
                    self.models.iter().map(|id| json!({"id": id, "type": "model"})).collect();
                Said::new(200, json!({"data": data, "has_more": false}))
            }
            ("POST", "/v1/messages/count_tokens") => self.count(&heard.json()),
            _ => failed(404, "not_found_error", "Not found"),
        }
    }
}

impl State {
    fn count(&self, asked: &Value) -> Said {
        let model = asked.get("model").and_then(Value::as_str).unwrap_or_default();
        let messages = asked.get("messages").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        if !messages {
            return failed(400, "invalid_request_error", "messages: at least one message is required");
        }
        if !self.models.contains(model) {
            return failed(404, "not_found_error", &format!("model: {model}"));
        }
        Said::new(200, json!({"input_tokens": 8}))
    }
}

fn failed(status: u16, kind: &str, message: &str) -> Said {
    Said::new(status, json!({"type": "error", "error": {"type": kind, "message": message}}))
}
