//! Real servers that write down what they parsed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::HANG;
use crate::{skip, write};

/// A running server. Ended when dropped.
pub(super) struct BackEnd {
    /// Also the name of its integration.
    pub(super) name: &'static str,
    pub(super) port: u16,
    log: PathBuf,
    child: Child,
    _folder: tempfile::TempDir,
}

/// A request as a server parsed it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) authorization: String,
    pub(super) body: String,
    /// Whether all of it came, and the server took it.
    pub(super) whole: bool,
}

impl BackEnd {
    /// Every server that is installed here; each that is not is noted as skipped.
    pub(super) fn all() -> Vec<Self> {
        let all =
            [Self::nginx(), Self::program("node", "node"), Self::go(), Self::program("python", "python3")];
        let all: Vec<Self> = all.into_iter().flatten().collect();
        assert!(!all.is_empty(), "none of nginx, node, go and python3 is installed");
        all
    }

    /// The host that names its integration.
    pub(super) fn host(&self) -> String {
        format!("{}.localhost", self.name)
    }

    fn nginx() -> Option<Self> {
        let program =
            ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"];
        let Some(program) = program.into_iter().find(|path| Path::new(path).is_file()) else {
            skip("smuggling-nginx", "nginx is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // Asked again where somebody took the port meanwhile.
        for _ in 0..5 {
            let port = testkit::port();
            let user = if is_root() { "user root;" } else { "" };
            let text = include_str!("../../fixtures/back_ends/nginx.conf")
                .replace("FOLDER", &folder.path().to_string_lossy())
                .replace("PORT", &port.to_string())
                .replace("USER\n", &format!("{user}\n"));
            let config = folder.path().join("nginx.conf");
            write(&config, &text);
            let mut child = Command::new(program)
                .args(["-e", "stderr", "-c"])
                .arg(&config)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if listens(&mut child, port) {
                let log = folder.path().join("requests.jsonl");
                return Some(Self { name: "nginx", port, log, child, _folder: folder });
            }
        }
        panic!("nginx did not start");
    }

    fn program(name: &'static str, program: &str) -> Option<Self> {
        if !runs(program) {
            skip(&format!("smuggling-{name}"), &format!("{program} is not installed"));
            return None;
        }
        let file = if name == "node" { "node.js" } else { "server.py" };
        let mut command = Command::new(program);
        command.arg(fixtures().join(file));
        Some(Self::said(name, command, tempfile::tempdir().unwrap()))
    }

    fn go() -> Option<Self> {
        if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
            skip("smuggling-go", "go is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("server");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&binary)
            .arg(fixtures().join("server.go"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(Self::said("go", Command::new(binary), folder))
    }

    /// A server that says its port.
    fn said(name: &'static str, mut command: Command, folder: tempfile::TempDir) -> Self {
        let log = folder.path().join("requests.jsonl");
        let mut child = command
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} said no port but `{line}`"));
        Self { name, port, log, child, _folder: folder }
    }

    /// Asks the server directly for something that nobody else asks for; gives what is in its log then.
    pub(super) fn barrier(&self) -> String {
        use std::hash::{BuildHasher, RandomState};
        let mark = format!("/barrier/{:016x}", RandomState::new().hash_one(0));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        let request = format!("GET {mark} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        mark
    }

    /// Every record, once that of the barrier is there and nothing more comes.
    pub(super) fn records_after(&self, mark: &str) -> Vec<Record> {
        let until = Instant::now() + HANG;
        let mut length = 0;
        loop {
            let text = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
            if text.contains(mark) && text.len() == length {
                let records = text.lines().map(|line| record(line, self.name));
                return records.filter(|record| !record.target.starts_with("/barrier/")).collect();
            }
            length = text.len();
            assert!(Instant::now() < until, "{} did not write what it saw", self.name);
            // What is smuggled behind a request may be parsed a moment after it was answered.
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for BackEnd {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to; killed, it would leave them.
        if self.name == "nginx" {
            let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
            let until = Instant::now() + Duration::from_secs(5);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn record(line: &str, name: &str) -> Record {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error} in {line}"));
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whole = match value.get("whole").and_then(Value::as_bool) {
        Some(whole) => whole,
        None => text("status") == "200",
    };
    let target = match text("target") {
        // What nginx did not parse has its first line only.
        empty if empty.is_empty() => text("line"),
        target => target,
    };
    Record { method: text("method"), target, authorization: text("authorization"), body: text("body"), whole }
}

fn listens(child: &mut Child, port: u16) -> bool {
    let until = Instant::now() + HANG;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/back_ends")
}
