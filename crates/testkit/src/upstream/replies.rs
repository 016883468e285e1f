//! The answers of an upstream, one function a route.

use std::time::Duration;

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::{Recorded, State, locked};

pub(crate) type Reply = Response<BoxBody<Bytes, Broken>>;

/// The error by which `/close` breaks off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body breaks off on purpose")
    }
}

impl std::error::Error for Broken {}

/// The answer to a request that showed the credential.
pub(crate) async fn to(state: &State, request: &Recorded, path: &str) -> Reply {
    let secret = state.demand.secret();
    let (first, rest) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    match first {
        "echo" => json_reply(StatusCode::OK, &echo(request)),
        "json" => {
            let path = format!("/{rest}");
            let held = locked(&state.held).remove(&path);
            if let Some(held) = held {
                let _ = held.await;
            }
            match locked(&state.answers).get(&path) {
                Some((status, body)) => json_reply(*status, body),
                None => plain(StatusCode::NOT_FOUND, "no answer was given for this path"),
            }
        }
        "gzip" | "br" | "zstd" | "deflate" => compressed(first, echo(request).to_string().as_bytes()).await,
        "sse" => events(secret),
        "chunks" => chunks(number(rest).min(10_000)),
        "big" => big(number(rest).min(1 << 30)),
        "slow" => {
            tokio::time::sleep(Duration::from_millis(number(rest).min(60_000))).await;
            plain(StatusCode::OK, "at last")
        }
        "status" => {
            let status = rest.parse().ok().filter(|status| *status >= 200);
            plain(
                status
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .unwrap_or(StatusCode::BAD_REQUEST),
                "",
            )
        }
        "redirect" => {
            with(StatusCode::FOUND, &[("location", format!("https://elsewhere.invalid/?key={secret}"))])
        }
        "close" => close(),
        "header-echo" => {
            let basic = format!("Bearer {secret}");
            with(StatusCode::OK, &[("x-echo", secret.to_owned()), ("x-authorization", basic)])
        }
        "trailers" => trailers(secret),
        "set-cookie" => {
            let cookies =
                [("set-cookie", "session=1; HttpOnly".to_owned()), ("set-cookie", format!("key={secret}"))];
            with(StatusCode::OK, &cookies)
        }
        _ => plain(StatusCode::NOT_FOUND, "no such route"),
    }
}

/// A reply of text.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Reply {
    reply(
        status,
        "text/plain; charset=utf-8",
        Full::new(Bytes::from_static(text.as_bytes())).map_err(never).boxed(),
    )
}

fn never(never: std::convert::Infallible) -> Broken {
    match never {}
}

