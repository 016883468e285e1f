//! Why a command ended without doing what it was asked: one type, printed in one place.
//!
//! A failure never holds secret material. Its text is lower case without a full stop; advice stands apart, as the next
//! command to type or what to change.

use std::error::Error;
use std::fmt;

use model::{EvidenceId, Refusal};

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// What it came from, the nearest first.
    pub(crate) causes: Vec<String>,
    pub(crate) hint: Option<Box<str>>,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What was typed makes no sense.
    Usage,
    /// The broker refused, with the id of its record.
    Refused(model::Code, Option<EvidenceId>),
    /// Something did not work.
    Failed,
    /// What was printed already says it; nothing is added.
    Silent,
    /// Whoever read our output went away, which is their right.
    ReaderGone,
}

/// What a command gives back.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Something did not work.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// What was typed makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::new(message) }
    }

    /// The command has said itself what is wrong.
    pub(crate) fn silent() -> Self {
        Self { kind: Kind::Silent, ..Self::new("") }
    }

    /// An attempt at something failed because of an error.
    pub(crate) fn doing(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(what);
        failure.push(error);
        failure
    }

    /// An error on its own.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(error.to_string());
        if let Some(source) = error.source() {
            failure.push(source);
        }
        failure
    }

    /// The same with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into_boxed_str());
        self
    }

    /// The same with advice, where there is some.
    pub(crate) fn maybe_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        if let Some(hint) = hint {
            self.hint = Some(hint.into().into_boxed_str());
        }
        self
    }

    /// The exit status: 0 done, 1 refused or failed, 2 usage.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            Kind::Refused(code, _) => code.exit_status(),
            Kind::Failed | Kind::Silent => 1,
            Kind::ReaderGone => 0,
        }
    }

    fn push(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, retry: _, message, hint, evidence, reason: _, quota: _ } = refusal;
        Self { kind: Kind::Refused(code, evidence), ..Self::new(message) }.maybe_hint(hint)
    }
}

impl From<std::io::Error> for Failure {
    /// Only for what is printed; other errors of the system say what was attempted.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::ReaderGone, ..Self::new("") };
        }
        Self::doing("could not print", &error)
    }
}

impl From<model::ParseError> for Failure {
    fn from(error: model::ParseError) -> Self {
        Self::usage(error.to_string())
    }
}

macro_rules! with_hint {
    ($($error:ty),+) => { $(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hint = error.hint().map(|hint| hint.to_string());
                Self::of(&error).maybe_hint(hint)
            }
        }
    )+ };
}

with_hint!(
    store::Error,
    secrets::Error,
    catalog::Error,
    evidence::Error,
    policy::Error,
    policy::files::Error
);

impl From<net::Error> for Failure {
    fn from(error: net::Error) -> Self {
        Self::of(&error)
    }
}
