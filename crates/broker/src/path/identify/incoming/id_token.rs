//! ID tokens (OpenID Connect Core 1.0, section 3.1.3): a code exchanged for one, and what it says where it holds.

use bytes::Bytes;
use catalog::incoming::{Address, JwsAlgorithm};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use memory::Secret;
use model::Timestamp;
use net::Body;
use net::body::{Bounds, collect_bounded};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::No;
use super::issuers::{self, CONNECT, DEADLINE, LARGEST, Source};
use super::jwt;
use crate::Worker;

/// Where a provider is asked for what, as its own document says.
pub(crate) struct Endpoints {
    authorization: String,
    token: Address,
    /// What the provider knows of a person (section 5.3), where it has such a place.
    pub(super) user_info: Option<Address>,
    /// Whether our password goes into the body there, because the provider takes it nowhere else.
    in_body: bool,
    scope: String,
    /// Whether it says with each answer that it is the one who answers (RFC 9207).
    names_itself: bool,
}

/// Proof that nothing says that another provider answered.
#[must_use]
pub(crate) struct Answered(());

impl Endpoints {
    /// The page where people sign in.
    pub(crate) fn authorization(&self) -> &str {
        &self.authorization
    }

    /// What is asked for.
    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    /// Looks at who says that it answered.
    ///
    /// # Errors
    /// Where it is another issuer, or none although this provider always says so.
    pub(crate) fn answered_by(&self, issuer: &str, said: Option<&str>) -> Result<Answered, &'static str> {
        match said {
            Some(said) if said == issuer => Ok(Answered(())),
            Some(_) => Err("another issuer sent the browser back"),
            None if self.names_itself => Err("nothing says which issuer sent the browser back"),
            None => Ok(Answered(())),
        }
    }
}

/// A code that came back, and what goes with it.
pub(crate) struct Exchange<'a> {
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) client: &'a str,
    pub(crate) secret: Option<&'a Secret>,
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect: &'a str,
    pub(crate) private: bool,
}

/// What a token has to say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) private: bool,
}

/// Where the discovery document of an issuer is.
pub(crate) fn discovery(issuer: &str, private: bool) -> Option<Address> {
    issuers::address(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')), private)
}

/// Asks an issuer where it is asked for what (OpenID Connect Discovery 1.0, section 4).
pub(crate) async fn endpoints(
    worker: &Worker,
    issuer: &str,
    private: bool,
) -> Result<Endpoints, &'static str> {
    let address = discovery(issuer, private).ok_or("the issuer's address is not asked")?;
    let (_, body) = issuers::get(worker, &address, private).await?;
    let read: Value = serde_json::from_slice(&body).map_err(|_| "the discovery document is not JSON")?;
    if read.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err("the discovery document is of another issuer");
    }
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    let authorization = text("authorization_endpoint").ok_or("the provider names no page to sign in")?;
    // Only looked at: a browser goes there.
    let _ = issuers::address(authorization, private).ok_or("the page to sign in is not one of https")?;
    let token = text("token_endpoint").ok_or("the provider names no place for tokens")?;
    let token = issuers::address(token, private).ok_or("the place for tokens is not asked")?;
    let user_info = text("userinfo_endpoint").and_then(|address| issuers::address(address, private));
    let lists = |name: &str, wanted: &str| {
        read.get(name).and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == wanted))
    };
    // A provider may refuse a scope that it does not know; one that knows `groups` gives them for nothing else.
    let scope =
        if lists("scopes_supported", "groups") { format!("{SCOPE} groups") } else { SCOPE.to_owned() };
    let says = read.get("authorization_response_iss_parameter_supported");
    let names_itself = says.and_then(Value::as_bool).unwrap_or_default();
    // Section 9: who says nothing takes Basic.
    let methods = "token_endpoint_auth_methods_supported";
    let in_body = lists(methods, "client_secret_post") && !lists(methods, "client_secret_basic");
    let authorization = authorization.to_owned();
    Ok(Endpoints { authorization, token, user_info, in_body, scope, names_itself })
}

/// What a code was exchanged for.
pub(crate) struct Tokens {
    pub(crate) id: Zeroizing<String>,
    pub(super) access: Option<Zeroizing<String>>,
}

