//! The settings of an agent as others read them: for `agent config`, for the broker, and as a new file.

use net::Access;
use serde_json::{Value, json};

use super::AgentSettings;
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
            "socket_path": self.socket.value,
            "pid_file": self.pid_file,
            "config_file": self.file,
            "preauthorize": self.preauthorize,
            "identities": self.identities.iter().filter_map(|identity| identity.name.clone()).collect::<Vec<_>>(),
            "capability_engine": {
                "default_ttl": self.ttl.default,
                "max_ttl": self.ttl.most,
                "max_uses": self.ttl.uses,
                "issuer": ISSUER,
            },
            "policy_engine": {
                "directory": self.policies.value,
                "default_decision": "deny",
                "enable_reloading": self.reload_interval.is_some(),
                "reload_interval": self.reload_interval.map(|every| every.as_secs()),
                "cache_ttl": self.cache.ttl.as_secs(),
                "cache_size": self.cache.size,
            },
            "audit": {
                "log_file": self.audit.value,
                "enable_rotation": self.rotation.size.is_some(),
                "max_file_size": self.rotation.size,
                "max_backup_files": self.rotation.files,
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

/// By which name capabilities say who issued them.
const ISSUER: &str = "aether-vault-agent";

/// A file with every key that counts and its default. A test reads it back.
pub(crate) const GENERATED: &str = include_str!("generated.yaml");
