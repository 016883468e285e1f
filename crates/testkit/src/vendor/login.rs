//! An identity provider at which people sign in: the code flow with PKCE, tokens signed with Ed25519.
//!
//! Source: OpenID Connect Core 1.0 (section 3.1) and Discovery 1.0, RFC 6749 (sections 4.1 and 5.2), RFC 7636, RFC 9207. The page on which
//! a person says yes redirects at once, for the person that the test names.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto::SigningKey;
use serde_json::{Map, Value, json};

use super::openai::{decoded, form};
use super::{Answers, Heard, Said, Server, served};

/// An identity provider that runs.
pub struct Login(Server<State>);

served!(Login);

/// What is wrong with every answer from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// Nothing.
    Nothing,
    /// The token is of another sign-in.
    Nonce,
    /// It has no nonce.
    NoNonce,
    /// It is for somebody else.
    Audience,
    /// It is for several, and does not say for whom it was made.
    Audiences,
    /// It was made for somebody else.
    Party,
    /// It is of another issuer.
    Issuer,
    /// It is over.
    Over,
    /// It does not end.
    Endless,
    /// It is not signed: `alg` is `none`.
    Unsigned,
    /// It is signed with the public key as a password: `alg` is `HS256`.
    PublicKey,
    /// It is signed with a key that nobody published, under the name of one that is.
    Forged,
    /// What it says was changed after it was signed.
    Changed,
    /// The way back says that another issuer answered.
    OtherSender,
    /// The way back does not say who answered.
    NoSender,
    /// Groups and address are in the user info only.
    Elsewhere,
    /// The user info is of somebody else.
    OtherPerson,
    /// Passwords are taken in the body only.
    InBody,
}

struct State {
    issuer: String,
    client: String,
    secret: String,
    key: SigningKey,
    forger: SigningKey,
    person: Map<String, Value>,
    twist: Twist,
    codes: BTreeMap<String, Code>,
    made: u64,
}

/// A code that was given and not redeemed.
struct Code {
    challenge: String,
    redirect: String,
    nonce: String,
    person: Map<String, Value>,
}

impl Login {
    /// Starts one that knows this client.
    #[must_use]
    pub fn start(client: &str, secret: &str) -> Self {
        let key = || SigningKey::generate().expect("the test kit works");
        let state = State {
            issuer: String::new(),
            client: client.to_owned(),
            secret: secret.to_owned(),
            key: key(),
            forger: key(),
            person: Map::new(),
            twist: Twist::Nothing,
            codes: BTreeMap::new(),
            made: 0,
        };
        let server = Server::start(state);
        let issuer = server.url();
        server.change(|state| state.issuer = issuer);
        Self(server)
    }

    /// Who is at the page from now on, as the claims of their tokens.
    pub fn person(&self, claims: Value) {
        let Value::Object(claims) = claims else { return };
        self.0.change(|state| state.person = claims);
    }

    /// What is wrong from now on.
    pub fn twist(&self, twist: Twist) {
        self.0.change(|state| state.twist = twist);
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => Said::new(200, self.document()),
            ("GET", "/keys") => {
                let x = URL_SAFE_NO_PAD.encode(self.key.public().as_bytes());
                let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": KID, "use": "sig", "alg": "EdDSA", "x": x });
                Said::new(200, json!({ "keys": [key] }))
            }
            ("GET", "/authorize") => self.authorize(heard),
            ("POST", "/token") => self.token(heard),
            ("GET", "/userinfo") => self.user_info(heard),
            _ => Said::new(404, json!({ "error": "not_found" })),
        }
    }
}

