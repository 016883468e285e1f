//! What the door answers by itself: whether it is there, how it is, and what its owner tells it to do.

use std::time::Duration;

use broker::State;
use model::{Code, Refusal};
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::{Speaker, envelope, resources};
use crate::owner::Owner;

/// Proof that a payload is empty. Only [`nothing`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Nothing(());

/// The payload of a message that takes none.
pub(crate) fn nothing(payload: &str) -> Result<Nothing, Refusal> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}
    match serde_json::from_str(payload) {
        Ok(Empty {}) => Ok(Nothing(())),
        Err(error) => {
            Err(Refusal::new(Code::BadRequest, format!("invalid payload format: {}", envelope::why(&error)))
                .hint("this message takes no payload"))
        }
    }
}

impl Speaker<'_> {
    /// Answers a message that is no operation.
    pub(super) async fn own(&self, kind: Kind) -> Result<Value, Refusal> {
        match kind {
            Kind::Ping => Ok(json!({ "message": "pong", "server": SERVER })),
            Kind::Status => Ok(self.status()),
            Kind::AgentStatus => Ok(self.tree().await),
            Kind::Stop => {
                let Owner { .. } = self.owner()?;
                Ok(self.stop().await)
            }
            Kind::Reload => {
                let Owner { .. } = self.owner()?;
                (self.agent.socket.control.reload)().await
            }
            Kind::Config => {
                let Owner { .. } = self.owner()?;
                Ok((self.agent.socket.control.config)())
            }
            Kind::Operation(_) => Err(Refusal::new(Code::BadRequest, "this message is an operation")),
        }
    }

    fn owner(&self) -> Result<Owner, Refusal> {
        Owner::proven(&self.peer, self.agent.owner)
    }

    fn status(&self) -> Value {
        let (socket, process) = (&self.agent.socket, self.peer.process);
        json!({
            "running": true,
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "connections": socket.gauges.connections(),
            "max_connections": socket.limits.connections,
            "socket_path": socket.path,
            "uptime": spoken(socket.gauges.uptime()),
            "authenticated": process.is_some(),
            "uid": process.map(|process| process.uid),
            "connection_id": format!("conn_{}", self.connected.number),
        })
    }

    /// Everything that is counted. What the broker does not tell this caller is left out, and why is said.
    async fn tree(&self) -> Value {
        let socket = &self.agent.socket;
        let mut tree = Map::new();
        let uptime = spoken(socket.gauges.uptime());
        let head = json!({
            "running": true,
            "pid": std::process::id(),
            "uptime": uptime,
            "version": env!("CARGO_PKG_VERSION"),
            "ipc_server": {
                "socket_path": socket.path,
                "active_connections": socket.gauges.connections(),
                "max_connections": socket.limits.connections,
                "uptime": uptime,
            },
        });
        let counters = match self.operate("agent.counters", None).await {
            Ok(counters) => counters,
            Err(refusal) => {
                let sealed = self.agent.worker.broker().state() == State::Sealed;
                let status =
                    json!({ "status": if sealed { "Sealed" } else { "Unknown" }, "reason": refusal.message });
                json!({ "capability_engine": status, "policy_engine": status, "audit_system": status })
            }
        };
        for part in [head, counters, json!({ "system_resources": resources::used(socket.gauges.uptime()) })] {
            if let Value::Object(fields) = part {
                tree.extend(fields);
            }
        }
        Value::Object(tree)
    }

    /// Begins to stop. What is under way besides this very request is waited for.
    async fn stop(&self) -> Value {
        let counted = self.operate("agent.counters", None).await.ok();
        let events = counted.as_ref().and_then(|tree| tree.pointer("/audit_system/total_events"));
        let events = events.and_then(Value::as_u64).unwrap_or_default();
        let active = self.agent.socket.gauges.busy().saturating_sub(1);
        self.agent.socket.control.drain.start();
        json!({
            "status": "stopping",
            "message": "Agent is stopping",
            "pid": std::process::id(),
            "active": active,
            "messages": [
                "Stopping Aether Vault Agent...",
                "IPC server stopped accepting new connections",
                format!("Waiting for in-flight operations to complete... ({active} active)"),
                format!("Flushed {events} audit events to disk"),
                "Cleaned up temporary resources",
                "Agent stopped successfully",
            ],
        })
    }
}

/// A time as `2h45m30s`.
pub(crate) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// By which name the agent answers a ping.
const SERVER: &str = "aether-vault-agent";

#[cfg(test)]
mod tests;
