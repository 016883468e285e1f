//! `agent start`: makes the home at the first start, opens the sockets, says in the seed's words how far it is, and serves.
//!
//! It runs in the foreground unless `--daemon` says otherwise, and asks nobody anything: a home is made with a key file.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent::Limits;
use broker::State;
use net::Access;
use proxy::Gateway;
use secrets::RecoveryKey;
use serde_json::json;

use super::daemon;
use super::pid::PidFile;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::line::Voice;
use crate::print::{self, Printer};
use crate::serving::office::{Configured, Office};
use crate::serving::sockets::{self, Folder, Public, Sockets};
use crate::serving::{self, House, Ports};
use crate::settings::agent::{AgentSettings, Mode, Places, Typed};
use crate::settings::{self, Settings};
use crate::supervisor::{self, Supervisor};
use crate::{args, wire};

/// Runs the agent until it is told to stop.
pub(crate) fn run(home: &Home, voice: Voice, typed: Typed, printer: Printer) -> Outcome {
    // Before anything else is opened: the number of the descriptor is given.
    let handed = supervisor::handed(&settings::environment)?;
    let lookup = &settings::environment;
    let places = Places::of(voice, home, lookup);
    let agent = AgentSettings::load(&places, &typed, lookup)
        .map_err(|failure| prefixed("Failed to load configuration", failure))?;
    let path = absolute(&agent.socket.value)?;
    sockets::fits(&path)?;
    let which = Folder::told(lookup(sockets::SHARED).as_deref())?;
    if handed.is_none() {
        sockets::refuse_live(&path)?;
    }
    if typed.daemon && !typed.detached {
        return daemon::start();
    }
    if typed.detached {
        daemon::detach();
    }
    let say = Saying { printer };
    say.line("Starting Aether Vault Agent...")?;
    if let Some(file) = &agent.file {
        say.line(&format!("Configuration loaded from {}", file.display()))?;
    }
    folders(voice, &agent)?;
    let public = match handed {
        Some(descriptor) => {
            let bound = bound(&descriptor).unwrap_or(path);
            Some(Public::Handed(descriptor, bound))
        }
        None if path == home.socket() && agent.access == Access::Owner => None,
        None => Some(Public::At(path, agent.access, which)),
    };
    let begun = Begun { home, places, typed, agent, say };
    begun.serve(public)
}

/// An agent whose settings are known.
struct Begun<'a> {
    home: &'a Home,
    places: Places,
    typed: Typed,
    agent: AgentSettings,
    say: Saying,
}

impl Begun<'_> {
    fn serve(self, public: Option<Public>) -> Outcome {
        let Self { home, places, typed, agent, say } = self;
        first_start(home)?;
        let mut settings = Settings::load(home, &args::broker::Up::default(), &settings::environment)?;
        settings.development.value = agent.mode.value == Mode::Development;
        let opened = wire::open(home, &settings, wire::Serving::Threads(1))
            .map_err(|failure| prefixed("Failed to start agent", failure))?;
        opened.keys.unlock(&opened.broker)?;
        say.line("Capability engine initialized with Ed25519 signing")?;
        let supervisor = Supervisor::of(&settings::environment);
        let detached = typed.detached;
        let (pid_file, metrics) = (agent.pid_file.clone(), agent.metrics);
        let (policies, limits) = (agent.policies.value.clone(), agent.limits.clone());
        // Where no file is named, the evidence is all that there is.
        let audit = if agent.audited { agent.audit.value.clone() } else { home.evidence() };
        let broker = Arc::clone(&opened.broker);
        let (office, configured) = Office::open(broker, supervisor, (places, typed), agent)?;
        say.policies(&configured, &policies)?;
        say.line(&format!("Audit system started with file logging ({})", audit.display()))?;
        let sealed = opened.broker.state() == State::Sealed;
        let house = house(home, opened, (public, limits, metrics), office)?;
        let ready = Ready::of(&house, sealed);
        let log = places_log(home);
        let pid = std::cell::RefCell::new(None);
        let served = serving::run(house, say.printer, &|| {
            // Whoever waits for the line may look at the file at once.
            *pid.borrow_mut() = pid_file.as_deref().map(PidFile::write).transpose()?;
            ready.announce(say)?;
            if detached { daemon::let_go(&log) } else { Ok(()) }
        });
        if let Some(pid) = pid.into_inner() {
            pid.remove();
        }
        served.map_err(in_use)
    }
}

