//! Step 7: the credential onto the request, and the last look at where it goes.
//!
//! The caller's own credentials, hop-by-hop headers and claims about where it comes from are dropped first; then the
//! credential is written; then method and path of the request *as it will be sent*, and scheme, host and port of what
//! *will be dialled*, are compared with what was permitted. Only a request that passed is [`Armed`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{Basic, Integration, Placement};
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use model::{Authority, Code, Refusal, Target};
use net::{Body, Dial, Private, Verify};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use secrets::{Mask, Opened};

use crate::inbound::{Asked, Forward};
use crate::path::admit::Admitted;
use crate::path::resolve::Lent;
use crate::upstreams::Shown;

/// What is about to be done, with the credential in its place.
pub(crate) enum Armed {
    /// A request and its destination that passed the last look, and what to look for in the reply.
    Forward(Sending, Option<Arc<Mask>>),
    /// An operation of Doorward itself, which is lent nothing.
    Manage,
    /// A credential that is made from a stored one; what it is made from is lent on the way.
    Mint,
}

/// A request, and the one place where it may be sent; its `Host` is written from that.
pub(crate) struct Sending {
    pub(crate) request: Box<Request<Body>>,
    pub(crate) dial: Dial,
    /// What is shown in the handshake, for an upstream that wants a certificate.
    pub(crate) shown: Option<Box<Shown>>,
}

