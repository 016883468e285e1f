//! `agent.request`: a capability for actions on a resource, where the policy files allow each of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{CapabilityId, Code, Holder, ParseError, Refusal, Timestamp};
use policy::files::{Action, Allowed, Decision, Facts, ProcessFact, Question, ResourceName};
use policy::{Answer, Caveat, HolderIs, Reach, mint};
use serde_json::{Value, json};

use super::ask::{Bound, Context, Request};
use super::row::{Row, kind_of};
use super::{Asker, answered, constraints, json as strict, key, stamp, took};
use crate::agent::{Agent, Called};
use crate::broker::refused;
use crate::manage::{Done, Managing};

pub(crate) async fn request(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let started = Instant::now();
    let asked: Request = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let holder = &asker.facts.holder;
    let broker = Arc::clone(managing.worker.broker());
    let agent = broker.agent();
    let now = broker.now();
    let id = CapabilityId::new(now, broker.random()?);
    let request = format!("req_{}", id.to_string().trim_start_matches("cap_"));
    let mut reply = Reply { started, request, identity: own_name(holder) };
    if holder.run.is_some() {
        let message =
            "Invalid request: what belongs to a run has the capability of the run, and gets no other";
        return Ok(reply.denied(message, &asked, None));
    }
    let wanted = match Wanted::read(&asked, &agent, &asker)? {
        Ok(wanted) => wanted,
        Err(denied) => return Ok(reply.denied(&denied, &asked, None)),
    };
    reply.identity.clone_from(&wanted.identity.name);
    let (allowed, decision) = decide(&agent, &asker, &wanted, now);
    let Some(allowed) = allowed else {
        return Ok(reply.denied("Request denied by policy", &asked, Some(&decision)));
    };
    let row = wanted.row(managing, (id, &reply.request, now), allowed, &asked)?;
    let tenant = managing.admitted.permit.tenant().clone();
    let root = key(managing)?;
    let (step, signature) = row
        .step(&root, &tenant)
        .ok_or_else(|| Refusal::new(Code::BadRequest, "the capability can't be written down"))?;
    let named = row.named(&tenant, 0);
    // What doesn't fit into a token must not become a row that can't be used.
    let grant = model::GrantId::from_bytes(id.to_bytes());
    let token = mint(&root, &tenant, grant, &named.all_caveats(), id)
        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    broker.rows().commit(vec![step]).await?;
    broker.grants().name(&named).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    let mut capability = shown(&row, 0, &signature);
    if row.bearer
        && let Some(map) = capability.as_object_mut()
    {
        map.insert("token".to_owned(), token.expose(ToOwned::to_owned).into());
    }
    Ok(reply.granted(&capability, &row, &decision, &issues(asked.context.as_ref())))
}

/// A request, understood.
pub(super) struct Wanted {
    pub(super) identity: Called,
    pub(super) resource: ResourceName,
    pub(super) actions: Vec<Action>,
    pub(super) ttl: Duration,
    pub(super) uses: u32,
    pub(super) holder: HolderIs,
    pub(super) bearer: bool,
    pub(super) caveats: Vec<Caveat>,
    pub(super) purpose: Option<String>,
}

