//! Conditions of rules: what is read, and how it is compared.
//!
//! What Cedar has words for is compiled to Cedar ([`Test::Texts`], [`Test::Contains`], [`Test::Networks`],
//! [`Test::Instants`]). The rest ([`Computed`]) is found here, in plain Rust, and handed to Cedar as a fact.
//!
//! # Invariants
//!
//! - A condition holds, fails, or is unknown because what it reads is absent. Unknown never allows: a rule that allows then
//!   doesn't match, and a rule that denies does, negated or not.

mod clock;
mod clock_read;
mod computed;
mod read;

use std::net::IpAddr;

use ipnet::IpNet;
use model::Timestamp;

use super::ProcessFact;
use super::rule::Wildcard;

pub(super) use clock::{Clock, ClockTest, Zone};
pub(super) use computed::Known;
pub(super) use read::{Written, read};

/// One condition of a rule.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) test: Test,
    /// From `ne`, `not_in` and `negate`: whether the condition holds where the test fails.
    pub(super) inverted: bool,
    /// As it was written, in one line.
    pub(super) shown: String,
}

/// What is tested.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// The text is one of these.
    Texts(Subject, Vec<Wildcard>),
    /// One of these is part of the text.
    Contains(Subject, Vec<String>),
    /// The address lies in one of these networks.
    Networks(Vec<IpNet>),
    /// The time lies in one of these spans: from the first until before the second.
    Instants(Vec<(Timestamp, Timestamp)>),
    /// Found in plain Rust.
    Computed(Computed),
}

/// What Cedar has no words for.
#[derive(Debug, Clone)]
pub(super) enum Computed {
    /// The whole text matches.
    Regex(Subject, regex::Regex),
    /// The text as a whole number is greater or less than this one.
    Number(Subject, Compared, i64),
    /// The text comes before or after this one, byte by byte.
    Bytes(Subject, Compared, String),
    /// The address, as text, matches as a whole.
    AddressRegex(regex::Regex),
    /// The address comes before or after this one of the same family.
    Address(Compared, IpAddr),
    /// The time at some place.
    Clock(Clock),
}

/// `gt` or `lt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// Greater, later.
    Above,
    /// Less, earlier.
    Below,
}

impl Compared {
    pub(super) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Above => order.is_gt(),
            Self::Below => order.is_lt(),
        }
    }
}

/// A text that conditions read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The whole name of the resource.
    Resource,
    /// The word before its colon.
    ResourceKind,
    /// What stands behind its `:/`.
    ResourcePath,
    /// The action.
    Action,
    /// The identity.
    Identity,
    /// A fact about the process.
    Process(ProcessFact),
    /// A fact about where this runs.
    Environment(String),
}

impl Condition {
    /// Whether the answer depends on more than identity, resource and action.
    pub(super) fn reads_context(&self) -> bool {
        self.subject().is_none_or(Subject::is_context)
    }

    /// The fact about the caller's process that is read.
    pub(super) fn process_fact(&self) -> Option<ProcessFact> {
        match self.subject() {
            Some(Subject::Process(fact)) => Some(*fact),
            _ => None,
        }
    }

    /// The text that is read, where it is a text.
    const fn subject(&self) -> Option<&Subject> {
        match &self.test {
            Test::Texts(subject, _)
            | Test::Contains(subject, _)
            | Test::Computed(
                Computed::Regex(subject, _)
                | Computed::Number(subject, _, _)
                | Computed::Bytes(subject, _, _),
            ) => Some(subject),
            Test::Networks(_) | Test::Instants(_) | Test::Computed(_) => None,
        }
    }
}

impl Subject {
    const fn is_context(&self) -> bool {
        matches!(self, Self::Process(_) | Self::Environment(_))
    }
}
