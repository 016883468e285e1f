//! One question to Cedar. Whatever can't be asked or answered is a denial.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision as Said, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, Request, Response, RestrictedExpression,
};
use model::{Call, Caller, GrantId, IntegrationName, PrincipalName, Resource, TenantName, Timestamp};

use super::cache::Key;
use super::{Policies, schema};
use crate::Error;
use crate::principal::{Glass, Known, Standing};

/// Who asks.
pub(crate) struct Subject<'a> {
    pub(crate) tenant: &'a TenantName,
    pub(crate) principal: &'a PrincipalName,
    pub(crate) known: Arc<Known>,
    pub(crate) standing: Standing,
    pub(crate) glass: Glass,
    pub(crate) grant: Option<GrantId>,
}

/// What was decided, and by which policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// The ids of the policies that decided, ascending.
    pub(crate) determining: Arc<[Arc<str>]>,
    /// What went wrong, where something did.
    pub(crate) errors: Vec<String>,
}

/// The answer of the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A policy permits it, none forbids it, and all could be evaluated.
    Allow {
        /// How many people have to approve it: the most that one of the policies asks for.
        approvers: u8,
    },
    /// A policy forbids it.
    Forbidden,
    /// No policy permits it.
    NotPermitted,
    /// A policy could not be evaluated.
    Failed,
    /// The policies were compiled without this operation, or with another description of it.
    NotDescribed,
}

/// What `context` is made of.
pub(super) struct Facts<'a> {
    pub(super) now: Timestamp,
    pub(super) door: &'a str,
    pub(super) proof: &'a str,
    pub(super) environment: Option<&'a str>,
    pub(super) address: Option<IpAddr>,
    pub(super) purpose: Option<&'a str>,
    pub(super) method: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) inputs: Vec<String>,
    pub(super) targets: i64,
    pub(super) risk: &'a str,
}

impl<'a> Facts<'a> {
    fn of(caller: &'a Caller, call: &'a Call, now: Timestamp) -> Self {
        let facts = caller.facts();
        let request = call.request();
        Self {
            now,
            door: caller.door().as_str(),
            proof: caller.proof().as_str(),
            environment: facts.environment.as_deref(),
            address: facts.address,
            purpose: facts.purpose.as_deref(),
            method: request.map(|(method, _, _)| method.as_str()),
            host: request.map(|(_, upstream, _)| upstream.host()),
            path: request.map(|(_, _, target)| target.path()),
            inputs: call.inputs().iter().map(|(name, value)| format!("{name}={value}")).collect(),
            targets: targets(call.inputs().values()),
            risk: call.risk().as_str(),
        }
    }
}

impl Policies {
    /// Decides one call, from the cache where nothing but its key matters.
    pub(crate) fn decide(
        &self,
        subject: &Subject<'_>,
        caller: &Caller,
        call: &Call,
        now: Timestamp,
    ) -> Arc<Decision> {
        let Some(action) = self.action(call.integration(), call.operation()) else {
            return Arc::new(Decision::without(Outcome::NotDescribed));
        };
        // Policies that speak of writes or risk go by what was compiled; a call that says otherwise would slip past them.
        if action.access != call.access() || action.risk < call.risk() {
            return Arc::new(Decision::without(Outcome::NotDescribed));
        }
        let key = Key { subject, action: &action, kind: call.kind(), resource: call.resource() };
        if action.slice.reads_context {
            return Arc::new(self.evaluate_action(&key, &Facts::of(caller, call, now), call.integration()));
        }
        if let Some(decision) = self.cache.find(&key) {
            return decision;
        }
        let decision =
            Arc::new(self.evaluate_action(&key, &Facts::of(caller, call, now), call.integration()));
        if decision.outcome != Outcome::Failed {
            self.cache.keep(&key, &decision);
        }
        decision
    }

    pub(super) fn evaluate_action(
        &self,
        key: &Key<'_>,
        facts: &Facts<'_>,
        integration: &IntegrationName,
    ) -> Decision {
        match self.ask(key, facts, integration) {
            Ok(response) => self.read(&response),
            Err(error) => {
                let mut decision = Decision::without(Outcome::Failed);
                decision.errors.push(error.to_string());
                decision
            }
        }
    }

    fn ask(
        &self,
        key: &Key<'_>,
        facts: &Facts<'_>,
        integration: &IntegrationName,
    ) -> Result<Response, Error> {
        let Subject { tenant, principal, known, standing, glass, grant: _ } = key.subject;
        let principal = self.types.principal(tenant, principal, known, (*standing, *glass))?;
        let resource = self.types.resource(integration, key.kind, key.resource)?;
        let (who, what) = (principal.uid(), resource.uid());
        // Their shape is fixed in `Types`, and a test holds it to the schema; checking it here costs 25 µs a request.
        let entities = [principal, resource, key.action.entity.clone()];
        let entities = Entities::from_entities(entities, None).map_err(schema::wrong)?;
        let context = context(facts)?;
        let request = Request::new(who, key.action.uid.clone(), what, context, Some(&self.schema));
        let request = request.map_err(schema::wrong)?;
        Ok(Authorizer::new().is_authorized(&request, &key.action.slice.policies, &entities))
    }

