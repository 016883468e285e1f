//! What the door answers by itself: whether it is there, how it is, and what its owner tells it to do.

use std::time::Duration;

use broker::State;
use model::{Code, Refusal};
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::{Speaker, envelope, resources};
use crate::numbers;
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
                Ok(self.stop())
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
        Owner::proven(&self.known.holder(), self.agent.owner)
    }

    fn status(&self) -> Value {
        let (socket, uid) = (&self.agent.socket, self.known.holder().uid);
        json!({
            "running": true,
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "connections": socket.gauges.connections(),
            "max_connections": socket.limits.connections,
            "socket_path": socket.path,
            "uptime": spoken(socket.gauges.uptime()),
            "authenticated": uid.is_some(),
            "uid": uid,
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
            Err(refusal) => self.counted(refusal.code).await,
        };
        for part in [head, counters, json!({ "system_resources": resources::used(&socket.gauges) })] {
            if let Value::Object(fields) = part {
                tree.extend(fields);
            }
        }
        Value::Object(tree)
    }

    /// The same from what passed this door and what lists say, for a broker that has no counters.
    async fn counted(&self, why: Code) -> Value {
        let worker = &self.agent.worker;
        if worker.broker().state() == State::Sealed {
            let sealed = json!({ "status": "Sealed" });
            return json!({ "capability_engine": sealed, "policy_engine": sealed, "audit_system": sealed });
        }
        let counted = &self.agent.socket.gauges.counted;
        let (hits, misses) = counted.cache();
        let mut engine = json!({ "status": HEALTHY });
        for (key, status) in [
            ("total_capabilities", ""),
            ("active_capabilities", "active"),
            ("expired_capabilities", "expired"),
            ("revoked_capabilities", "revoked"),
        ] {
            if let Some(total) = numbers::total(worker, self.facts(), status).await
                && let Some(fields) = engine.as_object_mut()
            {
                fields.insert(key.to_owned(), json!(total));
            }
        }
        let mut policy = json!({ "status": HEALTHY, "cache_hits": hits, "cache_misses": misses });
        let rate = 100.0 * to_f64(hits) / to_f64(hits + misses).max(1.0);
        if let (Some(fields), Value::Object(told)) =
            (policy.as_object_mut(), (self.agent.socket.control.policies)())
        {
            fields.insert("cache_hit_rate".to_owned(), json!(format!("{rate:.1}%")));
            fields.extend(told);
        }
        let events = numbers::events(&worker.broker().metrics_text());
        // Nothing is granted, and not even counted, while evidence can't be written.
        let audit = if why == Code::EvidenceUnavailable { FAILING } else { HEALTHY };
        json!({
            "capability_engine": engine,
            "policy_engine": policy,
            "audit_system": { "status": audit, "total_events": events },
        })
    }

    /// Begins to stop. What is under way besides this very request is waited for.
    fn stop(&self) -> Value {
        let events = numbers::events(&self.agent.worker.broker().metrics_text());
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

/// Exact up to 2^53, which no counter reaches.
#[expect(clippy::cast_precision_loss, reason = "a share in percent with one digit is made of it")]
const fn to_f64(number: u64) -> f64 {
    number as f64
}

const HEALTHY: &str = "Healthy";
const FAILING: &str = "Failing";
/// By which name the agent answers a ping.
const SERVER: &str = "aether-vault-agent";

#[cfg(test)]
mod tests;
