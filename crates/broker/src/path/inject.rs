//! Step 7: the credential onto the request, and the last look at where it goes.
//!
//! The caller's own credentials, hop-by-hop headers and claims about where it comes from are dropped first; then the
//! credential is written; then method and path of the request *as it will be sent*, and scheme, host and port of what
//! *will be dialled*, are compared with what was permitted. Only a request that passed is [`Armed`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{AuthScheme, Basic, Integration, Message};
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE, USER_AGENT,
};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use model::{Authority, Code, Method, Refusal, Timestamp};
use net::{Body, Dial, Private, Verify};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use policy::Permit;
use secrets::{Mask, Opened};
use zeroize::Zeroizing;

use crate::broker::Broker;
use crate::inbound::{Asked, Forward};
use crate::path::admit::Admitted;
use crate::path::resolve::{Lent, Special};
use crate::spans;
use crate::upstreams::Shown;
use masked::mask;
pub(crate) use program::Prepared;
use target::Written;

mod masked;
mod program;
mod replace;
pub(crate) mod sign;
mod special;
mod target;
mod trailing;

/// What is about to be done, with the credential in its place.
pub(crate) enum Armed {
    /// A request and its destination that passed the last look, what to look for in the reply, and what a second try needs.
    Forward(Sending, Option<Arc<Mask>>, Option<Box<Special>>),
    /// An operation of Doorward itself, which is lent nothing.
    Manage,
    /// A credential that is made from a stored one; what it is made from is lent on the way.
    Mint,
    /// A command with the credential in the files that its program reads.
    Run(Box<Prepared>),
}

/// A request, and the one place where it may be sent; its `Host` is written from that.
pub(crate) struct Sending {
    pub(crate) request: Box<Request<Body>>,
    pub(crate) dial: Dial,
    /// What is shown in the handshake, for an upstream that wants a certificate.
    pub(crate) shown: Option<Box<Shown>>,
}

/// Consumes what was lent.
pub(crate) fn credential(broker: &Broker, admitted: &mut Admitted, mut lent: Lent) -> Result<Armed, Refusal> {
    if admitted.way.is_some() {
        return program::prepare(broker, admitted, &lent).map(|made| Armed::Run(Box::new(made)));
    }
    let Admitted { inbound, permit, integration, next, .. } = admitted;
    let Some((method, authority, target)) = permit.call().request() else {
        return Ok(if crate::mint::mints(integration) { Armed::Mint } else { Armed::Manage });
    };
    let mut draft = match &mut inbound.asked {
        Asked::Forward(forward) => taken(forward),
        Asked::Operate(operate) => {
            integration.check_said(&operate.operation, &operate.inputs)?;
            let inputs = integration.timed(&operate.operation, operate.inputs.clone(), broker.now());
            named(integration.named_body(&operate.operation, inputs)?)
        }
    };
    spans::mark(next.as_mut(), &mut draft.headers);
    let behind = trailing::asked(&draft.headers);
    let mut written = Written::new(target);
    if lent.special().is_some() {
        special::prepare(&mut draft, &mut written, integration, &lent)?;
    } else {
        prepare(&mut draft.headers, integration);
    }
    place(&mut draft, integration, &mut written, &lent, *method)?;
    if let Some(behind) = behind {
        trailing::pass(&mut draft, behind);
    }
    let Draft { headers, body, .. } = draft;
    let uri = sendable(written.as_str())?;
    let mut request = Box::new(Request::new(body));
    *request.method_mut() = http::Method::from_bytes(method.as_str().as_bytes())
        .map_err(|_| Refusal::new(Code::BadRequest, "the method can't be sent"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let shown = sign::shown(integration, &lent)?;
    let sending = Sending { request, dial: dial(integration, authority), shown };
    look_once_more(&sending, permit, integration, &written)?;
    let mask = mask(broker, integration, &lent, permit)?;
    Ok(Armed::Forward(sending, mask, lent.take_special()))
}

/// A request on its way to be sent.
struct Draft {
    headers: HeaderMap,
    body: Body,
    /// The whole body, where it is known.
    whole: Option<Bytes>,
    /// What a client's own signature for AWS asks for.
    signing: Option<sign::aws::Signing>,
}

fn dial(integration: &Integration, permitted: &Authority) -> Dial {
    Dial {
        // Where each call names its host, the one that was permitted; else the only one that there is.
        authority: integration.wildcard().map_or_else(|| integration.authority(), |_| permitted).clone(),
        private: if integration.dangerous_allow_private() { Private::Allowed } else { Private::Refused },
        verify: if integration.tls_insecure_skip_verify() { Verify::Skipped } else { Verify::Checked },
        connect: integration.limits().connect.min(LONGEST_CONNECT),
        way: None,
    }
}

fn taken(forward: &mut Forward) -> Draft {
    let (headers, body) = (std::mem::take(&mut forward.headers), std::mem::take(&mut forward.body));
    Draft { headers, body, whole: None, signing: None }
}

/// The request of a named operation: its inputs as the service takes them.
fn named(written: Message) -> Draft {
    let mut headers = HeaderMap::new();
    for (name, value) in &written.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    match written.body {
        Some(bytes) => {
            let bytes = Bytes::from(bytes);
            Draft { headers, body: Body::full(bytes.clone()), whole: Some(bytes), signing: None }
        }
        None => Draft { headers, body: Body::empty(), whole: Some(Bytes::new()), signing: None },
    }
}

fn prepare(headers: &mut HeaderMap, integration: &Integration) {
    net::headers::outgoing(headers, net::headers::Cookies::Dropped);
    limit_encodings(headers);
    // Whoever may ask for any part of a reply gets a repeated credential byte by byte, and no part of it is found. A service
    // answers with the whole then (RFC 9110, section 14.2).
    if integration.auth().iter().any(AuthScheme::is_sent) {
        net::headers::remove(headers, &RANGE);
        net::headers::remove(headers, &IF_RANGE);
    }
    for (name, value) in integration.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.entry(name).or_insert(value);
        }
    }
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OURS));
}

