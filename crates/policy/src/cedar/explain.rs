//! Asking the policies without a call: `doorward policy explain` and `policy test`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{IntegrationName, OperationName, PrincipalName, Resource, Risk, TenantName, Timestamp};
use serde::{Deserialize, Serialize};

use super::cache::Key;
use super::evaluate::Facts;
use super::{Decision, Outcome, Policies, Subject};
use crate::Error;
use crate::principal::{BREAK_GLASS, Glass, HOLDER, Known, Listing, PrincipalKind, Standing};

/// What would be decided? One entry of a test file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The tenant; `local` where none is given.
    #[serde(default = "TenantName::local")]
    pub tenant: TenantName,
    /// Who asks.
    pub principal: PrincipalName,
    /// What the principal is.
    #[serde(default)]
    pub kind: PrincipalKind,
    /// Its roles. `holder` stands for a capability that allows the call, `break-glass` for a request that breaks the glass.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What is asked for: `slack/chat.post`.
    pub operation: String,
    /// On what; `*` where nothing is given.
    #[serde(default = "Resource::any")]
    pub resource: Resource,
    /// The catalogue entry behind the integration; the integration's own name where none is given.
    #[serde(default)]
    pub integration_kind: Option<IntegrationName>,
    /// What else is known.
    #[serde(default)]
    pub context: Circumstances,
    /// What a test expects; not read otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Answer>,
}

/// What a policy may read as `context`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circumstances {
    /// The time; 1970 where none is given.
    pub now: Timestamp,
    /// The door: `gateway`, `socket`, `cli`.
    pub door: Option<String>,
    /// How the caller was proven; made from the roles where nothing is given.
    pub proof: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// The purpose.
    pub purpose: Option<String>,
    /// The method of the request.
    pub method: Option<String>,
    /// The host of the upstream.
    pub host: Option<String>,
    /// The path at the upstream.
    pub path: Option<String>,
    /// The inputs.
    pub inputs: BTreeMap<String, String>,
    /// The risk; that of the operation where none is given.
    pub risk: Option<Risk>,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It would be allowed.
    Allow,
    /// It would be denied.
    Deny,
}

/// What decides, and why. Proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The answer.
    pub answer: Answer,
    /// The reason in one sentence.
    pub reason: String,
    /// The policies that decide; none where nothing permits.
    pub policies: Vec<Determining>,
    /// What could not be evaluated.
    pub errors: Vec<String>,
    /// Whether somebody has to approve the call first.
    pub approval: bool,
    /// How many different people have to, as far as policies and the capability say; 0 where nobody has to.
    pub approvers: u8,
    /// The version of the policies, in hex.
    pub version: String,
}

impl Explanation {
    /// The policies can't be read, so nothing is permitted.
    pub(crate) fn unread(why: String) -> Self {
        let reason = "the policies can't be read, so nothing is permitted".to_owned();
        let (policies, version) = (Vec::new(), String::new());
        Self {
            answer: Answer::Deny,
            reason,
            policies,
            errors: vec![why],
            approval: false,
            approvers: 0,
            version,
        }
    }
}

/// One policy that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Determining {
    /// Its id.
    pub id: String,
    /// File and line.
    pub place: String,
    /// Whether it permits or forbids.
    pub effect: Answer,
    /// Its `@description`.
    pub description: Option<String>,
}

