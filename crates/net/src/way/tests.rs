//! Ways to upstreams: whom they trust, what they show, through which proxy, and how many at a time.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};

use super::*;
use crate::tests::{self, Origin, SOON, any_port, echo, get, text, until};
use crate::{Body, Private, Verify};

fn along(way: WayConfig<'_>, dial: Dial) -> Dial {
    Dial { way: Some(Way::new(way).unwrap()), ..dial }
}

#[tokio::test]
async fn only_the_authorities_of_the_way_count() {
    let (own, other) = (tests::Authority::new(), tests::Authority::new());
    let origin = Origin::start(Some(own.server("api.test", 2100, &["http/1.1"])), echo).await;
    let upstream = tests::upstream(&own);
    let trusting = |authority: &tests::Authority| {
        let text = authority.certificate_pem();
        let config = WayConfig { authorities: Some(&text), ..WayConfig::default() };
        along(config, origin.dial_named("api.test"))
    };
    let reply = upstream.send(&trusting(&own), get("/"), SOON).await.unwrap();
    assert!(text(reply).await.starts_with("GET /"));
    let refused = upstream.send(&trusting(&other), get("/"), SOON).await;
    assert!(matches!(refused, Err(Error::Tls { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_is_shown_on_its_own_way_and_on_no_other() {
    let authority = tests::Authority::new();
    let server = authority.asking("api.test", &["h2", "http/1.1"]);
    let origin = Origin::start(Some(server), echo).await;
    let upstream = tests::upstream(&authority);
    let showing = |name: &str| {
        let (chain, key) = authority.pem(name, 2100);
        let client_key = ClientKey::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        let text = authority.certificate_pem();
        let config =
            WayConfig { authorities: Some(&text), client_key: Some(client_key), ..WayConfig::default() };
        along(config, origin.dial_named("api.test"))
    };
    let (first, second) = (showing("one"), showing("two"));
    for dial in [&first, &first, &second, &first] {
        text(upstream.send(dial, get("/"), SOON).await.unwrap()).await;
    }
    assert_eq!(origin.connections(), 2, "each way has one connection of its own");
    let bare = upstream.send(&origin.dial_named("api.test"), get("/"), SOON).await;
    assert!(bare.is_err(), "a connection that showed a certificate served somebody else");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_and_not_repeated() {
    let authority = tests::Authority::new();
    let ((chain, key), (_, other)) = (authority.pem("one", 2100), authority.pem("two", 2100));
    assert!(ClientKey::from_pem(chain.as_bytes(), key.as_bytes()).is_ok());
    for (chain, key) in [(&*chain, &*other), (&*chain, "x"), ("x", &*key), (&*key, &*key), ("", "")] {
        let refused = ClientKey::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(refused, Error::Pem(_)), "{refused:?}");
    }
    let client_key = ClientKey::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    assert_eq!(format!("{client_key:?}"), "ClientKey { .. }");
}

/// A proxy that notes each head and opens a tunnel to `to`.
async fn proxy(to: std::net::SocketAddr, answer: &'static str) -> (Authority, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                seen.lock().unwrap().push(String::from_utf8(head).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut other = tokio::net::TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut other).await;
            });
        }
    });
    (format!("http://{address}").parse().unwrap(), heads)
}