/// Asks the upstream only for encodings that can be scrubbed.
fn limit_encodings(headers: &mut HeaderMap) {
    if !net::headers::has(headers, &ACCEPT_ENCODING) {
        return;
    }
    let Some(asked) = headers.remove(ACCEPT_ENCODING) else { return };
    let asked = asked.to_str().unwrap_or_default().to_ascii_lowercase();
    let known = asked.split(',').map(str::trim).filter(|one| {
        let name = one.split(';').next().unwrap_or_default().trim();
        matches!(name, "gzip" | "br" | "zstd" | "deflate" | "identity")
    });
    let kept = known.collect::<Vec<_>>().join(", ");
    let kept = if kept.is_empty() { "identity" } else { &kept };
    if let Ok(value) = HeaderValue::from_str(kept) {
        headers.insert(ACCEPT_ENCODING, value);
    }
}

/// Writes each credential in its place. The target changes only for credentials in the query or the path.
fn place(
    draft: &mut Draft,
    integration: &Integration,
    written: &mut Written<'_>,
    lent: &Lent,
    method: Method,
) -> Result<(), Refusal> {
    for (index, scheme) in integration.auth().iter().enumerate() {
        match scheme {
            AuthScheme::Bearer { secret } => {
                let value = joined(b"Bearer ", lent.chosen(integration, secret)?, b"");
                put(&mut draft.headers, "authorization", value)?;
            }
            AuthScheme::Header { name, prefix, secret } => {
                let value = joined(prefix.as_bytes(), lent.chosen(integration, secret)?, b"");
                put(&mut draft.headers, name, value)?;
            }
            AuthScheme::Basic { name, prefix, pair } => {
                let pair = crypto::to_base64(&self::pair(integration, pair, lent)?);
                put(&mut draft.headers, name, [prefix.as_bytes(), pair.as_bytes()].concat())?;
            }
            AuthScheme::Query { name, secret } => {
                let mark = if written.as_str().contains('?') { '&' } else { '?' };
                let lead = format!("{mark}{}=", percent_encode(name.as_bytes(), UNRESERVED_KEPT));
                let end = written.as_str().len();
                written.put((end, 0), &lead, &escaped(lent.chosen(integration, secret)?), "");
            }
            AuthScheme::Path { prefix, suffix, secret } => {
                let at = integration.base_path().len();
                let credential = escaped(lent.chosen(integration, secret)?);
                written.put((at, 0), &format!("/{prefix}"), &credential, suffix);
            }
            AuthScheme::PathEnd { secret } => {
                let end = written.path_end();
                let closed = written.as_str().get(..end).is_some_and(|path| path.ends_with('/'));
                let lead = if closed { "" } else { "/" };
                written.put((end, 0), lead, &escaped(lent.chosen(integration, secret)?), "");
            }
            AuthScheme::Cookie { name, secret } => {
                cookie(&mut draft.headers, name, lent.chosen(integration, secret)?)?
            }
            AuthScheme::Hmac(hmac) => {
                let body = draft.whole.clone().unwrap_or_default();
                sign::hmac(&mut draft.headers, hmac, integration, lent, &body)?;
            }
            // What the caller wrote was replaced before; a certificate is shown in the handshake, a proxy asked for a tunnel.
            AuthScheme::Replace(_) | AuthScheme::ProxyBasic(_) => {}
            AuthScheme::ClientCertificate(own) => sign::named(draft, own, (integration, lent))?,
            AuthScheme::Derived(derived) => {
                put(&mut draft.headers, &derived.header, minted(lent, index, &derived.prefix)?)?;
            }
            AuthScheme::SigV4(sigv4) => {
                written.spaces();
                sign::aws::sign(draft, sigv4, (integration, lent), (method, written.as_str()), now(lent))?;
            }
            AuthScheme::OAuth1(oauth1) => {
                let request = (method, written.as_str());
                sign::oauth1::sign(draft, oauth1, (integration, lent), request, now(lent))?;
            }
            AuthScheme::Oci(oci) => {
                sign::oci::sign(draft, oci, (integration, lent), (method, written.as_str()), now(lent))?;
            }
            AuthScheme::Digest(digest) => {
                sign::digest(draft, digest, (integration, lent), (method, written.as_str()))?;
            }
        }
    }
    Ok(())
}

