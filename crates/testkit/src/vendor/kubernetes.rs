//! The API of Kubernetes, as far as secrets are read there.
//!
//! Source: the Kubernetes API reference, "Secret v1 core" and "Status v1 meta".

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// An API server.
pub struct Kubernetes(Server<State>);

served!(Kubernetes);

#[derive(Default)]
struct State {
    /// The namespaces that a token may read.
    tokens: BTreeMap<String, Vec<String>>,
    secrets: BTreeMap<(String, String), BTreeMap<String, Vec<u8>>>,
}

impl Kubernetes {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Lets this token read the secrets of a namespace.
    pub fn permit(&self, token: &str, namespace: &str) {
        self.0.change(|state| state.tokens.entry(token.to_owned()).or_default().push(namespace.to_owned()));
    }

    /// Keeps one key of a secret.
    pub fn put(&self, namespace: &str, name: &str, key: &str, bytes: &[u8]) {
        let place = (namespace.to_owned(), name.to_owned());
        self.0.change(|state| state.secrets.entry(place).or_default().insert(key.to_owned(), bytes.to_vec()));
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let Some(namespaces) = heard.bearer().and_then(|token| self.tokens.get(token)) else {
            return status(401, "Unauthorized");
        };
        let parts: Vec<&str> = heard.path.trim_start_matches('/').split('/').collect();
        let ["api", "v1", "namespaces", namespace, "secrets", name] = parts.as_slice() else {
            return status(404, "NotFound");
        };
        if !namespaces.iter().any(|known| known == namespace) {
            return status(403, "Forbidden");
        }
        match self.secrets.get(&((*namespace).to_owned(), (*name).to_owned())) {
            Some(keys) => {
                let data: BTreeMap<&String, String> =
                    keys.iter().map(|(key, bytes)| (key, STANDARD.encode(bytes))).collect();
                Said::new(
                    200,
                    json!({
                        "kind": "Secret", "apiVersion": "v1", "type": "Opaque", "data": data,
                        "metadata": { "name": name, "namespace": namespace, "managedFields": [{ "manager": "kubectl" }] },
                    }),
                )
            }
            None => status(404, "NotFound"),
        }
    }
}

fn status(code: u16, reason: &str) -> Said {
    Said::new(
        code,
        json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
            "message": "CANARY-said-by-kubernetes", "metadata": Value::Null,
        }),
    )
}
