//! Step 9: the secret is never in what goes back; evidence fields are read.
//!
//! A reply that is short, or that evidence fields are read from, is collected and scrubbed whole; any other is a stream,
//! scrubbed piece by piece. A compressed reply is unpacked first, for nobody finds a credential in gzip; it goes to the
//! caller unpacked. An encoding that we can't unpack is refused.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRAILER};
use http::response::Parts;
use http::{Response, StatusCode};
use model::{Access, Code, Method, Refusal};
use net::Incoming;
use net::grpc::Messages;
use secrets::Mask;

use crate::path::admit::{self, Admitted};
use crate::path::perform::standing::Standing;
use crate::path::perform::{Performed, Replied};
pub(crate) use last::Last;
use pieces::within;
pub(crate) use pieces::{Broken, Pieces};
pub(crate) use told::Told;

mod decoded;
mod last;
mod pieces;
mod told;

/// A reply without the credential.
pub(crate) struct Scrubbed {
    pub(crate) head: Response<()>,
    pub(crate) body: Body,
    pub(crate) fields: Vec<(String, String)>,
    /// How often the credential was found and masked so far.
    pub(crate) hits: u64,
    /// It says, with a good status, that it was not done.
    pub(crate) denied: bool,
}

/// The body of a scrubbed reply.
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// Pieces that are scrubbed as they come.
    Stream(Box<Stream>),
}

/// A line that both ends agreed to, and what to look for in what the upstream says.
pub(crate) struct Tunnel {
    pub(crate) asked: net::websocket::Asked,
    pub(crate) line: net::websocket::Line,
    pub(crate) mask: Option<Arc<Mask>>,
    /// What it rests on for as long as it lives.
    pub(crate) standing: Standing,
}

/// A body that is still coming.
pub(crate) struct Stream {
    pub(crate) pieces: Pieces,
    pub(crate) mask: Option<Arc<Mask>>,
    /// Server-sent events and calls of gRPC may go on for longer than other replies.
    pub(crate) long: bool,
    /// Where messages begin and end, for a reply in which somebody waits for each.
    pub(crate) messages: Option<Messages>,
    /// Looks for evidence fields in the last event of a reply that tells them at its end.
    pub(crate) last: Option<Box<Last>>,
}

/// Scrubs a reply.
pub(crate) async fn reply(replied: Replied, admitted: &Admitted) -> Result<Performed, Refusal> {
    let (response, mask) = match replied {
        Replied::Managed(done) => return Ok(Performed::Answer(done)),
        Replied::Minted(minted) => return Ok(Performed::Lease(minted)),
        Replied::Ran(run) => return Ok(Performed::Ran(Box::new(told::of_program(*run, admitted)?))),
        Replied::Forwarded(response, mask) => (response, mask),
        Replied::Switched(head, tunnel) => return Ok(Performed::Tunnel(agreed(*head, &tunnel), tunnel)),
    };
    let (mut parts, incoming) = response.into_parts();
    // The version is that of the hop to the upstream; the door speaks its own.
    parts.version = http::Version::HTTP_11;
    // What the library keeps beside a head is the upstream's own text behind the status, which nobody searches.
    parts.extensions.clear();
    prepare(&mut parts.headers);
    let mut hits = mask.as_ref().map_or(0, |mask| scrub_headers(&mut parts.headers, mask));
    let mut pieces = unpacked(&mut parts, incoming, admitted)?;
    let Looks { has_fields, judged } = looks(admitted);
    let wanted = (has_fields || judged) && is_document(&parts.headers);
    let by_name = admit::way::is_open(admitted);
    let most = match (by_name, wanted) {
        (true, _) => MOST_BY_NAME,
        (false, true) => MOST_WITH_FIELDS,
        (false, false) => MOST_WHOLE,
    };
    // The trailers of gRPC are its answer, and what was collected has none.
    let grpc = net::grpc::is(&parts.headers);
    let whole = match pieces.expected() {
        Some(1..) | None if grpc => None,
        Some(length) if length <= most => collect(&mut pieces, most, admitted).await?,
        None if wanted || by_name => collect(&mut pieces, most, admitted).await?,
        _ => None,
    };
    let mut read = None;
    let mut body = match whole {
        Some(bytes) => {
            let masked = mask.as_ref().and_then(|mask| mask.text(&bytes));
            hits += masked.as_ref().map_or(0, |masked| masked.hits);
            read = Some(pieces).filter(Pieces::have_trailers);
            Body::Whole(masked.map_or(bytes, |masked| masked.bytes.into()))
        }
        None => Body::Stream(Box::new(Stream {
            pieces,
            mask: mask.clone(),
            long: grpc || is_event_stream(&parts.headers),
            messages: grpc.then(Messages::default),
            last: (has_fields && is_event_stream(&parts.headers)).then(|| Box::new(Last::of(admitted))),
        })),
    };
    let fields =
        if has_fields { read_fields(admitted, &parts.headers, &body, mask.as_deref()) } else { Vec::new() };
    let denied = wanted && judged && !by_name && is_denied(admitted, parts.status, &body);
    if let (Some(pieces), Body::Whole(bytes), false) = (read, &body, by_name) {
        body = again(pieces, bytes.clone(), mask.clone());
    }
    let scrubbed = Scrubbed { head: Response::from_parts(parts, ()), body, fields, hits, denied };
    if by_name {
        return Ok(Performed::Ran(Box::new(told::of_reply(scrubbed, admitted, mask.as_deref())?)));
    }
    Ok(Performed::Reply(Box::new(scrubbed)))
}

