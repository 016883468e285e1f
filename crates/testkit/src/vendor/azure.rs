//! Microsoft Azure: tokens of Entra and of managed identities, Key Vault, and subscriptions.
//!
//! Source: "Subscriptions - Get" (Resource Manager, 2022-12-01), "OAuth 2.0 client credentials flow", "How to use managed identities on
//! a VM to acquire an access token", and the REST reference of Key Vault, "Get Secret", "Wrap Key" and "Unwrap Key" (API version 7.4).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A part of Azure that runs.
pub struct Azure(Server<State>);

served!(Azure);

#[derive(Default)]
struct State {
    /// Tenant, client and secret.
    clients: BTreeSet<(String, String, String)>,
    tokens: BTreeSet<String>,
    /// Tokens for Resource Manager, and whose they are.
    managing: BTreeMap<String, String>,
    /// Which client reads which subscription.
    readers: BTreeSet<(String, String)>,
    secrets: BTreeMap<String, String>,
    /// RSA keys and their versions, the newest last.
    keys: BTreeMap<String, Vec<String>>,
    /// What was wrapped, by `KEY/VERSION` and what came of it.
    wrapped: BTreeMap<(String, String), String>,
}

impl Azure {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Takes this client.
    pub fn know_client(&self, tenant: &str, client: &str, secret: &str) {
        let known = (tenant.to_owned(), client.to_owned(), secret.to_owned());
        self.0.change(|state| state.clients.insert(known));
    }

    /// Makes a version of an RSA key, which is its newest from now on.
    pub fn make_key(&self, name: &str, version: &str) {
        self.0.change(|state| state.keys.entry(name.to_owned()).or_default().push(version.to_owned()));
    }

    /// Lets a client read a subscription.
    pub fn know_reader(&self, client: &str, subscription: &str) {
        self.0.change(|state| state.readers.insert((client.to_owned(), subscription.to_owned())));
    }

    /// Keeps a secret.
    pub fn put(&self, name: &str, value: &str) {
        self.0.change(|state| state.secrets.insert(name.to_owned(), value.to_owned()));
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        if let Some(tenant) = heard.path.strip_suffix("/oauth2/v2.0/token") {
            return self.sign_in(tenant.trim_start_matches('/'), heard);
        }
        if heard.path == "/metadata/identity/oauth2/token" {
            let asked = heard.query.contains("resource=https%3A%2F%2Fvault.azure.net");
            return if heard.header("metadata") == Some("true") && asked {
                self.token()
            } else {
                Said::new(400, json!({ "error": "invalid_request" }))
            };
        }
        if let Some(subscription) = heard.path.strip_prefix("/subscriptions/") {
            return self.subscription(subscription, heard);
        }
        if !heard.bearer().is_some_and(|token| self.tokens.contains(token)) {
            return failed(401, "Unauthorized");
        }
        if !heard.query.starts_with("api-version=7.") {
            return failed(400, "BadParameter");
        }
        if let Some(key) = heard.path.strip_prefix("/keys/").filter(|_| heard.method == "POST") {
            return self.key(key, &heard.json());
        }
        let Some(name) = heard.path.strip_prefix("/secrets/") else {
            return failed(404, "ResourceNotFound");
        };
        match self.secrets.get(name.split('/').next().unwrap_or_default()) {
            Some(value) => Said::new(
                200,
                json!({
                    "value": value, "id": format!("https://x.vault.azure.net/secrets/{name}/1"),
                    "attributes": { "enabled": true },
                }),
            ),
            None => failed(404, "SecretNotFound"),
        }
    }
}

impl State {
    fn sign_in(&mut self, tenant: &str, heard: &Heard) -> Said {
        let body = String::from_utf8_lossy(&heard.body).into_owned();
        let field = |name: &str| {
            let found = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_default().to_owned()
        };
        let scope = field("scope");
        let client = (tenant.to_owned(), field("client_id"), field("client_secret"));
        let managing = scope == "https%3A%2F%2Fmanagement.azure.com%2F.default";
        if !scope.contains("vault.azure.net") && !managing {
            return Said::new(400, json!({ "error": "invalid_scope" }));
        }
        if !self.clients.contains(&client) {
            return Said::new(
                401,
                json!({ "error": "invalid_client", "error_description": "AADSTS7000215" }),
            );
        }
        if managing {
            let token = format!("eyJ.CANARY-managing-{}", self.managing.len());
            self.managing.insert(token.clone(), client.1);
            return Said::new(
                200,
                json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }),
            );
        }
        self.token()
    }

    /// `NAME/VERSION/wrapkey` and `NAME/VERSION/unwrapkey`; no version means the newest one.
    fn key(&mut self, path: &str, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let [name, version, what] = parts.as_slice() else { return failed(404, "ResourceNotFound") };
        let Some(versions) = self.keys.get(*name) else { return failed(404, "KeyNotFound") };
        let version = if version.is_empty() { versions.last().map_or("", String::as_str) } else { version };
        if !versions.iter().any(|known| known == version) {
            return failed(404, "KeyNotFound");
        }
        // RSA of 2048 bits with OAEP and SHA-256 takes 190 bytes.
        let length = URL_SAFE_NO_PAD.decode(text("value")).map_or(usize::MAX, |bytes| bytes.len());
        if text("alg") != "RSA-OAEP-256" || (*what == "wrapkey" && length > 190) {
            return failed(400, "BadParameter");
        }
        let (kid, at) =
            (format!("https://acme.vault.azure.net/keys/{name}/{version}"), format!("{name}/{version}"));
        let value = match *what {
            "wrapkey" => {
                let made = URL_SAFE_NO_PAD.encode(format!("canary-wrapped-{}", self.wrapped.len()));
                self.wrapped.insert((at, made.clone()), text("value"));
                made
            }
            "unwrapkey" => match self.wrapped.get(&(at, text("value"))) {
                Some(value) => value.clone(),
                None => return failed(400, "BadParameter"),
            },
            _ => return failed(404, "ResourceNotFound"),
        };
        Said::new(200, json!({ "kid": kid, "value": value }))
    }

    fn subscription(&self, id: &str, heard: &Heard) -> Said {
        let Some(client) = heard.bearer().and_then(|token| self.managing.get(token)) else {
            return failed(401, "InvalidAuthenticationToken");
        };
        if heard.method != "GET" || heard.query != "api-version=2022-12-01" {
            return failed(400, "InvalidApiVersionParameter");
        }
        if self.readers.contains(&(client.clone(), id.to_owned())) {
            return Said::new(
                200,
                json!({ "id": format!("/subscriptions/{id}"), "subscriptionId": id, "state": "Enabled" }),
            );
        }
        failed(403, "AuthorizationFailed")
    }

    fn token(&mut self) -> Said {
        let token = format!("eyJ.CANARY-{}", self.tokens.len());
        self.tokens.insert(token.clone());
        // The metadata service answers the number as a text, Entra as a number.
        Said::new(200, json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
    }
}

fn failed(status: u16, code: &str) -> Said {
    Said::new(status, json!({ "error": { "code": code, "message": "CANARY-said-by-azure" } }))
}
