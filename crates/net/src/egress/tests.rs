//! Requests of our own over real sockets: direct, through proxies, with the certificates that are believed.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;
use crate::tests::{LOOPBACK, Origin, SOON, any_port, echo};

fn egress(proxies: Proxies, roots: Roots) -> Egress {
    let names = BTreeMap::from([
        ("api.test".into(), vec![LOOPBACK]),
        ("public.test".into(), vec!["8.8.8.8".parse().unwrap()]),
    ]);
    let limits = EgressLimits { connect: SOON, reply: SOON, bytes: 4096 };
    Egress::new(EgressConfig { proxies, roots, names: Names::Table(Arc::new(names)), limits })
}

fn ask(path: &str, body: &'static str) -> Request<Bytes> {
    Request::builder().method("POST").uri(path).body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn text(reply: &Response<Zeroizing<Vec<u8>>>) -> String {
    String::from_utf8(reply.body().to_vec()).unwrap()
}

fn place(text: &str) -> Authority {
    text.parse().unwrap()
}

/// Every reason of an error, outermost first.
fn reasons(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// A certificate for `api.test` that signed itself, in a file and in a server.
struct SelfSigned {
    _folder: tempfile::TempDir,
    bundle: PathBuf,
    server: Arc<rustls::ServerConfig>,
}

fn self_signed(name: &str, authority: IsCa, until: i32) -> SelfSigned {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = authority;
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.pem");
    #[expect(clippy::disallowed_methods, reason = "a file of this test")]
    std::fs::write(&bundle, certificate.pem()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    SelfSigned { _folder: folder, bundle, server: Arc::new(server) }
}

/// A proxy that records the head of each request, then tunnels to `to`, or answers with `refusal`.
async fn proxy(
    to: SocketAddr,
    refusal: Option<&'static str>,
) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let tunnel = head.starts_with("CONNECT ");
                sender.send(head).unwrap();
                if let Some(refusal) = refusal {
                    stream.write_all(refusal.as_bytes()).await.unwrap();
                } else if tunnel {
                    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                    let mut onward = TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
                } else {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy").await.unwrap();
                }
            });
        }
    });
    (address, heads)
}

#[tokio::test]
async fn a_request_goes_to_a_loopback_address_in_the_clear_and_its_connection_is_used_again() {
    let origin = Origin::start(None, echo).await;
    let egress = egress(Proxies::default(), Roots::Platform);
    let place = place(&format!("http://{}", origin.address));
    for _ in 0..3 {
        let reply = egress.send(&place, ask("/a?b=1", "body")).await.unwrap();
        let seen = text(&reply);
        assert!(seen.starts_with("POST /a?b=1 HTTP/1.1\n"), "{seen}");
        assert!(seen.contains(&format!("host: {}\n", origin.address)), "{seen}");
        assert!(seen.ends_with("body"), "{seen}");
    }
    assert_eq!(origin.connections(), 1);
    assert!(egress.tls.get().is_none(), "TLS was set up though nothing needed it");
}

#[tokio::test]
async fn plain_http_to_a_public_address_is_refused_even_through_a_proxy() {
    let direct = egress(Proxies::default(), Roots::Platform);
    let refused = direct.send(&place("http://public.test"), ask("/", "")).await.unwrap_err();
    assert!(matches!(refused, Error::Address { .. }), "{refused}");
    let (address, mut heads) = proxy(any_port(), None).await;
    let proxies = Proxies::new(None, Some(&format!("http://{address}")), None).unwrap();
    let proxied = egress(proxies, Roots::Platform);
    let refused = proxied.send(&place("http://public.test"), ask("/", "")).await.unwrap_err();
    assert!(matches!(refused, Error::Address { .. }), "{refused}");
    let reply = proxied.send(&place("http://api.test:8080"), ask("/a?b", "")).await.unwrap();
    assert_eq!(text(&reply), "proxy");
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("POST http://api.test:8080/a?b HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn the_authorities_of_a_bundle_and_no_others_are_believed() {
    let authority = crate::tests::Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    #[expect(clippy::disallowed_methods, reason = "a file of this test")]
    std::fs::write(&bundle, pem(&authority.certificate)).unwrap();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["h2", "http/1.1"])), echo).await;
    let url = format!("https://api.test:{}", origin.address.port());
    let believed = egress(Proxies::default(), Roots::Bundle(bundle));
    let seen = text(&believed.send(&place(&url), ask("/", "")).await.unwrap());
    assert!(seen.contains("HTTP/1.1"), "{seen}");
    let other = self_signed("api.test", IsCa::Ca(BasicConstraints::Unconstrained), 2100);
    let stranger = egress(Proxies::default(), Roots::Bundle(other.bundle.clone()));
    let refused = stranger.send(&place(&url), ask("/", "")).await.unwrap_err();
    assert!(matches!(refused, Error::Tls { .. }), "{refused}");
    let expired = Origin::start(Some(authority.server("api.test", 2001, &[])), echo).await;
    let url = format!("https://api.test:{}", expired.address.port());
    let refused = believed.send(&place(&url), ask("/", "")).await.unwrap_err();
    assert!(matches!(refused, Error::Tls { .. }), "{refused}");
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_believed_for_its_name_when_it_is_in_the_bundle() {
    for kind in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        let own = self_signed("api.test", kind, 2100);
        let origin = Origin::start(Some(Arc::clone(&own.server)), echo).await;
        let url = format!("https://api.test:{}", origin.address.port());
        let reply = egress(Proxies::default(), Roots::Bundle(own.bundle.clone()))
            .send(&place(&url), ask("/", ""))
            .await;
        assert!(reply.is_ok(), "{kind:?}: {}", reasons(&reply.unwrap_err()));
        let other = self_signed("api.test", kind, 2100);
        let reply = egress(Proxies::default(), Roots::Bundle(other.bundle.clone()))
            .send(&place(&url), ask("/", ""))
            .await;
        assert!(matches!(reply, Err(Error::Tls { .. })), "{kind:?}: another certificate of the same name");
    }
    for (name, until) in [("other.test", 2100), ("api.test", 2001)] {
        let own = self_signed(name, IsCa::Ca(BasicConstraints::Unconstrained), until);
        let origin = Origin::start(Some(Arc::clone(&own.server)), echo).await;
        let url = format!("https://api.test:{}", origin.address.port());
        let reply = egress(Proxies::default(), Roots::Bundle(own.bundle.clone()))
            .send(&place(&url), ask("/", ""))
            .await;
        assert!(matches!(reply, Err(Error::Tls { .. })), "{name}, until {until}");
    }
}

