//! The way to one upstream, where more is known of it than its address: whom to trust there, what to show, through which
//! proxy, and how many connections at a time.
//!
//! # Invariants
//!
//! - Connections that were made one way never serve another, not even one that says the same: see [`Dial::way`](crate::Dial).
//!   What was shown in a handshake, and who was believed, belongs to whoever asked for it.
//! - Whoever waits for a place waits in a queue that is bounded, and no longer than it may take to connect.
//! - A proxy is asked for a tunnel and for nothing else, so that it sees a host and a port, and no request over https.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::Authority;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::egress::Proxy;
use crate::tls::{Base, ClientKey, Outbound, Trust, bundle};
use crate::{Dial, Error, Sent};

/// What a [`Way`] is made of. Nothing here means: as everywhere.
#[derive(Debug, Default)]
pub struct WayConfig<'a> {
    /// The only certificate authorities that count there, in PEM.
    pub authorities: Option<&'a str>,
    /// What is shown there.
    pub client_key: Option<ClientKey>,
    /// The proxy that is asked for a tunnel: `http` or `https`.
    pub proxy: Option<Authority>,
    /// `user:password` for that proxy.
    pub proxy_basic: Option<&'a [u8]>,
    /// Most connections that wait.
    pub idle: Option<usize>,
    /// How long they wait.
    pub idle_for: Option<Duration>,
    /// Whether a connection is for more than one request.
    pub reuse: Reuse,
    /// Longest time for the TLS handshake alone.
    pub handshake: Option<Duration>,
    /// Most requests at a time, on all threads together.
    pub most: Option<NonZeroUsize>,
}

/// Whether a connection is for more than one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// As long as it is open.
    #[default]
    Often,
    /// Each request has one of its own, over HTTP/1.
    Never,
}

/// The way to one upstream. Made once and shared by all threads.
#[derive(Debug)]
pub struct Way {
    tls: Option<Outbound>,
    proxy: Option<Proxy>,
    idle: Option<usize>,
    idle_for: Option<Duration>,
    reuse: Reuse,
    handshake: Option<Duration>,
    places: Option<Places>,
}

impl Way {
    /// A way, with connections of its own.
    ///
    /// # Errors
    /// When an authority is not a certificate, or TLS can't be set up.
    pub fn new(config: WayConfig<'_>) -> Result<Arc<Self>, Error> {
        let WayConfig { authorities, client_key, proxy, proxy_basic, idle, idle_for, reuse, handshake, most } =
            config;
        let tls = match (authorities, client_key) {
            (None, None) => None,
            (authorities, client_key) => {
                let trust = match authorities {
                    Some(text) => Trust { base: Base::Nobody, extra: bundle(text.as_bytes())? },
                    None => Trust::default(),
                };
                Some(Outbound::showing(trust, client_key))
            }
        };
        let (proxy, places) = (proxy.map(|proxy| Proxy::with(proxy, proxy_basic)), most.map(Places::new));
        Ok(Arc::new(Self { tls, proxy, idle, idle_for, reuse, handshake, places }))
    }

    pub(crate) const fn tls(&self) -> Option<&Outbound> {
        self.tls.as_ref()
    }

    pub(crate) const fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// How many connections wait, and how long, where it says so.
    pub(crate) fn waiting(&self) -> (Option<usize>, Option<Duration>) {
        let idle = if self.reuse == Reuse::Never { Some(0) } else { self.idle };
        (idle, self.idle_for)
    }

    pub(crate) const fn reuse(&self) -> Reuse {
        self.reuse
    }

    pub(crate) const fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    pub(crate) const fn places(&self) -> Option<&Places> {
        self.places.as_ref()
    }
}

/// So many requests at a time, and a queue of those that wait.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// The right to one request, until the body of its reply has ended.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    fn new(most: NonZeroUsize) -> Self {
        let most = most.get().min(Semaphore::MAX_PERMITS);
        let queue = most.saturating_mul(QUEUED);
        Self { free: Arc::new(Semaphore::new(most)), waiting: AtomicUsize::new(0), queue }
    }

    /// Waits for a place, at most as long as connecting may take.
    pub(crate) async fn take(&self, dial: &Dial) -> Result<Place, Error> {
        let upstream = || dial.authority.to_string().into();
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let _queued = Queued::behind(self).ok_or_else(|| Error::Busy { upstream: upstream() })?;
        match timeout(dial.connect, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            // It is never closed.
            Ok(Err(_)) => Err(Error::Busy { upstream: upstream() }),
            Err(_) => Err(Error::Timeout { upstream: upstream(), sent: Sent::Nothing }),
        }
    }
}

/// One who waits; leaves the queue when it goes, whatever became of it.
struct Queued<'a>(&'a Places);

impl<'a> Queued<'a> {
    fn behind(places: &'a Places) -> Option<Self> {
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        // Dropped at once where the queue was full.
        let queued = Self(places);
        (before < places.queue).then_some(queued)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many may wait for each place.
const QUEUED: usize = 8;

#[cfg(test)]
mod tests;
