//! How far the evidence reached when it was looked at last, kept with the home's own rows.
//!
//! A log whose end was taken away verifies. So a broker that opens one looks whether what it has seen is still there, and opens
//! nothing that ends before; and what it sees it writes down: now and then while it serves, and at its end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crypto::PublicKey;
use evidence::{Error, Seen};
use model::{Code, Refusal, TenantName};
use store::{Batch, Table};

use super::{Broker, Reading, refused};

/// What is known of the end of the evidence.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// What the row says.
    seen: Option<Seen>,
    /// Whether evidence that ends before that is opened all the same.
    admits: bool,
    /// What was there and what is there, where something is missing.
    lost: Option<(Seen, Option<Seen>)>,
}

/// Proof that the end was looked for: it is there, or somebody said that it is lost. Only [`Broker::look_for_the_end`] makes one.
#[must_use]
pub(super) struct Looked(());

impl Broker {
    /// Opens evidence also where its end is gone. For whoever admits that it is; said before the keys are taken.
    pub fn admit_loss(&self) {
        self.remembered().admits = true;
    }

    /// Looks for the end that was seen last.
    pub(super) fn look_for_the_end(&self, key: &PublicKey) -> Result<Looked, Refusal> {
        let row = self.stores.state.get(Table::Meta, &TenantName::local(), ROW);
        let row = row.map_err(|error| refused(&error, Code::EvidenceUnavailable, error.hint()))?;
        let Some(row) = row else { return Ok(Looked(())) };
        let damaged = |_| {
            let message = "what this home remembers of its evidence can't be read";
            Refusal::new(Code::EvidenceUnavailable, message).hint("`doorward restore` a backup")
        };
        let seen = Seen::from_bytes(&row).map_err(damaged)?;
        let looked = seen.is_there(&*self.stores.evidence, key);
        let mut remembered = self.remembered();
        remembered.seen = Some(seen);
        match looked {
            Ok(_whole) => Ok(Looked(())),
            Err(Error::Ended { seen, found }) if remembered.admits => {
                remembered.lost = Some((seen, found));
                Ok(Looked(()))
            }
            Err(error) => Err(refused(&error, Code::EvidenceUnavailable, error.hint())),
        }
    }

    /// What was there, and what is there; `None` where nothing is missing. For the record of whoever admits it.
    pub(crate) fn lost_evidence(&self) -> Option<(Seen, Option<Seen>)> {
        self.remembered().lost
    }

    /// Writes down how far the evidence and the audit log reach, where that is more than before. Blocks. Where it can't be written, what was written
    /// before holds, which asks for less.
    pub(super) fn remember_ends(&self, key: &PublicKey) {
        if let Some(audit) = self.audit() {
            audit.write_down();
        }
        let known = {
            let remembered = self.remembered();
            if remembered.lost.is_some() { None } else { remembered.seen }
        };
        // A process that lives for one call would write another row for it.
        let lives = matches!(self.settings.reading, Reading::AtOnce);
        let fresh = |known: Seen| self.now().millis() < known.time.millis().saturating_add(SELDOM);
        if !lives && known.is_some_and(fresh) {
            return;
        }
        match Seen::newest(&*self.stores.evidence, key) {
            Ok(Some(now)) if known.is_none_or(|known| known.records < now.records) => self.write_seen(now),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "could not look how far the evidence reaches"),
        }
    }

    fn write_seen(&self, seen: Seen) {
        let batch = Batch::new().put(Table::Meta, &TenantName::local(), ROW, seen.to_bytes());
        match self.stores.state.commit(&batch) {
            Ok(()) => {
                let mut remembered = self.remembered();
                (remembered.seen, remembered.lost) = (Some(seen), None);
            }
            Err(error) => tracing::warn!(%error, "could not write down how far the evidence reaches"),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Inner> {
        self.remembered.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is kept. Not under `evidence/`, which is where the log keeps its own rows, and what is copied with them.
const ROW: &[u8] = b"seen/evidence";
/// How old what is known may be before a process that lives for one call writes it again, in milliseconds.
const SELDOM: u64 = 60 * 60 * 1000;
