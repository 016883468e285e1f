//! What the servers share: each answers requests of one connection after the other, whoever it is behind.

use std::sync::Arc;

use http::{Request, Response};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits};

/// A server behind its gate.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Answers one request. Its body is of no interest to anybody.
    fn answer<B: Send>(&self, request: Request<B>, peer: Peer)
    -> impl Future<Output = Response<Body>> + Send;
}

/// Serves until the house drains.
pub(crate) async fn serve(
    door: impl Answers,
    listener: Listener,
    limits: ServeLimits,
    draining: Draining,
) -> Drained {
    let door = Arc::new(door);
    let service = move |request: Request<_>, peer: Peer| {
        let door = Arc::clone(&door);
        async move { door.answer(request, peer).await }
    };
    net::serve(listener, service, limits, draining).await
}