fn pem(certificate: &rustls::pki_types::CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[tokio::test]
async fn an_https_request_goes_through_a_tunnel_and_the_proxy_sees_the_place_only() {
    let own = self_signed("sts.test", IsCa::Ca(BasicConstraints::Unconstrained), 2100);
    let origin = Origin::start(Some(Arc::clone(&own.server)), echo).await;
    let (address, mut heads) = proxy(origin.address, None).await;
    let proxies = Proxies::new(Some(&format!("http://jane:CANARY@{address}")), None, None).unwrap();
    let egress = egress(proxies, Roots::Bundle(own.bundle.clone()));
    // The name is looked up by the proxy: no table of ours knows it.
    let seen = text(&egress.send(&place("https://sts.test"), ask("/path", "secret")).await.unwrap());
    assert!(seen.contains("host: sts.test\n"), "{seen}");
    assert!(!seen.contains("proxy-authorization"), "{seen}");
    let head = heads.recv().await.unwrap();
    assert_eq!(
        head,
        "CONNECT sts.test:443 HTTP/1.1\r\nHost: sts.test:443\r\nProxy-Authorization: Basic amFuZTpDQU5BUlk=\r\n\r\n"
    );
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_reason() {
    for (answer, reason) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants a name and a password, or other ones"),
        ("HTTP/1.1 503 No\r\n\r\n", "refused the connection with status 503"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "did not answer as an HTTP proxy"),
    ] {
        let (address, _heads) = proxy(any_port(), Some(answer)).await;
        let proxies = Proxies::new(Some(&format!("http://jane:CANARY@{address}")), None, None).unwrap();
        let refused = egress(proxies, Roots::Platform)
            .send(&place("https://sts.test"), ask("/", ""))
            .await
            .unwrap_err();
        let told = reasons(&refused);
        assert!(told.contains(&format!("the proxy `http://{address}` {reason}")), "{told}");
        assert!(!told.contains("CANARY"), "{told}");
        assert_eq!(refused.sent(), Sent::Nothing);
    }
}

#[tokio::test]
async fn a_reply_that_is_larger_than_allowed_is_refused() {
    let origin = Origin::start(None, |request| async move {
        let _ = request;
        Response::new(Body::full(vec![b'x'; 5000]))
    })
    .await;
    let place = place(&format!("http://{}", origin.address));
    let refused = egress(Proxies::default(), Roots::Platform).send(&place, ask("/", "")).await.unwrap_err();
    assert!(matches!(refused, Error::Body(_)), "{refused}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
    let limits = EgressLimits { reply: Duration::from_millis(20), ..EgressLimits::default() };
    let egress = Egress::new(EgressConfig { limits, ..EgressConfig::default() });
    let place = place(&format!("http://{}", listener.local_addr().unwrap()));
    let late = egress.send(&place, ask("/", "")).await.unwrap_err();
    assert!(matches!(late, Error::Timeout { sent: Sent::Maybe, .. }), "{late}");
}

#[tokio::test]
async fn a_request_to_something_else_than_a_path_is_not_sent() {
    let place = place("http://127.0.0.1:1");
    let request = Request::builder().uri("*").body(Bytes::new()).unwrap();
    let refused = egress(Proxies::default(), Roots::Platform).send(&place, request).await.unwrap_err();
    assert!(matches!(refused, Error::Request(_)), "{refused}");
}