/// The ID token for a code.
#[expect(clippy::disallowed_methods, reason = "shows the provider our own password there")]
pub(crate) async fn exchanged(worker: &Worker, exchange: Exchange<'_>) -> Result<Tokens, &'static str> {
    let Exchange { endpoints, client, secret, code, verifier, redirect, private } = exchange;
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
    ];
    let shown = secret.filter(|_| !endpoints.in_body);
    if shown.is_none() {
        pairs.push(("client_id", client));
    }
    let mut body = Zeroizing::new(form(&pairs));
    if let Some(secret) = secret.filter(|_| endpoints.in_body) {
        secret.expose(|bytes| {
            body.push_str("&client_secret=");
            body.push_str(&Zeroizing::new(percent_encode(bytes, ESCAPED).to_string()));
        });
    }
    let dial = issuers::dial(&endpoints.token, private);
    let mut request = Request::post(endpoints.token.target.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::full(body.as_bytes().to_vec()))
        .map_err(|_| "the place for tokens can't be asked")?;
    if let Some(secret) = shown {
        // RFC 6749, section 2.3.1: both are encoded as in a form, and then as basic authentication does.
        let basic = secret.expose(|bytes| {
            let password = Zeroizing::new(percent_encode(bytes, ESCAPED).to_string());
            let pair = Zeroizing::new(format!("{}:{}", escaped(client), *password));
            Zeroizing::new(format!("Basic {}", *Zeroizing::new(crypto::to_base64(pair.as_bytes()))))
        });
        let mut value = HeaderValue::from_str(&basic).map_err(|_| "our password there can't be sent")?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let reply = worker.upstream().send(&dial, request, CONNECT).await.map_err(|error| {
        tracing::warn!(%error, "an identity provider can't be asked for a token");
        "the identity provider can't be reached"
    })?;
    let status = reply.status();
    let bounds = Bounds { bytes: LARGEST, frame: CONNECT, whole: DEADLINE };
    let body: Bytes = collect_bounded(reply.into_body(), bounds)
        .await
        .map_err(|_| "the identity provider's answer can't be read")?;
    if status != StatusCode::OK {
        return Err("the identity provider did not take the code");
    }
    let given: Given =
        serde_json::from_slice(&body).map_err(|_| "the identity provider's answer is not JSON")?;
    let access = given.access_token.map(Zeroizing::new);
    Ok(Tokens { id: given.id_token.map(Zeroizing::new).ok_or("there is no ID token")?, access })
}

/// Of what the provider gives, what is wanted.
#[derive(Deserialize)]
struct Given {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// What an ID token says, where it holds (section 3.1.3.7).
pub(crate) async fn claims(
    worker: &Worker,
    token: &str,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Map<String, Value>, &'static str> {
    let Expected { issuer, audience, nonce, private } = expected;
    let written = jwt::read(token.as_bytes()).map_err(|no| reason(&no))?;
    let address = discovery(issuer, private).ok_or("the issuer's address is not asked")?;
    let source =
        Source { issuer: Some(issuer.to_owned()), address, private, algorithms: ALGORITHMS.to_vec() };
    let issuers = &worker.broker().incoming().issuers;
    let set = issuers.keys(worker, &source, written.kid(), now).await?;
    let _proven = jwt::by_set(&set, &written).map_err(|no| reason(&no))?;
    let claims = written.into_claims();
    jwt::timely(&claims, now.millis() / 1_000, LEEWAY).map_err(|no| reason(&no))?;
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err("the ID token is of another issuer");
    }
    let _ours = for_us(&claims, audience)?;
    let said = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    crypto::same(said.as_bytes(), nonce.as_bytes())
        .map_err(|_| "the ID token belongs to another sign-in")
        .map(|_| claims)
}

/// Proof that a token was made for us.
#[must_use]
struct ForUs(());

/// For several audiences it has to say that it was made for us, and where it says for whom it was made, that is us.
fn for_us(claims: &Map<String, Value>, audience: &str) -> Result<ForUs, &'static str> {
    let several = match claims.get("aud") {
        Some(Value::String(one)) if one == audience => false,
        Some(Value::Array(all)) if all.iter().any(|one| one == audience) => all.len() > 1,
        _ => return Err("the ID token is for somebody else"),
    };
    match claims.get("azp") {
        Some(party) if party == audience => Ok(ForUs(())),
        None if !several => Ok(ForUs(())),
        _ => Err("the ID token was made for somebody else"),
    }
}

/// Pairs as a form or a query.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn reason(no: &No) -> &'static str {
    match no {
        No::Wrong(why) => why,
        No::Ours(_) => "the ID token can't be checked now",
    }
}

/// Those with a public key: nothing that somebody who knows our password could sign.
const ALGORITHMS: [JwsAlgorithm; 10] = [
    JwsAlgorithm::RS256,
    JwsAlgorithm::RS384,
    JwsAlgorithm::RS512,
    JwsAlgorithm::PS256,
    JwsAlgorithm::PS384,
    JwsAlgorithm::PS512,
    JwsAlgorithm::ES256,
    JwsAlgorithm::ES384,
    JwsAlgorithm::ES512,
    JwsAlgorithm::EdDSA,
];
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;
const SCOPE: &str = "openid email profile";
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
