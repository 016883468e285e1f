//! Google Cloud: tokens of service accounts, the metadata server, Secret Manager and KMS.
//!
//! Source: "Using OAuth 2.0 for server to server applications", "View and query VM metadata", the REST references of Secret
//! Manager (`projects.secrets.versions.access`) and Cloud KMS (`cryptoKeys.encrypt`, `cryptoKeys.decrypt`), and AIP-193 for errors.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A part of Google Cloud that runs.
pub struct Google(Server<State>);

served!(Google);

#[derive(Default)]
struct State {
    tokens: BTreeSet<String>,
    /// The secrets of Secret Manager by `projects/P/secrets/S`.
    secrets: BTreeMap<String, Vec<u8>>,
    /// What a key opens, by the name of the key and the ciphertext.
    sealed: BTreeMap<(String, String), Vec<u8>>,
    /// Keys that seal as well.
    keys: BTreeSet<String>,
    /// What they sealed was bound to this.
    bound: BTreeMap<String, String>,
    corrupt: bool,
}

impl Google {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Keeps a secret, such as `projects/p/secrets/slack`.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        self.0.change(|state| state.secrets.insert(name.to_owned(), bytes.to_vec()));
    }

    /// Seals bytes under a key, and gives the ciphertext in base 64.
    #[must_use]
    pub fn seal(&self, key: &str, bytes: &[u8]) -> String {
        let backwards: Vec<u8> = bytes.iter().rev().map(|byte| !byte).chain(*b"sealed").collect();
        let sealed = STANDARD.encode(backwards);
        self.0.change(|state| state.sealed.insert((key.to_owned(), sealed.clone()), bytes.to_vec()));
        sealed
    }

    /// Makes a key that seals what it is asked to.
    pub fn make_key(&self, name: &str) {
        self.0.change(|state| state.keys.insert(name.to_owned()));
    }

    /// Sends checksums that do not fit from now on.
    pub fn corrupt(&self) {
        self.0.change(|state| state.corrupt = true);
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        if heard.path == "/token" && heard.method == "POST" {
            return self.exchange(heard);
        }
        if heard.path == METADATA {
            if heard.header("metadata-flavor") != Some("Google") {
                return failed(403, "PERMISSION_DENIED");
            }
            return self.token();
        }
        if !heard.bearer().is_some_and(|token| self.tokens.contains(token)) {
            return failed(401, "UNAUTHENTICATED");
        }
        let Some(name) = heard.path.strip_prefix("/v1/") else { return failed(404, "NOT_FOUND") };
        if let Some(name) = name.strip_suffix(":access").filter(|_| heard.method == "GET") {
            return self.access(name);
        }
        if let Some(key) = name.strip_suffix(":encrypt").filter(|_| heard.method == "POST") {
            return self.encrypt(key, &heard.json());
        }
        match name.strip_suffix(":decrypt").filter(|_| heard.method == "POST") {
            Some(key) => self.decrypt(key, &heard.json()),
            None => failed(404, "NOT_FOUND"),
        }
    }
}

impl State {
    /// An assertion is taken where it is a JWT for this endpoint; whose key signed it is tested with Google's own library.
    fn exchange(&mut self, heard: &Heard) -> Said {
        let body = String::from_utf8_lossy(&heard.body).into_owned();
        let assertion = body.split('&').find_map(|pair| pair.strip_prefix("assertion=")).unwrap_or_default();
        let claims = assertion.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value =
            claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
        let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        if !body.starts_with("grant_type=urn%3Aietf") || !scope.contains("cloud-platform") {
            return Said::new(400, json!({ "error": "invalid_grant", "error_description": "Invalid JWT" }));
        }
        self.token()
    }

    fn token(&mut self) -> Said {
        let token = format!("ya29.CANARY-{}", self.tokens.len());
        self.tokens.insert(token.clone());
        Said::new(200, json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
    }

    fn access(&self, name: &str) -> Said {
        let Some((secret, version)) = name.split_once("/versions/") else { return failed(404, "NOT_FOUND") };
        let known = self.secrets.get(secret).filter(|_| version == "latest" || version == "1");
        let Some(bytes) = known else { return failed(404, "NOT_FOUND") };
        let sum = i64::from(crc32c(bytes)) + i64::from(self.corrupt);
        Said::new(
            200,
            json!({
                "name": format!("{secret}/versions/1"),
                "payload": { "data": STANDARD.encode(bytes), "dataCrc32c": sum.to_string() },
            }),
        )
    }

    fn encrypt(&mut self, key: &str, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !self.keys.contains(key) {
            return failed(404, "NOT_FOUND");
        }
        let Ok(plain) = STANDARD.decode(text("plaintext")) else { return failed(400, "INVALID_ARGUMENT") };
        let bound = text("additionalAuthenticatedData");
        let bytes = STANDARD.decode(&bound).unwrap_or_default();
        let fits = |name: &str, bytes: &[u8]| text(name).parse() == Ok(i64::from(crc32c(bytes)));
        if !fits("plaintextCrc32c", &plain) || !fits("additionalAuthenticatedDataCrc32c", &bytes) {
            return failed(400, "INVALID_ARGUMENT");
        }
        let sealed = format!("canary-sealed-{}", self.sealed.len());
        let sum = i64::from(crc32c(sealed.as_bytes())) + i64::from(self.corrupt);
        let sealed = STANDARD.encode(sealed);
        self.sealed.insert((key.to_owned(), sealed.clone()), plain);
        self.bound.insert(sealed.clone(), bound);
        Said::new(
            200,
            json!({
                "name": format!("{key}/cryptoKeyVersions/1"), "ciphertext": sealed,
                "ciphertextCrc32c": sum.to_string(), "verifiedPlaintextCrc32c": true,
                "verifiedAdditionalAuthenticatedDataCrc32c": true, "protectionLevel": "HSM",
            }),
        )
    }

    fn decrypt(&self, key: &str, form: &Value) -> Said {
        let sealed = form.get("ciphertext").and_then(Value::as_str).unwrap_or_default();
        let bound = form.get("additionalAuthenticatedData").and_then(Value::as_str).unwrap_or_default();
        if self.bound.get(sealed).map_or("", String::as_str) != bound {
            return failed(400, "INVALID_ARGUMENT");
        }
        let Some(bytes) = self.sealed.get(&(key.to_owned(), sealed.to_owned())) else {
            let known = self.sealed.keys().any(|(known, _)| known == key);
            return if known { failed(400, "INVALID_ARGUMENT") } else { failed(404, "NOT_FOUND") };
        };
        let sum = i64::from(crc32c(bytes)) + i64::from(self.corrupt);
        Said::new(200, json!({ "plaintext": STANDARD.encode(bytes), "plaintextCrc32c": sum.to_string() }))
    }
}

fn failed(status: u16, code: &str) -> Said {
    let message = format!("{code}: CANARY-said-by-google");
    Said::new(status, json!({ "error": { "code": status, "message": message, "status": code } }))
}

/// Castagnoli's polynomial, bit by bit, so that what it checks is not checked by itself.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut sum: u32, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
        }
        sum
    })
}

const METADATA: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
