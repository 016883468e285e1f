//! The thread of an upstream: accepts, collects, records, answers.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::replies::{self, Reply};
use super::{Recorded, State, locked};

/// Serves until `stopped` resolves; tells its address as soon as it has one.
pub(crate) fn run(state: &Arc<State>, bound: &mpsc::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the test kit works");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the test kit works");
        bound.send(listener.local_addr().expect("the test kit works")).expect("the test kit works");
        tokio::select! {
            _ = stopped => {}
            () = accept(state, &listener) => {}
        }
    });
    // What still sleeps in a slow reply is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
}

async fn accept(state: &Arc<State>, listener: &TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                let Ok((stream, _)) = accepted else { return };
                connections.spawn(serve(Arc::clone(state), stream));
            }
        }
    }
}

async fn serve(state: Arc<State>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&state, request).await) }
    });
    // A caller who hangs up, or the reply that breaks off on purpose, ends the connection with an error.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(state: &State, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await else {
        return replies::plain(StatusCode::BAD_REQUEST, "the body broke off or is too large");
    };
    let open = parts.uri.path().starts_with("/open/");
    let met = open || state.demand.is_met(&parts.headers, parts.uri.query());
    let recorded = Recorded {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        version: parts.version,
        headers: parts.headers,
        body: body.to_bytes(),
        accepted: met,
    };
    {
        let mut requests = locked(&state.requests);
        if requests.len() < MOST_RECORDED {
            requests.push(recorded.clone());
        }
    }
    if met {
        let path = parts.uri.path();
        return replies::to(state, &recorded, path.strip_prefix("/open").filter(|_| open).unwrap_or(path))
            .await;
    }
    let mut reply: Response<_> =
        replies::plain(StatusCode::UNAUTHORIZED, "the credential is missing or wrong");
    reply.headers_mut().insert("www-authenticate", http::HeaderValue::from_static("Bearer"));
    reply
}

const MOST_CONNECTIONS: usize = 512;
const MOST_RECORDED: usize = 100_000;
const MOST_BODY: usize = 256 * 1024 * 1024;
