//! The API for tenants on a port of its own, with two tenants, for tests.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use testkit::{Doorward, Running, Upstream};

use crate::{home, write, write_integration};

/// A reply: status, head, document.
pub(crate) struct Said(pub(crate) u16, pub(crate) String, pub(crate) Value);

/// An API with two tenants, and providers whose services are these upstreams.
pub(crate) struct Api {
    pub(crate) doorward: Doorward,
    pub(crate) running: Running,
    pub(crate) key: String,
    pub(crate) other: String,
}

impl Api {
    /// `providers` are integrations that are moved to an upstream.
    pub(crate) fn with(providers: &[(&str, &Upstream)]) -> Self {
        let files: Vec<String> = providers
            .iter()
            .map(|(name, upstream)| moved(name, &format!("{}/json", upstream.url()), ""))
            .collect();
        Self::laid(&files, "", &[])
    }

    /// Integrations of the user's own, `settings.toml`, and variables of the environment.
    pub(crate) fn laid(files: &[String], settings: &str, environment: &[(&str, &str)]) -> Self {
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        files.iter().for_each(|text| write_integration(&doorward, text));
        if !settings.is_empty() {
            write(doorward.data().join("settings.toml"), settings);
        }
        Self::served(doorward, environment)
    }

    /// A home that was made and dressed already.
    pub(crate) fn in_home(doorward: Doorward) -> Self {
        Self::served(doorward, &[])
    }

    /// A home that has its tenants, started once more.
    pub(crate) fn again(doorward: Doorward, key: String, other: String) -> Self {
        let running = serve(&doorward, &[]);
        Self { doorward, running, key, other }
    }

    fn served(doorward: Doorward, environment: &[(&str, &str)]) -> Self {
        let running = serve(&doorward, environment);
        let tenant = |name: &str| {
            let _ = doorward.run(&["tenant", "create", name, "--plan", "enterprise"], "").succeeded();
            doorward.run(&["key", "create", "--tenant", name], "").succeeded().trim().to_owned()
        };
        let (key, other) = (tenant("acme_inc"), tenant("other_inc"));
        Self { doorward, running, key, other }
    }

    /// The same home with a tenant of another plan.
    pub(crate) fn tenant(&self, name: &str, plan: &str) -> String {
        let _ = self.doorward.run(&["tenant", "create", name, "--plan", plan], "").succeeded();
        self.doorward.run(&["key", "create", "--tenant", name], "").succeeded().trim().to_owned()
    }

    /// Stops the broker, changes what is on the disk, and starts it again.
    pub(crate) fn restarted(self, between: impl FnOnce(&Doorward)) -> Self {
        let Self { doorward, running, key, other } = self;
        assert!(running.stop().success());
        between(&doorward);
        let running = serve(&doorward, &[]);
        Self { doorward, running, key, other }
    }

    /// Where it listens, without the scheme.
    pub(crate) fn place(&self) -> String {
        self.running.ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn ask(&self, key: Option<&str>, method: &str, path: &str, body: &Value) -> Said {
        ask(&self.place(), key, (method, path), body)
    }

    pub(crate) fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> Said {
        raw(&self.place(), (method, path), headers, body)
    }

    pub(crate) fn mine(&self, method: &str, path: &str, body: &Value) -> Value {
        let Said(status, _, value) = self.ask(Some(&self.key), method, path, body);
        assert_eq!(status, 200, "{method} {path}: {value}");
        value
    }

    /// Sets a credential up for the first tenant; gives status, error and message.
    pub(crate) fn set_up(&self, provider: &str, credential: &Value) -> (String, String, String) {
        let body = json!({"credential": credential});
        outcome(&self.mine("POST", &format!("integrations/acme_inc/{provider}/setup"), &body))
    }

    /// Validates the credential of the first tenant again.
    pub(crate) fn validated(&self, provider: &str) -> (String, String, String) {
        outcome(&self.mine("POST", &format!("integrations/acme_inc/{provider}/validate"), &Value::Null))
    }
}

/// Asks the API at a place, also from another thread.
pub(crate) fn ask(place: &str, key: Option<&str>, (method, path): (&str, &str), body: &Value) -> Said {
    let header = key.map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    raw(place, (method, path), &header, &body)
}

fn raw(place: &str, (method, path): (&str, &str), headers: &str, body: &str) -> Said {
    at(place, (method, &format!("/api/v1/{path}")), headers, body)
}

/// Asks anything at a place.
pub(crate) fn at(place: &str, (method, path): (&str, &str), headers: &str, body: &str) -> Said {
    let mut stream = TcpStream::connect(place).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n{headers}Content-Type: \
         application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Said(status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

fn outcome(said: &Value) -> (String, String, String) {
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(said["success"], said["validation_status"] == "VALID", "{said}");
    (text("validation_status"), text("validation_error"), text("message"))
}

/// A built-in integration at another address.
pub(crate) fn moved(name: &str, url: &str, more: &str) -> String {
    format!("name: {name}\nextends: {name}\nbase_url: {url}\ndangerous_allow_private: true\n{more}")
}

fn serve(doorward: &Doorward, environment: &[(&str, &str)]) -> Running {
    let mut command = doorward.command();
    command.args(["serve", "--json", "--addr", "127.0.0.1:0"]).envs(environment.iter().copied());
    doorward.start(command)
}
