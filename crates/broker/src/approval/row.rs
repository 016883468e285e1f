//! What is stored of an approval.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Duration;

use model::{
    Access, ApprovalId, Code, EvidenceId, GrantId, IntegrationName, OperationName, PrincipalName, Refusal,
    Resource, Retry, Risk, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Approved;

/// One question, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: ApprovalId,
    /// Of exactly what would be done, keyed.
    pub(crate) digest: String,
    /// Who asked.
    pub(crate) principal: PrincipalName,
    pub(crate) subject: Option<String>,
    pub(crate) grant: Option<GrantId>,
    pub(crate) door: String,
    pub(crate) purpose: Option<String>,
    pub(crate) break_glass: Option<String>,
    pub(crate) what: What,
    /// The policies that permitted it under the condition of an approval, and their version then.
    pub(crate) policies: Vec<String>,
    pub(crate) policy: String,
    pub(crate) asked: Timestamp,
    /// Of a question: until when it can be decided. Of an approval: until when it can be used.
    pub(crate) expires: Timestamp,
    /// The record of the call that asked.
    pub(crate) evidence: EvidenceId,
    /// How many people have to say yes.
    #[serde(default = "super::people::one")]
    pub(crate) approvers: NonZeroU8,
    /// Who did, in their order.
    #[serde(default)]
    pub(crate) agreed: Vec<Decided>,
    pub(crate) decided: Option<Decided>,
}

/// What would be done, for whoever decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct What {
    pub(crate) integration: IntegrationName,
    pub(crate) operation: OperationName,
    pub(crate) access: Access,
    pub(crate) risk: Risk,
    pub(crate) resource: Resource,
    pub(crate) inputs: BTreeMap<String, String>,
    /// Method and address as they will be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
    /// The program that does it where it is here, with its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<Vec<String>>,
    /// Headers of the caller that go along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Body>,
}

/// What comes along, as far as it can be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    pub(crate) bytes: u64,
    /// SHA-256 in hex, to compare with a file; not of a payload, which may be a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// Its beginning, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether there is more of it than `text` shows.
    pub(crate) cut: bool,
}

/// Who decided, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decided {
    pub(crate) answer: Answer,
    pub(crate) by: PrincipalName,
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
    /// The roles that they had, and the grant that they came with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<GrantId>,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Approved,
    Denied,
}

/// How an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending,
    Approved,
    Denied,
    Expired,
    Used,
}

impl Standing {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Used => "used",
        }
    }
}

/// The last question about one digest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Latest {
    pub(crate) id: ApprovalId,
}

impl Row {
    pub(crate) fn standing(&self, now: Timestamp, used: bool) -> Standing {
        match &self.decided {
            _ if used => Standing::Used,
            _ if now >= self.expires => Standing::Expired,
            None => Standing::Pending,
            Some(Decided { answer: Answer::Denied, .. }) => Standing::Denied,
            Some(Decided { answer: Answer::Approved, .. }) => Standing::Approved,
        }
    }

    /// The proof, where it stands; else the refusal that says how it stands.
    pub(super) fn stands(self, standing: Standing, about: &str) -> Result<Approved, Refusal> {
        let id = self.id;
        match (standing, &self.decided) {
            (Standing::Approved, Some(decided)) => {
                let enough = super::enough(decided, &self.agreed, self.approvers);
                let by = enough.ok_or_else(|| self.waiting(about))?.names();
                Ok(Approved { label: id.to_string(), by, once: Some(id.to_bytes()) })
            }
            (Standing::Denied, Some(Decided { by, reason, .. })) => {
                let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                Err(Refusal::new(Code::Denied, format!("`{by}` denied {about} (`{id}`){why}")))
            }
            (Standing::Expired, _) => {
                let message = format!("`{id}` expired at {}", self.expires);
                Err(Refusal::new(Code::Expired, message)
                    .hint("send it without naming an approval, to ask again"))
            }
            (Standing::Used, _) => Err(Refusal::new(Code::Conflict, format!("`{id}` was used already"))
                .hint("what was approved is done once; send it without naming an approval, to ask again")),
            (Standing::Pending | Standing::Approved | Standing::Denied, _) => Err(self.waiting(about)),
        }
    }

    /// The refusal of whoever has to wait.
    pub(super) fn waiting(&self, about: &str) -> Refusal {
        let id = self.id;
        let (message, who) = match super::progress(&self.agreed, self.approvers) {
            None => (format!("{about} needs an approval: `{id}` waits for one"), "somebody else runs"),
            Some(so_far) => (format!("{about} needs an approval: `{id}` waits, {so_far}"), "others run"),
        };
        Refusal::new(Code::ApprovalRequired, message)
            .retry(Retry::Safe)
            .hint(format!("{who} `doorward approval approve {id}`; then send the same again"))
            .awaiting(id)
    }
}

/// The key of an approval.
pub(crate) fn key(id: ApprovalId) -> String {
    id.to_string()
}

/// The key under which the last question about a digest is found.
pub(crate) fn digest_key(digest: &str) -> String {
    format!("digest/{digest}")
}

/// How long a question can be decided, and how long the answer can be used.
pub(crate) const LASTS: Duration = Duration::from_secs(3_600);
