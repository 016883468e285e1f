//! An agent for tests, in memory: no socket, no broker. It refuses what the real one refuses.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::agent::Asks;
use crate::metrics::count;
use crate::token::time;
use crate::types::{
    Capability, CapabilityRequest, CapabilityResponse, Issue, LogResponse, NarrowRequest, SecretResponse,
    UseRequest, UseResult, ValidationResult,
};
use crate::{Error, Metrics, Secret};

/// Grants what was allowed, denies the rest, and records each call.
#[derive(Debug, Default)]
pub struct Mock {
    metrics: Metrics,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    now: Option<u64>,
    allowed: Vec<(String, String)>,
    secrets: BTreeMap<String, Vec<u8>>,
    granted: BTreeMap<String, Granted>,
    calls: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone)]
struct Granted {
    resource: String,
    actions: Vec<String>,
    ends: u64,
    most: u64,
    used: u64,
    parent: Option<String>,
    revoked: bool,
}

impl Mock {
    /// An agent that grants nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the clock, in seconds since 1970. Without it the machine's is used.
    pub fn at(&self, now: u64) {
        self.inside().now = Some(now);
    }

    /// Grants these actions on a resource; a `*` at its end stands for anything.
    pub fn allow(&self, resource: &str, actions: &[&str]) {
        let pairs = actions.iter().map(|action| (resource.to_owned(), (*action).to_owned()));
        self.inside().allowed.extend(pairs);
    }

    /// What [`Mock::read_secret`] answers with.
    pub fn disclose(&self, resource: &str, value: &[u8]) {
        self.inside().secrets.insert(resource.to_owned(), value.to_vec());
    }

    /// The calls that were made: the method, and the resource or the id that it was about.
    #[must_use]
    pub fn calls(&self) -> Vec<(&'static str, String)> {
        self.inside().calls.clone()
    }

    /// A child that allows no more than its parent.
    ///
    /// # Errors
    /// When it would allow more, or the parent is not valid.
    pub fn narrow(&self, id: &str, less: &NarrowRequest) -> Result<CapabilityResponse, Error> {
        let mut inside = self.recorded("narrow", id);
        if let Some(issue) = inside.problem(id) {
            return Err(Error::refused(&issue.message, "denied"));
        }
        let Some(parent) = inside.granted.get(id).cloned() else {
            return Err(Error::refused("capability not found", "not_found"));
        };
        let actions = less.actions.clone().unwrap_or_else(|| parent.actions.clone());
        let resource = less.resource.clone().unwrap_or_else(|| parent.resource.clone());
        let within = actions.iter().all(|action| parent.actions.contains(action));
        if !within || !covers(&parent.resource, &resource) {
            return Err(Error::refused("a narrowing can only take away", "denied"));
        }
        let left = parent.ends.saturating_sub(inside.now());
        let ttl = less.ttl.map_or(left, |ttl| ttl.min(left));
        let most = less.max_uses.map_or(parent.most, |most| most.min(parent.most));
        let child = CapabilityRequest::new(resource, actions).ttl(ttl).max_uses(most);
        Ok(inside.grant(&child, Some(id)))
    }

    /// One use less.
    ///
    /// # Errors
    /// None; it has the form of the agent's call.
    pub fn use_request(&self, id: &str, request: &UseRequest) -> Result<UseResult, Error> {
        let mut inside = self.recorded("use_request", id);
        let (status, message) = inside.consumed(id);
        let http_status = (status == "ok").then_some(200);
        let body =
            if status == "ok" { format!("{} {}", request.method, request.path) } else { String::new() };
        Ok(UseResult { status, message, http_status, body, ..UseResult::default() })
    }

    /// What was disclosed, and one use less.
    ///
    /// # Errors
    /// None; it has the form of the agent's call.
    pub fn read_secret(&self, id: &str, resource: Option<&str>) -> Result<SecretResponse, Error> {
        let mut inside = self.recorded("read_secret", id);
        let (status, message) = inside.consumed(id);
        if status != "ok" {
            return Ok(SecretResponse { status, message, ..SecretResponse::default() });
        }
        let own = inside.granted.get(id).map(|granted| granted.resource.clone()).unwrap_or_default();
        let value = inside.secrets.get(resource.unwrap_or(&own)).cloned();
        let known = value.is_some();
        Ok(SecretResponse {
            status: if known { "ok" } else { "denied" }.to_owned(),
            value: value.map(Secret::new),
            message: if known { "" } else { "the secret is not disclosable" }.to_owned(),
            evidence: String::new(),
        })
    }

