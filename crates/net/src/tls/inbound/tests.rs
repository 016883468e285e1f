//! Certificates from files: what is refused, and that a reload takes effect or changes nothing.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::tests::{self, SOON, folder, get, listener};
use crate::{Body, Sent, drain, serve};

struct Files {
    _folder: tempfile::TempDir,
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(authority: &tests::Authority, until: i32) -> Self {
        let (folder, chain) = folder("chain.pem");
        let key = folder.path().join("key.pem");
        let files = Self { _folder: folder, chain, key };
        files.put(authority, until);
        files
    }

    fn put(&self, authority: &tests::Authority, until: i32) {
        let (chain, key) = authority.pem("api.test", until);
        put(&self.chain, &chain, 0o644);
        put(&self.key, &key, 0o600);
    }
}

fn put(path: &Path, text: &str, mode: u32) {
    use std::io::Write;
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let files = Files::new(&tests::Authority::new(), 2100);
    for mode in [0o644, 0o620, 0o604, 0o660] {
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Certificates::read(&files.chain, &files.key), Err(Error::Certificate { .. })));
    }
    for mode in [0o600, 0o400, 0o640] {
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(Certificates::read(&files.chain, &files.key).is_ok());
    }
}

#[test]
fn a_key_of_another_certificate_and_files_that_are_no_pem_are_refused() {
    let authority = tests::Authority::new();
    let (files, others) = (Files::new(&authority, 2100), Files::new(&authority, 2100));
    assert!(Certificates::read(&files.chain, &others.key).is_err());
    assert!(Certificates::read(&files.key, &files.key).is_err());
    assert!(Certificates::read(&files.chain, &files.chain).is_err());
    assert!(Certificates::read(Path::new("nowhere.pem"), &files.key).is_err());
}

#[tokio::test]
async fn a_reload_takes_effect_for_the_next_handshake_or_changes_nothing() {
    let authority = tests::Authority::new();
    let files = Files::new(&authority, 2020);
    let certificates = Certificates::read(&files.chain, &files.key).unwrap();
    let config = server_config(Arc::clone(&certificates), None, Versions::Tls13).unwrap();
    let (drain, draining) = drain::channel();
    let door = listener().with_tls(config);
    let port = door.address().unwrap().port();
    let hello = |_, _| async { http::Response::new(Body::full("hello")) };
    let task = tokio::spawn(serve(door, hello, tests::limits(), draining));
    let upstream = tests::upstream(&authority);
    let dial = tests::dial(&format!("https://api.test:{port}"));
    let expired = upstream.send(&dial, get("/"), SOON).await.unwrap_err();
    assert!(matches!(expired, Error::Tls { .. }) && expired.sent() == Sent::Nothing);
    files.put(&authority, 2100);
    certificates.reload().unwrap();
    let reply = upstream.send(&dial, get("/"), SOON).await.unwrap();
    assert_eq!(reply.version(), http::Version::HTTP_2);
    put(&files.key, "garbage", 0o600);
    assert!(certificates.reload().is_err());
    assert!(upstream.send(&dial, get("/"), SOON).await.is_ok());
    drain.start();
    task.await.unwrap();
}