/// The token that was minted for the scheme at this place, behind its prefix.
#[expect(clippy::disallowed_methods, reason = "writes the token into the header that is sent")]
fn minted(lent: &Lent, index: usize, prefix: &str) -> Result<Vec<u8>, Refusal> {
    let served = lent.special().and_then(|special| special.token(index));
    let missing = || Refusal::new(Code::SecretMissing, "there is no token for this call");
    Ok(served.ok_or_else(missing)?.value.expose(|token| [prefix.as_bytes(), token].concat()))
}

/// When the call was resolved; only schemes that are no plain ones ask for it.
fn now(lent: &Lent) -> Timestamp {
    lent.special().map(|special| special.now).unwrap_or_default()
}

/// One cookie more. Those of the caller are gone by now.
fn cookie(headers: &mut HeaderMap, name: &str, opened: &Opened) -> Result<(), Refusal> {
    // RFC 6265, section 4.1.1: what a value is made of.
    let octet = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\');
    let value = joined(format!("{name}=").as_bytes(), opened, b"");
    if !value.iter().all(octet) {
        let message = format!("the stored credential can't stand in the cookie `{name}`");
        return Err(Refusal::new(Code::SecretMissing, message));
    }
    let before = headers.get(COOKIE).map(|before| [before.as_bytes(), b"; "].concat()).unwrap_or_default();
    put(headers, "cookie", [before, value].concat())
}

#[expect(clippy::disallowed_methods, reason = "writes the credential into the header that is sent")]
fn joined(prefix: &[u8], opened: &Opened, suffix: &[u8]) -> Vec<u8> {
    opened.expose(|secret| [prefix, secret, suffix].concat())
}

#[expect(clippy::disallowed_methods, reason = "writes the credential into the place of a placeholder")]
fn bytes_of(opened: &Opened) -> Zeroizing<Vec<u8>> {
    opened.expose(|secret| Zeroizing::new(secret.to_vec()))
}

