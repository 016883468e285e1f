//! What stands in the store in place of bytes that are in BigQuery, and what else it remembers of it.

use std::collections::BTreeMap;

use model::TenantName;
use serde::{Deserialize, Serialize};
use store::{Storage, Table};

/// What stands in place of a ciphertext: which bytes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker(String);

impl Marker {
    /// The one of these bytes.
    pub(crate) fn of(sealed: &[u8]) -> Self {
        Self(digest(sealed))
    }

    /// The one with this digest.
    pub(crate) const fn with(digest: String) -> Self {
        Self(digest)
    }

    /// Reads a row; `None` where it is a ciphertext.
    pub(crate) fn read(row: &[u8]) -> Option<Self> {
        let digest = row.strip_prefix(FRONT)?;
        (digest.len() == 64).then(|| String::from_utf8(digest.to_vec()).ok().map(Self))?
    }

    /// As a row.
    pub(crate) fn row(&self) -> Vec<u8> {
        [FRONT, self.0.as_bytes()].concat()
    }

    pub(crate) fn digest(&self) -> &str {
        &self.0
    }
}

/// What was begun and is not settled: rows of the table that may differ from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    /// What `updated_at` was to be, in microseconds.
    pub(crate) revision: u64,
    /// The rows, by the id of their credential.
    pub(crate) rows: BTreeMap<String, OpenRow>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenRow {
    pub(crate) provider: String,
    pub(crate) kind: String,
    /// The digest of the bytes that were to be put there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

/// The table in which a home keeps credentials, where there is one.
///
/// # Errors
/// When the store can't be read.
pub fn kept_at(storage: &dyn Storage, house: &TenantName) -> Result<Option<String>, store::Error> {
    let raw = storage.get(Table::Meta, house, PLACE)?;
    Ok(raw.map(|raw| String::from_utf8_lossy(&raw).into_owned()))
}

/// SHA-256 in hex digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    crypto::to_hex(&crypto::sha256(&[bytes]))
}

/// No envelope begins with a letter.
const FRONT: &[u8] = b"bigquery/1 ";
/// Where the home notes which table it is.
pub(crate) const PLACE: &[u8] = b"bigquery/place";
/// What the rows of open intents begin with; they are the house's, and end with the name of their tenant.
pub(crate) const OPEN: &[u8] = b"bigquery/open/";
/// The greatest `updated_at` of a tenant's rows so far.
pub(crate) const REVISION: &[u8] = b"bigquery/revision";
