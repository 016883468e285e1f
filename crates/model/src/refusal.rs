//! An answer of ours, not of the upstream.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ApprovalId, EvidenceId, Quota};

/// Why Doorward refuses. One table each for HTTP, exit and MCP codes, without a wildcard, so that a new code must be
/// thought about three times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The request is malformed or ambiguous.
    BadRequest,
    /// No credential of the caller's, or a wrong one.
    Unauthenticated,
    /// The capability is over.
    Expired,
    /// The capability was revoked.
    Revoked,
    /// Capability or policy does not allow it.
    Denied,
    /// Somebody has to approve this exact write first.
    ApprovalRequired,
    /// No such integration, secret, grant or record, or none that this caller may know of.
    NotFound,
    /// It exists already, or changed meanwhile.
    Conflict,
    /// The same delivery was carried already.
    Replayed,
    /// The body is larger than the integration allows.
    TooLarge,
    /// The caller's body broke off on its way to the service, which has a part of it.
    BodyBroken,
    /// Too many calls; try later.
    RateLimited,
    /// The capability's uses are spent.
    UsesExhausted,
    /// The credential that the operation needs is not there.
    SecretMissing,
    /// The place where the credential lives did not answer.
    SourceUnavailable,
    /// The broker is sealed.
    Sealed,
    /// The evidence could not be written, so nothing was done.
    EvidenceUnavailable,
    /// The upstream's address is not one that a credential may go to.
    AddressForbidden,
    /// The upstream could not be reached.
    UpstreamUnreachable,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The upstream's answer could not be passed on safely.
    UpstreamReply,
    /// It was sent, but what came of it is not known.
    OutcomeUnknown,
}