/// Drops what is for this hop alone. What stands behind the body is announced for the next one too; nearly no reply has anything there.
fn prepare(headers: &mut HeaderMap) {
    let behind = net::headers::has(headers, &TRAILER)
        .then(|| net::trailers::announced(headers, net::trailers::Of::Reply));
    net::headers::incoming(headers, net::headers::Cookies::Dropped);
    if let Some(behind) = behind {
        net::trailers::announce(headers, &behind);
    }
}

/// A reply that was collected, with what stands behind it: that goes behind pieces only.
#[cold]
fn again(mut pieces: Pieces, bytes: Bytes, mask: Option<Arc<Mask>>) -> Body {
    pieces.put_back(bytes);
    Body::Stream(Box::new(Stream { pieces, mask, long: false, messages: None, last: None }))
}

/// The head that agrees to a WebSocket, and how often the credential was masked in it.
fn agreed(mut head: Response<()>, tunnel: &Tunnel) -> (Response<()>, u64) {
    head.extensions_mut().clear();
    net::headers::incoming(head.headers_mut(), net::headers::Cookies::Dropped);
    let hits = tunnel.mask.as_ref().map_or(0, |mask| scrub_headers(head.headers_mut(), mask));
    net::websocket::agree(head.headers_mut());
    (head, hits)
}

/// All of a body, or nothing where it turns out longer; what was read is put back then.
async fn collect(pieces: &mut Pieces, most: u64, admitted: &Admitted) -> Result<Option<Bytes>, Refusal> {
    let limits = admitted.integration.limits();
    let reading = async {
        let Some(first) = pieces.next(limits.idle).await? else { return Ok(Some(Bytes::new())) };
        let Some(second) = pieces.next(limits.idle).await? else { return Ok(Some(first)) };
        let known = pieces.expected().and_then(|left| usize::try_from(left.min(most)).ok());
        let mut all = BytesMut::with_capacity(first.len() + second.len() + known.unwrap_or_default());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while u64::try_from(all.len()).unwrap_or(u64::MAX) <= most {
            match pieces.next(limits.idle).await? {
                Some(piece) => all.extend_from_slice(&piece),
                None => return Ok(Some(all.freeze())),
            }
        }
        pieces.put_back(all.freeze());
        Ok(None)
    };
    let read = within(limits.total, reading).await.and_then(|read| read);
    read.map_err(|broken| {
        let message = format!("the reply of `{}` {broken}", admitted.integration.name());
        if admitted.permit.call().access() == Access::Write {
            return Refusal::new(Code::OutcomeUnknown, message);
        }
        let code = if matches!(broken, Broken::Slow) { Code::UpstreamTimeout } else { Code::UpstreamReply };
        Refusal::new(code, message)
    })
}

/// The body, unpacked where it is compressed. The headers say afterwards what the caller gets.
fn unpacked(parts: &mut Parts, incoming: Incoming, admitted: &Admitted) -> Result<Pieces, Refusal> {
    let head_only = matches!(admitted.permit.call().request(), Some((Method::Head, ..)))
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if head_only {
        return Ok(Pieces::none());
    }
    let refused = |encoding: &str| {
        let message =
            format!("the reply is encoded as `{encoding}`, which can't be searched for the credential");
        // A write was performed all the same; only its answer can't be passed on.
        let write = admitted.permit.call().access() == Access::Write;
        Refusal::new(if write { Code::OutcomeUnknown } else { Code::UpstreamReply }, message)
    };
    let mut encodings = net::headers::all(&parts.headers, &CONTENT_ENCODING);
    let Some(encoding) = encodings.next() else { return Ok(Pieces::plain(incoming)) };
    let encoding = encoding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    let several = encodings.next().is_some();
    drop(encodings);
    if several {
        return Err(refused("several layers"));
    }
    if encoding == "identity" {
        return Ok(Pieces::plain(incoming));
    }
    if parts.status == StatusCode::PARTIAL_CONTENT {
        return Err(refused(&format!("a part of {encoding}")));
    }
    let pieces = Pieces::unpacking(incoming, &encoding).ok_or_else(|| refused(&encoding))?;
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(pieces)
}

