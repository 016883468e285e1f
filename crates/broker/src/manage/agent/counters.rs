//! `agent.counters`: how the agent is, in the words of its status.

use std::sync::Arc;

use model::Refusal;
use serde_json::json;

use super::{answered, stamp};
use crate::agent::MOST_WAITING;
use crate::manage::{Done, Managing, waiting};

pub(crate) async fn counters(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    broker.read_named(&managing.unsealed)?;
    let open = managing.unsealed.log().open_intents();
    let records = managing.unsealed.log().records();
    waiting(move || {
        let (agent, now) = (broker.agent(), broker.now());
        // A look at each of them; a million take some ten milliseconds, on a thread that may wait.
        let tally = broker.grants().tally(now);
        let cache = agent.set.cache();
        let asked = cache.hits + cache.misses;
        let rate = if asked == 0 { 0.0 } else { (cache.hits as f64 * 1_000.0 / asked as f64).round() / 10.0 };
        let (audit, trouble) = (broker.audit(), broker.policy_trouble());
        let value = json!({
            "capability_engine": {
                "status": "Healthy",
                "total_capabilities": tally.total,
                "active_capabilities": tally.active,
                "expired_capabilities": tally.expired,
                "revoked_capabilities": tally.revoked,
                "invalid_capabilities": tally.forged,
                "cache_size": tally.total,
                "last_cleanup": broker.last_cleanup().map(stamp),
            },
            "policy_engine": {
                // The former files hold, which is not what whoever changed them believes.
                "status": if trouble.is_some() { "Degraded" } else { "Healthy" },
                "problem": trouble.as_deref(),
                "loaded_policies": agent.set.len(),
                "rules": agent.set.rules(),
                "version": agent.set.version().to_string(),
                "evaluations": asked,
                "cache_hits": cache.hits,
                "cache_misses": cache.misses,
                "cache_hit_rate": format!("{rate:.1}%"),
                "cache_size": cache.entries,
                "cache_limit": cache.size,
                "last_policy_reload": stamp(agent.loaded),
            },
            "audit_system": {
                "status": audit.as_ref().map_or("Healthy", |log| log.status()),
                "total_events": records,
                "open_intents": open,
                "buffer_size": audit.as_ref().map_or(0, |log| log.waiting()),
                "buffer_limit": audit.as_ref().map(|_| MOST_WAITING),
                "last_flush": audit.as_ref().and_then(|log| log.last_written()).map(stamp),
                "log_file": audit.as_ref().map(|log| log.path().display().to_string()),
                "log_size": audit.as_ref().map(|log| sized(log.size())),
            },
        });
        Ok(answered(value, &[]))
    })
    .await
}

/// Bytes as people read them, such as `15.2MB`.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit behind the point")]
fn sized(bytes: u64) -> String {
    let (mut left, mut units) = (bytes as f64, ["KB", "MB", "GB"].iter());
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut unit = "B";
    while left >= 1024.0
        && let Some(next) = units.next()
    {
        (left, unit) = (left / 1024.0, next);
    }
    format!("{left:.1}{unit}")
}
