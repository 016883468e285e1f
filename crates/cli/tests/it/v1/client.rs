//! A broker with its API, and a client that says what it means.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use testkit::{Doorward, Running, Upstream};

use crate::home;

/// A reply; its head in lower case.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) value: Value,
    pub(crate) raw: String,
}

/// A session that is open.
pub(crate) struct Session {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Session {
    /// Both halves, as its page sends them.
    pub(crate) fn headers(&self) -> String {
        format!("Cookie: doorward_session={}\r\nX-CSRF-Token: {}\r\n", self.cookie, self.csrf)
    }
}

impl Said {
    /// The session that this reply began.
    pub(crate) fn session(&self) -> Session {
        let behind = self.raw.split_once("doorward_session=").unwrap().1;
        let cookie = behind.split(';').next().unwrap().to_owned();
        Session { cookie, csrf: self.value["csrf"].as_str().unwrap().to_owned() }
    }
}

pub(crate) struct Api {
    pub(crate) doorward: Doorward,
    pub(crate) running: Running,
}

impl Api {
    pub(crate) fn open() -> Self {
        Self::with(&[])
    }

    /// `services` are integrations that are moved to an upstream.
    pub(crate) fn with(services: &[(&str, &Upstream)]) -> Self {
        Self::told("", services)
    }

    /// The same with these settings.
    pub(crate) fn told(settings: &str, services: &[(&str, &Upstream)]) -> Self {
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        if !settings.is_empty() {
            crate::write(doorward.data().join("settings.toml"), settings);
        }
        for (name, upstream) in services {
            let base = format!("{}/json", upstream.url());
            let add = ["integration", "add", name, "--base-url", &base, "--dangerous-allow-private"];
            let _ = doorward.run(&add, "").succeeded();
        }
        let mut command = doorward.command();
        command.args(["serve", "--json", "--addr", "127.0.0.1:0"]);
        let running = doorward.start(command);
        Self { doorward, running }
    }

    /// Kills the broker, and starts another one over the same home.
    pub(crate) fn restarted(self) -> Self {
        let Self { doorward, running } = self;
        let _ = running.kill9();
        let mut command = doorward.command();
        command.args(["serve", "--json", "--addr", "127.0.0.1:0"]);
        let running = doorward.start(command);
        Self { doorward, running }
    }

    /// Signs in as the owner, by a link.
    pub(crate) fn session(&self) -> Session {
        let link = self.doorward.run(&["console", "--no-open", "--json"], "").json();
        let code = link["url"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned();
        let said = self.ask("POST", "/v1/session", "", &json!({"code": code}));
        assert_eq!(said.status, 201, "{}", said.value);
        said.session()
    }

    pub(crate) fn read(&self, session: &Session, path: &str) -> Said {
        self.ask("GET", path, &session.headers(), &Value::Null)
    }

    pub(crate) fn write(&self, session: &Session, method: &str, path: &str, body: &Value) -> Said {
        let headers = format!("{}Sec-Fetch-Site: same-origin\r\n", session.headers());
        self.ask(method, path, &headers, body)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &Value) -> Said {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(method, path, &format!("{headers}Content-Type: application/json\r\n"), &body)
    }

    pub(crate) fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> Said {
        self.under(&self.place(), (method, path), headers, body)
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> String {
        self.running.ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned()
    }

    /// The same under another name.
    pub(crate) fn under(&self, host: &str, (method, path): (&str, &str), headers: &str, body: &str) -> Said {
        let mut stream = TcpStream::connect(self.place()).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A body that is too large is refused before it has come whole.
        let _ = stream.write_all(body.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let raw = String::from_utf8(bytes).unwrap();
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {raw}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let (head, value) = (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default());
        Said { status, head, value, raw }
    }
}
