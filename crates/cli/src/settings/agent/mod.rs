//! What an agent is told: flags, `VAULT_AGENT_…`, `agent.yaml`, defaults of its mode, in this order.

mod file;
mod find;
mod groups;
mod shown;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::{Limits, Rate, Throttled};
use net::Access;

use super::{Lookup, Origin, Setting};
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::line::Voice;

use file::{File, Group, Ipc, SocketMode};
pub(crate) use file::{Identity, Mode};
pub(crate) use shown::GENERATED;

/// What was typed behind `agent start`, and what a client needs of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    pub(crate) config: Option<PathBuf>,
    pub(crate) mode: Option<Mode>,
    pub(crate) log_level: Option<String>,
    pub(crate) policy_dir: Option<PathBuf>,
    pub(crate) socket_path: Option<PathBuf>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) preauthorize: Option<PathBuf>,
    pub(crate) daemon: bool,
    /// This is the second process of a daemon.
    pub(crate) detached: bool,
    /// It is beside another door, whose callers its policy files say nothing about.
    pub(crate) beside: bool,
}

/// Where things are when nobody says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Where `agent.yaml` is looked for, in this order.
    pub(crate) configs: Vec<find::Candidate>,
    /// The socket.
    pub(crate) socket: PathBuf,
    /// The folder of policy files.
    pub(crate) policies: PathBuf,
    /// The line-JSON mirror of the evidence.
    pub(crate) audit: PathBuf,
    /// The file with the process id, where it is always written.
    pub(crate) pid_file: Option<PathBuf>,
    /// The same for a daemon.
    pub(crate) daemon_pid_file: PathBuf,
}

impl Places {
    /// The file with the process id, where nobody says otherwise.
    fn pid(&self, typed: &Typed) -> Option<PathBuf> {
        if typed.daemon { Some(self.daemon_pid_file.clone()) } else { self.pid_file.clone() }
    }
}

/// Everything that an agent is told.
#[derive(Debug, Clone)]
pub(crate) struct AgentSettings {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Its keys that have no effect, with the reason.
    pub(crate) idle: Vec<(&'static str, &'static str)>,
    pub(crate) mode: Setting<Mode>,
    pub(crate) log_level: Setting<String>,
    pub(crate) socket: Setting<PathBuf>,
    pub(crate) policies: Setting<PathBuf>,
    pub(crate) audit: Setting<PathBuf>,
    /// Whether the audit log is written: always under the name `vault`, else where somebody says where.
    pub(crate) audited: bool,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) ttl: Ttl,
    pub(crate) reload_interval: Option<Duration>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) preauthorize: Option<PathBuf>,
    pub(crate) identities: Vec<Identity>,
}

/// How long capabilities hold, and how often they may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ttl {
    /// Seconds where a request says nothing.
    pub(crate) default: u64,
    /// Most seconds.
    pub(crate) most: u64,
    /// Uses where a request says nothing, and the most of them.
    pub(crate) uses: u64,
}

impl Places {
    /// Of the command line that is spoken.
    pub(crate) fn of(voice: Voice, home: &Home, lookup: Lookup<'_>) -> Self {
        let system = find::Candidate::system(PathBuf::from("/etc/aether-vault/agent.yaml"));
        match (voice, lookup("HOME").map(PathBuf::from).filter(|path| path.is_absolute())) {
            (Voice::Vault, Some(user)) => {
                let folder = user.join(".aether-vault");
                Self {
                    configs: vec![
                        system,
                        find::Candidate::users(folder.join("agent.yaml")),
                        find::Candidate::here(PathBuf::from("agent.yaml")),
                    ],
                    socket: folder.join("agent.sock"),
                    policies: folder.join("policies"),
                    audit: folder.join("audit.log"),
                    pid_file: Some(folder.join("agent.pid")),
                    daemon_pid_file: folder.join("agent.pid"),
                }
            }
            _ => Self {
                configs: vec![find::Candidate::users(home.folder().join("agent.yaml")), system],
                socket: home.socket(),
                policies: home.folder().join("policies"),
                audit: home.folder().join("audit.log"),
                pid_file: None,
                daemon_pid_file: home.folder().join("agent.pid"),
            },
        }
    }
}

fn of_known_version(file: &File) -> Outcome {
    if file.version.as_ref().is_some_and(|version| !version.is_known()) {
        let failure = Failure::usage("the configuration is of a version that is not known");
        return Err(failure.hint("`version: \"1.0\"`"));
    }
    Ok(())
}

impl AgentSettings {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// A usage failure that names the flag, variable, or the line of the file.
    pub(crate) fn load(places: &Places, typed: &Typed, lookup: Lookup<'_>) -> Outcome<Self> {
        let (path, file) = find::read(typed.config.as_deref(), &places.configs)?;
        Self::of(places, typed, lookup, (path, file))
    }

