//! Connections that are open and free, by upstream.
//!
//! A connection belongs to one key (authority, whether private addresses are allowed, whether certificates are checked, the
//! way there) and never serves another. HTTP/1 connections are taken last in, first out, so that those which are not needed grow old
//! and are closed; HTTP/2 connections are shared.
//!
//! # Invariants
//!
//! - An HTTP/1 connection comes back only when the body of its reply was read to the end; otherwise it is closed.
//! - What waits here is bounded, by number and by age.
//! - Locks are held for a few instructions and never across a wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::HeaderValue;
use hyper::client::conn::{http1, http2};
use model::{Authority, QuickMap, Scheme};

use crate::{Body, Dial, Error, Private, Verify, Way};

mod incoming;

pub use incoming::Incoming;
use incoming::Lease;

/// How many connections wait, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) most: usize,
    pub(crate) longest: Duration,
}

/// All connections of one thread.
#[derive(Debug)]
pub(crate) struct Pool {
    slots: Mutex<QuickMap<Authority, Vec<Arc<Slot>>>>,
    waiting: Waiting,
    swept: AtomicBool,
}

/// The connections to one upstream, and what each request to it needs.
#[derive(Debug)]
pub(crate) struct Slot {
    /// `Host` as it is sent over HTTP/1.
    pub(crate) host: HeaderValue,
    /// `:authority` as it is sent over HTTP/2.
    pub(crate) authority: http::uri::Authority,
    /// Held while a connection is made that others may share, so that a burst makes one and not fifty.
    pub(crate) dialing: tokio::sync::Mutex<()>,
    pub(crate) knowledge: Knowledge,
    private: Private,
    verify: Verify,
    /// Held, so that no other way is ever at the same address.
    way: Option<Arc<Way>>,
    waiting: Waiting,
    state: Mutex<State>,
}

/// One way to send one request.
#[derive(Debug)]
pub(crate) enum Channel {
    /// A connection of our own until the reply is read.
    Http1(http1::SendRequest<Body>),
    /// A stream on a shared connection; the `Arc` counts its streams.
    Http2(http2::SendRequest<Body>, Arc<()>),
}

/// What is known of what an upstream speaks, before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// Nothing: TLS agrees on it, and without TLS it is HTTP/1.
    None,
    /// HTTP/2 also without TLS (RFC 9113, section 3.3), because gRPC speaks nothing else.
    Http2,
}

impl Knowledge {
    /// What a request tells of it.
    pub(crate) fn of(dial: &Dial, request: &http::Request<Body>) -> Self {
        if dial.authority.scheme() == Scheme::Http && crate::grpc::is(request.headers()) {
            return Self::Http2;
        }
        Self::None
    }
}

/// What an upstream spoke when it was last dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Unknown,
    Http1,
    Http2,
}

#[derive(Debug)]
struct State {
    free: Vec<(http1::SendRequest<Body>, Instant)>,
    shared: Vec<Shared>,
    protocol: Protocol,
}

#[derive(Debug)]
struct Shared {
    sender: http2::SendRequest<Body>,
    load: Arc<()>,
    used: Instant,
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(waiting: Waiting) -> Arc<Self> {
        Arc::new(Self { slots: Mutex::default(), waiting, swept: AtomicBool::new(false) })
    }

    /// The slot of an upstream, made where there is none.
    pub(crate) fn slot(self: &Arc<Self>, dial: &Dial, knowledge: Knowledge) -> Result<Arc<Slot>, Error> {
        let mut slots = lock(&self.slots);
        let found = slots
            .get(&dial.authority)
            .and_then(|slots| slots.iter().find(|slot| slot.serves(dial, knowledge)));
        if let Some(found) = found {
            return Ok(Arc::clone(found));
        }
        let slot = Arc::new(Slot::new(dial, knowledge, self.waiting)?);
        slots.entry(dial.authority.clone()).or_default().push(Arc::clone(&slot));
        drop(slots);
        if !self.swept.swap(true, Ordering::Relaxed) {
            tokio::spawn(sweep(Arc::downgrade(self), self.waiting.longest));
        }
        Ok(slot)
    }

    fn drop_old(&self) {
        lock(&self.slots).retain(|_, slots| {
            slots.retain(|slot| {
                slot.drop_old();
                // Nobody can take another reference meanwhile: that needs the lock that we hold.
                Arc::strong_count(slot) > 1 || !slot.is_empty()
            });
            !slots.is_empty()
        });
    }
}

/// Closes what waited too long. Task `upstream-sweep`; its owner is the pool, with which it ends.
async fn sweep(pool: Weak<Pool>, longest: Duration) {
    let pause = (longest / 2).clamp(Duration::from_millis(10), Duration::from_secs(30));
    loop {
        tokio::time::sleep(pause).await;
        match pool.upgrade() {
            Some(pool) => pool.drop_old(),
            None => return,
        }
    }
}

// === impl Slot ===