impl Policies {
    /// Answers a question from the policies alone.
    ///
    /// # Errors
    /// When the operation or a role is not a name.
    pub fn evaluate(&self, question: &Question) -> Result<Explanation, Error> {
        let (integration, operation) = named(&question.operation)?;
        let Some(action) = self.action(&integration, &operation) else {
            return Ok(self.explain(&Decision::without(Outcome::NotDescribed)));
        };
        let held = question.roles.iter().any(|role| role == HOLDER);
        let roles = question.roles.iter().map(String::as_str).filter(|role| *role != HOLDER);
        let known = Arc::new(Known::new(question.kind, roles)?);
        let standing = match question.context.proof.as_deref() {
            _ if held => Standing::Holder,
            Some("loopback") => Standing::Unproven,
            Some("incoming") => Standing::Incoming(Listing::Silent),
            Some("anonymous") => Standing::Anonymous(Listing::Silent),
            _ => Standing::Proven,
        };
        let subject = Subject {
            tenant: &question.tenant,
            principal: &question.principal,
            known,
            standing,
            glass: if question.roles.iter().any(|role| role == BREAK_GLASS) {
                Glass::Broken
            } else {
                Glass::Whole
            },
            grant: None,
        };
        let kind = question.integration_kind.as_ref().unwrap_or(&integration);
        let key = Key { subject: &subject, action: &action, kind, resource: &question.resource };
        let facts = facts(&question.context, standing, action.risk);
        Ok(self.explain(&self.evaluate_action(&key, &facts, &integration)))
    }

    /// Says what a decision was made of.
    pub(crate) fn explain(&self, decision: &Decision) -> Explanation {
        let Decision { outcome, determining, errors } = decision;
        let policies: Vec<Determining> =
            determining.iter().filter_map(|name| self.determining(name)).collect();
        let first = policies.first().map(|policy| match &policy.description {
            Some(description) => format!("`{}` ({}): {description}", policy.id, policy.place),
            None => format!("`{}` ({})", policy.id, policy.place),
        });
        let first = first.unwrap_or_else(|| "nothing".to_owned());
        let (answer, reason) = match outcome {
            Outcome::Allow { .. } => (Answer::Allow, format!("allowed by {first}")),
            Outcome::Forbidden => (Answer::Deny, format!("forbidden by {first}")),
            Outcome::NotPermitted => (Answer::Deny, "no policy permits it".to_owned()),
            Outcome::Failed => (Answer::Deny, "a policy could not be evaluated, so it is denied".to_owned()),
            Outcome::NotDescribed => {
                (Answer::Deny, "the policies know no such operation, or another description of it".to_owned())
            }
        };
        let approvers = match outcome {
            Outcome::Allow { approvers } => *approvers,
            Outcome::Forbidden | Outcome::NotPermitted | Outcome::Failed | Outcome::NotDescribed => 0,
        };
        Explanation {
            answer,
            reason,
            policies,
            errors: errors.clone(),
            approval: approvers > 0,
            approvers,
            version: self.version.to_string(),
        }
    }

    fn determining(&self, name: &str) -> Option<Determining> {
        let rule = self.rules.get(&cedar_policy::PolicyId::new(name))?;
        let effect = if rule.forbids { Answer::Deny } else { Answer::Allow };
        Some(Determining {
            id: rule.name.to_string(),
            place: rule.place.clone(),
            effect,
            description: rule.description.clone(),
        })
    }
}

fn named(operation: &str) -> Result<(IntegrationName, OperationName), Error> {
    let (integration, name) = operation.split_once('/').unwrap_or((operation, ""));
    Ok((integration.parse()?, name.parse()?))
}

fn facts(given: &Circumstances, standing: Standing, risk: Risk) -> Facts<'_> {
    let proof = match standing {
        Standing::Proven => "kernel",
        Standing::Holder => "capability",
        Standing::Unproven => "loopback",
        Standing::Incoming(_) => "incoming",
        Standing::Anonymous(_) => "anonymous",
        Standing::Key => "api-key",
        Standing::Led => "led",
        Standing::Signed => "session",
    };
    Facts {
        now: given.now,
        door: given.door.as_deref().unwrap_or("cli"),
        proof: given.proof.as_deref().unwrap_or(proof),
        environment: given.environment.as_deref(),
        address: given.address,
        purpose: given.purpose.as_deref(),
        method: given.method.as_deref(),
        host: given.host.as_deref(),
        path: given.path.as_deref(),
        inputs: given.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        targets: super::evaluate::targets(given.inputs.values()),
        risk: given.risk.unwrap_or(risk).as_str(),
    }
}
