//! The one body type that requests and replies of the house have, and how to read one within bounds.
//!
//! # Invariants
//!
//! - [`Body::size_hint`](http_body::Body::size_hint) is exact wherever the length is known, because the framing on the
//!   wire is derived from it and from nothing else.
//! - A channel whose sender goes away without [`Sender::finish`] is a broken body, never a short one.
//! - The trailers of a caller's request are dropped, as nobody matched them against a rule, unless its head names them: then whoever sends
//!   it on says which of them may pass.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::TRAILER;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::{Incoming, headers};

/// The body of a request to an upstream, or of a reply to a caller.
#[derive(Debug, Default)]
pub struct Body(Kind);

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Bytes that are all here.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self(Kind::Empty) } else { Self(Kind::Full(Some(bytes))) }
    }

    /// The same body once more, where all of it is here; `None` where it comes from somewhere as it is read.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Full(Some(bytes)) => Some(Self::full(bytes.clone())),
            Kind::Full(None) | Kind::Stream(_) | Kind::Request(..) | Kind::Reply(_) | Kind::Channel(..) => {
                None
            }
        }
    }

    /// Any other body, for instance one that scrubs what passes through it. Costs an allocation.
    pub fn stream(body: impl HttpBody<Data = Bytes, Error = Error> + Send + Sync + 'static) -> Self {
        Self(Kind::Stream(Box::pin(body)))
    }

    /// The body of a caller's request with this head. What comes behind it is kept where the head says what that is.
    #[must_use]
    pub fn of_request(body: hyper::body::Incoming, headers: &HeaderMap) -> Self {
        if body.is_end_stream() {
            return Self::empty();
        }
        let behind = if headers::has(headers, &TRAILER) { Behind::Kept } else { Behind::Dropped };
        Self(Kind::Request(body, behind))
    }

    /// The same, which breaks off where it has not come whole within this time.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        if self.is_end_stream() {
            return self;
        }
        Self::stream(Timed { body: self, end: Box::pin(tokio::time::sleep(time)) })
    }

    /// A body that is written piece by piece; at most `pieces` of them wait for the reader.
    #[must_use]
    pub fn channel(pieces: usize) -> (Sender, Self) {
        let (sender, receiver) = mpsc::channel(pieces.max(1));
        (Sender(sender), Self(Kind::Channel(receiver, Ended::No)))
    }
}

/// The writing end of [`Body::channel`]. Dropping it without [`Sender::finish`] breaks the body, so that a crash in the
/// middle never looks like a complete reply.
#[derive(Debug)]
pub struct Sender(mpsc::Sender<Piece>);

impl Sender {
    /// Waits for room and gives the next bytes.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        self.0.send(Piece::Data(bytes)).await.map_err(|_| Gone)
    }

    /// Ends the body, with trailers where there are any.
    ///
    /// # Errors
    /// [`Gone`] when nobody reads any more.
    pub async fn finish(self, trailers: Option<HeaderMap>) -> Result<(), Gone> {
        self.0.send(Piece::End(trailers.map(Box::new))).await.map_err(|_| Gone)
    }
}

/// Nobody reads this body any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reader of the body is gone")]
pub struct Gone;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection that it came from.
    #[error("the body broke off")]
    Connection(#[from] hyper::Error),
    /// Its writer went away before it was finished.
    #[error("the body was not finished by its writer")]
    Unfinished,
    /// It did not come whole in the time that it had.
    #[error("the body did not arrive in time")]
    Late,
    /// What it passed through refused it.
    #[error("the body was refused on its way")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How much of a body is read, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most bytes.
    pub bytes: usize,
    /// Longest wait for the next piece.
    pub frame: Duration,
    /// Longest time for the whole.
    pub whole: Duration,
}

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// It is larger than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It did not come in time.
    #[error("the body did not arrive in time")]
    Stalled,
    /// It broke off.
    #[error("the body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads a whole body; refuses before the first byte where its length is already known to be too large. A body of one
