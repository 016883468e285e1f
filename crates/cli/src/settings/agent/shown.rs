//! The settings of an agent as others read them: for `agent config`, for the broker, and as a new file.

use std::path::PathBuf;
use std::time::Duration;

use broker::agent::{AuditFile, Config};
use model::{Naming, NamingRule, Wishes};
use net::Access;
use serde_json::{Value, json};

use super::{AgentSettings, Identity, Mode};
use crate::failure::{Failure, Outcome};
use crate::print;
use agent::Throttled;

impl AgentSettings {
    /// Everything that is in force, under the keys of `agent.yaml`.
    pub(crate) fn document(&self) -> Value {
        let (mode, group) = match self.access {
            Access::Owner => ("0600", None),
            Access::Group(group) => ("0660", group),
        };
        json!({
            "mode": self.mode.value.as_str(),
            "log_level": self.log_level.value,
            "socket_path": print::path(&self.socket.value),
            "pid_file": self.pid_file.as_deref().map(print::path),
            "config_file": self.file.as_deref().map(print::path),
            "preauthorize": self.preauthorize.as_deref().map(print::path),
            "identities": self.identities.iter().filter_map(|identity| identity.name.clone()).collect::<Vec<_>>(),
            "capability_engine": {
                "default_ttl": self.ttl.default,
                "max_ttl": self.ttl.most,
                "max_uses": self.ttl.uses,
                "issuer": ISSUER,
            },
            "policy_engine": {
                "directory": print::path(&self.policies.value),
                "default_decision": "deny",
                "enable_reloading": self.reload_interval.is_some(),
                "reload_interval": self.reload_interval.map(|every| every.as_secs()),
            },
            "audit": {
                "log_file": self.audited.then(|| print::path(&self.audit.value)),
            },
            "ipc": {
                "timeout": self.limits.request.as_secs(),
                "conn_timeout": self.limits.idle.as_secs(),
                "max_connections": self.limits.connections,
                "max_frame": self.limits.frame,
                "socket_mode": mode,
                "socket_group": group,
                "requests_per_second": self.limits.rate.per_second,
                "burst": self.limits.rate.burst,
                "everybody": self.limits.rate.of == Throttled::Everybody,
            },
            "health": {
                "enable_metrics": self.metrics.is_some(),
                "metrics_address": self.metrics.map(|address| address.to_string()),
            },
        })
    }
}

impl AgentSettings {
    /// What the broker is told of it; `policies` is the folder of policy files, where there is one.
    ///
    /// # Errors
    /// When an identity asks for a fact that is not looked at.
    pub(crate) fn config(&self, policies: Option<PathBuf>) -> Outcome<Config> {
        let rules = self.identities.iter().map(rule).collect::<Outcome<_>>()?;
        let wishes = match self.mode.value {
            Mode::Standard | Mode::Hardened => Wishes::Proven,
            Mode::Development => Wishes::Believed,
        };
        let identities = Naming::new(rules, wishes)
            .map_err(|error| Failure::usage(error.to_string()).maybe_hint(error.hint()))?;
        Ok(Config {
            mode: match self.mode.value {
                Mode::Standard => broker::agent::Mode::Standard,
                Mode::Hardened => broker::agent::Mode::Hardened,
                Mode::Development => broker::agent::Mode::Development,
            },
            policies,
            usual_ttl: Duration::from_secs(self.ttl.default),
            longest_ttl: Duration::from_secs(self.ttl.most),
            usual_uses: u32::try_from(self.ttl.uses).unwrap_or(u32::MAX),
            issuer: ISSUER.to_owned(),
            identities,
            audit: self.audited.then(|| AuditFile::at(self.audit.value.clone())),
            ..Config::default()
        })
    }
}

/// One entry of `identities`.
fn rule(identity: &Identity) -> Outcome<NamingRule> {
    let Identity { name, uid, gid, cgroup, unit, container, service_account, exe, sha256, foreign } =
        identity.clone();
    let name = name.unwrap_or_default();
    if service_account.is_some() {
        // Nothing proves it yet; leaving it out would give the name to more callers than the entry says.
        return Err(Failure::usage(format!(
            "the identity `{name}` asks for a fact that this version does not look at"
        ))
        .hint("name it by `uid`, `gid`, `cgroup`, `unit` or `container`"));
    }
    let foreign = foreign.unwrap_or_default();
    Ok(NamingRule { name, uid, gid, cgroup, unit, container, service_account: None, exe, sha256, foreign })
}

/// By which name capabilities say who issued them.
const ISSUER: &str = "aether-vault-agent";

/// A file with every key that counts and its default. A test reads it back.
pub(crate) const GENERATED: &str = include_str!("generated.yaml");
