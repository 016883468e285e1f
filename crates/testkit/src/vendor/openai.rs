//! OpenAI: the API with keys, the service behind ChatGPT subscriptions, and the issuer that signs people in.
//!
//! Source: the API reference (chat completions, responses, embeddings, models, errors, streaming events), RFC 6749 and RFC 7636; for the
//! subscription's service, what the Codex command line sends: it streams, stores nothing, wants instructions and an account.

#![expect(clippy::indexing_slicing, reason = "a member that a document does not have is null")]

mod answers;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};
use answers::{chat, chat_events, response, response_events};

/// A part of OpenAI that runs.
pub struct OpenAi(Server<State>);

served!(OpenAi);

struct State {
    canary: String,
    key: String,
    /// Access tokens that are good.
    access: BTreeSet<String>,
    /// Refresh tokens, and whether they were used.
    refresh: BTreeMap<String, bool>,
    /// Codes by the hash that has to be proven.
    codes: BTreeMap<String, String>,
    made: u64,
    /// Seconds since 1970 at which new access tokens end.
    ends: u64,
}

impl OpenAi {
    /// Starts one with an API key. All of its secrets have this canary in them.
    #[must_use]
    pub fn start(canary: &str) -> Self {
        let key = format!("sk-{canary}-key");
        let state = State {
            canary: canary.to_owned(),
            key,
            access: BTreeSet::new(),
            refresh: BTreeMap::new(),
            codes: BTreeMap::new(),
            made: 0,
            ends: FAR,
        };
        Self(Server::start(state))
    }

    /// The API key.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.change(|state| state.key.clone())
    }

    /// A pair of tokens as a sign-in gives it. The access token ends at these seconds since 1970.
    #[must_use]
    pub fn signed_in(&self, ends: u64) -> (String, String) {
        self.0.change(|state| {
            let later = std::mem::replace(&mut state.ends, ends);
            let pair = state.pair();
            state.ends = later;
            pair
        })
    }

    /// How often a refresh token was exchanged.
    #[must_use]
    pub fn renewals(&self) -> usize {
        let renewal = |heard: &&Heard| {
            heard.path == "/oauth/token"
                && String::from_utf8_lossy(&heard.body).contains("grant_type=refresh_token")
        };
        self.calls().iter().filter(renewal).count()
    }
}

/// An access token of this issuer: claims with an end and an account, and a part that nobody can guess.
#[must_use]
pub fn token_of(ends: u64, unguessable: &str) -> String {
    let claims = json!({
        "exp": ends, "sub": "user-1", "https://api.openai.com/auth": { "chatgpt_account_id": ACCOUNT },
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({ "alg": "RS256" })), part(&claims), URL_SAFE_NO_PAD.encode(unguessable))
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "/oauth/authorize") => self.authorize(heard),
            ("POST", "/oauth/token") => self.token(heard),
            ("POST", "/backend-api/codex/responses") => self.codex(heard),
            (_, path) if path.starts_with("/v1/") => self.api(heard),
            _ => failed(
                404,
                "invalid_request_error",
                "unknown_url",
                &format!("Unknown request URL: {} {}", heard.method, heard.path),
            ),
        }
    }
}

impl State {
    fn pair(&mut self) -> (String, String) {
        self.made += 1;
        let access = token_of(self.ends, &format!("{}-access-{}", self.canary, self.made));
        let refresh = format!("rt_{}-refresh-{}", self.canary, self.made);
        self.access.insert(access.clone());
        self.refresh.insert(refresh.clone(), false);
        (access, refresh)
    }

    fn authorize(&mut self, heard: &Heard) -> Said {
        let query = form(&heard.query);
        let get = |name: &str| query.get(name).cloned().unwrap_or_default();
        let whole = get("response_type") == "code"
            && get("client_id") == CLIENT
            && get("code_challenge_method") == "S256"
            && get("scope").contains("offline_access");
        if !whole || get("state").is_empty() || get("code_challenge").is_empty() {
            return Said::new(400, json!({ "error": "invalid_request" }));
        }
        self.made += 1;
        let code = format!("ac_{}-code-{}", self.canary, self.made);
        self.codes.insert(code.clone(), get("code_challenge"));
        let escaped: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let location = format!("{}?code={escaped}&state={}", get("redirect_uri"), get("state"));
        Said { location: Some(location), ..Said::new(302, Value::Null) }
    }