impl Code {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 22] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Expired,
        Self::Revoked,
        Self::Denied,
        Self::ApprovalRequired,
        Self::NotFound,
        Self::Conflict,
        Self::Replayed,
        Self::TooLarge,
        Self::BodyBroken,
        Self::RateLimited,
        Self::UsesExhausted,
        Self::SecretMissing,
        Self::SourceUnavailable,
        Self::Sealed,
        Self::EvidenceUnavailable,
        Self::AddressForbidden,
        Self::UpstreamUnreachable,
        Self::UpstreamTimeout,
        Self::UpstreamReply,
        Self::OutcomeUnknown,
    ];

    /// The word used in answers, evidence and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Denied => "denied",
            Self::ApprovalRequired => "approval_required",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Replayed => "replayed",
            Self::TooLarge => "too_large",
            Self::BodyBroken => "body_broken",
            Self::RateLimited => "rate_limited",
            Self::UsesExhausted => "uses_exhausted",
            Self::SecretMissing => "secret_missing",
            Self::SourceUnavailable => "source_unavailable",
            Self::Sealed => "sealed",
            Self::EvidenceUnavailable => "evidence_unavailable",
            Self::AddressForbidden => "address_forbidden",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamReply => "upstream_reply",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    /// The code of a word that [`Self::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// The status of HTTP (RFC 9110, section 15; RFC 6585 for 429).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::BodyBroken => 400,
            Self::Unauthenticated | Self::Expired | Self::Revoked => 401,
            Self::Denied | Self::ApprovalRequired | Self::UsesExhausted | Self::AddressForbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::Replayed => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::UpstreamUnreachable | Self::UpstreamReply | Self::OutcomeUnknown => 502,
            Self::SecretMissing | Self::SourceUnavailable | Self::Sealed | Self::EvidenceUnavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// The exit status of a command: 1 refused or failed, 2 usage.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::BadRequest => 2,
            Self::Unauthenticated
            | Self::Expired
            | Self::Revoked
            | Self::Denied
            | Self::ApprovalRequired
            | Self::NotFound
            | Self::Conflict
            | Self::Replayed
            | Self::TooLarge
            | Self::BodyBroken
            | Self::RateLimited
            | Self::UsesExhausted
            | Self::SecretMissing
            | Self::SourceUnavailable
            | Self::Sealed
            | Self::EvidenceUnavailable
            | Self::AddressForbidden
            | Self::UpstreamUnreachable
            | Self::UpstreamTimeout
            | Self::UpstreamReply
            | Self::OutcomeUnknown => 1,
        }
    }

    /// The error code of MCP, which is JSON-RPC's (specification 2.0, section 5.1).
    #[must_use]
    pub const fn mcp_code(self) -> i32 {
        match self {
            Self::BadRequest | Self::NotFound | Self::TooLarge | Self::BodyBroken => -32602,
            Self::Unauthenticated | Self::Expired | Self::Revoked => -32001,
            Self::Denied | Self::ApprovalRequired | Self::UsesExhausted | Self::AddressForbidden => -32002,
            Self::RateLimited | Self::Conflict | Self::Replayed => -32003,
            Self::SecretMissing | Self::SourceUnavailable | Self::Sealed | Self::EvidenceUnavailable => {
                -32004
            }
            Self::UpstreamUnreachable
            | Self::UpstreamTimeout
            | Self::UpstreamReply
            | Self::OutcomeUnknown => -32005,
        }
    }

    /// Who can mend it.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::BadRequest
            | Self::Unauthenticated
            | Self::Expired
            | Self::Revoked
            | Self::Denied
            | Self::ApprovalRequired
            | Self::NotFound
            | Self::Conflict
            | Self::Replayed
            | Self::TooLarge
            | Self::BodyBroken
            | Self::RateLimited
            | Self::UsesExhausted => Fault::Caller,
            Self::SecretMissing
            | Self::SourceUnavailable
            | Self::Sealed
            | Self::EvidenceUnavailable
            | Self::AddressForbidden => Fault::Operator,
            Self::UpstreamUnreachable
            | Self::UpstreamTimeout
            | Self::UpstreamReply
            | Self::OutcomeUnknown => Fault::Upstream,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who can mend a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Whoever sent the request.
    Caller,
    /// Whoever runs this Doorward.
    Operator,
    /// The service behind it.
    Upstream,
}

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It would be refused again, or might be done twice.
    No,
    /// Nothing was sent; it may be sent again.
    Safe,
    /// Nothing was sent; it may be sent again after this long.
    After(Duration),
}

/// An answer of ours: what was refused, whose fault, whether to try again, and what to type next.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Whether to send it again.
    pub retry: Retry,
    /// What was attempted, on what; lower case, no full stop, never secret material.
    pub message: String,
    /// The next command to type, or what to change.
    pub hint: Option<String>,
    /// The record of this refusal, once there is one.
    pub evidence: Option<EvidenceId>,
    /// A finer reason than the code, in words that programs know: `no allowlist match`, the id of an approval that is waited
    /// for, whose rate was broken. One line.
    pub reason: Option<Box<str>>,
    /// How the rate stands that was broken, where one was.
    pub quota: Option<Box<Quota>>,
}

impl Refusal {
    /// A refusal with this code and message; retry `No`, no hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            retry: Retry::No,
            message: message.into(),
            hint: None,
            evidence: None,
            reason: None,
            quota: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a finer reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same with advice on trying again.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The same with how the rate stands that was broken.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = Some(Box::new(quota));
        self
    }

    /// The same with the approval that is waited for, as its finer reason.
    #[must_use]
    pub fn awaiting(self, approval: ApprovalId) -> Self {
        self.because(approval.to_string())
    }

    /// The approval that is waited for, where one is.
    #[must_use]
    pub fn approval(&self) -> Option<ApprovalId> {
        self.reason.as_deref().filter(|_| self.code == Code::ApprovalRequired)?.parse().ok()
    }

    /// The same with the id of its record.
    #[must_use]
    pub const fn recorded(mut self, evidence: EvidenceId) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// Who can mend it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.code.fault()
    }
}
