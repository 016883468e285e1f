//! What is known of one credential.

use std::collections::BTreeMap;

use model::{CredentialId, PrincipalName, SecretName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Record, Table};

use super::ROWS;

/// A credential as a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRow {
    /// Its id.
    pub id: CredentialId,
    /// The code of its provider.
    pub provider: String,
    /// What kind of credential it is, as the list of providers says; empty in rows of an earlier version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The stored secret that holds its bytes.
    pub secret: SecretName,
    /// What it is called.
    pub name: String,
    /// What is known of it.
    pub status: Status,
    /// When it was set up.
    pub created: Timestamp,
    /// When it is over.
    pub expires: Timestamp,
    /// When a provider last said that it works.
    pub validated: Option<Timestamp>,
    /// Why the last validation did not say so.
    pub error: Option<String>,
    /// When a provider was last asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Timestamp>,
    /// What it says of itself that is no secret, such as its project.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What was noted beside it.
    pub metadata: Map<String, Value>,
    /// Who set it up.
    pub by: PrincipalName,
    /// The first eight hex digits of the SHA-256 of it.
    pub fingerprint: String,
    /// When its bytes go, after another one took its place.
    pub ends: Option<Timestamp>,
    /// Whether its bytes are gone.
    pub gone: bool,
}

impl Record for CredentialRow {
    const TABLE: Table = Table::Credentials;
}

/// What is known of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The provider took it.
    Valid,
    /// The provider refused it.
    Invalid,
    /// The provider did not say.
    Pending,
}

impl Status {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Invalid => "INVALID",
            Self::Pending => "PENDING",
        }
    }
}

impl CredentialRow {
    /// What it is shown as: one that is over is so whatever its provider said.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> &'static str {
        if self.expires <= now { "EXPIRED" } else { self.status.as_str() }
    }

    /// Whether it may be put into use, or is: it was not replaced, deleted or left behind.
    pub(super) const fn is_kept(&self) -> bool {
        !self.gone && self.ends.is_none()
    }

    /// Whether its bytes have to go by now.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        !self.gone && self.ends.is_some_and(|end| end <= now)
    }

    pub(super) fn key(&self) -> String {
        format!("{ROWS}{}/{}", self.provider, self.id)
    }
}
