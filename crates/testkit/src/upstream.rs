//! A service that demands a credential, records every request exactly, and answers in every awkward way.
//!
//! A real server on a loopback port that the system picks, in a thread of its own, speaking HTTP/1.1 and HTTP/2 without
//! TLS. Every route but `/open/...` wants the credential and answers 401 without it:
//!
//! | route | answer |
//! |---|---|
//! | `/echo` | the request as JSON: method, target, headers with the credential, body |
//! | `/json/...` | what [`Upstream::answer_with`] said, else 404 |
//! | `/gzip`, `/br`, `/zstd`, `/deflate` | the echo, compressed |
//! | `/sse` | three events with pauses; the second is the credential, split over two writes |
//! | `/chunks/N` | `N` pieces without a length |
//! | `/big/BYTES` | so many bytes, with a length |
//! | `/slow/MS` | an answer after so many milliseconds |
//! | `/status/CODE` | that status |
//! | `/redirect` | 302 to another host, with the credential in the address |
//! | `/close` | a body that breaks off in the middle |
//! | `/header-echo` | the credential in headers |
//! | `/trailers` | trailers, one of them the credential |
//! | `/set-cookie` | cookies, one of them the credential |

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::canary;

mod demand;
mod replies;
mod server;

pub use demand::Demand;

/// A running upstream. Stops when it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query, as they stood on the wire.
    pub target: String,
    /// The version of HTTP.
    pub version: Version,
    /// The headers in order of arrival, names in lower case.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Whether it showed the credential, or needed none.
    pub accepted: bool,
}

impl Recorded {
    /// The one value of a header; `None` where it is not there, or there twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }
}

/// What the server and the test share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) demand: Demand,
    pub(crate) answers: Mutex<BTreeMap<String, (StatusCode, Value)>>,
    pub(crate) held: Mutex<BTreeMap<String, oneshot::Receiver<()>>>,
    pub(crate) requests: Mutex<Vec<Recorded>>,
}

/// A request that waits for its answer until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Held(#[expect(dead_code, reason = "its end is what the request waits for")] oneshot::Sender<()>);

impl Upstream {
    /// An upstream that demands `Authorization: Bearer` and a canary of its own.
    #[must_use]
    pub fn start() -> Self {
        Self::demanding(Demand::Bearer(canary::plant("upstream")))
    }

    /// An upstream that demands this.
    #[must_use]
    pub fn demanding(demand: Demand) -> Self {
        let (answers, held, requests) = Default::default();
        let state = Arc::new(State { demand, answers, held, requests });
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("testkit-upstream".to_owned())
            .spawn(move || server::run(&served, &bound, stopped))
            .expect("the test kit works");
        let address = address.recv_timeout(SOON).expect("the upstream did not start");
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the base URL of an integration.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The secret that it demands.
    #[must_use]
    pub fn canary(&self) -> &str {
        self.state.demand.secret()
    }

    /// What `/json/...` answers from now on: `path` is what stands behind `/json`, such as `/api/chat.postMessage`.
    pub fn answer_with(&self, path: &str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).expect("the test kit works");
        locked(&self.state.answers).insert(path.to_owned(), (status, body));
    }

    /// Holds the next request for this path, as [`Self::answer_with`] has it, until what is given is dropped; those behind it are answered.
    pub fn hold_next(&self, path: &str) -> Held {
        let (held, waits) = oneshot::channel();
        locked(&self.state.held).insert(path.to_owned(), waits);
        Held(held)
    }

    /// Whether the request that [`Self::hold_next`] holds is still to come.
    #[must_use]
    pub fn awaits(&self, path: &str) -> bool {
        locked(&self.state.held).contains_key(path)
    }

    /// Every request so far, those without the credential included.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        locked(&self.state.requests).clone()
    }

    /// The last request; fails the test where there is none.
    #[must_use]
    pub fn last(&self) -> Recorded {
        locked(&self.state.requests).last().cloned().expect("no request reached the upstream")
    }

    /// Waits until so many requests have come, and gives them; fails the test after two minutes.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<Recorded> {
        let until = Instant::now() + SOON;
        loop {
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            assert!(Instant::now() < until, "{} of {count} requests reached the upstream", requests.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it; connections that are open are cut.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SOON: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