    /// One use less.
    ///
    /// # Errors
    /// None; it has the form of the agent's call.
    pub fn append_log(&self, id: &str, message: &str) -> Result<LogResponse, Error> {
        let mut inside = self.recorded("append_log", message);
        let (status, message) = inside.consumed(id);
        Ok(LogResponse { status, message, evidence: "evd_mock".to_owned() })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recorded(&self, call: &'static str, of: &str) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside();
        inside.calls.push((call, of.to_owned()));
        inside
    }
}

impl Asks for Mock {
    fn request(&self, request: &CapabilityRequest) -> Result<CapabilityResponse, Error> {
        count(&self.metrics.capability_requests);
        let mut inside = self.recorded("request", &request.resource);
        if request.resource.is_empty() || request.actions.is_empty() {
            let what = if request.resource.is_empty() { "resource" } else { "actions" };
            return Err(Error::refused(&format!("{what} cannot be empty"), "bad_request"));
        }
        let allowed = |action: &String| {
            let fits = |(resource, known): &(String, String)| {
                covers(resource, &request.resource) && (known == action || known == "*")
            };
            inside.allowed.iter().any(fits)
        };
        let denied = if request.ttl.unwrap_or_default() > MAX_TTL {
            Some(format!("Invalid request: TTL exceeds maximum allowed: {MAX_TTL} seconds"))
        } else {
            (!request.actions.iter().all(allowed)).then(|| "Request denied by policy".to_owned())
        };
        let Some(message) = denied else {
            count(&self.metrics.capability_grants);
            return Ok(inside.grant(request, None));
        };
        count(&self.metrics.capability_denials);
        Ok(CapabilityResponse { status: "denied".to_owned(), message, ..CapabilityResponse::default() })
    }

    fn validate(&self, id: &str) -> Result<ValidationResult, Error> {
        count(&self.metrics.validation_requests);
        let problem = self.recorded("validate", id).problem(id);
        let valid = problem.is_none();
        count(if valid { &self.metrics.validation_success } else { &self.metrics.validation_failures });
        Ok(ValidationResult { valid, errors: problem.into_iter().collect(), ..ValidationResult::default() })
    }

    fn revoke(&self, id: &str, _reason: &str) -> Result<(), Error> {
        let mut inside = self.recorded("revoke", id);
        if !inside.granted.contains_key(id) {
            return Err(Error::refused("capability not found", "not_found"));
        }
        // Names ascend, so a child comes after its parent.
        let mut ended = vec![id.to_owned()];
        for (name, granted) in &mut inside.granted {
            let parent = granted.parent.as_ref().is_some_and(|parent| ended.contains(parent));
            if name == id || parent {
                ended.push(name.clone());
                granted.revoked = true;
            }
        }
        Ok(())
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Inside {
    fn now(&self) -> u64 {
        let machine = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.now.unwrap_or_else(machine)
    }

    fn grant(&mut self, request: &CapabilityRequest, parent: Option<&str>) -> CapabilityResponse {
        let now = self.now();
        let ttl = request.ttl.unwrap_or(300);
        let most = request.max_uses.unwrap_or(100);
        let id = format!("cap_mock{:022}", self.granted.len() + 1);
        let seconds = |at: u64| time::shown(at * 1000).replace(".000Z", "Z");
        let capability = Capability {
            id: id.clone(),
            expires_at: seconds(now + ttl),
            issued_at: seconds(now),
            r#type: request.actions.first().cloned().unwrap_or_default(),
            resource: request.resource.clone(),
            actions: request.actions.clone(),
            identity: request.identity.clone().unwrap_or_else(|| "mock".to_owned()),
            issuer: "mock".to_owned(),
            ttl,
            max_uses: most,
            parent: parent.map(str::to_owned),
            ..Capability::default()
        };
        let granted = Granted {
            resource: request.resource.clone(),
            actions: request.actions.clone(),
            ends: now + ttl,
            most,
            used: 0,
            parent: parent.map(str::to_owned),
            revoked: false,
        };
        self.granted.insert(id, granted);
        CapabilityResponse {
            status: "granted".to_owned(),
            message: "Capability granted successfully".to_owned(),
            capability: Some(capability),
            ..CapabilityResponse::default()
        }
    }

    fn problem(&self, id: &str) -> Option<Issue> {
        let issue =
            |code: &str, message: String| Some(Issue { code: code.to_owned(), message, ..Issue::default() });
        let Some(granted) = self.granted.get(id) else {
            return issue("CAP_NOT_FOUND", "capability not found".to_owned());
        };
        if granted.revoked {
            return issue("REVOKED", "the capability was revoked".to_owned());
        }
        if self.now() >= granted.ends {
            let end = time::shown(granted.ends * 1000).replace(".000Z", "Z");
            return issue("EXPIRED", format!("Capability expired at {end}"));
        }
        if granted.used >= granted.most {
            return issue("USAGE_LIMIT_EXCEEDED", "all uses are used up".to_owned());
        }
        None
    }

    /// Counts a use, for the capability and all that it was narrowed from, or for none of them.
    fn consumed(&mut self, id: &str) -> (String, String) {
        let mut chain = Vec::new();
        let mut name = Some(id.to_owned());
        while let Some(next) = name {
            if let Some(issue) = self.problem(&next) {
                return ("denied".to_owned(), issue.message);
            }
            name = self.granted.get(&next).and_then(|granted| granted.parent.clone());
            chain.push(next);
        }
        for name in chain {
            if let Some(granted) = self.granted.get_mut(&name) {
                granted.used += 1;
            }
        }
        ("ok".to_owned(), String::new())
    }
}

fn covers(pattern: &str, resource: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == resource, |beginning| resource.starts_with(beginning))
}

const MAX_TTL: u64 = 3600;
