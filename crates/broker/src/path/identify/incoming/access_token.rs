//! Access tokens of an issuer, made for one resource (RFC 9068, RFC 8707): what one says, where it holds.
//!
//! Nothing of a token is believed before its signature was verified with a key of the issuer, for an algorithm that was chosen before
//! the token was looked at.

use catalog::incoming::JwsAlgorithm;
use model::Timestamp;
use serde_json::{Map, Value};

use super::No;
use super::id_token::discovery;
use super::issuers::Source;
use super::jwt;
use crate::Worker;

/// What a token has to say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    /// The resource that it was made for: us.
    pub(crate) audience: &'a str,
    /// Only such as have a public key.
    pub(crate) algorithms: &'a [JwsAlgorithm],
    /// Whether the issuer may be asked over plain http and at a private address.
    pub(crate) private: bool,
}

/// Why a token is not believed. The words hold nothing of what came.
#[derive(Debug)]
pub(crate) enum Unbelieved {
    /// It does not hold.
    Wrong(&'static str),
    /// The issuer's keys can't be had, so nobody knows.
    Unknown(&'static str),
}

/// What the token says, where it holds.
pub(crate) async fn claims(
    worker: &Worker,
    token: &[u8],
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Map<String, Value>, Unbelieved> {
    let Expected { issuer, audience, algorithms, private } = expected;
    let wrong = |no: No| match no {
        No::Wrong(why) => Unbelieved::Wrong(why),
        No::Ours(_) => Unbelieved::Unknown("the access token can't be checked now"),
    };
    let written = jwt::read(token).map_err(wrong)?;
    let address =
        discovery(issuer, private).ok_or(Unbelieved::Unknown("the issuer's address is not asked"))?;
    let algorithms = algorithms.to_vec();
    let source = Source { issuer: Some(issuer.to_owned()), address, private, algorithms };
    let issuers = &worker.broker().incoming().issuers;
    let set = issuers.keys(worker, &source, written.kid(), now).await.map_err(Unbelieved::Unknown)?;
    let _proven = jwt::by_set(&set, &written).map_err(wrong)?;
    let claims = written.into_claims();
    jwt::timely(&claims, now.millis() / 1_000, LEEWAY).map_err(wrong)?;
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(Unbelieved::Wrong("the issuer is another one"));
    }
    let ours = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    };
    if !ours {
        return Err(Unbelieved::Wrong("it was made for another resource"));
    }
    // The token of a sign-in says who somebody is and is for the program that asked; it names nothing that may be done. Not every
    // issuer writes `at+jwt` over those for access.
    if !OF_ACCESS.iter().any(|name| claims.contains_key(*name)) || claims.contains_key("at_hash") {
        return Err(Unbelieved::Wrong("it is the token of a sign-in, not one for access"));
    }
    // Whoever shows it would have to prove a key as well (RFC 7800), and nothing here can ask for that.
    if claims.contains_key("cnf") {
        return Err(Unbelieved::Wrong("it is bound to a key, and a bearer proves none"));
    }
    Ok(claims)
}

/// What a token for access has, and one of a sign-in has not: for which program, and for what.
const OF_ACCESS: [&str; 5] = ["appid", "cid", "client_id", "scope", "scp"];
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;
