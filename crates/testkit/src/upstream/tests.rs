//! The upstream, asked by the HTTP library.

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

async fn send(upstream: &Upstream, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = tokio::net::TcpStream::connect(upstream.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

fn get(upstream: &Upstream, target: &str) -> Request<Full<Bytes>> {
    let bearer = format!("Bearer {}", upstream.canary());
    Request::get(target).header("host", "up").header("authorization", bearer).body(Full::default()).unwrap()
}

async fn body(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn every_request_is_recorded_and_only_the_credential_is_served() {
    let upstream = Upstream::start();
    let bare = Request::get("/echo?x=%2F").header("host", "up").body(Full::default()).unwrap();
    assert_eq!(send(&upstream, bare).await.status(), 401);
    let mut request = get(&upstream, "/echo?x=%2F");
    *request.method_mut() = Method::POST;
    *request.body_mut() = Full::new(Bytes::from_static(b"hello"));
    let echoed: Value = serde_json::from_slice(&body(send(&upstream, request).await).await).unwrap();
    assert_eq!(echoed["target"], "/echo?x=%2F");
    assert_eq!(echoed["body"], "hello");
    assert_eq!(echoed["headers"]["authorization"], format!("Bearer {}", upstream.canary()));
    let requests = upstream.wait_for(2);
    assert!(!requests[0].accepted && requests[1].accepted);
    assert_eq!(requests[1].header("host"), Some("up"));
    assert_eq!((&*upstream.last().method, &*upstream.last().body), ("POST", &b"hello"[..]));
    upstream.stop();
}

#[tokio::test]
async fn every_kind_of_credential_is_demanded_exactly_once() {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode("user:s/e+c");
    let text = str::to_owned;
    for (demand, target, header) in [
        (Demand::Header(text("x-api-key"), text("s/e+c")), "/echo", Some(("x-api-key", text("s/e+c")))),
        (
            Demand::Basic(text("user"), text("s/e+c")),
            "/echo",
            Some(("authorization", format!("Basic {basic}"))),
        ),
        (Demand::Query(text("key"), text("s/e+c")), "/echo?a=b&key=s%2Fe%2Bc", None),
        (Demand::Nothing(text("s/e+c")), "/echo", None),
    ] {
        let upstream = Upstream::demanding(demand.clone());
        let mut request = Request::get(target).header("host", "up");
        if let Some((name, value)) = &header {
            request = request.header(*name, value);
        }
        assert_eq!(send(&upstream, request.body(Full::default()).unwrap()).await.status(), 200, "{demand:?}");
        let bare = Request::get("/echo?key=other").header("host", "up").body(Full::default()).unwrap();
        let open = matches!(demand, Demand::Nothing(_));
        assert_eq!(send(&upstream, bare).await.status(), if open { 200 } else { 401 }, "{demand:?}");
    }
}

#[tokio::test]
async fn the_awkward_routes_answer_as_they_say() {
    let upstream = Upstream::start();
    let secret = upstream.canary().to_owned();
    upstream.answer_with("/api/x", 201, serde_json::json!({ "ok": true }));
    let reply = send(&upstream, get(&upstream, "/json/api/x?y=z")).await;
    assert_eq!((reply.status().as_u16(), &*body(reply).await), (201, &b"{\"ok\":true}"[..]));
    assert_eq!(send(&upstream, get(&upstream, "/json/other")).await.status(), 404);
    assert_eq!(send(&upstream, get(&upstream, "/status/418")).await.status(), 418);
    assert_eq!(body(send(&upstream, get(&upstream, "/chunks/3")).await).await, "piece 0\npiece 1\npiece 2\n");
    let big = send(&upstream, get(&upstream, "/big/100000")).await;
    assert_eq!(big.headers()["content-length"], "100000");
    assert_eq!(body(big).await.len(), 100_000);
    let events = body(send(&upstream, get(&upstream, "/sse")).await).await;
    assert_eq!(events, format!("id: 1\ndata: one\n\nid: 2\ndata: {secret}\n\nid: 3\ndata: done\n\n"));
    assert_eq!(body(send(&upstream, get(&upstream, "/slow/1")).await).await, "at last");
    let redirect = send(&upstream, get(&upstream, "/redirect")).await;
    assert!(
        redirect.status().is_redirection()
            && redirect.headers()["location"].to_str().unwrap().contains(&secret)
    );
    assert_eq!(send(&upstream, get(&upstream, "/header-echo")).await.headers()["x-echo"], secret);
    assert_eq!(
        send(&upstream, get(&upstream, "/set-cookie")).await.headers().get_all("set-cookie").iter().count(),
        2
    );
    let broken = send(&upstream, get(&upstream, "/close")).await;
    assert!(broken.into_body().collect().await.is_err());
}

#[tokio::test]
async fn the_echo_comes_in_every_coding_and_is_never_the_plain_text() {
    let upstream = Upstream::start();
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let reply = send(&upstream, get(&upstream, &format!("/{coding}"))).await;
        assert_eq!(reply.headers()["content-encoding"], coding);
        let packed = body(reply).await;
        assert!(!packed.is_empty());
        assert!(serde_json::from_slice::<Value>(&packed).is_err(), "{coding}");
    }
}

#[tokio::test]
async fn trailers_come_over_http_2_without_tls() {
    let upstream = Upstream::start();
    let stream = tokio::net::TcpStream::connect(upstream.address()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = get(&upstream, &format!("{}/trailers", upstream.url()));
    let collected = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-credential"], upstream.canary());
    assert_eq!(upstream.last().version, Version::HTTP_2);
}
