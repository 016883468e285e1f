//! What may stand behind a request's body, and whether the caller takes what stands behind a reply's.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONNECTION, HeaderName, HeaderValue, TE, TRAILER};
use http_body::{Body as HttpBody, Frame, SizeHint};
use net::Body;
use net::body::Error;
use net::trailers::{self, Of};

use super::Draft;
use crate::inbound::astray;

/// What a caller says of trailers.
pub(super) struct Asked {
    /// It takes those of the reply.
    takes: bool,
    /// What it announces behind its own body.
    announced: Option<Vec<HeaderName>>,
}

/// What the head of a request says of trailers; nearly none says anything.
pub(super) fn asked(headers: &HeaderMap) -> Option<Asked> {
    if !headers.keys().any(|name| *name == TE || *name == TRAILER) {
        return None;
    }
    let takes = net::headers::all(headers, &TE).any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|one| one.trim().eq_ignore_ascii_case("trailers"))
    });
    let announced = net::headers::has(headers, &TRAILER).then(|| trailers::announced(headers, Of::Request));
    Some(Asked { takes, announced })
}

/// Says the same to the service, and lets only those pass that are announced. One that the head has as well is none: it may be the credential.
pub(super) fn pass(draft: &mut Draft, asked: Asked) {
    let Asked { takes, announced } = asked;
    if takes {
        draft.headers.insert(TE, HeaderValue::from_static("trailers"));
        draft.headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    let Some(mut names) = announced else { return };
    names.retain(|name| !draft.headers.contains_key(name));
    let body = std::mem::take(&mut draft.body);
    if body.is_end_stream() {
        return draft.body = body;
    }
    // In HTTP/1.1 they stand behind chunks only.
    if body.size_hint().exact().is_none() {
        trailers::announce(&mut draft.headers, &names);
    }
    draft.body = match body.again() {
        Some(whole) => whole,
        None => Body::stream(Trailing { body, names }),
    };
}

/// A body behind which only these fields stand.
struct Trailing {
    body: Body,
    names: Vec<HeaderName>,
}

impl HttpBody for Trailing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        let frame = match frame.into_trailers() {
            Ok(all) => {
                let kept = all
                    .iter()
                    .filter(|(name, value)| self.names.contains(name) && !astray::is_in(value.as_bytes()));
                let kept: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
                if kept.is_empty() {
                    return Poll::Ready(None);
                }
                Frame::trailers(kept)
            }
            Err(other) => other,
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
