//! `agent.validate`: whether a capability stands, and why not. Consumes nothing.

use std::time::Instant;

use model::{Fact, Refusal, Timestamp};
use policy::{Named, NamedState};
use serde_json::{Value, json};

use super::ask::Validate;
use super::{Asker, answered, borne, json as strict, known, stamp, took};
use crate::manage::{Done, Question};

pub(crate) fn validate(managing: &mut Question<'_>) -> Result<Done, Refusal> {
    let started = Instant::now();
    let asked: Validate = strict::read(&managing.payload()?.text()?)?;
    let _claims = asked.context;
    let asker = Asker::of(managing)?;
    let broker = managing.worker.broker();
    let tenant = managing.admitted.permit.tenant();
    let line = match known(broker, &asker, tenant, &asked.capability_id) {
        Err(refusal) if refusal.code == model::Code::NotFound => {
            borne::line(managing, &asker, &asked.capability_id)
        }
        line => Some(line?),
    };
    let findings =
        line.as_ref().map_or_else(Findings::missing, |line| Findings::of(line, &asker.facts, broker.now()));
    let code = findings.errors.first().map_or("", |error| error.code);
    // Never what was sent: anything may stand there, and a token is one.
    let name = line.and_then(|line| Some(line.last()?.id.to_string())).unwrap_or_default();
    let fields = [("valid", code.is_empty().to_string()), ("finding", code.to_owned()), ("capability", name)];
    let shown: Vec<&(&str, String)> = fields.iter().filter(|(_, text)| !text.is_empty()).collect();
    let fields: Vec<(&str, String)> = shown.into_iter().cloned().collect();
    Ok(answered(findings.spoken(started), &fields))
}

/// What is to be said about a capability.
struct Findings {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    context: Value,
}

struct Finding {
    code: &'static str,
    message: String,
    field: &'static str,
    details: Option<Value>,
}

impl Findings {
    /// The same answer whether there is no such capability, or it is another's.
    fn missing() -> Self {
        let message = "capability not found".to_owned();
        let finding = Finding { code: "CAP_NOT_FOUND", message, field: "capability_id", details: None };
        Self { errors: vec![finding], warnings: Vec::new(), context: json!({ "cache_hit": false }) }
    }

    /// Of a capability, behind those that it comes from.
    fn of(line: &[Named], facts: &Fact, now: Timestamp) -> Self {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let mut add =
            |code, message: String, field, details| errors.push(Finding { code, message, field, details });
        let mut satisfied = true;
        for named in line {
            match named.state {
                NamedState::Active => {}
                NamedState::Revoked { at } => {
                    let details = Some(json!({ "capability_id": named.id, "revoked_at": stamp(at) }));
                    add("REVOKED", format!("Capability was revoked at {}", stamp(at)), "status", details);
                }
                NamedState::Forged => {
                    let message = "the stored capability was changed by somebody else".to_owned();
                    add("INVALID_SIGNATURE", message, "signature", None);
                    // Nothing else of it is believed.
                    continue;
                }
            }
            if named.expires <= now {
                add("EXPIRED", format!("Capability expired at {}", stamp(named.expires)), "expires_at", None);
            }
            if named.used >= named.uses {
                let message = format!("Capability was used {} of {} times", named.used, named.uses);
                add("USAGE_LIMIT_EXCEEDED", message, "used_count", None);
            } else if u64::from(named.used) * 100 >= u64::from(named.uses) * HIGH {
                let message = format!("Capability was used {} of {} times", named.used, named.uses);
                warnings.push(Finding { code: "USAGE_HIGH", message, field: "used_count", details: None });
            }
            for says in named.broken_now(facts, now) {
                satisfied = false;
                add("CONSTRAINT_VIOLATION", format!("Capability {says}"), "constraints", None);
            }
        }
        let left = line.iter().map(|named| named.uses.saturating_sub(named.used)).min();
        let context = json!({ "cache_hit": true, "constraints_satisfied": satisfied, "uses_left": left });
        Self { errors, warnings, context }
    }

    fn spoken(self, started: Instant) -> Value {
        let said =
            |findings: Vec<Finding>| -> Vec<Value> { findings.into_iter().map(Finding::spoken).collect() };
        json!({
            "valid": self.errors.is_empty(),
            "errors": said(self.errors),
            "warnings": said(self.warnings),
            "validation_time": took(started),
            "context": self.context,
        })
    }
}

impl Finding {
    fn spoken(self) -> Value {
        let Self { code, message, field, details } = self;
        let mut value = json!({ "code": code, "message": message, "field": field });
        if let (Some(details), Some(map)) = (details, value.as_object_mut()) {
            map.insert("details".to_owned(), details);
        }
        value
    }
}

/// Percent of the uses from which on it is worth a warning.
const HIGH: u64 = 80;