fn house(
    home: &Home,
    opened: wire::Opened,
    (public, limits, metrics): (Option<Public>, Limits, Option<std::net::SocketAddr>),
    office: Arc<Office>,
) -> Outcome<House> {
    let gateway = Gateway::new(Vec::new(), Vec::new()).map_err(|error| Failure::of(&error))?;
    let metrics = metrics.map(|address| net::bind_tcp(address, NonZeroUsize::MIN)).transpose().map_err(|error| {
        Failure::of(&error).hint("`--metrics 127.0.0.1:0` lets the system choose, `health.enable_metrics: false` leaves it out")
    })?;
    let ports = Ports {
        gateway,
        bound: Vec::new(),
        metrics: metrics.and_then(|mut bound| bound.pop()),
        admin: None,
        api: None,
        secured: None,
        limits: net::ServeLimits::default(),
        standing: None,
    };
    let sockets = Sockets { home: home.socket_to_bind()?, public, limits };
    House::new(opened, ports, sockets, office)
}

/// What is said when the doors are open.
struct Ready {
    socket: PathBuf,
    metrics: Option<String>,
    sealed: bool,
}

impl Ready {
    fn of(house: &House, sealed: bool) -> Self {
        let public = house.sockets.public.as_ref().map(|public| public.path().to_owned());
        let socket = public.unwrap_or_else(|| house.sockets.home.clone());
        Self { socket, metrics: house.doors.get("metrics").cloned(), sealed }
    }

    fn announce(&self, say: Saying) -> Outcome {
        let pid = std::process::id();
        if say.printer.is_json() {
            return say.printer.json(&json!({
                "event": "ready", "socket": print::path(&self.socket), "metrics": self.metrics, "pid": pid, "sealed": self.sealed,
            }));
        }
        Printer::text(&format!("IPC server listening on {}", self.socket.display()))?;
        if let Some(place) = &self.metrics {
            Printer::text(&format!("Metrics served on {place}/metrics"))?;
        }
        Printer::text(&format!("Agent started successfully (PID: {pid})"))?;
        if self.sealed {
            Printer::say("Warning: the broker is sealed, every request is refused. Next: `doorward unseal`");
        }
        Printer::text("Health checks enabled (interval: 30s)")
    }
}

/// Says how far it is.
#[derive(Clone, Copy)]
struct Saying {
    printer: Printer,
}

impl Saying {
    fn line(self, text: &str) -> Outcome {
        if self.printer.is_json() { Ok(()) } else { Printer::text(text) }
    }

    fn policies(self, configured: &Configured, folder: &Path) -> Outcome {
        for warning in &configured.warnings {
            Printer::say(&format!("Warning: {warning}"));
        }
        self.line(&format!("Policy engine loaded {} policies from {}", configured.policies, folder.display()))
    }
}

/// Makes the home where there is none. Nobody is there to write the recovery key down, so it is kept beside it.
fn first_start(home: &Home) -> Outcome {
    if wire::is_there(home) {
        return Ok(());
    }
    let path = home.recovery();
    let mut written = false;
    let hand = |recovery: &RecoveryKey, _provider: &str| {
        written = true;
        Ok(recovery.show(|text| store::files::replace(&path, format!("{text}\n").as_bytes(), 0o600))?)
    };
    let made = wire::create(home, None, || wire::key_file(home, home.key()), hand);
    // Another process may be making the home, and its key is in the file.
    made.inspect_err(|_| drop(written.then(|| std::fs::remove_file(&path))))?;
    Printer::say(&format!("Made the home `{}`, protected by a key file in it.", home.folder().display()));
    Printer::say(&format!("The recovery key is in `{}`. Move it off this machine.", path.display()));
    Ok(())
}

/// The folders that are made where they are not there: those of the seed for `vault`, those of the home for us.
fn folders(voice: Voice, agent: &AgentSettings) -> Outcome {
    if agent.policies.origin == settings::Origin::Default {
        store::files::private_folder(&agent.policies.value)?;
    }
    if let (Voice::Vault, Some(folder)) = (voice, agent.audit.value.parent())
        && agent.audit.origin == settings::Origin::Default
    {
        store::files::private_folder(folder)?;
    }
    Ok(())
}

/// Where a supervisor bound a socket, which may be elsewhere than our settings say.
fn bound(socket: &impl std::os::fd::AsFd) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let address = rustix::net::getsockname(socket).ok()?;
    let address = rustix::net::SocketAddrUnix::try_from(address).ok()?;
    let path = address.path_bytes().map(|bytes| PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))?;
    std::path::absolute(path).ok().filter(|path| path.exists())
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Failure::doing("could not find the folder of the socket", &error))
}

fn places_log(home: &Home) -> PathBuf {
    home.folder().join("agent.log")
}

/// The same failure, with what was attempted in front.
fn prefixed(what: &str, mut failure: Failure) -> Failure {
    let message = std::mem::replace(&mut failure.message, what.to_owned());
    failure.message = format!("{what}: {message}");
    failure
}

/// Somebody took the place between our look and our bind.
fn in_use(failure: Failure) -> Failure {
    if failure.message.contains("already listens") {
        prefixed("Failed to start agent: address already in use", failure)
    } else {
        failure
    }
}
