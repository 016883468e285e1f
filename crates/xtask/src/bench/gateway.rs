//! Doorward's gateway with a home of its own: one secret, one integration, one capability.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::process::Server;
use super::rounds::Served;
use super::settings::Place;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// What the upstream wants to see as the bearer token. It is no secret of anybody's.
pub(super) const SECRET: &str = "bench-CANARY-bearer";

/// A home that is removed when dropped.
pub(super) struct Home {
    place: Place,
    path: PathBuf,
    log: PathBuf,
}

impl Home {
    /// An empty folder in memory or on disk. The log stays in `folder` for whoever has to find out what went wrong.
    pub(super) fn make(place: &Place, folder: &Path) -> Outcome<Self> {
        let name = format!("doorward-bench-{}", std::process::id());
        let path = match place {
            Place::Shm => Path::new("/dev/shm").join(name),
            Place::Disk => folder.join(name),
        };
        let log = folder.join(format!("doorward-{}.log", place.label()));
        Self::made(*place, path, log)
    }

    /// The same at a place of the caller's.
    pub(super) fn at(path: PathBuf, log: PathBuf) -> Outcome<Self> {
        Self::made(Place::Disk, path, log)
    }

    fn made(place: Place, path: PathBuf, log: PathBuf) -> Outcome<Self> {
        std::fs::create_dir_all(&path)
            .map_err(|error| Failure::doing(&format!("make the home `{}`", path.display()), &error))?;
        Ok(Self { place, path, log })
    }

    /// Puts so many integrations beside that of the bench, all to the same upstream.
    pub(super) fn fill(&self, count: usize, upstream: u16) -> Outcome {
        (0..count).try_for_each(|number| self.add(&format!("other-{number:05}"), upstream))
    }

    /// Puts one more integration into the user's layer.
    pub(super) fn add(&self, name: &str, upstream: u16) -> Outcome {
        let layer = self.path.join("integrations");
        let text = integration(upstream).replacen("name: bench\n", &format!("name: {name}\n"), 1);
        // Replaced at once: nobody reads half of it.
        let fresh = layer.join(format!("{name}.fresh"));
        std::fs::create_dir_all(&layer)
            .and_then(|()| std::fs::write(&fresh, text))
            .and_then(|()| std::fs::rename(&fresh, layer.join(format!("{name}.yaml"))))
            .map_err(|error| Failure::doing("write an integration of the bench", &error))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            println!("note: could not remove `{}`: {error}", self.path.display());
        }
    }
}

/// A running gateway. The server ends before its home goes: fields are dropped in this order.
pub(super) struct Gateway {
    server: Server,
    port: u16,
    headers: Vec<String>,
    ready: Duration,
    home: Home,
}

impl Gateway {
    /// Fills `home` and starts a gateway over it, with `ports`: its own, and the upstream's.
    ///
    /// Everything the bench knows of the command line is in [`Self::start_with`] and [`integration`].
    pub(super) fn start(
        root: &Path,
        binary: &Path,
        home: Home,
        core: Option<usize>,
        ports: (u16, u16),
    ) -> Outcome<Self> {
        Self::start_with(root, binary, home, (core, 1), ports)
    }

    /// The same on so many threads.
    pub(super) fn start_with(
        root: &Path,
        binary: &Path,
        home: Home,
        (core, threads): (Option<usize>, usize),
        (port, upstream): (u16, u16),
    ) -> Outcome<Self> {
        let folder = home.path.to_string_lossy().into_owned();
        let doorward = |arguments: &[&str]| {
            let mut all = vec!["--home", &folder];
            all.extend(arguments);
            Program::at(root, binary, &all)
        };
        doorward(&["init"]).run()?;
        doorward(&["secret", "put", "bench/token"]).output_of(SECRET.as_bytes())?;
        let layer = home.path.join("integrations");
        std::fs::create_dir_all(&layer)
            .and_then(|()| std::fs::write(layer.join("bench.yaml"), integration(upstream)))
            .map_err(|error| Failure::doing("write the integration of the bench", &error))?;
        let request = [
            "capability",
            "request",
            "--for",
            "bench",
            "--integrations",
            "bench",
            "--access",
            "read",
            "--expires",
            "1h",
            "--json",
        ];
        let capability = capability(&doorward(&request).output()?)?;

        let headers =
            vec!["X-Doorward-Integration: bench".to_owned(), format!("Authorization: Bearer {capability}")];
        let listen = format!("127.0.0.1:{port}");
        let threads = threads.to_string();
        let arguments = ["--home", &folder, "up", "--gateway", &listen, "--threads", &threads];
        let since = Instant::now();
        let mut server = Server::start(binary, &arguments, core, &home.log)?;
        let ready = server.ready_within(port, &headers, since, LONGEST_START)?;
        Ok(Self { server, port, headers, ready, home })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    pub(super) const fn home(&self) -> &Home {
        &self.home
    }

    /// From the start of the process to the first answer.
    pub(super) fn ready(&self) -> Duration {
        self.ready
    }

    pub(super) fn label(&self) -> String {
        format!("doorward ({})", self.home.place.label())
    }
}

impl Served for Gateway {
    fn process(&self) -> u32 {
        self.server.id()
    }
}

/// The user's layer for an upstream on loopback, with limits that are never met.
fn integration(upstream: u16) -> String {
    format!(
        "name: bench
title: The upstream of the bench
docs: https://doorward.example/bench
base_url: http://127.0.0.1:{upstream}
dangerous_allow_private: true
secrets:
  token: {{title: Bearer token, default: store:bench/token}}
auth:
  - {{scheme: bearer, secret: token}}
limits:
  connect: 5s
  head: 30s
  total: 2m
  idle: 30s
  body: 1MiB
  rate: {{calls: 1000000000, per: 1s}}
  caller_rate: {{calls: 1000000000, per: 1s}}
operations:
  root.read:
    title: Read the body
    access: read
    risk: low
    match: {{method: GET, path: /}}
  auth.read:
    title: Read whether the secret arrived
    access: read
    risk: low
    match: {{method: GET, path: /__auth}}
"
    )
}

/// With ten thousand integrations a start may take longer than it usually does.
const LONGEST_START: Duration = Duration::from_secs(180);

/// The capability in the answer of `capability request --json`.
pub(super) fn capability(answer: &str) -> Outcome<String> {
    let answer: serde_json::Value = serde_json::from_str(answer)
        .map_err(|error| Failure::doing("read the answer of `capability request`", &error))?;
    let token =
        answer.get("token").and_then(serde_json::Value::as_str).filter(|token| token.starts_with("cap1_"));
    token.map(str::to_owned).ok_or_else(|| Failure::new("`capability request` answered without a capability"))
}

#[cfg(test)]
mod tests;