impl State {
    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let methods = if self.twist == Twist::InBody { "client_secret_post" } else { "client_secret_basic" };
        json!({
            "userinfo_endpoint": at("/userinfo"), "token_endpoint_auth_methods_supported": [methods],
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"], "scopes_supported": ["openid", "email", "groups"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn authorize(&mut self, heard: &Heard) -> Said {
        let query = form(&heard.query);
        let get = |name: &str| query.get(name).cloned().unwrap_or_default();
        let whole = get("response_type") == "code"
            && get("client_id") == self.client
            && get("code_challenge_method") == "S256"
            && get("scope").split(' ').any(|scope| scope == "openid")
            && !["state", "nonce", "code_challenge", "redirect_uri"].iter().any(|name| get(name).is_empty());
        if !whole {
            return Said::new(400, json!({ "error": "invalid_request" }));
        }
        self.made += 1;
        let code = format!("code-{}", self.made);
        let kept = Code {
            challenge: get("code_challenge"),
            redirect: get("redirect_uri"),
            nonce: get("nonce"),
            person: self.person.clone(),
        };
        self.codes.insert(code.clone(), kept);
        let issuer = match self.twist {
            Twist::OtherSender => "&iss=https%3A%2F%2Fevil.example".to_owned(),
            Twist::NoSender => String::new(),
            _ => format!("&iss={}", self.issuer.replace(':', "%3A").replace('/', "%2F")),
        };
        let location = format!("{}?code={code}&state={}{issuer}", get("redirect_uri"), get("state"));
        Said { location: Some(location), ..Said::new(302, Value::Null) }
    }

    fn token(&mut self, heard: &Heard) -> Said {
        let refused = |status, error| Said::new(status, json!({ "error": error }));
        if !self.is_client(heard) {
            return refused(401, "invalid_client");
        }
        let body = form(&String::from_utf8_lossy(&heard.body));
        let get = |name: &str| body.get(name).cloned().unwrap_or_default();
        let proof = crypto::to_base64url(&crypto::sha256(&[get("code_verifier").as_bytes()]));
        let code = self.codes.remove(&get("code"));
        match code {
            Some(code) if code.challenge == proof && code.redirect == get("redirect_uri") => {
                let token = self.id_token(&code);
                Said::new(
                    200,
                    json!({ "access_token": "CANARY-access", "token_type": "Bearer", "expires_in": 60, "id_token": token }),
                )
            }
            _ => refused(400, "invalid_grant"),
        }
    }

    fn user_info(&self, heard: &Heard) -> Said {
        if heard.bearer() != Some("CANARY-access") {
            return Said::new(401, json!({ "error": "invalid_token" }));
        }
        let mut known = self.person.clone();
        if self.twist == Twist::OtherPerson {
            known.insert("sub".to_owned(), json!("somebody-else"));
        }
        Said::new(200, Value::Object(known))
    }

    /// Both parts are encoded as in a form before they are put together (RFC 6749, section 2.3.1).
    fn is_client(&self, heard: &Heard) -> bool {
        if self.twist == Twist::InBody {
            let body = form(&String::from_utf8_lossy(&heard.body));
            let is = |name: &str, wanted: &String| body.get(name) == Some(wanted);
            let nowhere_else = heard.header("authorization").is_none();
            return nowhere_else && is("client_id", &self.client) && is("client_secret", &self.secret);
        }
        let shown = heard.header("authorization").and_then(|line| line.strip_prefix("Basic "));
        let pair = shown.and_then(|shown| String::from_utf8(STANDARD.decode(shown).ok()?).ok());
        let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
        pair.is_some_and(|(name, word)| decoded(name) == self.client && decoded(word) == self.secret)
    }

    fn id_token(&self, code: &Code) -> String {
        let (now, other) = (now(), json!("somebody-else"));
        let mut claims = code.person.clone();
        let mut say = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        say("iss", json!(self.issuer));
        say("aud", json!(self.client));
        say("iat", json!(now));
        say("exp", json!(now + 300));
        say("nonce", json!(code.nonce));
        match self.twist {
            Twist::Nonce => say("nonce", other),
            Twist::Audience => say("aud", other),
            Twist::Audiences => say("aud", json!([self.client, "somebody-else"])),
            Twist::Party => say("azp", other),
            Twist::Issuer => say("iss", json!("https://evil.example")),
            // Further back than any clock that is merely wrong.
            Twist::Over => say("exp", json!(now - 3_600)),
            Twist::Endless => drop(claims.remove("exp")),
            Twist::NoNonce => drop(claims.remove("nonce")),
            Twist::Elsewhere | Twist::OtherPerson => {
                claims.retain(|name, _| !matches!(name.as_str(), "groups" | "email" | "email_verified"));
            }
            _ => {}
        }
        let algorithm = match self.twist {
            Twist::Unsigned => "none",
            Twist::PublicKey => "HS256",
            _ => "EdDSA",
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({ "alg": algorithm, "typ": "JWT", "kid": KID });
        let signed = format!("{}.{}", part(&head), part(&Value::Object(claims.clone())));
        let signature = match self.twist {
            Twist::Unsigned => Vec::new(),
            Twist::PublicKey => {
                crypto::hmac(crypto::HmacHash::Sha256, self.key.public().as_bytes(), &[signed.as_bytes()])
            }
            Twist::Forged => self.forger.sign(signed.as_bytes()).to_vec(),
            _ => self.key.sign(signed.as_bytes()).to_vec(),
        };
        let shown = if self.twist == Twist::Changed {
            claims.insert("groups".to_owned(), json!(["admins"]));
            format!("{}.{}", part(&head), part(&Value::Object(claims)))
        } else {
            signed
        };
        format!("{shown}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a service of a vendor has the time of day")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).expect("the test kit works").as_secs()
}

const KID: &str = "key-1";