    fn read(&self, response: &Response) -> Decision {
        let diagnostics = response.diagnostics();
        let rules: Vec<_> = diagnostics.reason().map(|id| (id, self.rules.get(id))).collect();
        let name = |(id, rule): &(&cedar_policy::PolicyId, Option<&super::Rule>)| match rule {
            Some(rule) => Arc::clone(&rule.name),
            None => Arc::from(id.to_string()),
        };
        let mut determining: Vec<Arc<str>> = rules.iter().map(name).collect();
        determining.sort_unstable();
        // A policy that nobody knows asks for an approval; there is none, so it costs nothing.
        let asked = rules.iter().map(|(_, rule)| rule.map_or(1, |rule| rule.approvers));
        let approvers = asked.max().unwrap_or_default();
        let errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
        if !errors.is_empty() {
            // What could be evaluated decides nothing any more; the policies that failed do.
            let failed = diagnostics
                .errors()
                .map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id());
            determining = failed.map(|id| name(&(id, self.rules.get(id)))).collect();
            determining.sort_unstable();
        }
        let outcome = match response.decision() {
            // Cedar skips a policy that fails, also a `forbid`. So any error denies, whatever else was said.
            _ if !errors.is_empty() => Outcome::Failed,
            Said::Allow => Outcome::Allow { approvers },
            Said::Deny if determining.is_empty() => Outcome::NotPermitted,
            Said::Deny => Outcome::Forbidden,
        };
        Decision { outcome, determining: determining.into(), errors }
    }
}

impl Decision {
    /// Nothing was decided, so nothing is permitted.
    pub(crate) fn nothing() -> Self {
        Self::without(Outcome::NotPermitted)
    }

    pub(super) fn without(outcome: Outcome) -> Self {
        Self { outcome, determining: Arc::from([]), errors: Vec::new() }
    }
}

/// The names of entity types, parsed once: parsing them for each request costs more than the decision.
pub(super) struct Types {
    tenant: EntityTypeName,
    pub(super) role: EntityTypeName,
    principal: EntityTypeName,
    pub(super) integration: EntityTypeName,
    pub(super) resource: EntityTypeName,
    pub(super) action: EntityTypeName,
}

impl Types {
    pub(super) fn new() -> Result<Self, Error> {
        let named = |name: &str| name.parse().map_err(schema::wrong);
        Ok(Self {
            tenant: named("Doorward::Tenant")?,
            role: named("Doorward::Role")?,
            principal: named("Doorward::Principal")?,
            integration: named("Doorward::Integration")?,
            resource: named("Doorward::Resource")?,
            action: named("Doorward::Action")?,
        })
    }

    pub(super) fn principal(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
        known: &Known,
        (standing, glass): (Standing, Glass),
    ) -> Result<Entity, Error> {
        let roles = known.effective(standing, glass).map(|role| uid(&self.role, role));
        let parents: HashSet<EntityUid> = roles.chain([uid(&self.tenant, tenant.as_str())]).collect();
        let attributes = HashMap::from([
            ("name".to_owned(), text(principal.as_str())),
            ("kind".to_owned(), text(known.kind().as_str())),
        ]);
        let id = format!("{tenant}/{principal}");
        Entity::new(uid(&self.principal, &id), attributes, parents).map_err(schema::wrong)
    }

    pub(super) fn resource(
        &self,
        integration: &IntegrationName,
        kind: &IntegrationName,
        resource: &Resource,
    ) -> Result<Entity, Error> {
        let parents = HashSet::from([uid(&self.integration, integration.as_str())]);
        let attributes = HashMap::from([
            ("integration".to_owned(), text(integration.as_str())),
            ("kind".to_owned(), text(kind.as_str())),
            ("name".to_owned(), text(resource.as_str())),
        ]);
        let id = format!("{integration}/{resource}");
        Entity::new(uid(&self.resource, &id), attributes, parents).map_err(schema::wrong)
    }
}

fn context(facts: &Facts<'_>) -> Result<Context, Error> {
    let inputs = facts.inputs.iter().map(|input| text(input));
    let mut pairs = vec![
        ("now".to_owned(), RestrictedExpression::new_datetime(facts.now.to_string())),
        ("door".to_owned(), text(facts.door)),
        ("proof".to_owned(), text(facts.proof)),
        ("inputs".to_owned(), RestrictedExpression::new_set(inputs)),
        ("targets".to_owned(), RestrictedExpression::new_long(facts.targets)),
        ("risk".to_owned(), text(facts.risk)),
    ];
    let optional = [
        ("environment", facts.environment),
        ("purpose", facts.purpose),
        ("method", facts.method),
        ("host", facts.host),
        ("path", facts.path),
    ];
    for (name, value) in optional {
        pairs.extend(value.map(|value| (name.to_owned(), text(value))));
    }
    if let Some(address) = facts.address {
        let shown = address.to_canonical().to_string();
        pairs.push(("address".to_owned(), RestrictedExpression::new_ip(shown)));
    }
    Context::from_pairs(pairs).map_err(schema::wrong)
}

/// On how many things the call works: the length of the longest list among its inputs, which are JSON arrays, and within those that
/// are JSON objects, such as a whole body; 1 where there is none. What looks like a list and is none counts as too many to be let
/// through; what begins as an object does may be text.
pub(super) fn targets<'a>(inputs: impl Iterator<Item = &'a String>) -> i64 {
    let lengths = inputs.map(|value| match value.trim_start().bytes().next() {
        Some(b'[') => serde_json::from_str(value).map_or(i64::MAX, |list| longest(&list)),
        Some(b'{') => serde_json::from_str(value).map_or(1, |object| longest(&object)),
        _ => 1,
    });
    lengths.fold(1, i64::max)
}

/// The length of the longest list in a value.
fn longest(value: &serde_json::Value) -> i64 {
    match value {
        serde_json::Value::Array(list) => {
            let own = i64::try_from(list.len()).unwrap_or(i64::MAX);
            list.iter().map(longest).fold(own, i64::max)
        }
        serde_json::Value::Object(fields) => fields.values().map(longest).fold(1, i64::max),
        _ => 1,
    }
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// An id is taken as it is, not parsed; quotes in it mean nothing.
pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}