const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn a_proxy_sees_a_host_and_a_port_and_nothing_of_the_request() {
    let authority = tests::Authority::new();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["http/1.1"])), echo).await;
    let (address, heads) = proxy(origin.address, OPEN).await;
    let upstream = tests::upstream(&authority);
    let dial =
        along(WayConfig { proxy: Some(address), ..WayConfig::default() }, origin.dial_named("api.test"));
    for _ in 0..2 {
        let reply = upstream.send(&dial, get("/secret-path"), SOON).await.unwrap();
        assert!(text(reply).await.starts_with("GET /secret-path"));
    }
    let heads = heads.lock().unwrap().clone();
    let place = format!("api.test:{}", origin.address.port());
    assert_eq!(heads, [format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n")], "one tunnel for both");
}

#[tokio::test]
async fn a_proxy_is_shown_the_name_and_password_that_are_for_it_and_the_upstream_is_not() {
    let authority = tests::Authority::new();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["http/1.1"])), echo).await;
    let (address, heads) = proxy(origin.address, OPEN).await;
    let upstream = tests::upstream(&authority);
    let config = WayConfig {
        proxy: Some(address),
        proxy_basic: Some(b"jane:CANARY-password"),
        ..WayConfig::default()
    };
    let dial = along(config, origin.dial_named("api.test"));
    let reply = text(upstream.send(&dial, get("/"), SOON).await.unwrap()).await;
    assert!(!reply.to_ascii_lowercase().contains("proxy-authorization"), "{reply}");
    let heads = heads.lock().unwrap().clone();
    let place = format!("api.test:{}", origin.address.port());
    let shown = "Proxy-Authorization: Basic amFuZTpDQU5BUlktcGFzc3dvcmQ=";
    assert_eq!(heads, [format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{shown}\r\n\r\n")]);
    assert!(!format!("{dial:?}").contains("CANARY"), "{dial:?}");
}

#[tokio::test]
async fn what_may_not_be_dialled_is_not_asked_of_a_proxy_either() {
    let origin = Origin::start(None, echo).await;
    let (address, heads) = proxy(origin.address, OPEN).await;
    let upstream = tests::upstream(&tests::Authority::new());
    for place in ["https://127.0.0.1:9", "https://169.254.169.254", "https://0x7f.1", "http://8.8.8.8"] {
        let config = WayConfig { proxy: Some(address.clone()), ..WayConfig::default() };
        let dial = Dial { private: Private::Refused, ..along(config, tests::dial(place)) };
        let refused = upstream.send(&dial, get("/"), SOON).await;
        assert!(matches!(refused, Err(Error::Address { .. })), "{place}: {refused:?}");
    }
    // A name that only a proxy could look up is asked of it where the answer has to prove itself, else not.
    let unknown = |verify| {
        let config = WayConfig { proxy: Some(address.clone()), ..WayConfig::default() };
        Dial { verify, ..along(config, tests::dial("https://only-there.test")) }
    };
    let skipped = upstream.send(&unknown(Verify::Skipped), get("/"), SOON).await;
    assert!(matches!(skipped, Err(Error::Unreachable { .. })), "{skipped:?}");
    assert!(heads.lock().unwrap().is_empty());
    let checked = upstream.send(&unknown(Verify::Checked), get("/"), SOON).await;
    assert!(matches!(checked, Err(Error::Tls { .. })), "{checked:?}");
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_nothing_was_sent() {
    let origin = Origin::start(None, echo).await;
    let (address, _) = proxy(origin.address, "HTTP/1.1 407 Who are you\r\n\r\n").await;
    let upstream = tests::upstream(&tests::Authority::new());
    let config = WayConfig { proxy: Some(address), ..WayConfig::default() };
    let error = upstream.send(&along(config, origin.dial()), get("/"), SOON).await.unwrap_err();
    assert_eq!(error.sent(), Sent::Nothing);
    let Error::Unreachable { source, .. } = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("wants a name and a password"), "{source}");
}

#[tokio::test]
async fn a_connection_that_is_for_one_request_is_closed_behind_it() {
    let authority = tests::Authority::new();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["h2", "http/1.1"])), echo).await;
    let upstream = tests::upstream(&authority);
    let config = WayConfig { reuse: Reuse::Never, ..WayConfig::default() };
    let dial = along(config, origin.dial_named("api.test"));
    for _ in 0..3 {
        let seen = text(upstream.send(&dial, get("/"), SOON).await.unwrap()).await;
        assert!(seen.starts_with("GET / HTTP/1.1"), "{seen}");
    }
    assert_eq!(origin.connections(), 3);
}

#[tokio::test]
async fn no_more_requests_than_allowed_are_under_way_and_the_queue_is_bounded() {
    static BUSY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    async fn slow(_: http::Request<hyper::body::Incoming>) -> Response<Body> {
        MOST.fetch_max(BUSY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        BUSY.fetch_sub(1, Ordering::SeqCst);
        Response::new(Body::full(Bytes::from_static(b"done")))
    }
    let origin = Origin::start(None, slow).await;
    let upstream = Arc::new(tests::upstream(&tests::Authority::new()));
    let two = NonZeroUsize::new(2);
    let dial = along(WayConfig { most: two, ..WayConfig::default() }, origin.dial());
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (upstream, dial) = (Arc::clone(&upstream), dial.clone());
        asked.spawn(async move {
            match upstream.send(&dial, get("/"), SOON).await {
                Ok(reply) => text(reply).await == "done",
                Err(error) => {
                    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
                    assert_eq!(error.sent(), Sent::Nothing);
                    false
                }
            }
        });
    }
    let answered = asked.join_all().await.into_iter().filter(|answered| *answered).count();
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
    assert_eq!(answered, 2 + 2 * QUEUED, "two at once, sixteen in the queue, the rest is refused");
    until("the queue is empty", || {
        dial.way.as_ref().unwrap().places().unwrap().waiting.load(Ordering::SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn a_place_is_held_until_the_reply_has_ended() {
    let origin = Origin::start(None, |_| async { Response::new(Body::full(vec![0; 1 << 20])) }).await;
    let upstream = tests::upstream(&tests::Authority::new());
    let config = WayConfig { most: NonZeroUsize::new(1), ..WayConfig::default() };
    let dial = along(config, origin.dial());
    let held = upstream.send(&dial, get("/"), SOON).await.unwrap();
    let hasty = Dial { connect: Duration::from_millis(50), ..dial.clone() };
    let waited = upstream.send(&hasty, get("/"), SOON).await;
    assert!(matches!(waited, Err(Error::Timeout { sent: Sent::Nothing, .. })), "{waited:?}");
    assert_eq!(tests::read(held.into_body()).await.len(), 1 << 20);
    drop(upstream.send(&dial, get("/"), SOON).await.unwrap());
    upstream.send(&dial, get("/"), SOON).await.unwrap();
}
