//! How far the evidence reached when it was looked at last, kept with the home's own rows.
//!
//! A log whose end was taken away verifies. So a broker that opens one looks whether what it has seen is still there, and opens
//! nothing that ends before; and what it sees it writes down: now and then while it serves, and at its end.
//!
//! Rows that were put back are the same the other way round: a grant that was revoked counts again. So what was written down is put
//! beside the evidence as well, behind the rows. Rows that know of less than that are older than the evidence.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crypto::PublicKey;
use evidence::{Error, Seen};
use model::{Code, Refusal, TenantName};
use store::{Batch, Storage, Table};

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
    lost: Option<Lost>,
    /// Whether something was changed by whoever lives for one call.
    changed: bool,
}

/// What is missing: how far the evidence reached, and how far it does. Of rows, how far they knew it to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost {
    pub(crate) what: Side,
    pub(crate) seen: Seen,
    pub(crate) found: Option<Seen>,
}

/// Which half of a home is older than the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Evidence,
    Rows,
}

impl Side {
    /// The word used in answers and evidence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Rows => "rows",
        }
    }
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
        let seen = read(&*self.stores.state, ROW)?;
        let mut remembered = self.remembered();
        remembered.seen = seen;
        let beside = read(&*self.stores.evidence, BESIDE)?;
        if let Some(beside) = beside.filter(|beside| seen.is_none_or(|seen| seen.records < beside.records)) {
            if !remembered.admits {
                return Err(older(seen, beside));
            }
            remembered.lost = Some(Lost { what: Side::Rows, seen: beside, found: seen });
        }
        let Some(seen) = seen else { return Ok(Looked(())) };
        match seen.is_there(&*self.stores.evidence, key) {
            Ok(_whole) => Ok(Looked(())),
            Err(Error::Ended { seen, found }) if remembered.admits => {
                remembered.lost = Some(Lost { what: Side::Evidence, seen, found });
                Ok(Looked(()))
            }
            Err(error) => Err(refused(&error, Code::EvidenceUnavailable, error.hint())),
        }
    }

    /// Notes that an operation changed something of this home, which is worth writing down though the process ends soon.
    pub(crate) fn has_changed(&self) {
        self.remembered().changed = true;
    }

    /// What was there, and what is there; `None` where nothing is missing. For the record of whoever admits it.
    pub(crate) fn lost(&self) -> Option<Lost> {
        self.remembered().lost
    }

    /// Writes down how far the evidence and the audit log reach, where that is more than before. Blocks. Where it can't be written, what was written
    /// before holds, which asks for less.
    pub(super) fn remember_ends(&self, key: &PublicKey) {
        if let Some(audit) = self.audit() {
            audit.write_down();
        }
        let (known, changed) = {
            let remembered = self.remembered();
            (if remembered.lost.is_some() { None } else { remembered.seen }, remembered.changed)
        };
        // A process that lives for one call would write another row for it.
        let lives = changed || matches!(self.settings.reading, Reading::AtOnce);
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
        let write = |storage: &dyn Storage, row| {
            storage.commit(&Batch::new().put(Table::Meta, &TenantName::local(), row, seen.to_bytes()))
        };
        // The rows first: whatever breaks off between the two, they are never behind what stands beside the evidence.
        match write(&*self.stores.state, ROW).and_then(|()| write(&*self.stores.evidence, BESIDE)) {
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

/// Forgets, of a home that is put back on purpose, how far its rows were: a backup takes them before the evidence.
///
/// # Errors
/// When the evidence can't be read or written.
pub fn forget_rows(evidence: &dyn Storage) -> Result<(), store::Error> {
    match evidence.get(Table::Meta, &TenantName::local(), BESIDE)? {
        Some(_) => evidence.commit(&Batch::new().delete(Table::Meta, &TenantName::local(), BESIDE)),
        None => Ok(()),
    }
}

fn read(storage: &dyn Storage, row: &[u8]) -> Result<Option<Seen>, Refusal> {
    let bytes = storage.get(Table::Meta, &TenantName::local(), row);
    let bytes = bytes.map_err(|error| refused(&error, Code::EvidenceUnavailable, error.hint()))?;
    bytes.map(|bytes| Seen::from_bytes(&bytes)).transpose().map_err(|_| {
        let message = "what this home remembers of its evidence can't be read";
        Refusal::new(Code::EvidenceUnavailable, message).hint("`doorward restore` a backup")
    })
}

fn older(rows: Option<Seen>, beside: Seen) -> Refusal {
    let known = rows.map_or(0, |rows| rows.records);
    let message = format!(
        "the rows of this home (`home.db`) are older than the evidence beside them: they know of {known} records, and there \
         were {} when the rows were written last",
        beside.records
    );
    Refusal::new(Code::EvidenceUnavailable, message).hint(
        "what was revoked since would count again: put back the rows that belong to the evidence, or `doorward restore` a backup \
         of both. `doorward evidence admit-loss --reason TEXT` goes on with the older rows, and says so in the evidence",
    )
}

/// Where it is kept beside the evidence. It is a row of neither log, so it is not under `evidence/` either.
const BESIDE: &[u8] = b"seen/rows";
/// Where it is kept. Not under `evidence/`, which is where the log keeps its own rows, and what is copied with them.
const ROW: &[u8] = b"seen/evidence";
/// How old what is known may be before a process that lives for one call writes it again, in milliseconds.
const SELDOM: u64 = 60 * 60 * 1000;
