//! Signing in at an identity provider: the browser is sent there, and comes back.
//!
//! Whatever comes of it, a person looks at it: so each way ends at the console, with a word that the console knows where it failed. No
//! text of an address is shown there, so that a link can't make the console say what its maker wants.
//!
//! Who was let in comes back with half of a code behind the `#`, which no server is sent, and half in a cookie, which no link brings.
//! The console opens the session with both, and so gets the word of its page, which an address must not hold.

use broker::people::{Came, Failed};
use http::header;
use http::{HeaderValue, StatusCode};
use model::{Code, EvidenceId, Inputs, Refusal};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use zeroize::Zeroizing;

use super::caller::{self, SIGN_IN};
use super::problem::Problem;
use super::reply::Reply;
use super::{Asking, call, facts};

/// Sends a browser to the provider.
pub(crate) async fn begin(asking: &Asking<'_>) -> Result<Reply, Problem> {
    match begun(asking).await? {
        Ok((place, cookie)) => Ok(led(place).with(header::SET_COOKIE, cookie)),
        Err(failed) => Ok(led(told(&failed))),
    }
}

async fn begun(asking: &Asking<'_>) -> Result<Result<(HeaderValue, HeaderValue), Failed>, Problem> {
    if let Err(failed) = within(asking)? {
        return Ok(Err(failed));
    }
    let begun = match asking.worker.sign_in_begins().await {
        Ok(begun) => begun,
        Err(failed) => return Ok(Err(failed)),
    };
    let cookie = sign_in_cookie(asking, &begun.binding, LASTS)?;
    let place = HeaderValue::from_str(&begun.location);
    Ok(place.map(|place| (place, cookie)).map_err(|_| Failed::UNREACHABLE))
}

/// Takes a browser back.
pub(crate) async fn end(asking: &Asking<'_>) -> Result<Reply, Problem> {
    let ended = match within(asking)? {
        Ok(()) => ended(asking).await,
        Err(failed) => Err(failed),
    };
    let reply = match ended {
        Ok(code) => {
            let (shown, kept) = code.split_at_checked(code.len() / 2).unwrap_or_default();
            let place = HeaderValue::try_from(format!("/console/#code={shown}."));
            let place = place.map_err(|error| {
                Problem::of(Refusal::new(Code::OutcomeUnknown, format!("the code is no address: {error}")))
            })?;
            return Ok(led(place).with(header::SET_COOKIE, sign_in_cookie(asking, kept, MOMENT)?));
        }
        Err(failed) => {
            let evidence = recorded(asking, &failed).await;
            evidence.into_iter().fold(led(told(&failed)), Reply::recorded)
        }
    };
    Ok(reply.with(header::SET_COOKIE, sign_in_cookie(asking, "", 0)?))
}

/// The code that opens a session.
async fn ended(asking: &Asking<'_>) -> Result<Zeroizing<String>, Failed> {
    let query = asking.parts.uri.query().unwrap_or_default();
    if let Some(error) = word(query, "error") {
        return Err(if error == "access_denied" { Failed::REFUSED } else { Failed::ANSWER });
    }
    let (Some(code), Some(state)) = (word(query, "code"), word(query, "state")) else {
        return Err(Failed::ANSWER);
    };
    let issuer = word(query, "iss");
    let name = asking.known.cookie(SIGN_IN).0;
    let binding = caller::cookie(&asking.parts.headers, &name).ok().flatten().ok_or(Failed::BROWSER)?;
    let came = Came { code: &code, state: &state, binding, issuer: issuer.as_deref() };
    let proof = asking.worker.sign_in_ends(came).await?;
    proof.to_str().map(|code| Zeroizing::new(code.to_owned())).map_err(|_| Failed::CLOSED)
}

/// Somebody who proved nothing asked for a session: that is on record as such, but for whoever asks too often.
async fn recorded(asking: &Asking<'_>, failed: &Failed) -> Option<EvidenceId> {
    if *failed == Failed::BUSY {
        return None;
    }
    call(asking, None, (OPEN, Inputs::new(), None)).await.err().and_then(|refusal| refusal.evidence)
}

/// One word of a query, where it is there once. A provider may say more than is asked for; what is not needed is not looked at.
fn word(query: &str, name: &str) -> Option<String> {
    let mut found = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(one, _)| *one == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => {
            let value = value.replace('+', " ");
            Some(percent_decode_str(&value).decode_utf8().ok()?.into_owned())
        }
        _ => None,
    }
}

/// Counts a request that proves nothing.
fn within(asking: &Asking<'_>) -> Result<Result<(), Failed>, Problem> {
    let counted = asking.worker.welcome_stranger(&facts(asking)?);
    Ok(counted.map_err(|_| Failed::BUSY))
}

fn led(place: HeaderValue) -> Reply {
    Reply::json(StatusCode::FOUND, Value::Null).empty(StatusCode::FOUND).with(header::LOCATION, place)
}

fn told(failed: &Failed) -> HeaderValue {
    HeaderValue::try_from(format!("/console/#error={}", failed.word()))
        .unwrap_or(HeaderValue::from_static("/console/"))
}

/// It has to come along when another site sends the browser back, so it is `Lax`; it is good for nothing else. A cookie with the
/// prefix of [`Known::cookie`](crate::names::Known::cookie) has to be for all paths.
pub(super) fn sign_in_cookie(asking: &Asking<'_>, binding: &str, lasts: u32) -> Result<HeaderValue, Problem> {
    let (name, secure) = asking.known.cookie(SIGN_IN);
    let path = if asking.known.is_guarded() { "/" } else { "/v1/session" };
    let text = format!("{name}={binding}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}");
    let mut value = HeaderValue::try_from(text)
        .map_err(|error| Problem::of(Refusal::new(Code::OutcomeUnknown, error.to_string())))?;
    value.set_sensitive(true);
    Ok(value)
}

const OPEN: &str = "session.open";
const LASTS: u32 = 600;
/// As long as a code waits.
const MOMENT: u32 = 120;
