//! The service of the demo: on loopback, behind a secret. It answers nobody who does not show it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use net::{Body, Drain, ServeLimits};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::wire;

/// A running service, and what it saw.
pub(super) struct Service {
    address: SocketAddr,
    seen: Arc<Seen>,
    drain: Drain,
    thread: Option<JoinHandle<()>>,
}

/// What came in.
struct Seen {
    /// The header that it demands, whole.
    demanded: String,
    shown: AtomicUsize,
    turned_away: AtomicUsize,
    notes: Mutex<Vec<String>>,
}

impl Service {
    /// Starts it on a port of the system's choice.
    pub(super) fn start(secret: &str) -> Outcome<Self> {
        let bound = net::bind_tcp(SocketAddr::from(([127, 0, 0, 1], 0)), NonZeroUsize::MIN)?.pop();
        let bound = bound.ok_or_else(|| Failure::new("the service of the demo has no port"))?;
        let address = bound.address()?;
        let seen = Arc::new(Seen {
            demanded: format!("Bearer {secret}"),
            shown: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
            notes: Mutex::new(vec!["Water the plants".to_owned()]),
        });
        let (drain, draining) = net::drain::channel();
        let runtime = wire::runtime()?;
        let answering = Arc::clone(&seen);
        let limits = ServeLimits { grace: std::time::Duration::from_millis(200), ..ServeLimits::default() };
        let thread = std::thread::Builder::new()
            .name("demo-service".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = bound.listener() else { return };
                    let service = move |request, _peer| {
                        let seen = Arc::clone(&answering);
                        async move { seen.answer(&request) }
                    };
                    net::serve(listener, service, limits, draining).await;
                });
            })
            .map_err(|error| Failure::doing("could not start the service of the demo", &error))?;
        Ok(Self { address, seen, drain, thread: Some(thread) })
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests showed the secret, and how many did not.
    pub(super) fn counted(&self) -> (usize, usize) {
        (self.seen.shown.load(Ordering::SeqCst), self.seen.turned_away.load(Ordering::SeqCst))
    }

    /// How many notes it has.
    pub(super) fn notes(&self) -> usize {
        self.seen.notes.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends it.
    pub(super) fn end(mut self) {
        self.drain.start();
        if let Some(thread) = self.thread.take() {
            // A panic there has shown itself in a step already.
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let shown = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if shown != Some(self.demanded.as_bytes()) {
            self.turned_away.fetch_add(1, Ordering::SeqCst);
            return reply(StatusCode::UNAUTHORIZED, &json!({ "error": "show the secret" }));
        }
        self.shown.fetch_add(1, Ordering::SeqCst);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/notes") => reply(StatusCode::OK, &json!({ "notes": *notes })),
            (&Method::POST, "/notes") => {
                notes.push("One more".to_owned());
                reply(StatusCode::CREATED, &json!({ "notes": notes.len() }))
            }
            (&Method::GET, "/echo") => {
                let headers: serde_json::Map<String, serde_json::Value> = request
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
                    .collect();
                reply(StatusCode::OK, &json!({ "you_sent": headers }))
            }
            _ => reply(StatusCode::NOT_FOUND, &json!({ "error": "there is no such thing" })),
        }
    }
}

fn reply(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut reply = Response::new(Body::full(format!("{value}\n")));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
