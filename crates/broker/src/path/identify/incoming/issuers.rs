//! The keys of issuers: where they are is discovered, they are fetched once for all who wait, and kept for as long as the issuer
//! says, within bounds.
//!
//! # Invariants
//!
//! - Only a reply with status 200 that holds at least one key that is accepted replaces what is kept. No redirect is followed.
//! - A key id that is not known has the keys fetched anew, but not more often than every [`AGAIN`]: who makes up ids gains nothing.
//! - Where the issuer can't be reached, keys count for [`STALE`] beyond their time, and no longer. Without any, nobody is proven.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use catalog::incoming::{Address, JwsAlgorithm};
use http::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderMap, HeaderValue};
use http::{Request, StatusCode};
use model::{Authority, Scheme, Timestamp};
use net::body::{Bounds, collect_bounded};
use net::{Body, Dial, Private, Verify};
use serde_json::Value;

use super::keys::KeySet;
use crate::Worker;

/// Where keys come from, and which of them are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// The issuer, where `address` is that of its discovery document.
    pub(super) issuer: Option<String>,
    pub(super) address: Address,
    pub(super) private: bool,
    pub(super) algorithms: Vec<JwsAlgorithm>,
}

/// The keys of all issuers.
#[derive(Default)]
pub(super) struct Issuers(Mutex<HashMap<Source, Arc<Issuer>>>);

#[derive(Default)]
struct Issuer {
    /// Held while keys are fetched, so that they are fetched once.
    flight: tokio::sync::Mutex<()>,
    kept: Mutex<Kept>,
}

#[derive(Default, Clone)]
struct Kept {
    set: Option<Arc<KeySet>>,
    fresh_until: Timestamp,
    tried: Option<Timestamp>,
    /// When they were fetched for the sake of a key id that was not known.
    sought: Option<Timestamp>,
    /// Why the last try failed, where it did.
    failed: Option<&'static str>,
}

/// What is to be done with what is kept.
enum Next {
    Use(Arc<KeySet>),
    Fail(&'static str),
    Fetch(For),
}

/// Why keys are fetched.
#[derive(Clone, Copy)]
enum For {
    /// There are none, or they are old.
    Age,
    /// The issuer may have changed them: a token names one that is not known.
    KeyId,
}

impl Issuers {
    /// The keys of an issuer, with the one of this id where the issuer has it.
    pub(super) async fn keys(
        &self,
        worker: &Worker,
        source: &Source,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, &'static str> {
        let issuer = self.issuer(source);
        match issuer.next(kid, now) {
            Next::Use(set) => return Ok(set),
            Next::Fail(why) => return Err(why),
            Next::Fetch(_) => {}
        }
        let _flight = issuer.flight.lock().await;
        // Somebody else may have fetched them meanwhile.
        let sake = match issuer.next(kid, now) {
            Next::Use(set) => return Ok(set),
            Next::Fail(why) => return Err(why),
            Next::Fetch(sake) => sake,
        };
        let fetched = match tokio::time::timeout(DEADLINE, fetch(worker, source)).await {
            Ok(fetched) => fetched,
            Err(_) => Err("the issuer did not answer in time"),
        };
        issuer.took(fetched, sake, now)
    }

    fn issuer(&self, source: &Source) -> Arc<Issuer> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = known.get(source) {
            return Arc::clone(issuer);
        }
        if known.len() >= MOST {
            // Sources stand in files; only files that change all the time come here.
            known.clear();
        }
        Arc::clone(known.entry(source.clone()).or_default())
    }
}

impl Issuer {
    fn next(&self, kid: Option<&str>, now: Timestamp) -> Next {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let within =
            |then: Option<Timestamp>, pause: Duration| then.is_some_and(|then| now < then.after(pause));
        let lately = |pause| within(kept.tried, pause);
        let Some(set) = &kept.set else {
            return match kept.failed {
                Some(why) if lately(PAUSE) => Next::Fail(why),
                _ => Next::Fetch(For::Age),
            };
        };
        let known = kid.is_none_or(|kid| set.knows(kid));
        if now < kept.fresh_until {
            // Once at once, so that a key that was changed a moment ago is found; then seldom, whatever callers make up.
            let wait = known || within(kept.sought, AGAIN);
            return if wait { Next::Use(Arc::clone(set)) } else { Next::Fetch(For::KeyId) };
        }
        match kept.failed {
            Some(_) if lately(PAUSE) && now < kept.fresh_until.after(STALE) => Next::Use(Arc::clone(set)),
            Some(why) if lately(PAUSE) => Next::Fail(why),
            _ => Next::Fetch(For::Age),
        }
    }