/// piece is not copied.
///
/// # Errors
/// When it is larger than the bounds, slower, or broken.
pub async fn collect_bounded<B>(body: B, bounds: Bounds) -> Result<Bytes, CollectError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > bounds.bytes as u64 {
        return Err(CollectError::TooLarge(bounds.bytes));
    }
    let mut body = std::pin::pin!(body);
    let end = Instant::now() + bounds.whole;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let until = end.min(Instant::now() + bounds.frame);
        let next = tokio::time::timeout_at(until, poll_fn(|cx| body.as_mut().poll_frame(cx)));
        let frame = match next.await.map_err(|_| CollectError::Stalled)? {
            None => break,
            Some(frame) => frame.map_err(|error| CollectError::Broken(error.into()))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > bounds.bytes.saturating_sub(first.len() + rest.len()) {
            return Err(CollectError::TooLarge(bounds.bytes));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut all = BytesMut::with_capacity(first.len() + rest.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&rest);
    Ok(all.freeze())
}

// === impl Body ===

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Stream(body) => body.as_mut().poll_frame(cx),
            Kind::Request(body, behind) => match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) if *behind == Behind::Dropped && frame.is_trailers() => {
                    Poll::Ready(None)
                }
                other => other.map_err(Error::from),
            },
            Kind::Reply(body) => Pin::new(body).poll_frame(cx),
            Kind::Channel(receiver, ended) => poll_channel(receiver, ended, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Request(body, _) => body.is_end_stream(),
            Kind::Reply(body) => body.is_end_stream(),
            Kind::Channel(_, ended) => *ended == Ended::Yes,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Stream(body) => body.size_hint(),
            Kind::Request(body, _) => body.size_hint(),
            Kind::Reply(body) => body.size_hint(),
            Kind::Channel(_, Ended::Yes) => SizeHint::with_exact(0),
            Kind::Channel(_, Ended::No) => SizeHint::default(),
        }
    }
}

/// A body that has to be whole at a time.
struct Timed {
    body: Body,
    end: Pin<Box<tokio::time::Sleep>>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => self.end.as_mut().poll(cx).map(|()| Some(Err(Error::Late))),
            ready => ready,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl From<hyper::body::Incoming> for Body {
    /// The body of a caller's request.
    fn from(body: hyper::body::Incoming) -> Self {
        if body.is_end_stream() { Self::empty() } else { Self(Kind::Request(body, Behind::Dropped)) }
    }
}

impl From<Incoming> for Body {
    /// The body of an upstream's reply.
    fn from(body: Incoming) -> Self {
        Self(Kind::Reply(body))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

fn poll_channel(
    receiver: &mut mpsc::Receiver<Piece>,
    ended: &mut Ended,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
    if *ended == Ended::Yes {
        return Poll::Ready(None);
    }
    let piece = std::task::ready!(receiver.poll_recv(cx));
    if !matches!(piece, Some(Piece::Data(_))) {
        *ended = Ended::Yes;
    }
    Poll::Ready(match piece {
        Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
        Some(Piece::End(trailers)) => trailers.map(|trailers| Ok(Frame::trailers(*trailers))),
        None => Some(Err(Error::Unfinished)),
    })
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Option<Bytes>),
    Stream(Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send + Sync>>),
    Request(hyper::body::Incoming, Behind),
    Reply(Incoming),
    Channel(mpsc::Receiver<Piece>, Ended),
}

impl std::fmt::Debug for Kind {
    /// Only the kind: a body may hold anything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Full(_) => "full",
            Self::Stream(_) => "stream",
            Self::Request(..) => "request",
            Self::Reply(_) => "reply",
            Self::Channel(..) => "channel",
        })
    }
}

enum Piece {
    Data(Bytes),
    End(Option<Box<HeaderMap>>),
}

/// What becomes of the trailers of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Dropped,
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    Yes,
}

#[cfg(test)]
mod tests;
