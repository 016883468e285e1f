//! Connections of the owner's programs that have a wish: HTTP ends on them, and the broker talks with the program.

use std::sync::Arc;
use std::time::Duration;

use broker::Worker;
use broker::mint::afar::{Conversations, PROTOCOL, Stays};
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use model::{Code, Fact, Refusal};
use net::{Body, Draining, TakesOver};
use tokio::sync::Semaphore;

use crate::holder::Still;
use crate::owner::Owner;
use crate::runs::Known;

/// The conversations of one door.
#[derive(Clone)]
pub(crate) struct Wishes {
    conversations: Arc<Conversations>,
    draining: Draining,
    /// A place for each that may go on at a time.
    places: Arc<Semaphore>,
}

impl Wishes {
    pub(crate) fn new(worker: Arc<Worker>, draining: Draining) -> Self {
        let conversations = Arc::new(Conversations::new(worker));
        Self { conversations, draining, places: Arc::new(Semaphore::new(MOST as usize)) }
    }

    /// The reply that ends HTTP on this connection; what comes behind it is a conversation.
    pub(crate) fn begin(
        &self,
        Owner { .. }: Owner,
        parts: &mut Parts,
        known: Known,
    ) -> Result<Response<Body>, Refusal> {
        let asked = parts.headers.get(UPGRADE).is_some_and(|value| value.as_bytes() == PROTOCOL.as_bytes());
        let taken = parts.extensions.remove::<OnUpgrade>();
        let (true, Some(taken)) = (asked, taken) else {
            let message = "under this path the connection becomes another one, and nobody asked for that";
            return Err(Refusal::new(Code::BadRequest, message).hint(format!("send `Upgrade: {PROTOCOL}`")));
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let message = "too many programs ask for credentials at this moment";
            return Err(Refusal::new(Code::RateLimited, message).hint("try again in a moment"));
        };
        let (conversations, draining) = (Arc::clone(&self.conversations), self.draining.clone());
        // Task `wish`; owned by its place, for which `ended` waits.
        tokio::spawn(async move {
            match taken.await {
                Ok(stream) => {
                    let facts = Fact { holder: known.holder(), ..Fact::default() };
                    let stays = move || known.still().map(|Still { .. }| Stays::seen());
                    conversations.talk(TokioIo::new(stream), (facts, Box::new(stays)), draining).await;
                }
                Err(error) => tracing::debug!(%error, "a program went away before it said what it wants"),
            }
            drop(place);
        });
        let mut reply = Response::new(Body::empty());
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        reply.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
        reply.extensions_mut().insert(TakesOver::default());
        Ok(reply)
    }

    /// Waits until all have ended, but no longer than the grace.
    pub(crate) async fn ended(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.places.acquire_many(MOST)).await.is_err() {
            tracing::warn!("programs that asked for credentials were cut because the grace was over");
        }
    }
}

/// Conversations at a time.
const MOST: u32 = 1024;
