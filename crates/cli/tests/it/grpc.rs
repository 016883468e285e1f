//! gRPC through the gateway without TLS on both sides: streams both ways, trailers, and refusals in its own words.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::Body;
use net::body::Sender;
use testkit::{Doorward, Running};
use tokio::net::{TcpListener, TcpStream};

use crate::network_wire::capability;
use crate::{home, write_integration};

fn message(compressed: u8, said: &[u8]) -> Bytes {
    [&[compressed][..], &u32::try_from(said.len()).unwrap().to_be_bytes(), said].concat().into()
}

/// Says back each message as it comes, and its credential where it is asked to.
async fn service(secret: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let secret = secret.clone();
            let service = service_fn(move |request| {
                let secret = secret.clone();
                async move { Ok::<_, Infallible>(answer(request, secret)) }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

fn answer(request: Request<Incoming>, secret: String) -> Response<Body> {
    let headers = request.headers();
    assert_eq!(headers["te"], "trailers");
    assert_eq!(headers["authorization"], format!("Bearer {secret}"));
    assert!(!headers.contains_key("grpc-accept-encoding"));
    let (sender, body) = Body::channel(4);
    let mut asked = request.into_body();
    tokio::spawn(async move {
        while let Some(Ok(frame)) = asked.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            let answered = match data.get(5..) {
                Some(b"say it") => message(0, format!("it is {secret}").as_bytes()),
                Some(b"pack it") => message(1, b"packed"),
                _ => data,
            };
            if sender.send(answered).await.is_err() {
                return;
            }
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        trailers.insert("x-said", secret.parse().unwrap());
        let _ = sender.finish(Some(trailers)).await;
    });
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

struct Call {
    tell: Option<Sender>,
    reply: Response<Incoming>,
    /// What came and was not read yet.
    come: Vec<u8>,
}

impl Call {
    async fn begin(gateway: &str, capability: &str) -> Self {
        let address = gateway.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (tell, body) = Body::channel(4);
        let request = Request::post(format!("http://{address}/echo/test.Echo/Say"))
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers")
            .header("grpc-accept-encoding", "gzip")
            .header("authorization", format!("Bearer {capability}"))
            .body(body)
            .unwrap();
        let reply = sender.send_request(request).await.unwrap();
        Self { tell: Some(tell), reply, come: Vec::new() }
    }

    async fn say(&mut self, said: &[u8]) {
        self.tell.as_ref().unwrap().send(message(0, said)).await.unwrap();
    }

    /// The next whole message, or the trailers, or nothing where it breaks off.
    async fn hear(&mut self) -> Option<Result<Vec<u8>, HeaderMap>> {
        loop {
            if let Some(head) = self.come.first_chunk::<5>() {
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                if self.come.len() >= 5 + length {
                    let said = self.come[5..5 + length].to_vec();
                    self.come.drain(..5 + length);
                    return Some(Ok(said));
                }
            }
            match self.reply.body_mut().frame().await?.ok()?.into_data() {
                Ok(data) => self.come.extend_from_slice(&data),
                Err(frame) => return frame.into_trailers().ok().map(Err),
            }
        }
    }
}

async fn started() -> (Doorward, Running, String, String) {
    let doorward = home();
    let secret = doorward.plant("grpc");
    let address = service(secret.clone()).await;
    write_integration(
        &doorward,
        &format!(
            "name: echo\nbase_url: http://{address}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}\n\
             operations:\n  say: {{title: S, access: write, risk: low, match: {{method: POST, path: /test.Echo/Say}}, body: any}}\n"
        ),
    );
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "echo/token"], &secret).succeeded();
    let capability = capability(&running, "&integrations=echo");
    (doorward, running, capability, secret)
}

#[tokio::test]
async fn messages_arrive_one_by_one_both_ways_and_the_trailers_behind_them() {
    let (doorward, running, capability, secret) = started().await;
    let mut call = Call::begin(&running.gateway_url, &capability).await;
    assert_eq!(call.reply.status(), 200);
    assert_eq!(call.reply.headers()["content-type"], "application/grpc");
    // Each is answered before the next one is said: what is held back would hang here.
    for said in [&b"one"[..], b"xoxb-", b"", &secret.as_bytes()[..10], &[b'x'; 40_000]] {
        call.say(said).await;
        assert_eq!(call.hear().await.unwrap().unwrap(), said);
    }
    call.say(b"say it").await;
    let masked = call.hear().await.unwrap().unwrap();
    assert_eq!(masked.len(), 6 + secret.len(), "a masked message is as long as it was");
    assert!(masked.starts_with(b"it is ") && !String::from_utf8_lossy(&masked).contains(&secret));
    call.tell.take().unwrap().finish(None).await.unwrap();
    let trailers = call.hear().await.unwrap().unwrap_err();
    assert_eq!(trailers["grpc-status"], "0");
    assert!(trailers["x-said"] != *secret, "the trailers hold the credential");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[tokio::test]
async fn a_message_that_nobody_can_look_into_is_not_passed_on() {
    let (_doorward, running, capability, _secret) = started().await;
    let mut call = Call::begin(&running.gateway_url, &capability).await;
    call.say(b"pack it").await;
    assert!(call.hear().await.is_none(), "it was passed on");
    assert!(running.stop().success());
}

#[tokio::test]
async fn a_refusal_is_a_status_of_grpc_in_a_reply_without_messages() {
    let (_doorward, running, _capability, _secret) = started().await;
    let address = running.gateway_url.trim_start_matches("http://").to_owned();
    let stream = TcpStream::connect(&address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}/echo/test.Echo/Say"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut reply = sender.send_request(request).await.unwrap();
    assert_eq!((reply.status().as_u16(), &reply.headers()["grpc-status"]), (200, &"16".parse().unwrap()));
    assert_eq!(reply.headers()["x-doorward-refusal"], "unauthenticated");
    assert!(reply.body_mut().frame().await.is_none());
    assert!(running.stop().success());
}
