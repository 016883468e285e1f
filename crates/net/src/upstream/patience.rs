//! How long the head of a reply is waited for: for a long body, from the last byte of it that was sent.
//!
//! # Invariants
//!
//! - While the caller owes the next piece, no time of the upstream runs.
//! - A body that broke off on its way in is never taken for a fault of the upstream.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use crate::Body;
use crate::body::Error;
use crate::error::Cut;

/// How long the head of a reply may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    total: Duration,
    /// From the last byte that was sent, where that is followed.
    behind: Option<Duration>,
}

impl Patience {
    /// So long from the beginning: for a body that is sent at once.
    #[must_use]
    pub const fn whole(total: Duration) -> Self {
        Self { total, behind: None }
    }

    /// So long from the last byte that was sent, and no longer than `total` with the body. Costs an allocation.
    #[must_use]
    pub const fn behind(head: Duration, total: Duration) -> Self {
        Self { total, behind: Some(head) }
    }

    /// The same within what is left.
    #[must_use]
    pub fn within(self, left: Duration) -> Self {
        Self { total: self.total.min(left), ..self }
    }

    pub(super) const fn total(self) -> Duration {
        self.total
    }

    pub(super) const fn follows(self) -> bool {
        self.behind.is_some()
    }
}

impl From<Duration> for Patience {
    fn from(total: Duration) -> Self {
        Self::whole(total)
    }
}

/// How far the body of a request is. Written by the connection, read by whoever waits for the reply.
#[derive(Debug)]
pub(super) struct Told {
    began: Instant,
    /// Milliseconds from the beginning to the last byte that was taken.
    taken: AtomicU64,
    turn: AtomicU8,
    cut: Mutex<Option<Cut>>,
}

impl Told {
    /// Follows the body of a request.
    pub(super) fn of(request: &mut Request<Body>) -> Arc<Self> {
        let told = Arc::new(Self {
            began: Instant::now(),
            taken: AtomicU64::new(0),
            turn: AtomicU8::new(UPSTREAM),
            cut: Mutex::default(),
        });
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::stream(Followed { body, rest: Bytes::new(), told: Arc::clone(&told) });
        told
    }

    /// What the exchange gives; `None` where the upstream has taken all that there was, and let its time pass.
    pub(super) async fn patiently<T>(&self, exchange: impl Future<Output = T>, head: Patience) -> Option<T> {
        let mut exchange = std::pin::pin!(exchange);
        let head = head.behind.unwrap_or(head.total);
        loop {
            let until = self.due(head);
            tokio::select! {
                biased;
                answer = &mut exchange => return Some(answer),
                () = tokio::time::sleep_until(until) => {}
            }
            if self.due(head) <= Instant::now() {
                return None;
            }
        }
    }

    /// When the time of the upstream is over, as far as is known now.
    fn due(&self, head: Duration) -> Instant {
        let from = match self.turn.load(Ordering::Relaxed) {
            CALLER => Instant::now(),
            _ => self.began + Duration::from_millis(self.taken.load(Ordering::Relaxed)),
        };
        from + head
    }

    /// The time of the upstream begins now.
    pub(super) fn took(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.taken.store(millis, Ordering::Relaxed);
        self.turn.store(UPSTREAM, Ordering::Relaxed);
    }

    fn cut(&self, error: &Error) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(read(error));
    }
}

/// Who cut the body of a request, where that is why its exchange broke.
pub(super) fn cut(broken: &hyper::Error, told: Option<&Told>) -> Option<Cut> {
    let noted = told.and_then(|told| told.cut.lock().unwrap_or_else(PoisonError::into_inner).take());
    noted.or_else(|| broken.source()?.downcast_ref::<Error>().map(read))
}

fn read(error: &Error) -> Cut {
    match error {
        Error::Refused(why) => Cut::Refused(why.to_string().into()),
        Error::Connection(_) | Error::Unfinished | Error::Late => Cut::Broken,
    }
}

/// A body that says how far it is. What comes in one large piece is given in small ones: nobody could tell of the large one how much of it
/// is still here.
struct Followed {
    body: Body,
    rest: Bytes,
    told: Arc<Told>,
}

impl Followed {
    fn small(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(data) if data.len() > PIECE => {
                self.rest = data;
                Frame::data(self.rest.split_to(PIECE))
            }
            Ok(data) => Frame::data(data),
            Err(other) => other,
        }
    }
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.rest.is_empty() {
            self.told.took();
            let piece = self.rest.len().min(PIECE);
            return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Pending => self.told.turn.store(CALLER, Ordering::Relaxed),
            Poll::Ready(Some(Err(error))) => self.told.cut(error),
            Poll::Ready(_) => self.told.took(),
        }
        polled.map(|frame| frame.map(|frame| frame.map(|frame| self.small(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (here, hint) = (u64::try_from(self.rest.len()).unwrap_or(u64::MAX), self.body.size_hint());
        let mut all = SizeHint::new();
        all.set_lower(hint.lower().saturating_add(here));
        if let Some(upper) = hint.upper() {
            all.set_upper(upper.saturating_add(here));
        }
        all
    }
}

/// Whose turn it is: to take what there is, or to bring more.
const UPSTREAM: u8 = 0;
const CALLER: u8 = 1;
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests;
