//! What the lists say about one call.

use std::fmt;
use std::sync::Arc;

use model::{EvidenceId, OperationName};

/// What the lists say about one call. Only [`Lists::check`](super::Lists::check) makes one that allows or denies.
#[derive(Debug)]
#[must_use]
pub struct Verdict {
    pub(crate) says: Says,
    /// The rule under trial that would have denied it.
    pub(crate) observed: Option<Arc<str>>,
    /// The operations that the request may be to its service, where it is none of them here.
    pub(crate) resembles: Option<Resembles>,
}

/// The operations that a request may be to its service, though it is none of them here.
#[derive(Debug)]
pub(crate) enum Resembles {
    /// It can't be read as any of them, though it has the path of one.
    Unread(Box<[OperationName]>),
    /// It says more than they take.
    Unknown(Box<[OperationName]>),
}

#[derive(Debug)]
pub(crate) enum Says {
    Allowed(Listed),
    Silent(Option<Reason>),
    Denied(Arc<str>, Reason),
}

/// Proof that a rule of an allowlist matches one call, and no rule of a denylist does.
#[derive(Debug)]
#[must_use]
pub struct Listed {
    pub(crate) call: EvidenceId,
    pub(crate) rule: Arc<str>,
}

/// Why a request is not allowed by the lists, in the words that clients of such lists know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No rule speaks of this path and method.
    NoMatch,
    /// The first rule that speaks of them asks for something else.
    Constraint(String),
    /// A rule of the denylist matches.
    Denied {
        /// The caller of the entry: an id, or `*`.
        caller: Arc<str>,
        /// The method of the request.
        method: &'static str,
        /// The path of the rule.
        path: Arc<str>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch => f.write_str("no allowlist match"),
            Self::Constraint(what) => f.write_str(what),
            Self::Denied { caller, method, path } => {
                write!(f, "denylist matched caller {caller} {method} {path}")
            }
        }
    }
}

impl Verdict {
    /// That of no lists: they say nothing.
    pub const fn silent() -> Self {
        Self { says: Says::Silent(None), observed: None, resembles: None }
    }

    /// The same about a request that may be one of these operations, but can't be read as one. Then nothing allows it but a rule
    /// about the request itself, and that only where no policy says more of these operations.
    pub fn of_unread(mut self, meant: &[OperationName]) -> Self {
        self.resembles = Some(Resembles::Unread(meant.into()));
        self
    }

    /// The same about a request that is none of these operations to us, for it says more than they take, and may be one to the
    /// service. Whoever may send anything may send it, but for what a policy forbids or wants approved.
    pub fn of_unknown(mut self, beside: &[OperationName]) -> Self {
        self.resembles = Some(Resembles::Unknown(beside.into()));
        self
    }

    /// The same, with what keeps the request from being the operation that a ready-made capability allows.
    pub fn but_for(mut self, what: String) -> Self {
        if let Says::Silent(reason) = &mut self.says {
            *reason = Some(Reason::Constraint(what));
        }
        self
    }

    /// The rule that allows the call: file and line.
    #[must_use]
    pub fn allowed_by(&self) -> Option<&str> {
        match &self.says {
            Says::Allowed(listed) => Some(&listed.rule),
            Says::Silent(_) | Says::Denied(..) => None,
        }
    }

    /// The rule that denies the call: file and line.
    #[must_use]
    pub fn denied_by(&self) -> Option<&str> {
        match &self.says {
            Says::Denied(rule, _) => Some(rule),
            Says::Allowed(_) | Says::Silent(_) => None,
        }
    }

    /// The rule under trial that would have denied it.
    #[must_use]
    pub fn observed(&self) -> Option<&str> {
        self.observed.as_deref()
    }

    /// Why the lists don't allow it, where they speak of the integration.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match &self.says {
            Says::Allowed(_) => None,
            Says::Silent(reason) => reason.as_ref(),
            Says::Denied(_, reason) => Some(reason),
        }
    }
}