    fn of(
        places: &Places,
        typed: &Typed,
        lookup: Lookup<'_>,
        (path, file): (Option<PathBuf>, File),
    ) -> Outcome<Self> {
        of_known_version(&file)?;
        let folder = path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let user = lookup("HOME").map(PathBuf::from);
        let located = |path: PathBuf| find::located(path, folder.as_deref(), user.as_deref());
        let idle = file.without_effect();
        let mode = pick(typed.mode, (MODE, lookup), mode, file.mode, Mode::default())?;
        let engine = file.capability_engine.unwrap_or_default();
        let policy = file.policy_engine.unwrap_or_default();
        let audit = file.audit.unwrap_or_default();
        let (ipc, health) = (file.ipc.unwrap_or_default(), file.health.unwrap_or_default());
        let path_of = |text: &str| Some(PathBuf::from(text));
        let mut settings = Self {
            idle,
            audited: false,
            log_level: pick(
                typed.log_level.clone(),
                ("VAULT_AGENT_LOG_LEVEL", lookup),
                |text| Some(text.to_owned()),
                file.log_level,
                if mode.value == Mode::Development { "debug" } else { "info" }.to_owned(),
            )?,
            socket: pick(
                typed.socket_path.clone(),
                ("VAULT_AGENT_SOCKET_PATH", lookup),
                path_of,
                file.socket_path.map(located),
                places.socket.clone(),
            )?,
            policies: pick(
                typed.policy_dir.clone(),
                ("VAULT_AGENT_POLICY_DIR", lookup),
                path_of,
                policy.directory.map(located),
                places.policies.clone(),
            )?,
            audit: pick(
                None,
                ("VAULT_AGENT_AUDIT_FILE", lookup),
                path_of,
                audit.log_file.map(located),
                places.audit.clone(),
            )?,
            pid_file: typed.pid_file.clone().or(file.pid_file.map(located)).or_else(|| places.pid(typed)),
            access: access(&ipc)?,
            limits: limits(&ipc, mode.value)?,
            ttl: ttl(mode.value, engine.default_ttl, engine.max_ttl, engine.max_uses)?,
            reload_interval: (policy.enable_reloading != Some(false))
                .then(|| Duration::from_secs(policy.reload_interval.unwrap_or(60).max(1))),
            metrics: metrics(typed, &health)?,
            preauthorize: typed.preauthorize.clone().or(file.preauthorize.map(located)),
            identities: file.identities.unwrap_or_default(),
            mode,
            file: path,
        };
        // Only the places of `vault` always have a file with the process id.
        settings.audited = settings.audit.origin != Origin::Default || places.pid_file.is_some();
        settings.sound()?;
        Ok(settings)
    }

    /// What can't hold together is refused at the start.
    fn sound(&self) -> Outcome {
        let known = ["error", "warn", "warning", "info", "debug", "trace"];
        if !known.contains(&self.log_level.value.as_str()) {
            return Err(Failure::usage(format!(
                "the log level ({}) is none of `{}`",
                self.log_level.origin,
                known.join("`, `")
            )));
        }
        let absolute =
            [("socket", &self.socket), ("policy directory", &self.policies), ("audit log", &self.audit)];
        for (what, path) in absolute {
            if path.value.as_os_str().is_empty() {
                return Err(Failure::usage(format!("the path of the {what} is empty ({})", path.origin)));
            }
        }
        for identity in &self.identities {
            if identity.name.as_deref().is_none_or(str::is_empty) {
                return Err(Failure::usage("an entry of `identities` has no `name`"));
            }
            let Identity {
                name: _,
                uid,
                gid,
                cgroup,
                unit,
                container,
                service_account,
                exe,
                sha256,
                foreign: _,
            } = identity;
            let strong = uid.is_some()
                || gid.is_some()
                || cgroup.is_some()
                || unit.is_some()
                || container.is_some()
                || service_account.is_some();
            if !strong && (exe.is_some() || sha256.is_some()) {
                let message = "an identity by `exe` or `sha256` alone: any process of the user can have them";
                return Err(Failure::usage(message)
                    .hint("add `uid`, `cgroup`, `unit`, `container` or `service_account`"));
            }
            if !strong {
                return Err(Failure::usage(
                    "an entry of `identities` names no fact, so everybody would have it",
                )
                .hint("add `uid`, `cgroup`, `unit`, `container` or `service_account`"));
            }
        }
        Ok(())
    }
}

/// The number of a group, as `/etc/group` has it; `said` is where it was named.
pub(crate) fn group_id(name: &str, said: &str) -> Outcome<u32> {
    groups::id(name, said)
}

fn mode(text: &str) -> Option<Mode> {
    [Mode::Standard, Mode::Hardened, Mode::Development].into_iter().find(|mode| mode.as_str() == text)
}

