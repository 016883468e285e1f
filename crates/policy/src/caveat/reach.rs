//! What a capability of the agent is for, in the agent's own words: actions on a resource.
//!
//! | resource | actions | reaches |
//! |---|---|---|
//! | `secret:/path` | `execute` | each call on which no other secrets are put than those |
//! | | `read` | those of these calls that read, and `doorward/secret.reveal` of it |
//! | | `write` | `doorward/secret.put` and `secret.rotate` of it |
//! | | `delete` | `doorward/secret.forget` of it |
//! | `op:/integration/operation` | `read` | the operation, where it reads |
//! | | `write`, `execute` | the operation |
//! | `log:/path` | `write` | `doorward/log.append` to it |
//! | `tool:/name` | `execute` | the operation `name` of the integration `tools` |
//! | `tool:/integration/name` | `execute` | the operation `name` of that integration |
//!
//! `admin` is all of the actions, and no other action includes one: policy files are asked for each by itself. What no file
//! describes is a write. What is reached is asked of the call as the catalogue has it now: where an integration
//! refers to another secret from tomorrow on, a capability for the former one no longer reaches it.

use std::fmt;

use model::{Access, Call, ParseError, SecretRef};
use serde::{Deserialize, Serialize};

use crate::files::{Action, ResourceKind, ResourceName};

/// Actions on a resource, or on all whose names begin like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Reach {
    /// A bit for each of [`Action::ALL`].
    actions: u8,
    resource: ResourceName,
}

impl Reach {
    /// These actions on this resource.
    ///
    /// # Errors
    /// When there is no action.
    pub fn new(
        actions: impl IntoIterator<Item = Action>,
        resource: ResourceName,
    ) -> Result<Self, ParseError> {
        let bits = actions.into_iter().fold(0, |bits, action| bits | bit(action));
        Self::of_parts(bits, resource)
            .ok_or_else(|| ParseError::new("actions", "none", "at least one action"))
    }

    /// The actions, in the order of [`Action::ALL`].
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        let bits = self.actions;
        Action::ALL.into_iter().filter(move |action| bits & bit(*action) != 0)
    }

    /// The resource.
    #[must_use]
    pub const fn resource(&self) -> &ResourceName {
        &self.resource
    }

    pub(crate) const fn parts(&self) -> (u8, &ResourceName) {
        (self.actions, &self.resource)
    }

    pub(crate) fn of_parts(actions: u8, resource: ResourceName) -> Option<Self> {
        let known = Action::ALL.into_iter().fold(0, |bits, action| bits | bit(action));
        (actions != 0 && actions & !known == 0).then_some(Self { actions, resource })
    }

    fn has(&self, action: Action) -> bool {
        self.actions & (bit(action) | bit(Action::Admin)) != 0
    }

    fn reads(&self, call: &Call) -> bool {
        call.access() == Access::Read && self.has(Action::Read)
    }

    /// Whether only `execute` is missing for a call.
    pub(crate) fn lacks_execute(&self, call: &Call) -> bool {
        let more = Self { actions: self.actions | bit(Action::Execute), resource: self.resource.clone() };
        !self.allows(call) && more.allows(call)
    }

    /// Whether a call is one of those.
    pub(crate) fn allows(&self, call: &Call) -> bool {
        let own = call.integration().as_str() == HOUSE;
        match (self.resource.kind(), own) {
            (ResourceKind::Secret, false) => {
                let lent = call.secrets();
                let covered = lent.iter().all(|secret| self.covers_secret(secret));
                !lent.is_empty() && covered && (self.reads(call) || self.has(Action::Execute))
            }
            (ResourceKind::Secret, true) => {
                let action = match call.operation().as_str() {
                    "secret.reveal" => Action::Read,
                    "secret.put" | "secret.rotate" => Action::Write,
                    "secret.forget" => Action::Delete,
                    _ => return false,
                };
                self.has(action) && self.covers(call.resource().as_str())
            }
            (ResourceKind::Operation, false) => {
                let covered = self.covers(&format!("op:/{}/{}", call.integration(), call.operation()));
                covered && (self.reads(call) || self.has(Action::Write) || self.has(Action::Execute))
            }
            (ResourceKind::Log, true) => {
                let appends = call.operation().as_str() == "log.append";
                appends && self.has(Action::Write) && self.covers(call.resource().as_str())
            }
            (ResourceKind::Tool, false) => {
                let (integration, operation) = (call.integration().as_str(), call.operation());
                let folder = if integration == TOOLS { String::new() } else { format!("{integration}/") };
                self.has(Action::Execute) && self.covers(&format!("tool:/{folder}{operation}"))
            }
            (ResourceKind::Operation | ResourceKind::Tool, true) | (ResourceKind::Log, false) => false,
        }
    }

    /// Whether this one reaches nothing that `parent` does not.
    pub(crate) fn is_within(&self, parent: &Self) -> bool {
        let fewer = parent.has(Action::Admin) || self.actions & !parent.actions == 0;
        fewer && parent.resource.covers(&self.resource)
    }

    /// A name of a secret in our own store is one of `secret:/NAME`; what lies elsewhere has no such name.
    fn covers_secret(&self, secret: &SecretRef) -> bool {
        secret.scheme() == STORE
            && secret.field().is_none()
            && self.covers(&format!("secret:/{}", secret.path()))
    }

    /// A name is read like that of the capability, so that there is one spelling of it.
    fn covers(&self, name: &str) -> bool {
        name.parse::<ResourceName>().is_ok_and(|name| name.prefix().is_none() && self.resource.covers(&name))
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, action) in self.actions().enumerate() {
            write!(f, "{}{action}", if at == 0 { "" } else { ", " })?;
        }
        write!(f, " on {}", self.resource)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    actions: Vec<String>,
    resource: String,
}

impl TryFrom<Written> for Reach {
    type Error = ParseError;

    fn try_from(written: Written) -> Result<Self, ParseError> {
        let actions = written.actions.iter().map(|word| word.parse()).collect::<Result<Vec<Action>, _>>()?;
        Self::new(actions, written.resource.parse()?)
    }
}

impl From<Reach> for Written {
    fn from(reach: Reach) -> Self {
        let actions = reach.actions().map(|action| action.as_str().to_owned()).collect();
        Self { actions, resource: reach.resource.as_str().to_owned() }
    }
}

const fn bit(action: Action) -> u8 {
    match action {
        Action::Read => 1,
        Action::Write => 2,
        Action::Delete => 4,
        Action::Execute => 8,
        Action::Admin => 16,
    }
}

/// The integration whose operations are the tools with names of their own.
pub const TOOLS: &str = "tools";

const HOUSE: &str = "doorward";
const STORE: &str = "store";

#[cfg(test)]
mod tests;
