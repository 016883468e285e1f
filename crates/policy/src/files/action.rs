//! The actions that a capability of the agent can be for: a closed list, because an action that only some rules know is
//! how a rule is passed by.

use std::fmt;
use std::str::FromStr;

use model::ParseError;

/// What may be done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Uses a secret, and is shown it where that is allowed at all; calls an operation that reads.
    Read,
    /// Puts or rotates a secret; appends to a log; calls an operation that writes.
    Write,
    /// Forgets a secret.
    Delete,
    /// Uses a secret for a call or a tool without being shown it.
    Execute,
    /// All of them.
    Admin,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Delete, Self::Execute, Self::Admin];

    /// Every word that is understood, with what it stands for.
    pub(super) const WORDS: [(&'static str, Self); 9] = [
        ("read", Self::Read),
        ("write", Self::Write),
        ("create", Self::Write),
        ("update", Self::Write),
        ("delete", Self::Delete),
        ("execute", Self::Execute),
        ("run", Self::Execute),
        ("admin", Self::Admin),
        ("*", Self::Admin),
    ];

    /// The one word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Execute => "execute",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = ParseError;

    /// `create` and `update` are writes, `run` is `execute`, `*` is `admin`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = Self::WORDS.iter().find(|(word, _)| *word == text);
        let expected = "`read`, `write`, `delete`, `execute`, `admin` or `*`";
        known.map(|(_, action)| *action).ok_or_else(|| ParseError::new("action", text, expected))
    }
}
