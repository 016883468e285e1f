//! What the tests of this crate share: upstreams on loopback, a certificate authority, raw bytes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::body::{Bounds, collect_bounded};
use crate::tls::{Base, Outbound, Trust};
use crate::{Body, Dial, Names, Private, ServeLimits, Upstream, UpstreamConfig, Verify, bind_tcp};

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A limit for what should come at once, and comes late where the machine does other things.
pub(crate) const SOON: Duration = Duration::from_secs(120);

pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::new(LOOPBACK, 0)
}

pub(crate) const fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

pub(crate) fn limits() -> ServeLimits {
    ServeLimits { grace: SOON, ..ServeLimits::default() }
}

/// An upstream that is no part of this house, and counts the connections that it gets.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Origin {
    /// Serves HTTP/1 and HTTP/2, over TLS where a configuration is given.
    pub(crate) async fn start<F, R>(tls: Option<Arc<rustls::ServerConfig>>, handler: F) -> Self
    where
        F: Fn(Request<hyper::body::Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let (handler, tls) = (handler.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let reply = handler(request);
                        async move { Ok::<_, Infallible>(reply.await) }
                    });
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = match tls {
                        None => builder.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => match tokio_rustls::TlsAcceptor::from(tls).accept(stream).await {
                            Ok(stream) => builder.serve_connection(TokioIo::new(stream), service).await,
                            Err(_) => return,
                        },
                    };
                });
            }
        });
        Self { address, connections }
    }

    /// Answers each connection with these bytes as soon as something was read, and closes it.
    pub(crate) async fn raw(reply: &'static [u8]) -> Self {
        let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(reply).await;
            }
        });
        Self { address, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn dial(&self) -> Dial {
        dial(&format!("http://{}", self.address))
    }

    /// A dial for a name that stands for loopback in [`upstream`].
    pub(crate) fn dial_named(&self, name: &str) -> Dial {
        dial(&format!("https://{name}:{}", self.address.port()))
    }
}

pub(crate) fn dial(authority: &str) -> Dial {
    Dial {
        authority: authority.parse().unwrap(),
        private: Private::Allowed,
        verify: Verify::Checked,
        connect: SOON,
        way: None,
    }
}

/// Says what it was asked.
pub(crate) async fn echo(request: Request<hyper::body::Incoming>) -> Response<Body> {
    let mut seen = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        seen.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    let body = read(request.into_body()).await;
    seen.push_str(&String::from_utf8_lossy(&body));
    Response::new(Body::full(seen))
}

pub(crate) async fn read<B>(body: B) -> Bytes
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    collect_bounded(body, Bounds { bytes: 1 << 20, frame: SOON, whole: SOON }).await.unwrap()
}

pub(crate) async fn text<B>(reply: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    String::from_utf8(read(reply.into_body()).await.to_vec()).unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::builder().uri(path).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, body: Body) -> Request<Body> {
    Request::builder().method("POST").uri(path).body(body).unwrap()
}

/// An upstream pool that trusts this authority only and knows two names for loopback.
pub(crate) fn upstream(authority: &Authority) -> Upstream {
    Upstream::new(config(authority)).unwrap()
}

pub(crate) fn config(authority: &Authority) -> UpstreamConfig {
    let trust = Trust { base: Base::Nobody, extra: vec![authority.certificate.clone()] };
    let names = BTreeMap::from([("api.test".into(), vec![LOOPBACK]), ("other.test".into(), vec![LOOPBACK])]);
    UpstreamConfig {
        names: Names::Table(Arc::new(names)),
        ..UpstreamConfig::new(Outbound::new(&trust).unwrap())
    }
}

/// A certificate authority for tests.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let signed = params.self_signed(&key).unwrap();
        let (certificate, pem) = (signed.der().clone(), signed.pem());
        Self { issuer: Issuer::new(params, key), certificate, pem }
    }

    /// The authority's own certificate in PEM.
    pub(crate) fn certificate_pem(&self) -> String {
        self.pem.clone()
    }

    /// The same server, which asks for a certificate of this authority.
    pub(crate) fn asking(&self, name: &str, alpn: &[&str]) -> Arc<rustls::ServerConfig> {
        use rustls::pki_types::pem::PemObject;
        let (chain, key) = self.pem(name, 2100);
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// PEM of a certificate for a name, and of its key; expired where `until` lies in the past.
    pub(crate) fn pem(&self, name: &str, until: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A server that shows a certificate for this name and offers these protocols.
    pub(crate) fn server(&self, name: &str, until: i32, alpn: &[&str]) -> Arc<rustls::ServerConfig> {
        use rustls::pki_types::pem::PemObject;
        let (chain, key) = self.pem(name, until);
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// Sends bytes and reads until the other end closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset behind the answer is a close as well.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.expect("it was not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits for a condition, with a limit.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let limit = tokio::time::Instant::now() + SOON;
    while !condition() {
        assert!(tokio::time::Instant::now() < limit, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An address that is somebody's, who does not listen: whoever connects is refused, and nobody else is given it meanwhile.
pub(crate) fn refusing() -> (SocketAddr, tokio::net::TcpSocket) {
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind(any_port()).unwrap();
    (held.local_addr().unwrap(), held)
}

/// A listener of one thread on a free port.
pub(crate) fn listener() -> crate::Listener {
    bind_tcp(any_port(), one()).unwrap().pop().unwrap().listener().unwrap()
}

/// A path in a new folder of its own, which goes when the first of the pair is dropped.
pub(crate) fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}