    fn token(&mut self, heard: &Heard) -> Said {
        let form = form(&String::from_utf8_lossy(&heard.body));
        let get = |name: &str| form.get(name).cloned().unwrap_or_default();
        if get("client_id") != CLIENT {
            return Said::new(401, json!({ "error": "invalid_client" }));
        }
        match get("grant_type").as_str() {
            "authorization_code" => {
                let proof = crypto::to_base64url(&crypto::sha256(&[get("code_verifier").as_bytes()]));
                if self.codes.remove(&get("code")) != Some(proof) {
                    return Said::new(400, json!({ "error": "invalid_grant" }));
                }
            }
            "refresh_token" => match self.refresh.get_mut(&get("refresh_token")) {
                Some(used @ false) => *used = true,
                // What it was told is in the answer, as a careless issuer does.
                Some(true) => {
                    let message =
                        format!("Your refresh token {} has already been used.", get("refresh_token"));
                    return failed(401, "invalid_request_error", "refresh_token_reused", &message);
                }
                None => {
                    return failed(
                        401,
                        "invalid_request_error",
                        "refresh_token_invalidated",
                        "Invalid refresh token.",
                    );
                }
            },
            _ => return Said::new(400, json!({ "error": "unsupported_grant_type" })),
        }
        let (access, refresh) = self.pair();
        Said::new(
            200,
            json!({ "access_token": access, "refresh_token": refresh, "id_token": token_of(FAR, "id"), "expires_in": 864_000, "token_type": "Bearer" }),
        )
    }

    fn codex(&self, heard: &Heard) -> Said {
        if !heard.bearer().is_some_and(|token| self.access.contains(token)) {
            return Said::new(401, json!({ "detail": "Unauthorized" }));
        }
        if heard.header("chatgpt-account-id").is_none_or(str::is_empty) {
            return Said::new(400, json!({ "detail": "chatgpt-account-id is missing" }));
        }
        let body = heard.json();
        let refused = |detail: &str| Said::new(400, json!({ "detail": detail }));
        if body["stream"] != true {
            return refused("Stream must be set to true");
        }
        if body["store"] != false {
            return refused("Store must be set to false");
        }
        if body["instructions"].as_str().is_none_or(str::is_empty) {
            return refused("Instructions are required");
        }
        if !body["input"].is_array() {
            return refused("Input must be a list");
        }
        if let Some(unknown) =
            body.as_object().and_then(|body| body.keys().find(|key| NOT_TAKEN.contains(&key.as_str())))
        {
            return refused(&format!("Unsupported parameter: {unknown}"));
        }
        Said { events: Some(response_events(&body)), ..Said::new(200, Value::Null) }
    }

    fn api(&self, heard: &Heard) -> Said {
        match heard.bearer() {
            Some(token) if token == self.key => {}
            Some(token) => {
                // The vendor shows a part of what it was sent; this one all of it.
                let message = format!("Incorrect API key provided: {token}.");
                return failed(401, "invalid_request_error", "invalid_api_key", &message);
            }
            None => {
                return failed(
                    401,
                    "invalid_request_error",
                    "invalid_api_key",
                    "You didn't provide an API key.",
                );
            }
        }
        let body = heard.json();
        if heard.method == "POST" && body["model"] == "nobody" {
            return failed(
                404,
                "invalid_request_error",
                "model_not_found",
                "The model `nobody` does not exist",
            );
        }
        match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "/v1/models") => {
                let model = json!({ "id": "gpt-4o", "object": "model", "created": 1, "owned_by": "openai" });
                Said::new(200, json!({ "object": "list", "data": [model] }))
            }
            ("POST", "/v1/chat/completions") if body["stream"] == true => {
                Said { events: Some(chat_events(&body)), ..Said::new(200, Value::Null) }
            }
            ("POST", "/v1/chat/completions") => Said::new(200, chat(&body)),
            ("POST", "/v1/responses") if body["stream"] == true => {
                Said { events: Some(response_events(&body)), ..Said::new(200, Value::Null) }
            }
            ("POST", "/v1/responses") => Said::new(200, response(&body, "completed")),
            ("POST", "/v1/embeddings") => {
                let data = json!([{ "object": "embedding", "index": 0, "embedding": [0.5, -0.25] }]);
                let usage = json!({ "prompt_tokens": 2, "total_tokens": 2 });
                Said::new(
                    200,
                    json!({ "object": "list", "model": body["model"], "data": data, "usage": usage }),
                )
            }
            _ => failed(404, "invalid_request_error", "unknown_url", "Unknown request URL"),
        }
    }
}

/// The error of the API reference.
fn failed(status: u16, kind: &str, code: &str, message: &str) -> Said {
    Said::new(status, json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }))
}

pub(super) fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let pair: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&pair, 16).expect("a form is encoded"));
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The account of everybody here.
const ACCOUNT: &str = "account-of-the-vendor";
/// The client that is registered.
const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// The year 2100.
const FAR: u64 = 4_102_444_800;
/// What the subscription's service refuses to be told.
const NOT_TAKEN: [&str; 5] = ["max_output_tokens", "temperature", "top_p", "messages", "stream_options"];
