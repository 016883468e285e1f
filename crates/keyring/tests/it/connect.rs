//! `op-connect`, against a stand-in for the server.

use std::io::BufRead;
use std::process::{Child, Stdio};

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{Running, command, fake, fake_path};
use crate::suite::{CANARY, Member, chain, read, store};

struct Server {
    running: Running,
    port: String,
    home: TempDir,
}

impl Server {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let script = fake("connect.py");
        let mut python = command(&script, home.path());
        python.env("PATH", fake_path()).args(["canary-token", "vault1"]).arg(home.path().join("requests"));
        let mut running = Running(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let port = first_line(&mut running.0);
        Self { running, port, home }
    }

    fn with(&self, token: &'static str) -> Settings {
        let mut settings = Settings::new(self.home.path().to_owned(), Answers::with(token));
        settings.op.vault = Some("vault1".to_owned());
        settings.op.host = Some(format!("http://127.0.0.1:{}/", self.port));
        settings
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

impl Member for Server {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::OpConnect, &self.with("canary-token")).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        Some(keyring::open(Kind::OpConnect, &self.with("another-token")).unwrap())
    }
}

conformance!(Server::new());

#[test]
fn one_entry_is_read_with_two_requests() {
    let server = Server::new();
    store(&*server.open(), "other", b"x");
    store(&*server.open(), "work", CANARY);
    let before = requests(&server).len();
    assert_eq!(read(&*server.open(), "work"), CANARY);
    let requests = requests(&server);
    assert_eq!(requests.len() - before, 2);
    assert_eq!(
        requests[before],
        "GET /v1/vaults/vault1/items?filter=title%20eq%20%22aws%2Dvault%3A%20work%22"
    );
}

fn requests(server: &Server) -> Vec<String> {
    let text = std::fs::read_to_string(server.home.path().join("requests")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_wrong_token_and_a_foreign_vault_are_told_apart() {
    let server = Server::new();
    let error = server.locked().unwrap().names().unwrap_err();
    assert!(matches!(error, Error::Locked { kind: Kind::OpConnect, .. }), "{error}");
    let mut settings = server.with("canary-token");
    settings.op.vault = Some("vault2".to_owned());
    let error = keyring::open(Kind::OpConnect, &settings).unwrap().names().unwrap_err();
    assert!(error.to_string().contains("403 Forbidden vault is not in scope"), "{error}");
}

#[test]
fn a_server_that_is_gone_and_one_that_must_not_be_dialled_are_errors() {
    let server = Server::new();
    let settings = server.with("canary-token");
    let Server { running, .. } = server;
    drop(running);
    let error = keyring::open(Kind::OpConnect, &settings).unwrap().names().unwrap_err();
    assert!(!chain(&error).contains("canary"), "{error}");
    let mut settings = settings;
    for host in ["http://192.0.2.1", "http://example.com:8080"] {
        settings.op.host = Some(host.to_owned());
        let keyring = keyring::open(Kind::OpConnect, &settings).unwrap();
        assert!(keyring.names().is_err(), "{host}: the token would go there in the clear");
    }
    settings.op.host = Some("localhost:8080".to_owned());
    assert!(matches!(keyring::open(Kind::OpConnect, &settings), Err(Error::Setting { .. })));
}
