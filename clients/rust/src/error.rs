//! What can go wrong, one variant for each thing that a caller may want to do about it.

use std::fmt;

use crate::types::{CapabilityResponse, ValidationResult};

/// A failure of a call, or a token that is none.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No agent listens on the socket. Nothing was sent.
    Unreachable {
        /// What happened; it has the words `connection refused` where nobody listens.
        message: String,
        /// Whether waiting can't mend it, such as a lack of rights.
        lasting: bool,
    },
    /// No answer in time to a call that changes nothing, or that may be made again.
    TimedOut(String),
    /// The agent closed the connection before it answered.
    Lost(String),
    /// The call was sent, and no answer came. It may have been performed; it is not sent twice.
    OutcomeUnknown(String),
    /// The agent refused the call.
    Refused {
        /// Why.
        message: String,
        /// One of Doorward's refusal codes, or nothing.
        code: String,
        /// What to do about it.
        hint: String,
        /// The record of the refusal.
        evidence: String,
    },
    /// A policy denied the capability.
    Denied(Box<CapabilityResponse>),
    /// The capability is not valid any more.
    NotValid(Box<ValidationResult>),
    /// The other end doesn't speak the agent's protocol.
    Protocol(String),
    /// A message of so many bytes, more than 1 MiB. It was not sent.
    TooLarge(usize),
    /// A token that can't be read or narrowed, or a call that it doesn't allow.
    Token(String),
}

impl Error {
    /// One word for it, the same in all of Doorward's client libraries.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut(_) => "timeout",
            Self::Lost(_) => "lost",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::Refused { .. } => "refused",
            Self::Denied(_) => "denied",
            Self::NotValid(_) => "not_valid",
            Self::Protocol(_) => "protocol",
            Self::TooLarge(_) => "too_large",
            Self::Token(_) => "token",
        }
    }

    /// Whether the same call may be made again: nothing was sent, or it changes nothing, or the agent asks for a pause.
    #[must_use]
    pub(crate) fn may_go_again(&self) -> bool {
        match self {
            Self::Unreachable { lasting, .. } => !lasting,
            Self::Lost(_) => true,
            Self::Refused { code, .. } => code == "rate_limited",
            Self::TimedOut(_)
            | Self::OutcomeUnknown(_)
            | Self::Denied(_)
            | Self::NotValid(_)
            | Self::Protocol(_)
            | Self::TooLarge(_)
            | Self::Token(_) => false,
        }
    }

    /// The same for a call that was sent and must not be sent twice.
    pub(crate) fn after_sending(self) -> Self {
        match self {
            Self::TimedOut(why) | Self::Lost(why) => {
                Self::OutcomeUnknown(format!("the outcome is unknown: {why}"))
            }
            other => other,
        }
    }

    pub(crate) fn refused(message: &str, code: &str) -> Self {
        Self::Refused {
            message: message.to_owned(),
            code: code.to_owned(),
            hint: String::new(),
            evidence: String::new(),
        }
    }

    pub(crate) fn malformed(why: &str) -> Self {
        Self::Token(format!("the capability is not well formed: {why}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { message, .. } | Self::Refused { message, .. } => out.write_str(message),
            Self::TimedOut(why)
            | Self::Lost(why)
            | Self::OutcomeUnknown(why)
            | Self::Protocol(why)
            | Self::Token(why) => out.write_str(why),
            Self::Denied(response) => write!(out, "capability denied: {}", response.message),
            Self::NotValid(result) => {
                out.write_str("capability is not valid")?;
                for (at, issue) in result.errors.iter().enumerate() {
                    write!(out, "{} {}: {}", if at == 0 { ":" } else { ";" }, issue.code, issue.message)?;
                }
                Ok(())
            }
            Self::TooLarge(bytes) => {
                write!(out, "the message has {bytes} bytes; the agent takes at most {}", crate::wire::FRAME)
            }
        }
    }
}

impl std::error::Error for Error {}
