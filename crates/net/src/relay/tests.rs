//! A relay before a service that says what it hears.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A service that says what it heard, the relay before it, and where the relay listens.
async fn stage(private: Private) -> (Arc<Relay>, std::net::SocketAddr, Authority) {
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = service.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = service.accept().await {
            let mut heard = [0; 4];
            stream.read_exact(&mut heard).await.unwrap();
            stream.write_all(&heard).await.unwrap();
        }
    });
    let authority: Authority = format!("https://127.0.0.1:{port}").parse().unwrap();
    let relay = Arc::new(Relay::new(vec![authority.clone()], private));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(Arc::clone(&relay).serve(listener, Serves::Proxy));
    (relay, at, authority)
}

async fn asked(at: std::net::SocketAddr, head: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn a_host_of_the_operation_is_connected() {
    let (relay, at, authority) = stage(Private::Allowed).await;
    let target = format!("{}:{}", authority.host(), authority.port());
    let (mut stream, answer) =
        asked(at, &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    stream.write_all(b"ping").await.unwrap();
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    assert!(relay.refused().is_empty());
}

#[tokio::test]
async fn any_other_host_port_or_method_is_refused_and_noted() {
    let (relay, at, authority) = stage(Private::Allowed).await;
    let (host, port) = (authority.host(), authority.port());
    for target in [
        format!("{host}:{}", port ^ 1),
        format!("{host}.example:{port}"),
        format!("localhost:{port}"),
        format!("user@{host}:{port}"),
        host.to_owned(),
        format!("evil.example:{port}"),
    ] {
        let (_, answer) = asked(at, &format!("CONNECT {target} HTTP/1.1\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{target}: {answer}");
    }
    let (_, answer) = asked(at, &format!("GET http://{host}:{port}/ HTTP/1.1\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(relay.refused().contains(&format!("evil.example:{port}")));
}

#[tokio::test]
async fn a_private_address_is_not_dialled_without_leave() {
    let (_, at, authority) = stage(Private::Refused).await;
    let target = format!("{}:{}", authority.host(), authority.port());
    let (_, answer) = asked(at, &format!("CONNECT {target} HTTP/1.1\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[tokio::test]
async fn what_passes_ends_with_the_relay() {
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority: Authority =
        format!("https://127.0.0.1:{}", service.local_addr().unwrap().port()).parse().unwrap();
    let relay = Arc::new(Relay::new(vec![authority.clone()], Private::Allowed));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let serving = tokio::spawn(relay.serve(listener, Serves::Host(authority)));
    let mut stream = TcpStream::connect(at).await.unwrap();
    let (_outside, _) = service.accept().await.unwrap();
    serving.abort();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
