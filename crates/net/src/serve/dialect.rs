//! What may be spoken on a Unix socket besides HTTP, told by the first byte of a connection.

use std::time::Duration;

use crate::shares::Place;
use crate::{Draining, FromPeer, Peer};

/// A dialect of lines. No method of HTTP begins with a byte that it claims.
pub trait Lines: Clone + Send + Sync + 'static {
    /// Whether a connection that begins with this byte speaks it.
    fn begins_with(first: u8) -> bool;

    /// How long a connection may take until its first byte, where that is not the time for the head of a request.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Whether one of so many connections may be taken for this peer; one that may not is closed.
    fn place(&self, _: &Peer, _most: usize) -> Option<Place> {
        Some(Place::Free)
    }

    /// Carries one connection to its end. It has to watch `draining` and its own limits: nobody else does.
    fn carry(self, stream: FromPeer, peer: Peer, draining: Draining) -> impl Future<Output = ()> + Send;
}

/// HTTP and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoLines;

impl Lines for NoLines {
    fn begins_with(_: u8) -> bool {
        false
    }

    async fn carry(self, _: FromPeer, _: Peer, _: Draining) {}
}
