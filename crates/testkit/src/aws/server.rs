//! The thread of a fake of AWS: the endpoint, the proxy in front of sign-in, and the way of a request to its service.

use std::net::Ipv4Addr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::Timestamp;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::answer::{self, Refused, Reply};
use super::signature::Signed;
use super::{Addresses, Call, Inner, State, iam, oidc, portal, signin, sts};
use crate::upstream::locked;

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) signed: Option<Signed>,
    pub(super) now: Timestamp,
}

impl Heard {
    /// The pairs of the query as an object.
    pub(super) fn query_params(&self) -> Map<String, Value> {
        pairs(&self.query).into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    }

    /// The body as a JSON object; empty where it is none.
    pub(super) fn json(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Inner {
    /// Writes a call down and gives its number.
    pub(super) fn record(&mut self, heard: &Heard, api: &str, params: Map<String, Value>) -> u64 {
        let n = u64::try_from(self.calls.len()).unwrap_or(u64::MAX) + 1;
        let signed = heard.signed.as_ref();
        self.calls.push(Call {
            n,
            api: api.to_owned(),
            params,
            signed_by: signed.map(|signed| signed.key.clone()),
            region: signed.map(|signed| signed.region.clone()),
            service: signed.map(|signed| signed.service.clone()),
            session_token: heard.header("x-amz-security-token").map(str::to_owned),
        });
        n
    }
}

/// Serves until `stopped` resolves; tells its addresses as soon as it has them.
pub(super) fn run(state: &Arc<State>, bound: &mpsc::Sender<Addresses>, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the test kit works");
    runtime.block_on(async {
        let endpoint = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the test kit works");
        let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the test kit works");
        let addresses = Addresses {
            endpoint: endpoint.local_addr().expect("the test kit works"),
            proxy: proxy.local_addr().expect("the test kit works"),
        };
        bound.send(addresses).expect("the test kit works");
        tokio::select! {
            _ = stopped => {}
            () = accept(state, &endpoint, &proxy) => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
}

async fn accept(state: &Arc<State>, endpoint: &TcpListener, proxy: &TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            Ok((stream, _)) = endpoint.accept(), if connections.len() < MOST_CONNECTIONS => {
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(Arc::clone(state), stream));
            }
            Ok((stream, _)) = proxy.accept(), if connections.len() < MOST_CONNECTIONS => {
                connections.spawn(tunnel(Arc::clone(state), stream));
            }
        }
    }
}

async fn serve<Stream>(state: Arc<State>, stream: Stream)
where
    Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { answer(&state, request).await }
    });
    // A caller who hangs up, or an answer that is lost on purpose, ends the connection with an error.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Reads one `CONNECT`, says that it is connected, and is the other side itself.
async fn tunnel(state: Arc<State>, mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() > MOST_HEAD || stream.read_exact(&mut byte).await.is_err() {
            return;
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let Some(to) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else { return };
    locked(&state.inner).tunnels.push(to.to_owned());
    if stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_err() {
        return;
    }
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&state.tls().server));
    if let Ok(stream) = acceptor.accept(stream).await {
        serve(state, stream).await;
    }
}

/// The answer was lost on purpose.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer was lost on purpose")
    }
}

impl std::error::Error for Lost {}

async fn answer(state: &State, request: Request<Incoming>) -> Result<Reply, Lost> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await else { return Err(Lost) };
    let heard = Heard {
        method: parts.method.as_str().to_owned(),
        host: parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        signed: Signed::read(&parts.headers),
        headers: parts.headers,
        body: body.to_bytes(),
        now: now(),
    };
    let (api, reply, fail) = routed(&mut locked(&state.inner), &heard);
    if fail.is_some_and(|fail| fail.lose) {
        return Err(Lost);
    }
    loop {
        // Asked to be told before looking: a change between the two must not be missed.
        let changed = state.changed.notified();
        if !locked(&state.inner).options.hold.contains(&api) {
            return Ok(reply);
        }
        changed.await;
    }
}

/// Finds the service, records the call and lets the service answer.
fn routed(inner: &mut Inner, heard: &Heard) -> (String, Reply, Option<super::Fail>) {
    let (api, params, service) = match heard.path.as_str() {
        "/federation" if heard.host.contains("signin") => signin::named(heard),
        "/federation/credentials" | "/assignment/accounts" | "/assignment/roles" | "/logout" => {
            portal::named(heard)
        }
        "/client/register" | "/device_authorization" | "/token" | "/authorize" => oidc::named(heard),
        _ => form(heard),
    };
    let n = inner.record(heard, &api, params.clone());
    let due = inner.options.due(&api);
    let refused = due
        .as_ref()
        .filter(|fail| !fail.lose)
        .map(|fail| Refused::new(fail.status, fail.code.clone(), fail.message.clone()));
    let asked = Asked { n, action: api.split_once('.').map_or("", |(_, action)| action), params: &params };
    let done = match refused {
        Some(refused) => Err(refused),
        None => match service {
            Family::Sts => sts::answered(inner, heard, &asked),
            Family::Iam => iam::answered(inner, heard, &asked),
            Family::Oidc => oidc::answered(inner, heard, &asked),
            Family::Portal => portal::answered(inner, heard, &asked),
            Family::Signin => signin::answered(inner, &asked),
        },
    };
    let reply = done.unwrap_or_else(|refused| match service {
        Family::Sts => answer::Service::Sts.refusal(&refused),
        Family::Iam => answer::Service::Iam.refusal(&refused),
        Family::Oidc => refused.oidc(),
        Family::Portal => refused.portal(),
        Family::Signin => answer::send(refused.status, "text/html", refused.message),
    });
    let json = heard.header("accept") == Some("application/json");
    let reply = if json && service == Family::Sts { answer::as_json(reply) } else { reply };
    (api, reply, due)
}

/// A call of the query protocol: `Action` says which.
fn form(heard: &Heard) -> (String, Map<String, Value>, Family) {
    let body = String::from_utf8_lossy(&heard.body);
    let mut params: Map<String, Value> =
        pairs(&body).into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let action = params.remove("Action").and_then(|action| action.as_str().map(str::to_owned));
    params.remove("Version");
    let action = action.unwrap_or_else(|| "?".to_owned());
    let family = if iam::ACTIONS.contains(&action.as_str()) { Family::Iam } else { Family::Sts };
    let service = if family == Family::Iam { answer::Service::Iam } else { answer::Service::Sts };
    (format!("{}.{action}", service.name()), params, family)
}

/// Which part of the fake answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Sts,
    Iam,
    Oidc,
    Portal,
    Signin,
}

/// One call with its number.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) n: u64,
    pub(super) action: &'a str,
    pub(super) params: &'a Map<String, Value>,
}

impl Asked<'_> {
    /// A field as text; `None` where it is not there or not text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }
}

/// The pairs of a query or a form, decoded. Source: WHATWG URL, `application/x-www-form-urlencoded`.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| {
        let mut out = Vec::new();
        let mut rest = part.as_bytes();
        while let Some((byte, tail)) = rest.split_first() {
            let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
            match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
                (b'%', Some(value)) => {
                    out.push(value);
                    rest = tail.get(2..).unwrap_or_default();
                }
                (b'+', _) => {
                    out.push(b' ');
                    rest = tail;
                }
                _ => {
                    out.push(*byte);
                    rest = tail;
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "credentials of the fake end by the clock of the program under test"
)]
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

const MOST_CONNECTIONS: usize = 1_024;
const MOST_BODY: usize = 1024 * 1024;
const MOST_HEAD: usize = 16 * 1024;
