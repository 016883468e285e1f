//! The read side, for people: lists, single calls with proof, exports. It reads rows and changes nothing.

mod checkpoints;
mod settled;
mod show;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;

use crypto::PublicKey;
use model::{EvidenceId, IntegrationName, OperationName, PrincipalName, TenantName, Timestamp};
use store::{Storage, Table};

use crate::{
    Answered, At, Closed, Ending, Error, Event, Finding, Intent, Leaf, Outcome, Refused, Wrong, export, leaf,
};

pub use settled::{Ended, EndedWhat, Mark};
pub use show::{Proved, Shown, Signed};

/// Reads the evidence of a storage. Blocks; not for a door's runtime.
pub struct Reader {
    storage: Arc<dyn Storage>,
    key: PublicKey,
}

/// What to list. The default is the newest hundred calls of everybody.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The tenant.
    pub tenant: TenantName,
    /// Not before; a listing ends where records are older.
    pub since: Option<Timestamp>,
    /// Not at or after.
    pub until: Option<Timestamp>,
    /// Only this integration.
    pub integration: Option<IntegrationName>,
    /// Only this principal.
    pub principal: Option<PrincipalName>,
    /// Only this operation.
    pub operation: Option<OperationName>,
    /// Only these results.
    pub result: Option<Ending>,
    /// At most so many.
    pub limit: usize,
    /// Only what is older than this sequence number: [`Entry::seq`] of the last one of the page before.
    pub after: Option<u64>,
}

impl Filter {
    /// The newest calls of a tenant.
    #[must_use]
    pub const fn of(tenant: TenantName) -> Self {
        Self {
            tenant,
            since: None,
            until: None,
            integration: None,
            principal: None,
            operation: None,
            result: None,
            limit: 100,
            after: None,
        }
    }
}

/// One call or event, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where its first record stands.
    pub seq: u64,
    /// When that was written.
    pub time: Timestamp,
    /// The first record.
    pub what: What,
    /// The outcome, or the head of a stream; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// The end of a stream.
    pub close: Option<Closed>,
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A call that was allowed.
    Call(Box<Intent>),
    /// A call that was refused.
    Refused(Box<Refused>),
    /// Something that happened to Doorward itself.
    House(Event),
}

impl Entry {
    /// How it ended; `None` while it is open, and for what has no end.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.close
            .as_ref()
            .map(|close| close.ending)
            .or_else(|| self.outcome.as_ref().map(|outcome| outcome.ending))
    }
}

/// Outcomes that were read before their intents.
type Settled = HashMap<u64, (Option<Outcome>, Option<Closed>)>;

