//! WebSocket (RFC 6455): what asks for one, what agrees to one, and the bytes behind that.
//!
//! # Invariants
//!
//! - Only `Upgrade: websocket` is ever passed on, by HTTP/1.1, and only where the whole handshake has one reading. Any other
//!   wish for another protocol ends here, like every header of one hop.
//! - Extensions are not agreed on: with compression nobody could look into the frames that pass.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{
    self, CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::way::Place;
use crate::{Draining, headers};

mod frames;

pub use frames::{Frames, Part, Unframed};

/// A caller who asks for a WebSocket, in one reading. Only [`asked`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Asked {
    upgrade: OnUpgrade,
    draining: Draining,
}

/// Why a wish for a WebSocket can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It is not a `GET` of HTTP/1.1 without a body.
    #[error("a WebSocket is asked for with a GET over HTTP/1.1 that has no body")]
    Request,
    /// The headers of the handshake are missing, or there more than once.
    #[error("the WebSocket handshake does not have exactly one `{0}` of the right form")]
    Header(&'static str),
}

/// A connection behind a handshake.
#[derive(Debug)]
pub struct Line {
    io: TokioIo<Upgraded>,
    /// Its place among the upstream's, where it takes one.
    _place: Option<Place>,
}

/// What an upstream answered to a handshake.
#[derive(Debug)]
pub enum Switched {
    /// A reply like any other.
    Reply(http::Response<crate::Incoming>),
    /// It agreed; this is the head of its answer.
    Open(Box<http::Response<()>>, Line),
}

impl Asked {
    /// Waits until the head that agrees was written to the caller.
    ///
    /// # Errors
    /// When the caller went away.
    pub async fn line(self) -> Result<(Line, Draining), hyper::Error> {
        let Self { upgrade, draining } = self;
        Ok((Line::new(upgrade.await?, None), draining))
    }
}

impl Line {
    pub(crate) fn new(upgraded: Upgraded, place: Option<Place>) -> Self {
        Self { io: TokioIo::new(upgraded), _place: place }
    }
}

/// Whether a caller asks for a WebSocket; `draining` is the signal at which one ends.
///
/// # Errors
/// When it does so in a way that somebody else could read differently.
pub fn asked(parts: &mut Parts, draining: &Draining) -> Result<Option<Asked>, Malformed> {
    let wished = headers::all(&parts.headers, &UPGRADE).any(|value| names(value, b"websocket"));
    if !wished {
        return Ok(None);
    }
    let one = |name: &HeaderName, shown, right: fn(&[u8]) -> bool| {
        let mut values = headers::all(&parts.headers, name);
        match (values.next(), values.next()) {
            (Some(value), None) if right(value.as_bytes()) => Ok(()),
            _ => Err(Malformed::Header(shown)),
        }
    };
    let bodiless = !headers::has(&parts.headers, &header::TRANSFER_ENCODING)
        && headers::all(&parts.headers, &header::CONTENT_LENGTH).all(|length| length == "0");
    if parts.version != Version::HTTP_11 || parts.method != Method::GET || !bodiless {
        return Err(Malformed::Request);
    }
    one(&UPGRADE, "upgrade", |value| value.eq_ignore_ascii_case(b"websocket"))?;
    one(&SEC_WEBSOCKET_VERSION, "sec-websocket-version", |value| value == b"13")?;
    one(&SEC_WEBSOCKET_KEY, "sec-websocket-key", is_key)?;
    if !headers::all(&parts.headers, &CONNECTION).any(|value| names(value, b"upgrade")) {
        return Err(Malformed::Header("connection"));
    }
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Malformed::Request)?;
    Ok(Some(Asked { upgrade, draining: draining.clone() }))
}

/// Writes the part of a handshake that belongs to the hop onto a request to an upstream.
pub(crate) fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
}

/// The same on the reply that agrees.
pub fn agree(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// What is wrong with a reply that agrees, where something is: it has to agree to what was asked for and to nothing else.
pub(crate) fn wrong_with(reply: &HeaderMap) -> Option<&'static str> {
    let is_websocket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    let mut upgrades = headers::all(reply, &UPGRADE);
    if !upgrades.next().is_some_and(is_websocket) || upgrades.next().is_some() {
        return Some("a change to another protocol than WebSocket");
    }
    if !headers::all(reply, &CONNECTION).any(|value| names(value, b"upgrade")) {
        return Some("a change of protocol without `connection: upgrade`");
    }
    if headers::all(reply, &SEC_WEBSOCKET_ACCEPT).count() != 1 {
        return Some("a change of protocol without exactly one `sec-websocket-accept`");
    }
    headers::has(reply, &SEC_WEBSOCKET_EXTENSIONS).then_some("a WebSocket extension that nobody asked for")
}

/// Whether a list of words has this one.
fn names(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().split(|b| *b == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(word))
}

/// Sixteen bytes in Base64.
fn is_key(value: &[u8]) -> bool {
    let digits = value.strip_suffix(b"==").filter(|digits| digits.len() == 22);
    digits.is_some_and(|digits| digits.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')))
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
