//! What is known of rotations that did not come to their end, so that the next one finishes them.
//!
//! A note is durable before AWS is asked for a key, learns the id of the new key before that key is kept, and goes when the
//! old key is gone. So whenever a rotation is killed, the id of every key that it may have left behind is here, but for one:
//! a key that AWS made and whose answer was never read. For that one the note has the time when it was asked for.

use std::sync::Arc;

use model::{Code, Refusal, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Batch, Storage, Table};

use crate::manage::{unstored, waiting};

/// Notes of one tenant.
pub(super) struct Unfinished {
    storage: Arc<dyn Storage>,
    tenant: TenantName,
}

/// One rotation that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// The id of the key that is to be replaced.
    pub(super) old: String,
    /// The id of the new key, once AWS has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<String>,
    /// When a key was asked for, each time that nobody knows what came of.
    pub(super) asked: Vec<Timestamp>,
}

impl Unfinished {
    pub(super) fn new(storage: Arc<dyn Storage>, tenant: TenantName) -> Self {
        Self { storage, tenant }
    }

    /// What is known of a profile's rotations.
    pub(super) async fn of(&self, profile: &str) -> Result<Vec<Note>, Refusal> {
        let (storage, tenant, prefix) = (Arc::clone(&self.storage), self.tenant.clone(), prefix(profile));
        waiting(move || {
            let rows = storage.scan(Table::Meta, &tenant, &prefix, None, usize::MAX);
            let rows = rows.map_err(|error| unstored(&error))?;
            rows.iter().map(|row| serde_json::from_slice(&row.value).map_err(|_| damaged())).collect()
        })
        .await
    }

    /// Makes a note durable; it takes the place of one about the same old key.
    pub(super) async fn keep(&self, profile: &str, note: &Note) -> Result<(), Refusal> {
        let value = serde_json::to_vec(note).map_err(|_| damaged())?;
        let batch = Batch::new().put(Table::Meta, &self.tenant, &row(profile, &note.old), value);
        self.commit(batch).await
    }

    /// Forgets the note about an old key.
    pub(super) async fn forget(&self, profile: &str, old: &str) -> Result<(), Refusal> {
        self.commit(Batch::new().delete(Table::Meta, &self.tenant, &row(profile, old))).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), Refusal> {
        let storage = Arc::clone(&self.storage);
        waiting(move || storage.commit(&batch).map_err(|error| unstored(&error))).await
    }
}

fn damaged() -> Refusal {
    Refusal::new(Code::SourceUnavailable, "what is noted of an earlier rotation can't be read")
        .hint("`aws iam list-access-keys` shows whether a key is there that nobody uses")
}

/// No name of a profile has a NUL: a line of a file has none.
fn prefix(profile: &str) -> Vec<u8> {
    format!("aws/rotation/{profile}\0").into_bytes()
}

fn row(profile: &str, old: &str) -> Vec<u8> {
    let mut key = prefix(profile);
    key.extend_from_slice(old.as_bytes());
    key
}
