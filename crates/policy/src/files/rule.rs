//! Policies and rules as they were understood. Nothing in here is text that has still to be read.

use std::sync::Arc;

use super::condition::Condition;
use super::{Action, ResourceName};

/// One policy: an id, and rules in the order of its file.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) id: Arc<str>,
    pub(super) status: Status,
    pub(super) rules: Vec<Rule>,
    /// File and line.
    pub(super) place: String,
}

/// Whether the rules of a policy hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// They hold.
    Active,
    /// They don't.
    Inactive,
    /// They hold, with a warning.
    Deprecated,
}

impl Status {
    pub(super) const WORDS: [(&'static str, Self); 3] =
        [("active", Self::Active), ("inactive", Self::Inactive), ("deprecated", Self::Deprecated)];
}

/// One rule. It matches where each of its lists and each condition does.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) policy: Arc<str>,
    pub(super) id: Arc<str>,
    /// File and line.
    pub(super) place: String,
    pub(super) effect: Effect,
    pub(super) resources: Vec<Covered>,
    pub(super) actions: Vec<Action>,
    /// Whether one of the actions was written as `*`: a rule that denies `admin` leaves the other actions alone, one that
    /// denies `*` does not.
    pub(super) every_action: bool,
    pub(super) identities: Vec<Wildcard>,
    pub(super) conditions: Vec<Condition>,
    pub(super) priority: i64,
}

impl Rule {
    /// Whether it would allow to anybody who runs some program: nothing else in it says who. What denies may be like that.
    pub(super) fn allows_by_program_alone(&self) -> bool {
        let facts = || {
            self.conditions
                .iter()
                .filter_map(|condition| Some((condition.process_fact()?, condition.inverted)))
        };
        let asks_program = facts().any(|(fact, _)| fact.is_weak());
        let everybody = self.identities.iter().any(|name| *name == Wildcard::Prefix(String::new()));
        let strong = facts().any(|(fact, inverted)| !fact.is_weak() && !inverted);
        self.effect == Effect::Allow && asks_program && everybody && !strong
    }
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

impl Effect {
    pub(super) const WORDS: [(&'static str, Self); 2] = [("allow", Self::Allow), ("deny", Self::Deny)];
}

/// Which resources a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Covered {
    /// All, of every kind.
    All,
    /// One, or all that begin alike.
    Named(ResourceName),
}

/// A text, or the beginning of texts with a `*` behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wildcard {
    /// This text.
    Exact(String),
    /// All that begin like this.
    Prefix(String),
}

impl Wildcard {
    /// Reads `text` or `begin*`.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        match text.strip_suffix('*') {
            _ if text.is_empty() => Err("an empty text matches nothing; write `*` for everything"),
            Some(start) if !start.contains('*') => Ok(Self::Prefix(start.to_owned())),
            None if !text.contains('*') => Ok(Self::Exact(text.to_owned())),
            _ => Err("a `*` stands only once, at the end; use the operator `regex` for more"),
        }
    }

    /// The same in lower case.
    pub(super) fn folded(&self) -> Self {
        match self {
            Self::Exact(text) => Self::Exact(text.to_lowercase()),
            Self::Prefix(start) => Self::Prefix(start.to_lowercase()),
        }
    }
}
