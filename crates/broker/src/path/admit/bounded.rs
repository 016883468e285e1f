//! A body whose length nobody declared, and which ends with an error when it grows beyond its limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use net::Body;
use net::body::Error;

/// See the module.
pub(super) struct Bounded {
    body: Body,
    passed: Arc<AtomicU64>,
    most: u64,
}

/// How many bytes came from the caller: known from the beginning, or counted as they pass.
#[derive(Clone)]
pub(crate) enum Size {
    Known(u64),
    Counted(Arc<AtomicU64>),
}

impl Size {
    /// The bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Known(bytes) => *bytes,
            Self::Counted(bytes) => bytes.load(Ordering::Relaxed),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the body is larger than the {0} bytes that the integration allows")]
struct TooLarge(u64);

impl Bounded {
    pub(super) fn new(body: Body, most: u64) -> (Self, Size) {
        let passed = Arc::<AtomicU64>::default();
        (Self { body, passed: Arc::clone(&passed), most }, Size::Counted(passed))
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let more = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let passed = this.passed.load(Ordering::Relaxed).saturating_add(more);
            if passed > this.most {
                return Poll::Ready(Some(Err(Error::Refused(Box::new(TooLarge(this.most))))));
            }
            this.passed.store(passed, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