fn reply(status: StatusCode, content_type: &'static str, body: BoxBody<Bytes, Broken>) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

fn json_reply(status: StatusCode, value: &Value) -> Reply {
    reply(status, "application/json", Full::new(Bytes::from(value.to_string())).map_err(never).boxed())
}

fn with(status: StatusCode, headers: &[(&'static str, String)]) -> Reply {
    let mut reply = plain(status, "see the head\n");
    for (name, value) in headers {
        reply.headers_mut().append(*name, HeaderValue::from_str(value).expect("the test kit works"));
    }
    reply
}

fn echo(request: &Recorded) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut headers = serde_json::Map::new();
    for name in request.headers.keys() {
        let values = request.headers.get_all(name).iter().map(|value| text(value.as_bytes()));
        headers.insert(name.to_string(), values.collect::<Vec<_>>().join(", ").into());
    }
    json!({ "method": request.method, "target": request.target, "headers": headers, "body": text(&request.body) })
}

async fn compressed(coding: &str, bytes: &[u8]) -> Reply {
    async fn through<W: AsyncWrite + Unpin>(mut encoder: W, bytes: &[u8]) -> W {
        encoder.write_all(bytes).await.expect("the test kit works");
        encoder.shutdown().await.expect("the test kit works");
        encoder
    }
    let (name, packed) = match coding {
        "gzip" => ("gzip", through(GzipEncoder::new(Vec::new()), bytes).await.into_inner()),
        "br" => ("br", through(BrotliEncoder::new(Vec::new()), bytes).await.into_inner()),
        "zstd" => ("zstd", through(ZstdEncoder::new(Vec::new()), bytes).await.into_inner()),
        // What HTTP calls `deflate` is the format of zlib (RFC 9110, section 8.4.1.2).
        _ => ("deflate", through(ZlibEncoder::new(Vec::new()), bytes).await.into_inner()),
    };
    let mut reply =
        reply(StatusCode::OK, "application/json", Full::new(Bytes::from(packed)).map_err(never).boxed());
    reply.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    reply
}

fn events(secret: &str) -> Reply {
    let (front, back) = secret.split_at(secret.len() / 2);
    let pieces = vec![
        Bytes::from_static(b"id: 1\ndata: one\n\n"),
        Bytes::from(format!("id: 2\ndata: {front}")),
        Bytes::from(format!("{back}\n\n")),
        Bytes::from_static(b"id: 3\ndata: done\n\n"),
    ];
    let (sender, body) = channel();
    tokio::spawn(async move {
        for piece in pieces {
            if sender.send(Ok(Frame::data(piece))).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    reply(StatusCode::OK, "text/event-stream", body)
}

fn chunks(count: u64) -> Reply {
    let (sender, body) = channel();
    tokio::spawn(async move {
        for piece in 0..count {
            if sender.send(Ok(Frame::data(Bytes::from(format!("piece {piece}\n"))))).await.is_err() {
                return;
            }
        }
    });
    reply(StatusCode::OK, "text/plain; charset=utf-8", body)
}

fn big(bytes: u64) -> Reply {
    let (sender, body) = channel();
    tokio::spawn(async move {
        let piece = Bytes::from_static(&[b'x'; PIECE]);
        let mut left = bytes;
        while left > 0 {
            let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            if sender.send(Ok(Frame::data(piece.slice(..size)))).await.is_err() {
                return;
            }
            left -= size as u64;
        }
    });
    let mut reply = reply(StatusCode::OK, "application/octet-stream", body);
    reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    reply
}

fn close() -> Reply {
    let (sender, body) = channel();
    tokio::spawn(async move {
        let _ = sender.send(Ok(Frame::data(Bytes::from_static(b"the first half")))).await;
        // The first half has left before the second one is missed.
        tokio::time::sleep(PAUSE).await;
        let _ = sender.send(Err(Broken)).await;
    });
    let mut reply = reply(StatusCode::OK, "text/plain; charset=utf-8", body);
    reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("28"));
    reply
}

fn trailers(secret: &str) -> Reply {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("abc"));
    trailers.insert("x-credential", HeaderValue::from_str(secret).expect("the test kit works"));
    let (sender, body) = channel();
    tokio::spawn(async move {
        let _ = sender.send(Ok(Frame::data(Bytes::from_static(b"before the trailers\n")))).await;
        let _ = sender.send(Ok(Frame::trailers(trailers))).await;
    });
    let mut reply = reply(StatusCode::OK, "text/plain; charset=utf-8", body);
    reply.headers_mut().insert(header::TRAILER, HeaderValue::from_static("x-checksum, x-credential"));
    reply
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// A body that is written piece by piece.
fn channel() -> (mpsc::Sender<Piece>, BoxBody<Bytes, Broken>) {
    let (sender, receiver) = mpsc::channel(4);
    (sender, BodyExt::boxed(Pieces(receiver)))
}

type Piece = Result<Frame<Bytes>, Broken>;

struct Pieces(mpsc::Receiver<Piece>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Piece>> {
        self.0.poll_recv(cx)
    }
}

const PAUSE: Duration = Duration::from_millis(30);
const PIECE: usize = 16 * 1024;