impl Reader {
    /// A reader of what a log with this key has written.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, key: PublicKey) -> Self {
        Self { storage, key }
    }

    /// Whether there is a chain of this tenant.
    ///
    /// # Errors
    /// When the storage can't be read.
    pub fn has_chain(&self, tenant: &TenantName) -> Result<bool, Error> {
        Ok(self.storage.last(Table::Evidence, tenant).map_err(Error::Read)?.is_some())
    }

    /// Calls and events, the newest first.
    ///
    /// # Errors
    /// When the storage can't be read, or a record is not in the format. A listing does not verify the chain.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let mut settled = Settled::new();
        let Some(newest) = self.storage.last(Table::Evidence, &filter.tenant).map_err(Error::Read)? else {
            return Ok(entries);
        };
        let end = number(&newest.key).saturating_add(1);
        let before = filter.after.unwrap_or(u64::MAX);
        // Outcomes stand behind their intents: those of the first entries of a page are looked for in what comes after it.
        let mut high = end.min(before.saturating_add(WINDOW));
        while high > 0 && entries.len() < filter.limit {
            let low = high.saturating_sub(WINDOW);
            let leaves = self.between(&filter.tenant, low, high)?;
            for leaf in leaves.into_iter().rev() {
                if entries.len() == filter.limit || filter.since.is_some_and(|since| leaf.time < since) {
                    return self.complete(&filter.tenant, entries, before, filter.result);
                }
                if let Some(entry) = join(leaf, &mut settled)
                    && entry.seq < before
                    && filter.admits(&entry)
                {
                    entries.push(entry);
                }
            }
            high = low;
        }
        self.complete(&filter.tenant, entries, before, filter.result)
    }

    /// The records of the rows that begin in `low..high`.
    fn between(&self, tenant: &TenantName, low: u64, high: u64) -> Result<Vec<Leaf>, Error> {
        let mut leaves = Vec::new();
        let mut after = low.checked_sub(1).map(u64::to_be_bytes);
        loop {
            let from = after.as_ref().map(<[u8; 8]>::as_slice);
            let rows = self.storage.scan(Table::Evidence, tenant, b"", from, PAGE).map_err(Error::Read)?;
            let full = rows.len() == PAGE;
            for row in rows {
                let first = number(&row.key);
                if first >= high {
                    return Ok(leaves);
                }
                after = Some(first.to_be_bytes());
                for record in leaf::rows(&row.value) {
                    let leaf = record.and_then(Leaf::decode);
                    let at = At::Record(tenant.clone(), first);
                    leaves.push(leaf.map_err(|wrong| damaged(at, wrong))?);
                }
            }
            if !full {
                return Ok(leaves);
            }
        }
    }

    /// Looks behind the page for outcomes of calls that seem open, where a page does not begin at the end of the chain.
    fn complete(
        &self,
        tenant: &TenantName,
        mut entries: Vec<Entry>,
        before: u64,
        result: Option<Ending>,
    ) -> Result<Vec<Entry>, Error> {
        let is_open = |entry: &Entry| match &entry.outcome {
            _ if !matches!(entry.what, What::Call(_)) => false,
            None => true,
            Some(_) => false,
        };
        let mut open: BTreeMap<u64, usize> = (0..)
            .zip(&entries)
            .filter(|(_, entry)| is_open(entry))
            .map(|(at, entry)| (entry.seq, at))
            .collect();
        let mut low = before.saturating_add(WINDOW);
        while !open.is_empty() && before != u64::MAX {
            let leaves = self.between(tenant, low, low.saturating_add(WINDOW))?;
            if leaves.is_empty() {
                break;
            }
            for leaf in leaves {
                if let Event::Outcome(settles, outcome) | Event::Head(settles, outcome) = leaf.event
                    && let Some(at) = open.remove(&settles.intent)
                    && let Some(entry) = entries.get_mut(at)
                {
                    entry.outcome = Some(outcome);
                }
            }
            low = low.saturating_add(WINDOW);
        }
        if let Some(result) = result {
            entries.retain(|entry| entry.ending() == Some(result));
        }
        Ok(entries)
    }

    /// Writes the chain of a tenant with its checkpoints as lines of JSON. Returns the number of records.
    ///
    /// # Errors
    /// When the storage can't be read, what it holds is damaged, or `out` takes nothing.
    pub fn export(&self, tenant: &TenantName, out: &mut dyn Write) -> Result<u64, Error> {
        export::write(&*self.storage, tenant, &self.key, out)
    }

    /// How often a grant or narrowing has been used.
    ///
    /// # Errors
    /// When the storage can't be read, or the counter is damaged.
    pub fn uses(&self, tenant: &TenantName, id: [u8; 16]) -> Result<u64, Error> {
        let value = self.storage.get(Table::Uses, tenant, &id).map_err(Error::Read)?;
        let count = value.map(|value| crate::log::decode_count(&value));
        count.unwrap_or(Some(0)).ok_or_else(|| damaged(At::Row(tenant.clone(), "uses"), Wrong::State))
    }

    /// A call with all its records and the proof that they stand in a signed tree.
    ///
    /// # Errors
    /// When the storage can't be read, or what it holds is damaged.
    pub fn show(&self, tenant: &TenantName, id: EvidenceId) -> Result<Option<Shown>, Error> {
        show::show(&*self.storage, tenant, id, &self.key)
    }
}

impl Filter {
    fn admits(&self, entry: &Entry) -> bool {
        let (principal, deed) = match &entry.what {
            What::Call(intent) => (Some(&intent.principal), Some(&intent.deed)),
            What::Refused(refused) => (refused.principal.as_ref(), refused.deed.as_ref()),
            What::House(_) => (None, None),
        };
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        // An entry that seems open may be settled behind this page; whether it has the result is seen in the end.
        let result = self.result.is_none_or(|wanted| match &entry.what {
            What::Call(_) => entry.ending().is_none_or(|ending| ending == wanted),
            What::Refused(_) | What::House(_) => false,
        });
        result
            && self.until.is_none_or(|until| entry.time < until)
            && is(self.principal.as_ref(), principal)
            && is(self.integration.as_ref(), deed.map(|deed| &deed.integration))
            && is(self.operation.as_ref(), deed.map(|deed| &deed.operation))
    }
}

/// The entry that a record begins, with the outcomes that were read before; or nothing, and its outcome is remembered.
fn join(leaf: Leaf, settled: &mut Settled) -> Option<Entry> {
    let Leaf { seq, time, event, .. } = leaf;
    let what = match event {
        Event::Outcome(settles, outcome) | Event::Head(settles, outcome) => {
            settled.entry(settles.intent).or_default().0 = Some(outcome);
            return None;
        }
        Event::Close(settles, close) => {
            settled.entry(settles.intent).or_default().1 = Some(close);
            return None;
        }
        Event::Intent(intent) => What::Call(intent),
        Event::Refused(refused) => What::Refused(refused),
        Event::Answered(answered) => {
            let Answered { asked, outcome } = *answered;
            let what = What::Call(Box::new(asked));
            return Some(Entry { seq, time, what, outcome: Some(outcome), close: None });
        }
        event @ (Event::Started(_) | Event::Notice(_) | Event::Forgotten(_)) => What::House(event),
    };
    let (outcome, close) = settled.remove(&seq).unwrap_or_default();
    Some(Entry { seq, time, what, outcome, close })
}

fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

fn damaged(at: At, wrong: Wrong) -> Error {
    Error::Damaged(Box::new(Finding::new(at, wrong)))
}

/// Sequence numbers that are looked at in one go.
const WINDOW: u64 = 1_024;
/// Rows that are read at once.
const PAGE: usize = 256;

#[cfg(test)]
mod tests;
