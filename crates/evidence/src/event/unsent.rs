//! Which outcomes say that nothing was sent, so that the uses of their intents are given back.
//!
//! # Invariants
//!
//! - In doubt a use stays taken: somebody who could have a call performed and its use back would have no limit.

use model::Code;

use super::{Ending, Outcome};

impl Outcome {
    /// Whether nothing was sent under the intent, so that the uses it counted are given back: it was abandoned, or Doorward itself
    /// refused it before there was anything to send.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        match self.ending {
            Ending::Abandoned => true,
            Ending::Failed => self.status.is_none() && self.code.is_some_and(is_before_sending),
            Ending::Done | Ending::Unknown => false,
        }
    }
}

/// Codes that are given only where nothing was sent. A code that is not in the list keeps the use: a reply that was too large, too
/// slow or unreadable is one to something that was done.
const fn is_before_sending(code: Code) -> bool {
    matches!(
        code,
        Code::BadRequest
            | Code::Unauthenticated
            | Code::Expired
            | Code::Revoked
            | Code::Denied
            | Code::ApprovalRequired
            | Code::NotFound
            | Code::Conflict
            | Code::Replayed
            | Code::RateLimited
            | Code::UsesExhausted
            | Code::SecretMissing
            | Code::SourceUnavailable
            | Code::Sealed
            | Code::EvidenceUnavailable
            | Code::AddressForbidden
            | Code::UpstreamUnreachable
    )
}
