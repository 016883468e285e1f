//! Doors that ask for certificates: who gets in, what is known of them, and what a reload changes.

use std::sync::Mutex;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;

use super::*;
use crate::tests::{self, folder, listener};
use crate::tls::{Certificates, Versions, server_config};
use crate::{Body, Peer, drain, serve};

#[expect(clippy::disallowed_methods, reason = "a file of this test")]
fn put(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A door with TLS that asks for certificates of one authority, and notes who came.
struct Door {
    folder: tempfile::TempDir,
    own: tests::Authority,
    callers: Arc<Callers>,
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<Option<Arc<Certificate>>>>>,
    _drain: drain::Drain,
}

impl Door {
    fn open(theirs: &tests::Authority, showing: Showing) -> Self {
        let own = tests::Authority::new();
        let (folder, chain) = folder("chain.pem");
        let (key, authorities) = (folder.path().join("key.pem"), folder.path().join("ca.pem"));
        let (certificate, private) = own.pem("api.test", 2100);
        put(&chain, &certificate);
        put(&key, &private);
        put(&authorities, &theirs.certificate_pem());
        let certificates = Certificates::read(&chain, &key).unwrap();
        let callers = Callers::read(&authorities, showing).unwrap();
        let config = server_config(certificates, Some(Arc::clone(&callers)), Versions::Tls12Too).unwrap();
        let listener = listener();
        let address = listener.address().unwrap();
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let noted = Arc::clone(&seen);
        let service = move |_, peer: Peer| {
            noted.lock().unwrap().push(peer.certificate);
            async { http::Response::new(Body::empty()) }
        };
        let (drain, draining) = drain::channel();
        tokio::spawn(serve(listener.with_tls(config), service, tests::limits(), draining));
        Self { folder, own, callers, address, seen, _drain: drain }
    }

    /// Asks once, showing a certificate of this authority where one is given.
    async fn ask(&self, theirs: Option<&tests::Authority>) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(self.own.certificate.clone()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match theirs {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let (chain, key) = authority.pem("billing.test", 2100);
                let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(self.address).await.unwrap();
        let Ok(mut stream) = connector.connect("api.test".try_into().unwrap(), stream).await else {
            return false;
        };
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let asked = b"GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
        let mut answer = Vec::new();
        let _ = stream.write_all(asked).await;
        let _ = stream.read_to_end(&mut answer).await;
        answer.starts_with(b"HTTP/1.1 200")
    }
}

#[tokio::test]
async fn only_certificates_of_the_doors_authorities_get_in_where_one_is_required() {
    let (theirs, strangers) = (tests::Authority::new(), tests::Authority::new());
    let door = Door::open(&theirs, Showing::Required);
    assert!(door.ask(Some(&theirs)).await);
    assert!(!door.ask(Some(&strangers)).await);
    assert!(!door.ask(None).await);
    let seen = door.seen.lock().unwrap().clone();
    let [Some(certificate)] = &*seen else { panic!("{seen:?}") };
    assert_eq!(certificate.dns_names, ["billing.test"]);
    assert_ne!(certificate.fingerprint, [0; 32]);
}

#[tokio::test]
async fn where_one_is_optional_a_wrong_one_is_still_refused() {
    let (theirs, strangers) = (tests::Authority::new(), tests::Authority::new());
    let door = Door::open(&theirs, Showing::Optional);
    assert!(door.ask(None).await);
    assert!(door.ask(Some(&theirs)).await);
    assert!(!door.ask(Some(&strangers)).await);
    let seen: Vec<bool> = door.seen.lock().unwrap().iter().map(Option::is_some).collect();
    assert_eq!(seen, [false, true]);
}

#[tokio::test]
async fn a_reload_changes_who_gets_in_and_a_broken_one_changes_nothing() {
    let (theirs, others) = (tests::Authority::new(), tests::Authority::new());
    let door = Door::open(&theirs, Showing::Required);
    let file = door.folder.path().join("ca.pem");
    put(&file, "nothing");
    assert!(door.callers.reload().is_err());
    assert!(door.ask(Some(&theirs)).await);
    put(&file, &others.certificate_pem());
    door.callers.reload().unwrap();
    assert!(door.ask(Some(&others)).await);
    assert!(!door.ask(Some(&theirs)).await);
}
