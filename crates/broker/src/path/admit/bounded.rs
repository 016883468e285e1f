//! A body whose length nobody declared, and which ends with an error when it grows beyond its limit.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use net::Body;
use net::body::Error;

/// See the module.
pub(super) struct Bounded {
    body: Body,
    left: u64,
    most: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the body is larger than the {0} bytes that the integration allows")]
struct TooLarge(u64);

impl Bounded {
    pub(super) const fn new(body: Body, most: u64) -> Self {
        Self { body, left: most, most }
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
            match this.left.checked_sub(u64::try_from(data.len()).unwrap_or(u64::MAX)) {
                Some(left) => this.left = left,
                None => return Poll::Ready(Some(Err(Error::Refused(Box::new(TooLarge(this.most)))))),
            }
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