impl Wanted {
    /// Outer errors are requests that nobody can understand, inner ones such that are denied whatever policies say.
    fn read(asked: &Request, agent: &Agent, asker: &Asker) -> Result<Result<Self, String>, Refusal> {
        let config = &agent.config;
        let resource = asked.resource.as_deref().unwrap_or_default();
        if resource.is_empty() {
            return Err(wrong("resource cannot be empty"));
        }
        let resource: ResourceName = resource.parse().map_err(unread)?;
        let actions = actions(asked.actions.as_deref().unwrap_or_default())?;
        let ttl = match asked.ttl.unwrap_or(0) {
            0 => config.usual_ttl,
            seconds => match u64::try_from(seconds) {
                Ok(seconds) => Duration::from_secs(seconds),
                Err(_) => return Err(wrong("ttl cannot be negative")),
            },
        };
        if ttl > config.longest_ttl {
            let most = config.longest_ttl.as_secs();
            return Ok(Err(format!("Invalid request: TTL exceeds maximum allowed: {most} seconds")));
        }
        let uses = match asked.max_uses.unwrap_or(0) {
            0 => config.usual_uses,
            uses => u32::try_from(uses).map_err(|_| wrong("max_uses is a number from 1 to 4294967295"))?,
        };
        let identity = match Called::of(config, &asker.facts.holder, asked.identity.as_deref()) {
            Ok(identity) => identity,
            Err(refusal) if refusal.code == Code::Denied => return Ok(Err(refusal.message)),
            Err(refusal) => return Err(refusal),
        };
        let bearer = asked.bearer.unwrap_or(false);
        if bearer && !config.bearers {
            return Ok(Err("Invalid request: tokens for whoever holds them are switched off".to_owned()));
        }
        let holder = bound(&asker.facts.holder, asked.holder.unwrap_or(Bound::Uid))?;
        let purpose = asked.purpose.clone().filter(|text| !text.is_empty());
        if purpose.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
            return Err(wrong("purpose is longer than 1024 bytes"));
        }
        let mut caveats =
            vec![Caveat::Reach(Reach::new(actions.iter().copied(), resource.clone()).map_err(unread)?)];
        if let Some(constraints) = &asked.constraints {
            caveats.extend(constraints::caveats(&constraints.0)?);
        }
        Ok(Ok(Self { identity, resource, actions, ttl, uses, holder, bearer, caveats, purpose }))
    }

    fn row(
        self,
        managing: &Managing<'_>,
        (id, request, now): (CapabilityId, &str, Timestamp),
        _allowed: Allowed,
        asked: &Request,
    ) -> Result<Row, Refusal> {
        let Self { identity, resource: _, actions: _, ttl, uses, holder, bearer, caveats, purpose } = self;
        let metadata = asked.context.as_ref().and_then(|context| context.metadata.as_ref());
        let metadata = metadata.filter(|metadata| !metadata.0.is_empty()).map(|metadata| {
            metadata
                .0
                .iter()
                .map(|(key, value)| (key.clone(), value.0.clone()))
                .collect::<serde_json::Map<_, _>>()
        });
        let size = metadata.as_ref().map_or(0, |metadata| Value::Object(metadata.clone()).to_string().len());
        if size > LONGEST_METADATA {
            return Err(wrong("metadata is larger than 4096 bytes"));
        }
        Ok(Row {
            id,
            parent: None,
            principal: managing.admitted.permit.principal().clone(),
            identity: identity.name,
            identity_source: identity.source.as_str().to_owned(),
            holder,
            bearer,
            caveats,
            issuer: managing.worker.broker().agent().config.issuer.clone(),
            issued: now,
            expires: now.after(ttl),
            uses,
            request: request.to_owned(),
            purpose,
            metadata: metadata.map(Value::Object),
            constraints: asked
                .constraints
                .as_ref()
                .map(|given| given.0.clone())
                .filter(|given| !given.is_null()),
            revoked: None,
        })
    }
}

/// The actions, each once. A list in one word is split at its commas.
pub(super) fn actions(words: &[String]) -> Result<Vec<Action>, Refusal> {
    let words = words.iter().flat_map(|word| word.split(',')).map(str::trim).filter(|word| !word.is_empty());
    let mut actions = words.map(str::parse).collect::<Result<Vec<Action>, _>>().map_err(unread)?;
    actions.sort_unstable();
    actions.dedup();
    if actions.is_empty() { Err(wrong("actions cannot be empty")) } else { Ok(actions) }
}

