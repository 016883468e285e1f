//! What an identity provider knows of a person beside their ID token (OpenID Connect Core 1.0, section 5.3): asked where the token names no
//! groups or no address.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use net::Body;
use net::body::{Bounds, collect_bounded};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::id_token::{Endpoints, Tokens};
use super::issuers::{self, CONNECT, DEADLINE, LARGEST};
use crate::Worker;

/// Adds to the claims of a token that holds what it does not say itself.
///
/// # Errors
/// Where something is missing and the provider does not give it, or speaks of somebody else.
pub(crate) async fn completed(
    worker: &Worker,
    (endpoints, tokens): (&Endpoints, &Tokens),
    mut claims: Map<String, Value>,
    private: bool,
) -> Result<Map<String, Value>, &'static str> {
    let lacks = |name: &str| !claims.contains_key(name);
    if !lacks("groups") && !lacks("email") {
        return Ok(claims);
    }
    let (Some(address), Some(access)) = (&endpoints.user_info, &tokens.access) else { return Ok(claims) };
    let dial = issuers::dial(address, private);
    let bearer = Zeroizing::new(format!("Bearer {}", access.as_str()));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| "the access token can't be sent")?;
    bearer.set_sensitive(true);
    let request = Request::get(address.target.as_str())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer)
        .body(Body::empty())
        .map_err(|_| "the place for user info can't be asked")?;
    let reply = worker.upstream().send(&dial, request, CONNECT).await.map_err(|error| {
        tracing::warn!(%error, "an identity provider can't be asked for user info");
        "the place for user info can't be reached"
    })?;
    let kind = reply.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let plain = kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
    if reply.status() != StatusCode::OK || !plain {
        return Err("the provider gives no user info as plain JSON");
    }
    let bounds = Bounds { bytes: LARGEST, frame: CONNECT, whole: DEADLINE };
    let body = collect_bounded(reply.into_body(), bounds).await.map_err(|_| "the user info can't be read")?;
    let known: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|_| "the user info is not a JSON object")?;
    // Section 5.3.2: of whoever the token is of, or it is not used at all.
    if known.get("sub").is_none_or(|sub| Some(sub) != claims.get("sub")) {
        return Err("the user info is of somebody else");
    }
    let (groups, email) = (lacks("groups"), lacks("email"));
    // Of the same address the provider may say here alone that nobody proved it.
    let verified = lacks("email_verified") && known.get("email") == claims.get("email");
    let mut take = |name: &str| known.get(name).map(|value| claims.insert(name.to_owned(), value.clone()));
    if groups {
        let _ = take("groups");
    }
    if email {
        // What is known of an address goes with it.
        let _ = (take("email"), take("email_verified"));
    } else if verified {
        let _ = take("email_verified");
    }
    Ok(claims)
}