#[expect(clippy::disallowed_methods, reason = "writes the credential into the query or path that is sent")]
fn escaped(opened: &Opened) -> String {
    opened.expose(|secret| percent_encode(secret, UNRESERVED_KEPT).to_string())
}

/// User name, `:` and password.
fn pair(integration: &Integration, basic: &Basic, lent: &Lent) -> Result<Vec<u8>, Refusal> {
    let find = |field: &str| lent.find(integration, field);
    Ok(match basic {
        Basic::Joined { secret } => joined(b"", lent.chosen(integration, secret)?, b""),
        Basic::Named { username, password } => {
            joined(&[username.as_bytes(), b":"].concat(), find(password)?, b"")
        }
        Basic::Fields { username, password } => {
            let mut both = joined(b"", find(username)?, b":");
            if let Some(password) = password {
                both = joined(&both, find(password)?, b"");
            }
            both
        }
    })
}

fn put(headers: &mut HeaderMap, name: &str, value: Vec<u8>) -> Result<(), Refusal> {
    let value = sensitive(name, value)?;
    let name = match name {
        "authorization" => AUTHORIZATION,
        other => HeaderName::try_from(other).map_err(|_| wrong(name))?,
    };
    // A copy of the caller's own under a name that CGI-like upstreams read as the same.
    if name.as_str().contains('-') {
        let same =
            |own: &HeaderName| own.as_str().contains('_') && own.as_str().replace('_', "-") == name.as_str();
        let copies: Vec<HeaderName> = headers.keys().filter(|own| same(own)).cloned().collect();
        for copy in copies {
            headers.remove(copy);
        }
    }
    headers.insert(name, value);
    Ok(())
}

/// A value that no one prints. What it holds is not shown in the refusal either: it is the credential.
fn sensitive(name: &str, value: Vec<u8>) -> Result<HeaderValue, Refusal> {
    // Not copied: the fewer copies of a credential, the better.
    let mut value = HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| wrong(name))?;
    value.set_sensitive(true);
    Ok(value)
}

fn wrong(name: &str) -> Refusal {
    Refusal::new(Code::SecretMissing, format!("the stored credential can't stand in the header `{name}`"))
        .hint("store it again without line breaks or control characters: `doorward secret rotate`")
}

fn sendable(target: &str) -> Result<Uri, Refusal> {
    let path = PathAndQuery::try_from(target);
    path.map(Uri::from).map_err(|_| Refusal::new(Code::BadRequest, "the request's target can't be sent"))
}

/// The last look: what goes out is what was permitted, and goes where the integration's credential may go. The target may
/// differ from the permitted one by the credentials alone, which are taken out again to see that.
fn look_once_more(
    sending: &Sending,
    permit: &Permit,
    integration: &Integration,
    written: &Written<'_>,
) -> Result<(), Refusal> {
    let Sending { request, dial, shown: _ } = sending;
    let Some((method, authority, target)) = permit.call().request() else {
        return Err(Refusal::new(Code::Denied, "an operation of Doorward itself is not sent anywhere"));
    };
    let sent = request.uri().path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let same = request.method().as_str() == method.as_str()
        && dial.authority.scheme() == authority.scheme()
        && dial.authority.host() == authority.host()
        && dial.authority.port() == authority.port()
        && (integration.hosts().iter().any(|allowed| allowed == dial.authority.host())
            || integration.wildcard().is_some_and(|wildcard| wildcard.matches(dial.authority.host())))
        // A host of its own in the target could only mean another one.
        && request.uri().authority().is_none()
        && written.is_for(target);
    if !same {
        return Err(Refusal::new(
            Code::AddressForbidden,
            format!("the credential of `{}` may not go to `{authority}`", integration.name()),
        ));
    }
    let _intact = written.checked(sent)?;
    Ok(())
}

const LONGEST_CONNECT: Duration = Duration::from_secs(60);
const OURS: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
/// RFC 3986, section 2.3: unreserved characters stay as they are.
const UNRESERVED_KEPT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