/// Who may use the name: the user, and the group or session of the process where that was asked for.
fn bound(holder: &Holder, bound: Bound) -> Result<HolderIs, Refusal> {
    let cgroup = match bound {
        Bound::Uid => None,
        Bound::Cgroup => Some(holder.cgroup.clone().ok_or_else(|| unbound("control group"))?),
        Bound::Session => {
            let path = holder.cgroup.as_deref().and_then(session).ok_or_else(|| unbound("login session"))?;
            Some(path.to_owned())
        }
    };
    let bound = HolderIs::new(holder.uid, cgroup.as_deref(), None).map_err(unread)?;
    Ok(match holder.run {
        Some(run) => bound.and_run(run),
        None => bound,
    })
}

/// The scope that logind makes for a session (logind: `session-ID.scope` below `user-UID.slice`), with all above it.
pub(super) fn session(cgroup: &str) -> Option<&str> {
    let mut end = 0;
    for segment in cgroup.split('/') {
        end += segment.len();
        if segment.starts_with("session-") && segment.ends_with(".scope") {
            return cgroup.get(..end);
        }
        end += 1;
    }
    None
}

fn unbound(what: &str) -> Refusal {
    let message =
        format!("the capability can't be bound to the {what}: the kernel does not name one for this process");
    Refusal::new(Code::BadRequest, message).hint("leave `holder` out; the name then works for the user")
}

/// Asks the policy files.
pub(super) fn decide(
    agent: &Agent,
    asker: &Asker,
    wanted: &Wanted,
    now: Timestamp,
) -> (Option<Allowed>, Decision) {
    let Holder { uid, gid, cgroup, unit, container, exe, .. } = &asker.facts.holder;
    // The path of a rootless one could have been made up by its user.
    let container = container.as_ref().filter(|container| container.rootless.is_none());
    let container = container.map(|container| container.id.clone());
    let known = [
        (ProcessFact::Uid, uid.map(|uid| uid.to_string())),
        (ProcessFact::Gid, gid.map(|gid| gid.to_string())),
        (ProcessFact::Cgroup, cgroup.clone()),
        (ProcessFact::Unit, unit.clone()),
        (ProcessFact::Container, container),
        (ProcessFact::Executable, exe.as_ref().map(|exe| exe.path.clone())),
        (ProcessFact::Sha256, exe.as_ref().and_then(|exe| exe.sha256).map(|hash| crypto::to_hex(&hash))),
    ];
    let process = known.into_iter().filter_map(|(fact, value)| Some((fact, value?))).collect();
    let environment = asker.facts.environment.clone().map(|name| ("environment".to_owned(), name));
    let facts =
        Facts { address: asker.facts.address, environment: environment.into_iter().collect(), process };
    let question = Question {
        resource: &wanted.resource,
        actions: &wanted.actions,
        identity: &wanted.identity.name,
        also: &agent.config.identities.names(&asker.facts.holder),
        facts: &facts,
        now,
    };
    let mut decision = agent.set.decide(&question);
    (decision.allowed.take(), decision)
}

/// What a caller is, whatever it calls itself.
fn own_name(holder: &Holder) -> String {
    holder.uid.map_or_else(|| "unknown".to_owned(), |uid| format!("uid:{uid}"))
}

/// What every answer to a request says.
struct Reply {
    started: Instant,
    request: String,
    /// Who asks, as far as that is proven.
    identity: String,
}

impl Reply {
    fn granted(self, capability: &Value, row: &Row, decision: &Decision, issues: &[Value]) -> Done {
        let reach = row.reach();
        let actions: Vec<&str> = reach.iter().flat_map(|reach| reach.actions()).map(Action::as_str).collect();
        let fields = [
            ("status", "granted".to_owned()),
            ("capability", row.id.to_string()),
            ("request", self.request.clone()),
            ("resource", reach.map(|reach| reach.resource().to_string()).unwrap_or_default()),
            ("actions", actions.join(",")),
            ("identity", row.identity.clone()),
            ("identity_source", row.identity_source.clone()),
        ];
        let value = json!({
            "capability": capability,
            "status": "granted",
            "message": "Capability granted successfully",
            "request_id": self.request,
            "processing_time": took(self.started),
            "policy_result": decided(decision),
            "issues": issues,
        });
        answered(value, &fields)
    }

