//! Oracle Cloud Infrastructure: the identity service, which checks the signature of every request.
//!
//! Source: "Request Signatures" and "GetTenancy" (docs.oracle.com/iaas), and the errors of the API ("API Errors").

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::jws::{Algorithm, VerifyingKey};
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A part of Oracle Cloud that runs.
pub struct Oci(Server<State>);

served!(Oci);

#[derive(Default)]
struct State {
    /// Public keys by `tenancy/user/fingerprint`.
    keys: BTreeMap<String, VerifyingKey>,
}

impl Oci {
    /// Starts one that knows no keys.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Makes a user with a signing key in a tenancy, and gives what a person pastes: the document of the key.
    ///
    /// # Panics
    /// When the system has no random bytes.
    #[must_use]
    pub fn user(&self, tenancy: &str, user: &str, region: &str) -> Value {
        let (private, public) = crate::certificate::rsa_key();
        let key = VerifyingKey::from_pem(Algorithm::RS256, public.as_bytes()).expect("the test kit works");
        let fingerprint = crypto::RsaKey::from_pem_text(&private).and_then(|key| key.legacy_fingerprint());
        let fingerprint = fingerprint.expect("the test kit works");
        self.0.change(|state| state.keys.insert(format!("{tenancy}/{user}/{fingerprint}"), key));
        json!({
            "tenancy_ocid": tenancy, "user_ocid": user, "fingerprint": fingerprint, "private_key": private,
            "region": region,
        })
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let Some(key_id) = self.signed_by(heard) else {
            let message =
                "The required information to complete authentication was not provided or was incorrect.";
            return failed(401, "NotAuthenticated", message);
        };
        let own = key_id.split('/').next().unwrap_or_default();
        match heard.path.strip_prefix("/20160918/tenancies/") {
            Some(tenancy) if heard.method == "GET" && tenancy == own => {
                Said::new(200, json!({"id": tenancy, "name": "acme", "homeRegionKey": "FRA"}))
            }
            _ => failed(
                404,
                "NotAuthorizedOrNotFound",
                "Authorization failed or requested resource not found.",
            ),
        }
    }
}

impl State {
    /// Whose key signed a request, where what has to be signed was.
    fn signed_by(&self, heard: &Heard) -> Option<String> {
        let written = heard.header("authorization")?.strip_prefix("Signature ")?;
        let field = |name: &str| {
            let found =
                written.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix("=\""));
            found.and_then(|text| text.strip_suffix('"'))
        };
        if field("version") != Some("1") || field("algorithm") != Some("rsa-sha256") {
            return None;
        }
        let names: Vec<&str> = field("headers")?.split(' ').collect();
        let must: &[&str] = match heard.method.as_str() {
            "POST" | "PUT" | "PATCH" => {
                &["date", "(request-target)", "host", "x-content-sha256", "content-type", "content-length"]
            }
            _ => &["date", "(request-target)", "host"],
        };
        if !must.iter().all(|name| names.contains(name)) {
            return None;
        }
        let target = if heard.query.is_empty() {
            heard.path.clone()
        } else {
            format!("{}?{}", heard.path, heard.query)
        };
        let mut lines = Vec::new();
        for name in names {
            lines.push(match name {
                "(request-target)" => {
                    format!("(request-target): {} {target}", heard.method.to_ascii_lowercase())
                }
                name => format!("{name}: {}", heard.header(name)?),
            });
        }
        if let Some(hash) = heard.header("x-content-sha256")
            && hash != STANDARD.encode(crypto::sha256(&[&heard.body]))
        {
            return None;
        }
        let key_id = field("keyId")?;
        let signature = STANDARD.decode(field("signature")?).ok()?;
        let _signed = self.keys.get(key_id)?.verify(lines.join("\n").as_bytes(), &signature).ok()?;
        Some(key_id.to_owned())
    }
}

fn failed(status: u16, code: &str, message: &str) -> Said {
    Said::new(status, json!({"code": code, "message": message}))
}
