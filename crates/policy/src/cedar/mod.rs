//! Cedar, embedded and strict.
//!
//! [`Policies::compile_for`] reads policy files against a schema made from the catalogue; what fails strict validation is
//! not loaded. A request is always built with the schema. Cedar skips a policy that can't be evaluated, also a `forbid`; here
//! any error in the diagnostics is a denial.
//!
//! # Invariants
//!
//! - Nothing is allowed without a `permit`; a `forbid` wins; an error denies.
//! - Only policies whose scope can match an action are evaluated for it. A decision is kept only where none of them reads
//!   `context`, under everything that the entities are made of.
//! - An unknown annotation is an error, so that a mistyped `@approval` does not pass for none.

mod cache;
mod compile;
mod evaluate;
mod explain;
mod schema;
mod source;
mod strangers;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cedar_policy::{Entity, EntityUid, PolicyId, PolicySet, Schema};
use model::{Access, Call, IntegrationName, OperationName, Risk};

use crate::principal::Glass;

use cache::Cache;
use compile::Actions;
use evaluate::Types;
pub(crate) use evaluate::{Decision, Outcome, Subject, uid};
pub use explain::{Answer, Circumstances, Determining, Explanation, Question};
pub use schema::Descriptions;

/// The policies that hold where nobody wrote any.
pub const DEFAULT: &str = include_str!("default.cedar");

/// One file of policies.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it was read from, for messages.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
}

impl Source<'static> {
    /// The policies that hold where nobody wrote any.
    pub const DEFAULT: Self = Self { name: "default.cedar", text: DEFAULT };

    /// What a team can put beside them as it is: roles that read, write with an approval, approve, audit. Nobody has to; it holds
    /// where somebody put it.
    pub const TEAM: Self = Self { name: "team.cedar", text: include_str!("team.cedar") };

    /// What holds beside them in development mode: the owner of a laptop, and whom it gave a capability for that, are shown
    /// secrets that were stored as disclosable.
    pub const REVEALS: Self = Self { name: "reveals.cedar", text: include_str!("reveals.cedar") };
}

/// One operation of the catalogue, as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSpec {
    /// The integration.
    pub integration: IntegrationName,
    /// The operation.
    pub operation: OperationName,
    /// Read or write.
    pub access: Access,
    /// How much harm it can do.
    pub risk: Risk,
    /// What kind of thing it does.
    pub effect: ActionEffect,
}

/// What kind of thing an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionEffect {
    /// Uses a credential at a service.
    Use,
    /// The same, in an emergency only.
    BreakGlass,
    /// Changes or looks at Doorward itself.
    Manage,
    /// Asks for a capability or looks after one; counts as managing as well.
    Agent,
    /// Looks after tenants and their keys; counts as managing as well.
    Tenancy,
    /// Makes a tenant, or a key of one; counts as looking after tenants as well.
    Enrol,
    /// Looks after the credentials of a tenant; counts as managing as well.
    Credential,
    /// Looks after the session of whoever signed in; counts as managing as well.
    Session,
    /// Hands out a secret; counts as managing as well.
    Disclose,
    /// Hands out the stored key of an AWS profile; counts as a disclosure as well.
    NoSession,
}

/// The version of a compiled set: SHA-256 over schema and sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(crypto::Digest);

impl Version {
    pub(crate) const fn of(digest: crypto::Digest) -> Self {
        Self(digest)
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &crypto::Digest {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crypto::to_hex(&self.0))
    }
}

/// A compiled set of policies. Never changed; a new one is swapped in whole, and takes its own empty cache with it.
pub struct Policies {
    version: Version,
    schema: Schema,
    types: Types,
    actions: Actions,
    rules: HashMap<PolicyId, Rule>,
    warnings: Vec<String>,
    cache: Cache,
}

/// One operation, with the policies that can apply to it.
pub(crate) struct Action {
    uid: EntityUid,
    entity: Entity,
    access: Access,
    risk: Risk,
    slice: Arc<Slice>,
}

/// Proof that no policy says more about an operation than that an allowlist may allow it. Only [`Policies::left_to_lists`] makes one.
#[must_use]
pub(crate) struct LeftToLists(());

/// Proof that no policy forbids an operation or asks for an approval of it, whatever its conditions are. Only
/// [`Policies::unspoken`] makes one.
#[must_use]
pub(crate) struct Unspoken(());

/// Policies that can apply to the same actions.
struct Slice {
    policies: PolicySet,
    reads_context: bool,
    /// Whether any policy but [`GLASS`] forbids or asks for an approval.
    restricted: bool,
    /// Whether it takes a broken glass.
    guarded: bool,
    /// Whether an allowlist alone decides about whoever is known by nothing else: the policy for that is the one that comes with
    /// Doorward, and no other one forbids or asks for an approval.
    left_to_lists: bool,
}

/// What is said about one policy.
struct Rule {
    name: Arc<str>,
    place: String,
    forbids: bool,
    description: Option<String>,
    approvers: u8,
    reads_context: bool,
    /// Whether it is one of those that come with Doorward, word for word. None of those forbids what a list allows.
    standard: bool,
}

impl Policies {
    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// What the validator finds odd without refusing it, such as a policy that can never apply.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The ids of the policies, with the place where each stands, ascending.
    #[must_use]
    pub fn rules(&self) -> Vec<(&str, &str)> {
        let mut rules: Vec<_> = self.rules.values().map(|rule| (&*rule.name, &*rule.place)).collect();
        rules.sort_unstable();
        rules
    }

    /// Whether a decision about this call holds as long as the policies do.
    pub(crate) fn lasts(&self, call: &Call) -> bool {
        self.action(call.integration(), call.operation()).is_some_and(|action| !action.slice.reads_context)
    }

    /// Proof that an allowlist alone decides about an operation for whoever is known by nothing else, whatever is in the request.
    pub(crate) fn left_to_lists(
        &self,
        integration: &IntegrationName,
        operation: &OperationName,
    ) -> Option<LeftToLists> {
        let action = self.action(integration, operation)?;
        action.slice.left_to_lists.then_some(LeftToLists(()))
    }

    /// Proof that nothing restricts an operation for whoever asks with this glass, so that a request which may be it, and can't be read
    /// as it, escapes nothing.
    pub(crate) fn unspoken(
        &self,
        integration: &IntegrationName,
        operation: &OperationName,
        glass: Glass,
    ) -> Option<Unspoken> {
        let action = self.action(integration, operation)?;
        let Slice { restricted, guarded, .. } = *action.slice;
        (!restricted && (!guarded || glass == Glass::Broken)).then_some(Unspoken(()))
    }

    fn action(&self, integration: &IntegrationName, operation: &OperationName) -> Option<Arc<Action>> {
        self.actions.find(integration, operation)
    }
}

#[cfg(test)]
mod tests;
