//! Somebody who takes webhooks: every call is taken, and kept as it came.

use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A receiver that runs.
pub struct Receiver(Server<State>);

served!(Receiver);

struct State;

impl Receiver {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State))
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let wanted = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let whole = heard.method == "POST"
            && heard.json() != Value::Null
            && wanted.iter().all(|name| heard.header(name).is_some());
        if whole { Said::new(200, json!({})) } else { Said::new(400, json!({ "error": "no webhook" })) }
    }
}
