//! Services of vendors that can't be started here, written from their documentation.
//!
//! A real server on a loopback port that the system picks, in a thread of its own, speaking HTTP/1.1 without TLS. Each one
//! checks who asks, refuses what the vendor refuses in the vendor's words, and writes down every call.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::upstream::locked;

mod anthropic;
mod azure;
mod bigquery;
mod connect;
mod github;
mod google;
mod kubernetes;
mod login;
mod oci;
mod openai;
mod receiver;
mod vault;

pub use anthropic::Anthropic;
pub use azure::Azure;
pub use bigquery::{BigQuery, Mishap};
pub use connect::Connect;
pub use github::GitHub;
pub use google::Google;
pub use kubernetes::Kubernetes;
pub use login::{Login, Twist};
pub use oci::Oci;
pub use openai::{OpenAi, token_of};
pub use receiver::Receiver;
pub use vault::{Lease, Vault};

/// One call as it arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without its `?`.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer: its status, and a document or a stream of server-sent events.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) document: Value,
    pub(crate) events: Option<String>,
    pub(crate) location: Option<String>,
}

/// What a service answers. Called for one request at a time.
pub(crate) trait Answers: Send + 'static {
    fn answer(&mut self, heard: &Heard) -> Said;
}

/// A service that runs. Stops when it is dropped.
pub(crate) struct Server<S> {
    address: SocketAddr,
    shared: Arc<Shared<S>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<S> {
    service: Mutex<S>,
    calls: Mutex<Vec<Heard>>,
    /// What every call is answered with instead.
    instead: Mutex<Option<Instead>>,
}

/// What a service answers in place of its own answer.
#[derive(Clone)]
pub(crate) enum Instead {
    /// This status, and a place to go to.
    Bare(u16, Option<String>),
    /// A refusal in which the request is repeated, as some services do.
    Repeated,
}

impl Heard {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The token behind `Bearer `.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

impl Said {
    pub(crate) const fn new(status: u16, document: Value) -> Self {
        Self { status, document, events: None, location: None }
    }
}

impl<S: Answers> Server<S> {
    pub(crate) fn start(service: S) -> Self {
        let (calls, instead) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { service: Mutex::new(service), calls, instead });
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("testkit-vendor".to_owned())
            .spawn(move || run(&served, &bound, stopped))
            .expect("the test kit works");
        let address = address.recv_timeout(Duration::from_secs(120)).expect("the service did not start");
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        change(&mut locked(&self.shared.service))
    }

    pub(crate) fn calls(&self) -> Vec<Heard> {
        locked(&self.shared.calls).clone()
    }

    pub(crate) fn answer_instead(&self, instead: Option<Instead>) {
        *locked(&self.shared.instead) = instead;
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run<S: Answers>(
    shared: &Arc<Shared<S>>,
    bound: &mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the test kit works");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the test kit works");
        bound.send(listener.local_addr().expect("the test kit works")).expect("the test kit works");
        tokio::select! {
            _ = stopped => {}
            () = accept(shared, &listener) => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
}

async fn accept<S: Answers>(shared: &Arc<Shared<S>>, listener: &TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, std::convert::Infallible>(answer(&shared, request).await) }
            });
            // Whoever asks hangs up when it has what it wants.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer<S: Answers>(shared: &Shared<S>, request: Request<Incoming>) -> Response<Sent> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, 1 << 20).collect().await.map(http_body_util::Collected::to_bytes);
    let heard = Heard {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.unwrap_or_default(),
    };
    locked(&shared.calls).push(heard.clone());
    let instead = locked(&shared.instead).clone();
    let said = match instead {
        Some(Instead::Bare(status, location)) => {
            Said { status, document: Value::Null, events: None, location }
        }
        Some(Instead::Repeated) => Said::new(400, repeated(&heard)),
        None => locked(&shared.service).answer(&heard),
    };
    let (kind, text) = match said.events {
        Some(events) => ("text/event-stream", events),
        None if said.status == 204 => ("application/json", String::new()),
        None => ("application/json", said.document.to_string()),
    };
    // Events come in pieces of a length that nobody says.
    let mut reply =
        Response::new(Sent { told: kind == "application/json", body: Full::new(Bytes::from(text)) });
    *reply.status_mut() = StatusCode::from_u16(said.status).expect("the test kit works");
    reply.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    for name in ["x-request-id", "x-github-request-id"] {
        reply.headers_mut().insert(name, http::HeaderValue::from_static("req_of_vendor"));
    }
    if let Some(location) = said.location.and_then(|location| location.parse().ok()) {
        reply.headers_mut().insert("location", location);
    }
    reply
}

/// The words of OAuth 2 and of Google's APIs for a request that is wrong, with the request in them.
fn repeated(heard: &Heard) -> Value {
    let (proof, body) = (heard.header("authorization"), String::from_utf8_lossy(&heard.body));
    serde_json::json!({ "error": { "message": format!("bad request {proof:?} {body}") } })
}

/// A body whose length is told beforehand, or is not.
struct Sent {
    body: Full<Bytes>,
    told: bool,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        if self.told { self.body.size_hint() } else { http_body::SizeHint::default() }
    }
}

/// What every one of them can do beside its own.
macro_rules! served {
    ($name:ident) => {
        impl $name {
            /// Where it listens.
            #[must_use]
            pub fn url(&self) -> String {
                self.0.url()
            }

            /// Every call so far.
            #[must_use]
            pub fn calls(&self) -> Vec<crate::vendor::Heard> {
                self.0.calls()
            }

            /// Answers every call with this status from now on, and with a place to go to instead.
            pub fn answer_instead(&self, status: u16, location: Option<&str>) {
                let location = location.map(str::to_owned);
                self.0.answer_instead(Some(crate::vendor::Instead::Bare(status, location)));
            }

            /// Refuses every call from now on, and repeats it.
            pub fn repeat(&self) {
                self.0.answer_instead(Some(crate::vendor::Instead::Repeated));
            }

            /// Answers as it should again.
            pub fn recover(&self) {
                self.0.answer_instead(None);
            }
        }
    };
}
pub(crate) use served;
