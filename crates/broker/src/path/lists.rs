//! What the allowlist and the denylist of an integration say about a request, asked in steps 2 and 3.
//!
//! What is asked about is what will be sent: the path behind the integration's root as it stands in the call, the query, the
//! headers that are left, the bytes of the body.

use std::cell::OnceCell;

use bytes::Bytes;
use catalog::Integration;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{Call, Caller, Proof, Refusal};
use policy::lists::{Headers, Lists, Reason, Request, Verdict};

use crate::inbound::{Asked, Forward, Inbound};
use crate::path::find::Unread;
use crate::path::identify::Identified;

/// Whether a rule has to look into the body before anything can be said.
pub(crate) fn want_body(
    lists: &Lists,
    identified: &Identified,
    integration: &Integration,
    forward: &Forward,
) -> bool {
    if lists.is_empty() {
        return false;
    }
    let target = integration.stripped(&forward.target);
    lists.wants_body(&Request {
        integration: integration.name(),
        caller: id(&identified.caller),
        method: forward.method,
        path: target.path(),
        query: target.query(),
        headers: &Lines::of(&forward.headers),
    })
}

/// What the lists say about a call. They have no say about Doorward's own operations.
///
/// # Errors
/// When the body of a named operation can't be written.
pub(crate) fn verdict(
    lists: &Lists,
    identified: &Identified,
    (integration, call, unread): (&Integration, &Call, Option<&Unread>),
    inbound: &Inbound,
) -> Result<Verdict, Refusal> {
    let Some((method, _, target)) = call.request().filter(|_| !lists.is_empty()) else {
        return Ok(Verdict::silent());
    };
    let mut made = HeaderMap::new();
    let (headers, body) = match &inbound.asked {
        Asked::Forward(forward) => (&forward.headers, forward.known()),
        Asked::Operate(operate) => {
            let written = integration.named_body(&operate.operation, operate.inputs.clone())?;
            for (name, value) in &written.headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                    made.insert(name, value);
                }
            }
            (&made, Some(Bytes::from(written.body.unwrap_or_default())))
        }
    };
    let request = Request {
        integration: integration.name(),
        caller: id(&identified.caller),
        method: *method,
        path: behind(integration.base_path(), target.path()),
        query: target.query(),
        headers: &Lines::of(headers),
    };
    let verdict = lists.check(&request, call, body.as_deref());
    let (Some(Unread { meant, refusal: None }), Asked::Forward(forward)) = (unread, &inbound.asked) else {
        return Ok(verdict);
    };
    if verdict.reason() != Some(&Reason::NoMatch) {
        return Ok(verdict);
    }
    Ok(match lists.made_for(&request, meant) {
        None => verdict,
        Some(operation) => verdict.but_for(integration.surplus(operation, &forward.target)),
    })
}

/// The name under which a caller stands in a list: what its proof called it, else its principal. Whoever was proven without a
/// name is nobody in particular.
fn id(caller: &Caller) -> Option<&str> {
    caller.subject().or(match caller.proof() {
        Proof::Capability(_)
        | Proof::Kernel
        | Proof::Loopback
        | Proof::ApiKey(_)
        | Proof::Session(_)
        | Proof::Led(_) => Some(caller.principal().as_str()),
        Proof::Incoming | Proof::Anonymous => None,
    })
}

/// The path behind an integration's base. The catalogue put the base there.
fn behind<'a>(base: &str, path: &'a str) -> &'a str {
    path.strip_prefix(base.trim_end_matches('/')).filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// The headers of a request, and those of them that will be sent, found when a rule asks.
struct Lines<'a> {
    received: &'a HeaderMap,
    sent: OnceCell<HeaderMap>,
}

impl<'a> Lines<'a> {
    const fn of(received: &'a HeaderMap) -> Self {
        Self { received, sent: OnceCell::new() }
    }
}

impl Headers for Lines<'_> {
    fn received(&self, name: &str) -> Vec<Vec<u8>> {
        lines(self.received, name)
    }

    fn sent(&self, name: &str) -> Vec<Vec<u8>> {
        let sent = self.sent.get_or_init(|| {
            let mut headers = self.received.clone();
            net::headers::outgoing(&mut headers, net::headers::Cookies::Dropped);
            headers
        });
        // What is written with `_` may be read as the header, or not: beside it there are two readings, alone there is none.
        if sent.contains_key(name) { lines(sent, name) } else { Vec::new() }
    }

    fn resembled(&self, name: &str) -> bool {
        net::headers::alike(self.received, name).any(|(known, _)| known.as_str() != name)
    }
}

/// The lines of a header, and those of one that some services read as the same.
fn lines(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    net::headers::alike(headers, name).map(|(_, value)| value.as_bytes().to_vec()).collect()
}
