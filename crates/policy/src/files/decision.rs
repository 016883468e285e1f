//! What policy files say to a question.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, ResourceName};
use crate::cedar::{Answer, Version};

/// The answer, and everything that it was made of.
#[derive(Debug)]
pub struct Decision {
    /// The proof, where it is allowed.
    pub allowed: Option<Allowed>,
    /// Allow or deny, in a word.
    pub decision: Answer,
    /// The ids of the policies whose rules decided, ascending.
    pub applied_policies: Vec<Arc<str>>,
    /// The ids of the rules that decided, ascending.
    pub applied_rules: Vec<Arc<str>>,
    /// The conditions of those rules, as text.
    pub conditions: Vec<String>,
    /// Why, in sentences.
    pub reasoning: String,
    /// How long it took.
    pub evaluation_time: Duration,
    /// Whether it was decided before, from nothing but identity, resource and actions.
    pub cache_hit: bool,
}

/// Proof that the policy files allow each of these actions on this resource to this identity. Only
/// [`Set::decide`](super::Set::decide) makes one, and it can't be copied.
#[derive(Debug)]
#[must_use]
pub struct Allowed {
    pub(super) identity: Box<str>,
    pub(super) resource: ResourceName,
    pub(super) actions: Box<[Action]>,
    pub(super) version: Version,
}

impl Allowed {
    /// Who is allowed.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// On what.
    #[must_use]
    pub const fn resource(&self) -> &ResourceName {
        &self.resource
    }

    /// To do what; ascending, each once.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The version of the set that decided: a digest of all its rules.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }
}