    fn took(
        &self,
        fetched: Result<(KeySet, Duration), &'static str>,
        sake: For,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, &'static str> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.tried = Some(now);
        if matches!(sake, For::KeyId) {
            kept.sought = Some(now);
        }
        match fetched {
            Ok((set, life)) => {
                let set = Arc::new(set);
                kept.set = Some(Arc::clone(&set));
                (kept.fresh_until, kept.failed) = (now.after(life), None);
                Ok(set)
            }
            Err(why) => {
                tracing::warn!(why, "the keys of an issuer could not be fetched");
                kept.failed = Some(why);
                match &kept.set {
                    Some(set) if now < kept.fresh_until.after(STALE) => Ok(Arc::clone(set)),
                    _ => Err(why),
                }
            }
        }
    }
}

/// Fetches the keys, from where the issuer says that they are.
async fn fetch(worker: &Worker, source: &Source) -> Result<(KeySet, Duration), &'static str> {
    let discovered;
    let address = match &source.issuer {
        None => &source.address,
        Some(issuer) => {
            let (_, document) = get(worker, &source.address, source.private).await?;
            discovered = keys_of(&document, issuer, source.private)?;
            &discovered
        }
    };
    let (headers, body) = get(worker, address, source.private).await?;
    Ok((KeySet::read(&body, &source.algorithms)?, life(&headers)))
}

/// Where the discovery document of an issuer says that its keys are (OpenID Connect Discovery 1.0, sections 3 and 4.3).
fn keys_of(document: &[u8], issuer: &str, private: bool) -> Result<Address, &'static str> {
    let read: Value = serde_json::from_slice(document).map_err(|_| "the discovery document is not JSON")?;
    if read.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err("the discovery document is of another issuer");
    }
    let url = read.get("jwks_uri").and_then(Value::as_str).ok_or("the discovery document names no keys")?;
    address(url, private).ok_or("the discovery document names keys at an address that is not asked")
}

/// How a provider is asked at an address: its certificate is checked, and private addresses are refused unless they are allowed.
pub(super) fn dial(address: &Address, private: bool) -> Dial {
    Dial {
        authority: address.authority.clone(),
        private: if private { Private::Allowed } else { Private::Refused },
        verify: Verify::Checked,
        connect: CONNECT,
        way: None,
    }
}

pub(super) fn address(url: &str, private: bool) -> Option<Address> {
    let start = url.find("://")? + 3;
    let slash = url.get(start..)?.find('/').map_or(url.len(), |at| start + at);
    let (authority, target) = url.split_at_checked(slash)?;
    let authority: Authority = authority.parse().ok()?;
    if authority.scheme() == Scheme::Http && !private {
        return None;
    }
    let target = if target.is_empty() { "/" } else { target };
    let _: model::Target = target.parse().ok()?;
    Some(Address { authority, target: target.to_owned() })
}

pub(super) async fn get(
    worker: &Worker,
    address: &Address,
    private: bool,
) -> Result<(HeaderMap, Bytes), &'static str> {
    let dial = dial(address, private);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = address.target.parse().map_err(|_| "the address of the keys can't be asked")?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let reply = worker.upstream().send(&dial, request, CONNECT).await.map_err(|error| {
        tracing::warn!(%error, "an issuer can't be asked");
        "the issuer can't be reached"
    })?;
    if reply.status() != StatusCode::OK {
        return Err("the issuer answered with another status than 200");
    }
    let (parts, body) = reply.into_parts();
    let bounds = Bounds { bytes: LARGEST, frame: CONNECT, whole: DEADLINE };
    let bytes = collect_bounded(body, bounds).await.map_err(|_| "the issuer's answer can't be read")?;
    Ok((parts.headers, bytes))
}

/// How long keys are fresh: `max-age` less the age that they have already (RFC 9111, section 4.2), within bounds.
fn life(headers: &HeaderMap) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut life = None;
    for directive in directives.flat_map(|value| value.split(',')).map(str::trim) {
        match directive.to_ascii_lowercase().split_once('=') {
            Some(("max-age", seconds)) => life = seconds.trim_matches('"').parse().ok(),
            None if directive.eq_ignore_ascii_case("no-store")
                || directive.eq_ignore_ascii_case("no-cache") =>
            {
                return SHORTEST;
            }
            _ => {}
        }
    }
    let age: u64 = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    let life = life.map_or(USUAL, |seconds: u64| Duration::from_secs(seconds.saturating_sub(age)));
    life.clamp(SHORTEST, LONGEST)
}

/// Between two fetches for the sake of a key id that is not known.
const AGAIN: Duration = Duration::from_secs(30);
/// Between two tries of an issuer that can't be reached.
const PAUSE: Duration = Duration::from_secs(5);
/// How long keys count beyond their time where the issuer can't be reached.
const STALE: Duration = Duration::from_secs(3_600);
/// How long keys are fresh: at least, where nothing is said, and at most.
const SHORTEST: Duration = Duration::from_secs(60);
const USUAL: Duration = Duration::from_secs(3_600);
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long a call waits for keys, and a part of that.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Largest answer of an issuer, in bytes.
pub(super) const LARGEST: usize = 512 * 1024;
/// Most sources of keys.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests;
