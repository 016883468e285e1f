//! Policy files: rules in JSON or YAML for capabilities of the agent, compiled to Cedar.
//!
//! A rule allows or denies actions on resources to identities, under conditions. The rule of the highest priority that
//! matches decides, over all files; at equal priority one that denies wins; where none matches it is denied. Each action
//! that is asked for has to be allowed by itself.
//!
//! This is the only place of the crate that reads files, and only [`Set::load`] does.
//!
//! # Invariants
//!
//! - A folder is loaded whole or not at all: an unknown key, type, operator, effect, status or action, an id that is taken,
//!   a file that others could have changed refuses all of it, so that the former set stays in force.
//! - What a condition reads and isn't there never allows: a rule that allows doesn't match then, a rule that denies does.
//! - A rule that allows has to cover all of what is asked for; a rule that denies needs to touch any of it.
//! - An error while evaluating denies. [`Allowed`] has one maker.
//! - Nothing that a rule read time or facts for is kept in the cache.

mod action;
mod cache;
mod compile;
mod condition;
mod decision;
mod error;
mod evaluate;
mod expression;
mod folder;
pub(crate) mod node;
mod question;
mod read;
mod resource;
mod rule;
pub(crate) mod strict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub use action::Action;
pub use cache::{CacheCounts, CacheLimits};
pub use decision::{Allowed, Decision};
pub use error::{Error, Why};
pub use question::{Facts, ProcessFact, Question};
pub use resource::{ResourceKind, ResourceName};

use cache::Cache;
use compile::Compiled;
use condition::Condition;
use evaluate::Verdict;
use model::Needs;
use read::Format;
use rule::{Policy, Status};

use crate::cedar::{Answer, Version};

/// The policy files of one folder, compiled. Never changed; a new one is swapped in whole.
pub struct Set {
    compiled: Compiled,
    policies: usize,
    warnings: Vec<String>,
    cache: Cache,
}

impl Set {
    /// Reads every `*.json`, `*.yaml` and `*.yml` of a folder, in whichever case. A folder without any gives an empty set, which denies all.
    ///
    /// # Errors
    /// When the folder or one of the files can't be read, could have been changed by others, or has a mistake: the error
    /// names the file, and the line and rule where there is one.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let mut policies = Vec::new();
        let (files, folders) = folder::read(folder)?;
        for file in files {
            policies.push(read::policy(&file.text, file.format, &file.name)?);
        }
        let mut set = Self::of(policies)?;
        let unread =
            |folder: &PathBuf| format!("{}: policies in a folder of a folder are not read", folder.display());
        set.warnings.extend(folders.iter().map(unread));
        Ok(set)
    }

    /// The set that holds in development mode where there are no files: everything is allowed.
    ///
    /// # Errors
    /// Never but for a mistake in this program.
    pub fn built_in_development() -> Result<Self, Error> {
        Self::of(vec![read::policy(DEVELOPMENT, Format::Json, "built-in development.json")?])
    }

    /// A set without policies. It denies everything.
    ///
    /// # Errors
    /// Never but for a mistake in this program.
    pub fn empty() -> Result<Self, Error> {
        Self::of(Vec::new())
    }

    /// This set, keeping decisions within these limits.
    #[must_use]
    pub fn with_cache(self, limits: CacheLimits) -> Self {
        Self { cache: Cache::new(limits), ..self }
    }

    /// This set in the place of a former one: with its limits for the cache, and going on with its counts.
    #[must_use]
    pub fn after(self, former: &Self) -> Self {
        Self { cache: former.cache.emptied(), ..self }
    }

    /// Which facts about a caller's program the rules read: those that are worth being found out.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let conditions = self.compiled.rules.iter().flat_map(|rule| &rule.conditions);
        conditions.filter_map(Condition::process_fact).fold(Needs::default(), |needs, fact| match fact {
            ProcessFact::Executable => Needs { exe: true, ..needs },
            ProcessFact::Sha256 => Needs { exe: true, sha256: true },
            _ => needs,
        })
    }

    /// Decides. Whatever can't be decided is denied.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        let begun = Instant::now();
        let (mut verdict, cache_hit) = self.verdict(question);
        if verdict.answer == Answer::Allow
            && let Some(denied) = self.denied_otherwise(question)
        {
            verdict = denied;
        }
        let (applied_policies, applied_rules, conditions) = self.compiled.applied(&verdict.rules);
        let allowed = (verdict.answer == Answer::Allow).then(|| {
            let mut actions = question.actions.to_vec();
            actions.sort_unstable();
            actions.dedup();
            Allowed {
                identity: question.identity.into(),
                resource: question.resource.clone(),
                actions: actions.into(),
                version: self.compiled.version,
            }
        });
        Decision {
            allowed,
            decision: verdict.answer,
            applied_policies,
            applied_rules,
            conditions,
            reasoning: verdict.reasoning,
            evaluation_time: begun.elapsed(),
            cache_hit,
        }
    }

    fn verdict(&self, question: &Question<'_>) -> (Verdict, bool) {
        self.cache.verdict(question, || self.compiled.verdict(question))
    }

    /// What a rule denies to another name of the caller. That no rule allows it to that name is no such denial.
    fn denied_otherwise(&self, question: &Question<'_>) -> Option<Verdict> {
        let others = question.also.iter().filter(|name| ***name != *question.identity);
        let each = others.flat_map(|name| question.actions.iter().map(move |action| (name, action)));
        let mut verdicts = each.map(|(identity, action)| {
            let actions = std::slice::from_ref(action);
            self.verdict(&Question { identity, actions, also: &[], ..*question }).0
        });
        verdicts.find(|verdict| verdict.answer == Answer::Deny && !verdict.rules.is_empty())
    }

    /// How many policies were loaded, also inactive ones.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.policies
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.policies == 0
    }

    /// How many rules hold.
    #[must_use]
    pub const fn rules(&self) -> usize {
        self.compiled.rules.len()
    }

    /// A digest of all the rules.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.compiled.version
    }

    /// What is odd without being wrong, such as a policy that is deprecated.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What the cache did since the first of the sets that followed one another.
    #[must_use]
    pub fn cache(&self) -> CacheCounts {
        self.cache.counts()
    }

    fn of(policies: Vec<Policy>) -> Result<Self, Error> {
        let (mut taken, mut warnings) = (BTreeMap::<Arc<str>, String>::new(), Vec::new());
        for policy in &policies {
            if let Some(earlier) = taken.insert(Arc::clone(&policy.id), policy.place.clone()) {
                return Err(Error::Twice { id: policy.id.to_string(), place: policy.place.clone(), earlier });
            }
            match policy.status {
                Status::Active => {}
                Status::Inactive => {
                    warnings.push(format!(
                        "{}: the policy `{}` is inactive; its rules don't hold",
                        policy.place, policy.id
                    ));
                }
                Status::Deprecated => {
                    warnings.push(format!(
                        "{}: the policy `{}` is deprecated; its rules still hold",
                        policy.place, policy.id
                    ));
                }
            }
        }
        let count = policies.len();
        let compiled = compile::compile(policies)?;
        Ok(Self { compiled, policies: count, warnings, cache: Cache::new(CacheLimits::default()) })
    }
}

const DEVELOPMENT: &str = include_str!("development.json");

#[cfg(test)]
mod tests;