/// Consumes what was lent.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what was lent for a call is dropped here, and used for nothing else"
)]
pub(crate) fn credential(admitted: &mut Admitted, lent: Lent) -> Result<Armed, Refusal> {
    let Admitted { inbound, permit, integration, .. } = admitted;
    let Some((method, authority, target)) = permit.call().request() else {
        return Ok(if crate::mint::mints(integration) { Armed::Mint } else { Armed::Manage });
    };
    let (mut headers, body) = match &mut inbound.asked {
        Asked::Forward(forward) => taken(forward),
        Asked::Operate(operate) => {
            let written = integration.named_body(&operate.operation, operate.inputs.clone())?;
            named(written)
        }
    };
    prepare(&mut headers, integration);
    let target = place(&mut headers, integration, target, &lent)?;
    let uri = written(&target)?;
    let mut request = Box::new(Request::new(body));
    *request.method_mut() = http::Method::from_bytes(method.as_str().as_bytes())
        .map_err(|_| Refusal::new(Code::BadRequest, "the method can't be sent"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let sending = Sending { request, dial: dial(integration, authority), shown: None };
    look_once_more(&sending, admitted)?;
    Ok(Armed::Forward(sending, mask(&lent)?))
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

fn taken(forward: &mut Forward) -> (HeaderMap, Body) {
    (std::mem::take(&mut forward.headers), std::mem::take(&mut forward.body))
}

/// The request of a named operation: its inputs as the service takes them.
fn named(written: Option<(&'static str, Vec<u8>)>) -> (HeaderMap, Body) {
    let mut headers = HeaderMap::new();
    match written {
        Some((kind, bytes)) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            (headers, Body::full(bytes))
        }
        None => (headers, Body::empty()),
    }
}

fn prepare(headers: &mut HeaderMap, integration: &Integration) {
    net::headers::outgoing(headers, net::headers::Cookies::Dropped);
    limit_encodings(headers);
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
fn place<'a>(
    headers: &mut HeaderMap,
    integration: &Integration,
    target: &'a Target,
    lent: &Lent,
) -> Result<Cow<'a, str>, Refusal> {
    let mut written = Cow::Borrowed(target.as_str());
    for scheme in integration.auth() {
        match scheme.placement() {
            Placement::Header { name, prefix, secret } => {
                put(headers, name, joined(prefix.as_bytes(), lent.find(integration, secret)?, &[]))?;
            }
            Placement::Basic(basic) => put(headers, "authorization", pair(integration, basic, lent)?)?,
            Placement::Query { name, secret } => {
                let mark = if written.contains('?') { '&' } else { '?' };
                let name = percent_encode(name.as_bytes(), NON_ALPHANUMERIC);
                written =
                    format!("{written}{mark}{name}={}", escaped(lent.find(integration, secret)?)).into();
            }
            Placement::Path { prefix, suffix, secret } => {
                let base = integration.base_path();
                let rest = written.strip_prefix(base).unwrap_or(&written);
                let secret = escaped(lent.find(integration, secret)?);
                written = format!("{base}/{prefix}{secret}{suffix}{rest}").into();
            }
        }
    }
    Ok(written)
}

#[expect(clippy::disallowed_methods, reason = "writes the credential into the header that is sent")]
fn joined(prefix: &[u8], opened: &Opened, suffix: &[u8]) -> Vec<u8> {
    opened.expose(|secret| [prefix, secret, suffix].concat())
}

#[expect(clippy::disallowed_methods, reason = "writes the credential into the query or path that is sent")]
fn escaped(opened: &Opened) -> String {
    opened.expose(|secret| percent_encode(secret, UNRESERVED_KEPT).to_string())
}

fn pair(integration: &Integration, basic: &Basic, lent: &Lent) -> Result<Vec<u8>, Refusal> {
    let find = |field: &str| lent.find(integration, field);
    let plain = match basic {
        Basic::Joined { secret } => joined(b"", find(secret)?, b""),
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
    };
    Ok([b"Basic ".as_slice(), crypto::to_base64(&plain).as_bytes()].concat())
}

fn put(headers: &mut HeaderMap, name: &str, value: Vec<u8>) -> Result<(), Refusal> {
    // The value itself is not shown: it is the credential.
    let wrong = || {
        Refusal::new(Code::SecretMissing, format!("the stored credential can't stand in the header `{name}`"))
            .hint("store it again without line breaks or control characters: `doorward secret rotate`")
    };
    let name = match name {
        "authorization" => AUTHORIZATION,
        other => HeaderName::try_from(other).map_err(|_| wrong())?,
    };
    // Not copied: the fewer copies of a credential, the better.
    let mut value = HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| wrong())?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn written(target: &str) -> Result<Uri, Refusal> {
    let path = PathAndQuery::try_from(target);
    path.map(Uri::from).map_err(|_| Refusal::new(Code::BadRequest, "the request's target can't be sent"))
}

/// The last look: what goes out is what was permitted, and goes where the integration's credential may go.
fn look_once_more(sending: &Sending, admitted: &Admitted) -> Result<(), Refusal> {
    let Sending { request, dial, shown: _ } = sending;
    let Some((method, authority, target)) = admitted.permit.call().request() else {
        return Err(Refusal::new(Code::Denied, "an operation of Doorward itself is not sent anywhere"));
    };
    let integration = &admitted.integration;
    let same = request.method().as_str() == method.as_str()
        && dial.authority.scheme() == authority.scheme()
        && dial.authority.host() == authority.host()
        && dial.authority.port() == authority.port()
        && (integration.hosts().iter().any(|allowed| allowed == dial.authority.host())
            || integration.wildcard().is_some_and(|wildcard| wildcard.matches(dial.authority.host())))
        // A host of its own in the target could only mean another one.
        && request.uri().authority().is_none()
        && (request.uri().path_and_query().map(http::uri::PathAndQuery::as_str) == Some(target.as_str())
            || target_carries_credential(integration));
    if same {
        return Ok(());
    }
    Err(Refusal::new(
        Code::AddressForbidden,
        format!("the credential of `{}` may not go to `{authority}`", integration.name()),
    ))
}

/// The credential stands in the path or the query, which then differ from what was permitted by exactly that.
fn target_carries_credential(integration: &Integration) -> bool {
    integration
        .auth()
        .iter()
        .any(|scheme| matches!(scheme.placement(), Placement::Path { .. } | Placement::Query { .. }))
}

fn mask(lent: &Lent) -> Result<Option<Arc<Mask>>, Refusal> {
    match lent.all() {
        [] => Ok(None),
        [one] => Ok(Some(Arc::clone(one.mask()))),
        several => {
            let several: Vec<&Mask> = several.iter().map(|opened| &**opened.mask()).collect();
            let joined =
                Mask::join(&several).map_err(|error| Refusal::new(Code::SecretMissing, error.to_string()))?;
            Ok(Some(Arc::new(joined)))
        }
    }
}

const LONGEST_CONNECT: Duration = Duration::from_secs(60);
const OURS: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
/// RFC 3986, section 2.3: unreserved characters stay as they are.
const UNRESERVED_KEPT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