fn pick<T>(
    flag: Option<T>,
    (name, lookup): (&'static str, Lookup<'_>),
    read: impl Fn(&str) -> Option<T>,
    file: Option<T>,
    default: T,
) -> Outcome<Setting<T>> {
    if let Some(value) = flag {
        return Ok(Setting { value, origin: Origin::Flag });
    }
    if let Some(text) = lookup(name) {
        let wrong = || {
            let failure = Failure::usage(format!("`{name}` is not what it should be"));
            // The others take any text.
            if name == MODE { failure.hint("`standard`, `hardened` or `development`") } else { failure }
        };
        let value = text.to_str().and_then(read).ok_or_else(wrong)?;
        return Ok(Setting { value, origin: Origin::Environment(name) });
    }
    match file {
        Some(value) => Ok(Setting { value, origin: Origin::File }),
        None => Ok(Setting { value: default, origin: Origin::Default }),
    }
}

fn access(ipc: &Ipc) -> Outcome<Access> {
    let group = ipc.socket_group.as_ref().map(|group| match group {
        Group::Id(id) => Ok(*id),
        Group::Name(name) => groups::id(name, "ipc.socket_group"),
    });
    match (ipc.socket_mode, group.transpose()?) {
        (Some(SocketMode::Owner), Some(_)) => Err(Failure::usage(
            "`ipc.socket_mode` \"0600\" lets no group in, and `ipc.socket_group` names one",
        )),
        (None | Some(SocketMode::Owner), None) => Ok(Access::Owner),
        (_, group) => Ok(Access::Group(group)),
    }
}

fn limits(ipc: &Ipc, mode: Mode) -> Outcome<Limits> {
    let usual = Limits::default();
    let rate = ipc.rate_limit.clone().unwrap_or_default();
    let hardened = mode == Mode::Hardened;
    let per_second = rate.requests_per_second.unwrap_or(if hardened { 100.0 } else { usual.rate.per_second });
    let burst = rate.burst.unwrap_or(if hardened { 200.0 } else { usual.rate.burst });
    let everybody = rate.everybody.unwrap_or(hardened);
    let limits = Limits {
        connections: ipc.max_connections.unwrap_or(usual.connections),
        frame: ipc.max_frame.unwrap_or(usual.frame),
        idle: ipc.conn_timeout.map_or(usual.idle, Duration::from_secs),
        request: ipc.timeout.map_or(usual.request, Duration::from_secs),
        rate: Rate {
            per_second,
            burst,
            of: if everybody { Throttled::Everybody } else { Throttled::Others },
        },
    };
    let fits = [
        ((1..=MOST_CONNECTIONS).contains(&limits.connections), "ipc.max_connections", "1 to 10000"),
        ((SMALLEST_FRAME..=MOST_FRAME).contains(&limits.frame), "ipc.max_frame", "4096 to 16777216 bytes"),
        (!limits.idle.is_zero() && limits.idle <= LONGEST, "ipc.conn_timeout", "1 to 3600 seconds"),
        (!limits.request.is_zero() && limits.request <= LONGEST, "ipc.timeout", "1 to 3600 seconds"),
        (per_second > 0.0 && per_second.is_finite(), "ipc.rate_limit.requests_per_second", "more than 0"),
        (burst >= 1.0 && burst.is_finite(), "ipc.rate_limit.burst", "1 or more"),
    ];
    match fits.into_iter().find(|(fits, ..)| !fits) {
        Some((_, key, range)) => Err(Failure::usage(format!("`{key}` is out of its range")).hint(range)),
        None => Ok(limits),
    }
}

fn ttl(mode: Mode, default: Option<u64>, most: Option<u64>, uses: Option<u64>) -> Outcome<Ttl> {
    let (usual, usual_most) = if mode == Mode::Hardened { (120, 900) } else { (300, 3600) };
    let most = most.unwrap_or(usual_most);
    let ttl = Ttl { default: default.unwrap_or_else(|| usual.min(most)), most, uses: uses.unwrap_or(100) };
    if ttl.default == 0 || ttl.default > ttl.most || ttl.most > LONGEST_TTL || ttl.uses == 0 {
        return Err(Failure::usage("the times of `capability_engine` don't fit together")
            .hint("`default_ttl` is at most `max_ttl`, that at most 86400, and `max_uses` at least 1"));
    }
    Ok(ttl)
}

/// A daemon has numbers on loopback; one in the foreground where somebody asks for them.
fn metrics(typed: &Typed, health: &file::Health) -> Outcome<Option<SocketAddr>> {
    if let Some(address) = typed.metrics {
        return Ok(Some(address));
    }
    let asked = health.metrics_port.is_some() || health.metrics_address.is_some();
    if !health.enable_metrics.unwrap_or(typed.daemon || asked) {
        return Ok(None);
    }
    let address = health.metrics_address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Ok(Some(SocketAddr::new(address, health.metrics_port.unwrap_or(9090))))
}

const MODE: &str = "VAULT_AGENT_MODE";
const MOST_CONNECTIONS: usize = 10_000;
const SMALLEST_FRAME: usize = 4096;
const MOST_FRAME: usize = 16 << 20;
const LONGEST: Duration = Duration::from_secs(3600);
const LONGEST_TTL: u64 = 86_400;

#[cfg(test)]
mod tests;
