//! BigQuery with service accounts: Google's token endpoint, which checks whose key signed, and the list of datasets.
//!
//! In front of an emulator it is a whole BigQuery ([`BigQuery::in_front_of`]).
//!
//! Source: "Using OAuth 2.0 for server to server applications" (claims, at most an hour, errors), the REST reference of BigQuery
//! (`datasets.list`), and AIP-193 for errors.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jws::{Algorithm, VerifyingKey};
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};
use warehouse::Warehouse;

mod warehouse;

pub use warehouse::Mishap;

/// A part of Google Cloud that runs.
pub struct BigQuery(Server<State>);

served!(BigQuery);

#[derive(Default)]
struct State {
    /// Its own address, which assertions are for.
    url: String,
    /// The public keys of accounts, by email.
    accounts: BTreeMap<String, VerifyingKey>,
    /// Which projects an account sees.
    projects: BTreeSet<(String, String)>,
    /// Whose tokens were given out.
    tokens: BTreeMap<String, String>,
    /// What carries statements out.
    warehouse: Option<Warehouse>,
}

impl BigQuery {
    /// Starts one that knows nobody.
    #[must_use]
    pub fn start() -> Self {
        let own = Self(Server::start(State::default()));
        let url = own.url();
        own.0.change(|state| state.url = url);
        own
    }

    /// One in front of an emulator: whoever has a token, and sees the project, reaches it.
    #[must_use]
    pub fn in_front_of(emulator: SocketAddr) -> Self {
        let own = Self::start();
        own.0.change(|state| state.warehouse = Some(Warehouse::new(emulator)));
        own
    }

    /// What becomes of the next statement, or path, that holds these words.
    pub fn next(&self, words: &str, mishap: Mishap) {
        self.warehouse(|warehouse| warehouse.next(words, mishap));
    }

    /// How many mishaps did not come yet.
    #[must_use]
    pub fn mishaps_left(&self) -> usize {
        self.warehouse(|warehouse| warehouse.left())
    }

    /// Carries out what came from processes that were killed meanwhile, and gives how many statements those were.
    #[must_use]
    pub fn late(&self) -> usize {
        self.warehouse(Warehouse::late)
    }

    fn warehouse<R>(&self, change: impl FnOnce(&mut Warehouse) -> R) -> R {
        self.0.change(|state| change(state.warehouse.as_mut().expect("it is in front of an emulator")))
    }

    /// Makes an account that sees a project, and gives its key file. The file names another token endpoint, which nobody must
    /// follow; its private key is a canary.
    ///
    /// # Panics
    /// When the system has no random bytes.
    #[must_use]
    pub fn account(&self, email: &str, project: &str, token_uri: &str) -> Value {
        let (private, public) = crate::certificate::rsa_key();
        let key = VerifyingKey::from_pem(Algorithm::RS256, public.as_bytes()).expect("the test kit works");
        self.0.change(|state| {
            state.accounts.insert(email.to_owned(), key);
            state.projects.insert((email.to_owned(), project.to_owned()));
        });
        json!({
            "type": "service_account", "project_id": project, "private_key_id": "k1", "private_key": private,
            "client_email": email, "token_uri": token_uri,
        })
    }

    /// Forgets an account, as deleting its key does.
    pub fn delete(&self, email: &str) {
        self.0.change(|state| state.accounts.remove(email));
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        if heard.path == "/token" && heard.method == "POST" {
            return self.exchange(&heard.body);
        }
        let Some(email) = heard.bearer().and_then(|token| self.tokens.get(token)) else {
            return failed(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
        };
        let email = email.clone();
        if let Some(warehouse) = &mut self.warehouse {
            let rest = heard.path.strip_prefix("/bigquery/v2/projects/").unwrap_or_default();
            let project = rest.split('/').next().unwrap_or_default().to_owned();
            if !self.projects.contains(&(email, project)) {
                return warehouse::failed(403, "accessDenied");
            }
            return warehouse.answer(heard);
        }
        let project = heard.path.strip_prefix("/bigquery/v2/projects/");
        let project =
            project.and_then(|rest| rest.strip_suffix("/datasets")).filter(|_| heard.method == "GET");
        let Some(project) = project else { return failed(404, "NOT_FOUND", "Not found") };
        if !self.projects.contains(&(email, project.to_owned())) {
            let message = format!(
                "Access Denied: Project {project}: User does not have bigquery.datasets.get permission"
            );
            return failed(403, "PERMISSION_DENIED", &message);
        }
        Said::new(200, json!({"kind": "bigquery#datasetList", "etag": "e"}))
    }
}

impl State {
    fn exchange(&mut self, body: &[u8]) -> Said {
        let body = String::from_utf8_lossy(body).into_owned();
        let field = |name: &str| {
            let found = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_default().to_owned()
        };
        if field("grant_type") != "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer" {
            return Said::new(400, json!({"error": "unsupported_grant_type"}));
        }
        match self.signer(&field("assertion")) {
            Ok(email) => {
                let token = format!("ya29.CANARY-{}", self.tokens.len());
                self.tokens.insert(token.clone(), email);
                Said::new(200, json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
            }
            Err(why) => Said::new(400, json!({"error": "invalid_grant", "error_description": why})),
        }
    }

    /// Whose key signed an assertion for this endpoint.
    fn signer(&self, assertion: &str) -> Result<String, &'static str> {
        let (message, signature) = assertion.rsplit_once('.').ok_or("Invalid JWT: not a token")?;
        let claims = message.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value =
            claims.and_then(|claims| serde_json::from_slice(&claims).ok()).ok_or("Invalid JWT: no claims")?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or_default();
        let key = self.accounts.get(text("iss")).ok_or("Invalid grant: account not found")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "Invalid JWT Signature.")?;
        let _signed = key.verify(message.as_bytes(), &signature).map_err(|_| "Invalid JWT Signature.")?;
        if text("aud") != format!("{}/token", self.url) {
            return Err("Invalid JWT: Failed audience check.");
        }
        let now = seconds_now();
        let (issued, ends) = (number("iat"), number("exp"));
        if ends <= now || ends > issued + 3600 || issued > now + 300 {
            return Err(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            );
        }
        if !text("scope")
            .split(' ')
            .any(|scope| scope.ends_with("/auth/bigquery") || scope.ends_with("/auth/cloud-platform"))
        {
            return Err("Invalid OAuth scope or ID token audience provided.");
        }
        Ok(text("iss").to_owned())
    }
}

#[expect(clippy::disallowed_methods, reason = "assertions are good by the clock of the program under test")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn failed(status: u16, code: &str, message: &str) -> Said {
    Said::new(status, json!({"error": {"code": status, "message": message, "status": code}}))
}