    /// A denial is an answer, and on record as what it is.
    fn denied(self, message: &str, asked: &Request, decision: Option<&Decision>) -> Done {
        let reason = decision.map_or_else(|| message.to_owned(), |decision| decision.reasoning.clone());
        let fields = [
            ("status", "denied".to_owned()),
            ("request", self.request.clone()),
            ("resource", asked.resource.clone().unwrap_or_default()),
            ("actions", asked.actions.clone().unwrap_or_default().join(",")),
            ("identity", self.identity.clone()),
            ("identity_asked", asked.identity.clone().unwrap_or_default()),
            ("reason", reason),
        ];
        let mut value = json!({
            "status": "denied",
            "message": message,
            "request_id": self.request,
            "processing_time": took(self.started),
            "issues": [{ "severity": "error", "code": "DENIED", "message": message }],
        });
        if let (Some(decision), Some(map)) = (decision, value.as_object_mut()) {
            map.insert("policy_result".to_owned(), decided(decision));
        }
        Done { code: Some(Code::Denied), ..answered(value, &fields) }
    }
}

fn decided(decision: &Decision) -> Value {
    json!({
        "decision": match decision.decision { Answer::Allow => "allow", Answer::Deny => "deny" },
        "applied_policies": decision.applied_policies,
        "applied_rules": decision.applied_rules,
        "reasoning": decision.reasoning,
        "cache_hit": decision.cache_hit,
    })
}

/// What a caller said of itself and is not believed.
fn issues(context: Option<&Context>) -> Vec<Value> {
    let Some(Context { source_ip, user_agent, runtime, session, metadata: _ }) = context else {
        return Vec::new();
    };
    let told = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let claims = [
        ("source_ip", told(source_ip)),
        ("user_agent", told(user_agent)),
        ("runtime", runtime.is_some()),
        ("session", session.is_some()),
    ];
    let claims: Vec<&str> = claims.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if claims.is_empty() {
        return Vec::new();
    }
    let message =
        format!("{} of the context: what a client says about itself decides nothing", claims.join(", "));
    vec![json!({ "severity": "info", "code": "CONTEXT_NOT_PROVEN", "message": message })]
}

/// A capability as programs see it.
pub(super) fn shown(row: &Row, used: u32, signature: &str) -> Value {
    let (actions, resource) = super::row::reached(&row.caveats);
    let words: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
    let status_of = row.revoked.as_ref();
    let mut value = json!({
        "id": row.id,
        "type": kind_of(&actions),
        "resource": resource.map(|name| name.as_str().to_owned()),
        "actions": words,
        "identity": row.identity,
        "identity_source": row.identity_source,
        "issuer": row.issuer,
        "issued_at": stamp(row.issued),
        "expires_at": stamp(row.expires),
        "ttl": row.expires.since(row.issued).as_secs(),
        "max_uses": row.uses,
        "used_count": used,
        "signature": signature,
        "holder": row.holder,
        "bearer": row.bearer,
        "metadata": row.metadata.clone().unwrap_or_else(|| json!({})),
    });
    if let Some(map) = value.as_object_mut() {
        let more = [
            ("constraints", row.constraints.clone()),
            ("purpose", row.purpose.clone().map(Value::from)),
            ("parent", row.parent.map(|parent| parent.to_string().into())),
            ("revoked_at", status_of.map(|revoked| stamp(revoked.at).into())),
            ("revoked_by", status_of.map(|revoked| revoked.by.clone().into())),
            ("revocation_reason", status_of.and_then(|revoked| revoked.reason.clone()).map(Value::from)),
        ];
        map.extend(more.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))));
    }
    value
}

pub(super) fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind `map_err`")]
pub(super) fn unread(error: ParseError) -> Refusal {
    Refusal::new(Code::BadRequest, error.to_string())
}

/// Longest purpose, in bytes.
const LONGEST_TEXT: usize = 1_024;
/// Most that a caller may say of a capability, in bytes of JSON.
const LONGEST_METADATA: usize = 4_096;
