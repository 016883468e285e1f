//! Verification: of an export, with nothing but the public key, and of a whole storage.
//!
//! # Invariants
//!
//! - What is not exactly as Doorward would write it is a finding: each line of an export is rendered again from its record and
//!   compared byte by byte.
//! - Records behind the last checkpoint are chained but not signed; the report says how many. If the newest records *and* the
//!   checkpoints over them were cut off, the rest is a log that once was: only somebody who keeps checkpoints elsewhere sees it.

mod storage;

use std::io::BufRead;

use crypto::{Digest, PublicKey};
use model::{EvidenceId, TenantName, Timestamp};

use crate::checkpoint::{ChainHead, Statement, due};
use crate::export::{self, Line, Lines, Proof};
use crate::tree::verify_inclusion;
use crate::walk::Walk;
use crate::{Finding, Wrong};
pub use storage::verify_store;

/// What a verification has seen when nothing was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Number of records.
    pub records: u64,
    /// Number of checkpoints.
    pub checkpoints: u64,
    /// Time of the last checkpoint.
    pub signed_until: Option<Timestamp>,
    /// Records behind the last checkpoint: chained, not signed yet.
    pub unsigned: u64,
    /// Intents without an outcome yet.
    pub open: Vec<(TenantName, u64, EvidenceId)>,
}

impl Report {
    fn add(&mut self, walk: &Walk, unsigned: u64) {
        self.records += walk.size();
        self.unsigned += unsigned;
        self.open.extend(walk.open.iter().map(|(seq, (id, _))| (walk.tenant.clone(), *seq, *id)));
    }
}

/// The chain of one tenant against the checkpoints over it.
struct Chain {
    walk: Walk,
    /// The last head that was seen.
    signed: Option<ChainHead>,
}

impl Chain {
    fn new(tenant: TenantName) -> Self {
        Self { walk: Walk::new(tenant), signed: None }
    }

    /// Compares the chain as it is here with a signed head.
    fn head(&mut self, head: &ChainHead) -> Result<(), Wrong> {
        let walk = &self.walk;
        let before = self.signed.as_ref().map_or((0, 0), |head| (head.nth, head.size));
        let nth = before.0.saturating_add(u64::from(head.size != before.1));
        if head.tenant != walk.tenant {
            return Err(Wrong::Tenant);
        }
        if head.size > walk.size() {
            return Err(Wrong::Cut);
        }
        if head.nth != nth || head.size < walk.size() {
            return Err(Wrong::Checkpoint);
        }
        if head.last != walk.last || head.root != walk.tree.root() {
            return Err(Wrong::Tree);
        }
        self.signed = Some(head.clone());
        Ok(())
    }

    fn unsigned(&self) -> u64 {
        self.walk.size() - self.signed.as_ref().map_or(0, |head| head.size)
    }
}

/// Verifies an export with nothing but the public key. Reads it once, line by line.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn verify_export(read: &mut dyn BufRead, key: &PublicKey) -> Result<Report, Finding> {
    let mut lines = Lines::new(read);
    let mut report = Report::default();
    let header = lines.next_line()?;
    let Some(Line::Header { tenant, key: named }) = header else {
        return Err(lines.wrong(Wrong::Format("a header")));
    };
    if named != *key {
        return Err(lines.wrong(Wrong::Signature));
    }
    let mut export = Export::new(tenant);
    let mut ended = false;
    while let Some(line) = lines.next_line()? {
        let wrong = |wrong| lines.wrong(wrong);
        if ended {
            return Err(wrong(Wrong::Format("a line behind the end")));
        }
        match line {
            Line::Header { .. } => return Err(wrong(Wrong::Format("a second header"))),
            Line::Record(bytes) => {
                let leaf = export.chain.walk.step(&bytes).map_err(wrong)?;
                lines.must_be(&export::record(leaf.seq, &bytes, &leaf))?;
                export.behind(leaf.time);
            }
            Line::Checkpoint(proof) => {
                export.checkpoint(&proof, key).map_err(wrong)?;
                report.checkpoints += 1;
            }
            Line::End { records, checkpoints } => {
                if (records, checkpoints) != (export.chain.walk.size(), report.checkpoints) {
                    return Err(wrong(Wrong::Cut));
                }
                ended = true;
            }
        }
    }
    if !ended {
        return Err(lines.wrong(Wrong::Cut));
    }
    export.end().map_err(|wrong| lines.wrong(wrong))?;
    report.signed_until = export.statement.as_ref().map(|statement| statement.time);
    report.add(&export.chain.walk, export.chain.unsigned());
    Ok(report)
}

/// What has been read of an export.
struct Export {
    chain: Chain,
    /// The last checkpoint, and the hash of its note.
    statement: Option<Statement>,
    digest: Option<Digest>,
    /// Whether a record behind the last checkpoint was written when another one was due.
    loose: bool,
}

impl Export {
    fn new(tenant: TenantName) -> Self {
        Self { chain: Chain::new(tenant), statement: None, digest: None, loose: false }
    }

    /// The writer signs a record at once when a checkpoint is due, so one must follow.
    fn behind(&mut self, time: Timestamp) {
        self.loose |= due(self.statement.as_ref().map(|statement| statement.time), time);
    }

    fn checkpoint(&mut self, proof: &Proof, key: &PublicKey) -> Result<(), Wrong> {
        let statement = Statement::open(&proof.note, key)?;
        let place = (proof.place, statement.heads);
        let _signed = verify_inclusion(proof.head.hash(), place, &proof.path, &statement.root)
            .ok_or(Wrong::Signature)?;
        if let Some(before) = &self.statement {
            let next = statement.number == before.number + 1;
            let broken = next && Some(statement.previous) != self.digest;
            if statement.number <= before.number || broken {
                return Err(Wrong::Checkpoint);
            }
        }
        // Of several checkpoints over the same records an export has one.
        if self.chain.signed.as_ref().is_some_and(|head| head.size == proof.head.size) {
            return Err(Wrong::Checkpoint);
        }
        self.chain.head(&proof.head)?;
        self.digest = Some(crypto::sha256(&[proof.note.as_bytes()]));
        self.statement = Some(statement);
        self.loose = false;
        Ok(())
    }

    fn end(&self) -> Result<(), Wrong> {
        if self.loose { Err(Wrong::Checkpoint) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