/// Masks the credential in header values. A name that is the credential could only be there by an upstream's will.
fn scrub_headers(headers: &mut HeaderMap, mask: &Mask) -> u64 {
    let mut hits = 0;
    for value in headers.values_mut() {
        if let Some(masked) = mask.text(value.as_bytes()) {
            hits += masked.hits;
            *value = HeaderValue::from_bytes(&masked.bytes).unwrap_or(HeaderValue::from_static("[masked]"));
        }
    }
    let named: Vec<_> =
        headers.keys().filter(|name| mask.is_in_name(name.as_str().as_bytes())).cloned().collect();
    for name in named {
        hits += 1;
        headers.remove(name);
    }
    hits
}

/// Masks what stands behind a body.
pub(crate) fn scrub_trailers(trailers: Option<HeaderMap>, mask: Option<&Mask>) -> (Option<HeaderMap>, u64) {
    let Some(mut trailers) = trailers else { return (None, 0) };
    net::trailers::incoming(&mut trailers);
    let hits = mask.map_or(0, |mask| scrub_headers(&mut trailers, mask));
    (Some(trailers), hits)
}

/// What is looked for in a reply.
#[derive(Default)]
struct Looks {
    has_fields: bool,
    /// Whether it was done is said beside the status.
    judged: bool,
}

fn looks(admitted: &Admitted) -> Looks {
    let operation = admitted.integration.operations().get(admitted.permit.call().operation());
    operation.map_or_else(Looks::default, |operation| Looks {
        has_fields: operation.evidence().next().is_some(),
        judged: operation.is_judged(),
    })
}

/// Whether a reply that is all here says that it was not done. Of a part of one nothing is known.
#[cold]
fn is_denied(admitted: &Admitted, status: StatusCode, body: &Body) -> bool {
    let Body::Whole(bytes) = body else { return false };
    if !status.is_success() || status == StatusCode::PARTIAL_CONTENT || bytes.is_empty() {
        return false;
    }
    let operation = admitted.integration.operations().get(admitted.permit.call().operation());
    operation.is_some_and(|operation| operation.is_denied(bytes))
}

/// JSON or XML: what evidence fields are read from (docs/decisions/0043).
fn is_document(headers: &HeaderMap) -> bool {
    net::headers::all(headers, &CONTENT_TYPE).next().is_some_and(|value| {
        let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let kind = kind.to_ascii_lowercase();
        let whole: [&[u8]; 3] = [b"application/json", b"text/xml", b"application/xml"];
        // AWS has a name of its own for each version of its JSON.
        let ours = whole.contains(&kind.as_slice()) || kind.starts_with(b"application/x-amz-json-");
        ours || kind.ends_with(b"+json") || kind.ends_with(b"+xml")
    })
}

/// The evidence fields: those of the head always, those of the body where it is JSON or XML and all here. What escapes hid
/// from the search in the body is searched once more, for evidence stays.
fn read_fields(
    admitted: &Admitted,
    headers: &HeaderMap,
    body: &Body,
    mask: Option<&Mask>,
) -> Vec<(String, String)> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let events = match body {
        Body::Whole(bytes) if is_event_stream(headers) => {
            let mut last = Last::of(admitted);
            last.sees(bytes);
            last.fields(mask)
        }
        Body::Whole(_) | Body::Stream(_) => Vec::new(),
    };
    let body: &[u8] = match body {
        Body::Whole(bytes) if is_document(headers) => bytes,
        Body::Whole(_) | Body::Stream(_) => &[],
    };
    let mut fields = admitted.integration.fields(admitted.permit.call().operation(), &header, body);
    masked(&mut fields, mask);
    fields.extend(events);
    fields
}

/// Searches evidence fields for the credential.
fn masked(fields: &mut [(String, String)], mask: Option<&Mask>) {
    for (_, value) in fields {
        if let Some(masked) = mask.and_then(|mask| mask.text(value.as_bytes())) {
            *value = String::from_utf8_lossy(&masked.bytes).into_owned();
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A reply up to this length is collected and settled once (docs/decisions/0001): one record, one write to the caller, no task
/// of its own. It is what a connection holds of a reply anyway.
const MOST_WHOLE: u64 = 64 * 1024;
/// A reply that evidence fields are read from is collected up to this length.
const MOST_WITH_FIELDS: u64 = 256 * 1024;
/// The reply of an operation by name is given whole, up to this length.
const MOST_BY_NAME: u64 = 4 << 20;
