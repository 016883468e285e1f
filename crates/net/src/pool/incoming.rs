//! The body of a reply, and the connection that it came on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::client::conn::http1;

use super::Slot;
use crate::Body;
use crate::way::Place;

/// The body of an upstream's reply. It holds its connection until it is read to the end.
#[derive(Debug)]
pub struct Incoming {
    body: hyper::body::Incoming,
    lease: Option<Lease>,
}

#[derive(Debug)]
pub(super) enum Lease {
    Http1(http1::SendRequest<Body>, Arc<Slot>),
    Http2 {
        _load: Arc<()>,
    },
    /// One of these, with the place that it holds.
    Placed(Box<(Self, Place)>),
}

impl Incoming {
    pub(super) fn lent(body: hyper::body::Incoming, lease: Lease) -> Self {
        let mut incoming = Self { body, lease: Some(lease) };
        if incoming.body.is_end_stream() {
            incoming.give_back();
        }
        incoming
    }

    /// The same, which holds a place until it ends.
    pub(crate) fn holding(mut self, place: Place) -> Self {
        self.lease = self.lease.take().map(|lease| Lease::Placed(Box::new((lease, place))));
        self
    }

    /// The reply is over; its connection is free for the next request.
    fn give_back(&mut self) {
        let (mut sender, slot) = match self.lease.take() {
            Some(Lease::Http1(sender, slot)) => (sender, slot),
            Some(Lease::Placed(placed)) => {
                let (lease, _place) = *placed;
                self.lease = Some(lease);
                return self.give_back();
            }
            Some(Lease::Http2 { .. }) | None => return,
        };
        if sender.is_closed() {
            return;
        }
        if sender.is_ready() {
            slot.put(sender);
            return;
        }
        // The upstream answered before it had read the whole request, or its connection task did not run since. Task
        // `upstream-settle`; its owner is the connection, and it ends with it or after a moment.
        let slot = Arc::downgrade(&slot);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let settled = tokio::time::timeout(SETTLE, sender.ready()).await;
            if let (Ok(Ok(())), Some(slot)) = (settled, slot.upgrade()) {
                slot.put(sender);
            }
        });
    }
}

impl HttpBody for Incoming {
    type Data = Bytes;
    type Error = crate::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.give_back(),
            // Whoever knows the length does not ask again behind the last byte.
            Some(Ok(_)) if self.body.is_end_stream() => self.give_back(),
            Some(Ok(_)) => {}
            Some(Err(_)) => self.lease = None,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How long a connection may take to become free behind the end of a reply.
const SETTLE: Duration = Duration::from_secs(1);