impl Slot {
    fn new(dial: &Dial, knowledge: Knowledge, waiting: Waiting) -> Result<Self, Error> {
        let text = dial.authority.host_header();
        let wrong = || Error::Request("the host cannot be written in a header");
        let (idle, idle_for) = dial.way.as_deref().map_or((None, None), Way::waiting);
        let waiting =
            Waiting { most: idle.unwrap_or(waiting.most), longest: idle_for.unwrap_or(waiting.longest) };
        let protocol = match (dial.authority.scheme(), knowledge) {
            (Scheme::Http, Knowledge::None) => Protocol::Http1,
            (Scheme::Http, Knowledge::Http2) | (Scheme::Https, _) => Protocol::Unknown,
        };
        Ok(Self {
            knowledge,
            host: HeaderValue::from_str(&text).map_err(|_| wrong())?,
            authority: http::uri::Authority::try_from(text).map_err(|_| wrong())?,
            dialing: tokio::sync::Mutex::new(()),
            private: dial.private,
            verify: dial.verify,
            way: dial.way.clone(),
            waiting,
            state: Mutex::new(State { free: Vec::new(), shared: Vec::new(), protocol }),
        })
    }

    fn serves(&self, dial: &Dial, knowledge: Knowledge) -> bool {
        let same_way = match (&self.way, &dial.way) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, Some(_)) | (Some(_), None) => false,
        };
        self.private == dial.private && self.verify == dial.verify && self.knowledge == knowledge && same_way
    }

    pub(crate) fn protocol(&self) -> Protocol {
        lock(&self.state).protocol
    }

    /// A connection that is open and free, the youngest first.
    pub(crate) async fn take(&self) -> Option<Channel> {
        loop {
            let (channel, waited) = self.pop()?;
            if waited < FRESH {
                return Some(channel);
            }
            // The upstream may have closed it meanwhile. Yielding lets the runtime look at its sockets, so that the
            // connection's task finds that out before it writes a request that nobody will read.
            tokio::task::yield_now().await;
            if channel.is_open() {
                return Some(channel);
            }
        }
    }

    fn pop(&self) -> Option<(Channel, Duration)> {
        let mut state = lock(&self.state);
        while let Some((sender, since)) = state.free.pop() {
            let waited = since.elapsed();
            if waited > self.waiting.longest {
                // Those below are older still.
                state.free.clear();
                break;
            }
            if sender.is_ready() {
                return Some((Channel::Http1(sender), waited));
            }
        }
        state.take_shared()
    }

    /// A shared connection with room for one more stream.
    pub(crate) fn take_shared(&self) -> Option<Channel> {
        lock(&self.state).take_shared().map(|(channel, _)| channel)
    }

    /// A new HTTP/1 connection was made.
    pub(crate) fn opened_http1(&self, sender: http1::SendRequest<Body>) -> Channel {
        lock(&self.state).protocol = Protocol::Http1;
        Channel::Http1(sender)
    }

    /// A new HTTP/2 connection was made; others may use it from now on.
    pub(crate) fn opened_http2(&self, sender: http2::SendRequest<Body>) -> Channel {
        let load = Arc::new(());
        let channel = Channel::Http2(sender.clone(), Arc::clone(&load));
        let mut state = lock(&self.state);
        state.protocol = Protocol::Http2;
        state.shared.push(Shared { sender, load, used: Instant::now() });
        channel
    }

    /// The body of a reply, which gives its connection back when it ends.
    pub(crate) fn lend(self: Arc<Self>, body: hyper::body::Incoming, channel: Channel) -> Incoming {
        let lease = match channel {
            Channel::Http1(sender) => Lease::Http1(sender, self),
            Channel::Http2(_, load) => Lease::Http2 { _load: load },
        };
        Incoming::lent(body, lease)
    }

    fn put(&self, sender: http1::SendRequest<Body>) {
        let mut state = lock(&self.state);
        if state.free.len() < self.waiting.most {
            state.free.push((sender, Instant::now()));
        }
    }

    fn drop_old(&self) {
        let longest = self.waiting.longest;
        let mut state = lock(&self.state);
        state.free.retain(|(sender, since)| sender.is_ready() && since.elapsed() <= longest);
        state.shared.retain(|shared| {
            let idle = Arc::strong_count(&shared.load) == 1 && shared.used.elapsed() > longest;
            !shared.sender.is_closed() && !idle
        });
    }

    fn is_empty(&self) -> bool {
        let state = lock(&self.state);
        state.free.is_empty() && state.shared.is_empty()
    }
}

impl State {
    fn take_shared(&mut self) -> Option<(Channel, Duration)> {
        if self.shared.is_empty() {
            return None;
        }
        self.shared.retain(|shared| !shared.sender.is_closed());
        let free = self.shared.iter_mut().find(|shared| Arc::strong_count(&shared.load) <= STREAMS)?;
        let waited = free.used.elapsed();
        free.used = Instant::now();
        Some((Channel::Http2(free.sender.clone(), Arc::clone(&free.load)), waited))
    }
}

// === impl Channel ===

impl Channel {
    fn is_open(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender, _) => !sender.is_closed(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here is half done when a panic unwinds through it: each change is one push, pop or store.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Streams on one HTTP/2 connection before another one is made; most upstreams allow a hundred or more.
const STREAMS: usize = 100;
/// A connection that waited longer is looked at again before it is used.
const FRESH: Duration = Duration::from_millis(50);
