//! A fake of AWS that records every call: STS, IAM, SSO OIDC, the SSO portal and console sign-in.
//!
//! A real server on a loopback port that the system picks, in a thread of its own. What it hands out is known beforehand:
//! the call with the number `N` (counted from 1 over the life of the fake) that issues credentials gives the access key id
//! `ASIAFAKE%012d` of `N`, the secret `secret-N` and the session token `token-N`; `CreateAccessKey` gives
//! `AKIANEW%013d` and `newsecret-N`; a long-lived key `AKIA…` that the fake did not make has the secret `secret-of-AKIA…`.
//!
//! It is strict: it recomputes the signature of every signed call and refuses what AWS refuses, with the error documents
//! of AWS. [`Options::lenient`] switches single [`Rule`]s off.
//!
//! Console sign-in has fixed hosts, so it is reached through [`Fake::proxy_url`]: a proxy that takes any `CONNECT` and
//! answers itself, with a certificate of the authority in [`Fake::authority`].
//!
//! ```
//! use testkit::aws::{Fake, Options};
//! let fake = Fake::start(Options::default());
//! assert!(fake.url().starts_with("http://127.0.0.1:"));
//! assert!(fake.calls().is_empty());
//! ```
//!
//! # Invariants
//!
//! - A call is recorded before it is answered, refused ones included.
//! - The check of signatures shares no code with the signer of the house: a mistake in one does not hide in the other.
//! - Nothing is dialled, and nothing but loopback is listened on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{Notify, oneshot};

use crate::upstream::locked;

mod answer;
mod constraints;
mod iam;
mod keeper;
mod ledger;
mod oidc;
mod options;
mod portal;
mod server;
mod signature;
mod signin;
mod sts;
mod tls;

pub use keeper::{KEEPER_KEY, KEEPER_SECRET, Keeper};
pub use options::{Fail, Known, Options, Rule};

/// A running fake. Stops when it is dropped.
#[derive(Debug)]
pub struct Fake {
    addresses: Addresses,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One call as it arrived.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    /// Its number, counted from 1. What the call issues is named after it.
    pub n: u64,
    /// Service and operation, such as `sts.AssumeRole`, `oidc.CreateToken` or `signin.getSigninToken`.
    pub api: String,
    /// What was asked: the fields of the form without `Action` and `Version`, the JSON body, or the query. Calls of the
    /// portal have their bearer token as `bearer`, calls of sign-in the host as `host`.
    pub params: Map<String, Value>,
    /// The access key id that signed it; `None` where nothing was signed.
    pub signed_by: Option<String>,
    /// The region of the signature.
    pub region: Option<String>,
    /// The service of the signature.
    pub service: Option<String>,
    /// The session token that came with it.
    pub session_token: Option<String>,
}

impl Call {
    /// One field as text; a number or a list as JSON writes it. `None` where it was not sent.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        self.params.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// Where the two listeners are: the endpoint and the proxy.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    endpoint: SocketAddr,
    proxy: SocketAddr,
}

/// What the server and the test share.
#[derive(Debug)]
struct State {
    inner: Mutex<Inner>,
    /// Told on each change of the options, for answers that are held back.
    changed: Notify,
    tls: OnceLock<tls::Tls>,
}

/// What changes from call to call.
#[derive(Debug)]
struct Inner {
    options: Options,
    calls: Vec<Call>,
    tunnels: Vec<String>,
    ledger: ledger::Ledger,
}

impl Fake {
    /// Starts one.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let inner =
            Inner { options, calls: Vec::new(), tunnels: Vec::new(), ledger: ledger::Ledger::default() };
        let state =
            Arc::new(State { inner: Mutex::new(inner), changed: Notify::new(), tls: OnceLock::new() });
        let (stop, stopped) = oneshot::channel();
        let (bound, addresses) = mpsc::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("testkit-aws".to_owned())
            .spawn(move || server::run(&served, &bound, stopped))
            .expect("the test kit works");
        let addresses = addresses.recv_timeout(SOON).expect("the fake of AWS did not start");
        Self { addresses, state, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens: what `AWS_ENDPOINT_URL` has to be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addresses.endpoint)
    }

    /// The proxy that answers for every host: what `HTTPS_PROXY` has to be.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.addresses.proxy)
    }

    /// The certificate of the authority behind the proxy, as PEM: what the file named by `SSL_CERT_FILE` has to hold.
    #[must_use]
    pub fn authority(&self) -> String {
        self.state.tls().authority.clone()
    }

    /// Every call so far, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.state.inner).calls.clone()
    }

    /// The `HOST:PORT` of every `CONNECT` so far.
    #[must_use]
    pub fn tunnels(&self) -> Vec<String> {
        locked(&self.state.inner).tunnels.clone()
    }

    /// Waits until so many calls have come, and gives them; fails the test after two minutes.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<Call> {
        let until = Instant::now() + SOON;
        loop {
            let calls = self.calls();
            if calls.len() >= count {
                return calls;
            }
            assert!(Instant::now() < until, "{} of {count} calls reached the fake of AWS", calls.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Changes options while it runs: the keys of [`Options`] that are in this JSON object replace those before, the
    /// others stay. Answers that were held back and no longer are go out. Fails the test on an unknown key.
    pub fn set(&self, change: &Value) {
        {
            let mut inner = locked(&self.state.inner);
            inner.options = inner.options.with(change);
        }
        self.state.changed.notify_waiters();
    }

    /// The long-lived keys of the user that are there and that the fake has heard of, sorted.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        locked(&self.state.inner).ledger.users_keys().into_keys().collect()
    }

    /// The access key id that the call with this number issues.
    #[must_use]
    pub fn issued_id(n: u64) -> String {
        ledger::issued_id(n)
    }

    /// Stops it; connections that are open are cut.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    /// The certificates behind the proxy. Made when they are first needed: few tests do.
    fn tls(&self) -> &tls::Tls {
        self.tls.get_or_init(tls::Tls::make)
    }
}

const SOON: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
