//! Everything that the steps share: the home, the service, the broker, the caller, and what the caller held so far.

use std::path::{Path, PathBuf};

use super::Shown;
use super::broker::{Broker, Program};
use super::curl::{Ask, Caller, Exchange};
use super::service::Service;
use crate::failure::{Failure, Outcome};

/// The stage.
pub(crate) struct Stage {
    pub(super) program: Program,
    pub(super) service: Service,
    pub(super) caller: Caller,
    broker: Broker,
    folder: PathBuf,
    /// A canary: random, and good for nothing but the service of this demo.
    pub(super) secret: String,
    /// Everything that the caller was told and saw.
    held: Vec<u8>,
}

impl Stage {
    /// Starts the service and the broker.
    pub(super) fn set(folder: &Path) -> Outcome<(Self, Shown)> {
        let home = folder.join("home");
        let random = crypto::array::<16>().map_err(|error| Failure::of(&error))?;
        let secret = format!("demo-CANARY-{}", crypto::to_hex(&random));
        let service = Service::start(&secret)?;
        store::files::private_folder(&home.join("integrations"))?;
        store::files::private_folder(&home)?;
        let file = home.join("integrations").join("notes.yaml");
        store::files::replace(&file, integration(&service.url()).as_bytes(), 0o600)?;
        let program = Program::over(&home)?;
        let broker = program.start()?;
        let caller = Caller::find(&program);
        let shown = Shown {
            text: "A broker is running, with a home of its own. A service that demands a secret is running as well.".to_owned(),
            command: Some(format!("doorward --home {} up --gateway 127.0.0.1:0", home.display())),
        };
        let folder = folder.to_owned();
        Ok((Self { program, service, caller, broker, folder, secret, held: Vec::new() }, shown))
    }

    /// The home.
    pub(super) fn home(&self) -> &Path {
        self.program.home()
    }

    /// The gateway's address.
    pub(super) fn gateway(&self) -> &str {
        &self.broker.gateway
    }

    /// A file of the demo.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The capability of the caller.
    pub(super) fn capability_file(&self) -> PathBuf {
        self.file("capability")
    }

    /// Lets the caller send one request, and remembers all that it held.
    pub(super) fn ask(&mut self, method: &str, path: &str, capability: &Path) -> Outcome<Exchange> {
        let exchange = self.caller.ask(&Ask { gateway: &self.broker.gateway, method, path, capability })?;
        self.held.extend_from_slice(&exchange.held);
        Ok(exchange)
    }

    /// Where the caller held the secret, in any of the ways in which it may be written.
    pub(super) fn leaked(&self) -> Option<&'static str> {
        let secret = self.secret.as_bytes();
        let reversed: String = self.secret.chars().rev().collect();
        let ways: [(&'static str, Vec<u8>); 4] = [
            ("as it is", secret.to_vec()),
            ("in hex", crypto::to_hex(secret).into_bytes()),
            // Without the last group, so that it is found in the middle of something longer.
            ("in base 64", crypto::to_base64(secret).into_bytes().into_iter().take(40).collect()),
            ("reversed", reversed.into_bytes()),
        ];
        ways.iter()
            .find(|(_, needle)| self.held.windows(needle.len()).any(|window| window == needle))
            .map(|(how, _)| *how)
    }

    /// Ends broker and service in good order.
    pub(super) fn end(self) -> Outcome {
        let ended = self.broker.end();
        self.service.end();
        ended
    }
}

fn integration(url: &str) -> String {
    format!(
        "name: notes\n\
         title: Notes\n\
         docs: https://github.com/doorward/doorward\n\
         base_url: {url}\n\
         # The service of the demo is on this machine. Nothing else needs this.\n\
         dangerous_allow_private: true\n\
         secrets:\n  token: {{title: API token}}\n\
         auth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 5s, head: 10s, total: 30s, idle: 10s, body: 1MiB}}\n\
         operations:\n\
         \x20 notes.list:\n    title: List notes\n    access: read\n    risk: low\n    match: {{method: GET, path: /notes}}\n\
         \x20 notes.add:\n    title: Add a note\n    access: write\n    risk: medium\n    match: {{method: POST, path: /notes}}\n    body: any\n\
         \x20 echo.show:\n    title: Show what was sent\n    access: read\n    risk: low\n    match: {{method: GET, path: /echo}}\n"
    )
}
