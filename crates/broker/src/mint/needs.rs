//! What a call lacks that only a person or a program of the user can give. The call ends with it, and nothing was done; the
//! door gets it, while the home is open to others, and calls again.

use std::sync::{Mutex, OnceLock};

use model::{Refusal, Timestamp};
use serde::{Deserialize, Serialize};

use aws::mfa::Code;
use aws::oidc::{Registration, Token};
use aws::source::CredentialSource;
use memory::Secret;

use super::rotate::Ending;
use crate::Lease;

/// What a call lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The code of a device.
    Code {
        /// Its ARN or serial number.
        serial: String,
        /// The command that prints its codes, where there is one.
        process: Option<String>,
    },
    /// The credentials that a command prints.
    Credentials {
        /// The command, for a shell.
        command: String,
    },
    /// The credentials that this machine has.
    Machine {
        /// Where.
        source: CredentialSource,
    },
    /// The identity token that a command prints.
    Token {
        /// The command, for a shell.
        command: String,
    },
    /// That the code of a device that was used before is over: the next one is another.
    Later {
        /// Its ARN or serial number.
        serial: String,
        /// When there is another code.
        until: Timestamp,
    },
    /// The answer of AWS, which is waited for aside ([`aws::wire::Aside`]): here, or by another process that asks for the same.
    Answer,
    /// That some time passes.
    Rest {
        /// In milliseconds.
        millis: u64,
    },
    /// That a person signs in.
    SignIn {
        /// Where.
        start_url: String,
    },
}

/// What the door got.
#[derive(Default)]
pub struct Given {
    /// Codes, by the serial number of the device.
    pub codes: Vec<(String, Code)>,
    /// The credentials that a command printed, or that this machine has.
    pub credentials: Option<Lease>,
    /// The identity token that a command printed.
    pub token: Option<Secret>,
    /// What a person signed in with.
    pub signed_in: Option<(Token, Registration)>,
    /// What a call left for itself, to go on with.
    pub left: Left,
}

/// What a call leaves behind in this process when it has to begin from the start.
#[derive(Default)]
pub struct Left {
    /// The code that a seed made, and for which device: there is no other one for some time.
    pub(super) seeded: OnceLock<(String, Code)>,
    /// A rotation that has only the old key to end.
    pub(super) ending: Mutex<Option<Ending>>,
}

impl Needs {
    /// Reads what an answer says. `None` where the call lacked nothing.
    #[must_use]
    pub fn read(answer: &serde_json::Value) -> Option<Self> {
        serde_json::from_value(answer.get(MEMBER)?.clone()).ok()
    }

    /// A text that is the same for all who lack the same thing.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Code { serial, .. } | Self::Later { serial, .. } => serial,
            Self::Credentials { command } | Self::Token { command } => command,
            Self::Machine { source } => source.as_str(),
            Self::SignIn { start_url } => start_url,
            // Whose turn it is was found out by whoever asks.
            Self::Answer | Self::Rest { .. } => "",
        }
    }

    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Code { .. } => "mfa code",
            Self::Credentials { .. } => "credentials of a program",
            Self::Machine { .. } => "credentials of this machine",
            Self::Token { .. } => "token of a program",
            Self::Later { .. } => "the next code",
            Self::Answer => "the answer of AWS",
            Self::Rest { .. } => "some time",
            Self::SignIn { .. } => "sign-in",
        }
    }
}

/// Why a call ends without what was asked for.
pub(super) enum Stop {
    /// It is refused.
    Refused(Refusal),
    /// It lacks something.
    Needs(Needs),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The member of an answer that says what was lacking.
pub(super) const MEMBER: &str = "needs";
