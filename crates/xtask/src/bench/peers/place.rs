//! Gateways with the credential of the bench: Doorward in the ways that it can be told of integrations, and AuthTranslator.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::gateway::{Gateway, Home, SECRET};
use super::super::process::{Server, free_port};
use super::super::rounds::Served;
use super::files::{Files, NAME, Size, VARIABLE};
use crate::failure::Outcome;
use crate::program::{Program, find};

/// How Doorward is told of its integrations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// By a peer's files: `doorward gateway --config …`.
    Config,
    /// By files in its home; there are no rules of an allowlist then, and callers present a capability.
    Layer,
}

impl Way {
    /// The way that this program knows.
    pub(super) fn of(root: &Path, binary: &Path) -> Outcome<Self> {
        let help = Program::at(root, binary, &["gateway", "--help"]).output();
        let known = help.is_ok_and(|help| help.contains("--config"));
        if !known {
            println!(
                "note: the program has no `gateway --config`; integrations go into its home, without rules"
            );
        }
        Ok(if known { Self::Config } else { Self::Layer })
    }
}

/// Where a gateway of ours is made.
pub(super) struct Place<'a> {
    pub(super) root: &'a Path,
    pub(super) binary: &'a Path,
    pub(super) log: PathBuf,
    pub(super) home: PathBuf,
    pub(super) core: Option<usize>,
    pub(super) way: Way,
}

/// A running gateway.
pub(super) enum Door {
    /// One that reads a peer's files. The server ends before its home goes: fields are dropped in this order.
    Files {
        server: Server,
        port: u16,
        headers: Vec<String>,
        ready: Duration,
        files: Files,
        _removed: Option<Removed>,
    },
    /// One with files in its home.
    Layer(Gateway),
}

/// A folder that is removed when dropped.
pub(super) struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            println!("note: could not remove `{}`: {error}", self.0.display());
        }
    }
}

impl Door {
    /// Doorward with so much configured, on so many threads.
    pub(super) fn ours(place: &Place<'_>, size: Size, upstream: u16, threads: usize) -> Outcome<Self> {
        if place.way == Way::Layer {
            let home = Home::at(place.home.clone(), place.log.clone())?;
            home.fill(size.integrations - 1, upstream)?;
            let ports = (free_port()?, upstream);
            let gateway = Gateway::start_with(place.root, place.binary, home, (place.core, threads), ports)?;
            return Ok(Self::Layer(gateway));
        }
        let files = Files::write(&place.home, size, upstream)?;
        let removed = Removed(place.home.clone());
        let folder = place.home.join("home").to_string_lossy().into_owned();
        Program::at(place.root, place.binary, &["--home", &folder, "init"]).run()?;
        let threads = threads.to_string();
        let before = ["--home", &folder, "gateway", "--dangerous-allow-private", "--threads", &threads];
        Self::of_files(place.binary, &before, (place.core, &place.log), files, Some(removed))
    }

    /// AuthTranslator with one integration, its log as quiet as it gets.
    pub(super) fn translator(
        program: &Path,
        folder: &Path,
        core: Option<usize>,
        upstream: u16,
    ) -> Outcome<Self> {
        let files = Files::write(&folder.join("authtranslator"), Size::ONE, upstream)?;
        let log = folder.join("authtranslator.log");
        Self::of_files(program, &["--log-level", "WARN"], (core, &log), files, None)
    }

    fn of_files(
        program: &Path,
        before: &[&str],
        (core, log): (Option<usize>, &Path),
        files: Files,
        removed: Option<Removed>,
    ) -> Outcome<Self> {
        let port = free_port()?;
        let (secret, program) = (format!("{VARIABLE}={SECRET}"), program.to_string_lossy().into_owned());
        let paths = [&files.config, &files.allowlist, &files.denylist]
            .map(|path| path.to_string_lossy().into_owned());
        let addr = format!("127.0.0.1:{port}");
        let mut arguments = vec![secret.as_str(), program.as_str()];
        arguments.extend(before);
        for (flag, value) in ["--config", "--allowlist", "--denylist"].iter().zip(&paths) {
            arguments.extend([*flag, value.as_str()]);
        }
        arguments.extend(["--addr", &addr]);
        let headers = vec![format!("X-AT-Int: {NAME}")];
        let since = Instant::now();
        let env = find("env").unwrap_or_else(|| PathBuf::from("env"));
        let mut server = Server::start(&env, &arguments, core, log)?;
        let ready = server.ready_within(port, &headers, since, LONGEST_START)?;
        Ok(Self::Files { server, port, headers, ready, files, _removed: removed })
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Files { port, .. } => *port,
            Self::Layer(gateway) => gateway.port(),
        }
    }

    pub(super) fn headers(&self) -> &[String] {
        match self {
            Self::Files { headers, .. } => headers,
            Self::Layer(gateway) => gateway.headers(),
        }
    }

    /// From the start of the process to the first answer, in milliseconds.
    pub(super) fn ready_ms(&self) -> f64 {
        let ready = match self {
            Self::Files { ready, .. } => *ready,
            Self::Layer(gateway) => gateway.ready(),
        };
        ready.as_secs_f64() * 1000.0
    }

    /// The headers by which this integration is asked for instead.
    pub(super) fn headers_for(&self, name: &str) -> Vec<String> {
        let other = |header: &String| match header.split_once(": ") {
            Some((key, _))
                if key.eq_ignore_ascii_case("X-AT-Int")
                    || key.eq_ignore_ascii_case("X-Doorward-Integration") =>
            {
                format!("{key}: {name}")
            }
            _ => header.clone(),
        };
        self.headers().iter().map(other).collect()
    }

    /// Writes one more integration where the gateway reads its own.
    pub(super) fn add(&self, name: &str, upstream: u16) -> Outcome {
        match self {
            Self::Files { files, .. } => files.add(name, upstream),
            Self::Layer(gateway) => gateway.home().add(name, upstream),
        }
    }
}

impl Served for Door {
    fn process(&self) -> u32 {
        match self {
            Self::Files { server, .. } => server.id(),
            Self::Layer(gateway) => gateway.process(),
        }
    }
}

/// Reading and compiling a hundred thousand rules may take longer than a start usually does.
const LONGEST_START: Duration = Duration::from_secs(120);
