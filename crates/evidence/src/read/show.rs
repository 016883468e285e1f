//! One call with its records and proofs.

use crypto::{Digest, PublicKey};
use model::{EvidenceId, TenantName, Timestamp};
use store::{Storage, Table};

use super::number;
use crate::checkpoint::{ChainHead, Statement};
use crate::leaf;
use crate::tree::{Prover, verify_inclusion};
use crate::{At, Error, Event, Finding, Leaf, Wrong, standing};

/// One call: its records, each with the proof that it stands in the tree whose head was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The records in their order: intent, outcome, and for a stream head and close; or one refusal, or one answer.
    pub records: Vec<Proved>,
    /// The checkpoint; `None` only where the storage holds none.
    pub checkpoint: Option<Signed>,
}

/// One record and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The bytes that are hashed.
    pub bytes: Vec<u8>,
    /// What they say.
    pub leaf: Leaf,
    /// The way to the root of the tree of [`Signed::head`]; `None` while no checkpoint covers the record.
    pub path: Option<Vec<Digest>>,
}

/// A checkpoint and the proof that it covers the tenant's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signed note.
    pub note: String,
    /// The tenant's head.
    pub head: ChainHead,
    /// Its place among all heads.
    pub place: u64,
    /// The way to the root of the heads.
    pub path: Vec<Digest>,
}

impl Shown {
    /// Verifies all proofs with nothing but the public key. Gives the time until which that is signed, and how many records
    /// no checkpoint covers yet.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn verify(&self, key: &PublicKey) -> Result<(Timestamp, usize), Wrong> {
        let signed = self.checkpoint.as_ref().ok_or(Wrong::Checkpoint)?;
        let statement = Statement::open(&signed.note, key)?;
        let place = (signed.place, statement.heads);
        let proven = verify_inclusion(signed.head.hash(), place, &signed.path, &statement.root);
        let _head = proven.ok_or(Wrong::Signature)?;
        let mut uncovered = 0;
        for Proved { bytes, leaf, path } in &self.records {
            if Leaf::decode(bytes)? != *leaf || leaf.tenant != signed.head.tenant {
                return Err(Wrong::Text);
            }
            let Some(path) = path else {
                uncovered += 1;
                continue;
            };
            let place = (leaf.seq, signed.head.size);
            let _record =
                verify_inclusion(leaf::hash(bytes), place, path, &signed.head.root).ok_or(Wrong::Tree)?;
        }
        Ok((statement.time, uncovered))
    }
}

/// The last checkpoint with the proof of what it says of a tenant; `None` where it says nothing of it.
pub(super) fn signed(
    storage: &dyn Storage,
    tenant: &TenantName,
    key: &PublicKey,
) -> Result<Option<Signed>, Error> {
    Ok(standing::last(storage, tenant, key)?.and_then(|last| {
        let (head, place, path) = last.head?;
        Some(Signed { note: last.checkpoint.note, head, place, path })
    }))
}

/// Looks the call up and proves its records. One pass to find it, one over the signed records for the proofs.
pub(super) fn show(
    storage: &dyn Storage,
    tenant: &TenantName,
    id: EvidenceId,
    key: &PublicKey,
) -> Result<Option<Shown>, Error> {
    let signed = signed(storage, tenant, key)?;
    let mut records = find(storage, tenant, id)?;
    if records.is_empty() {
        return Ok(None);
    }
    if let Some(signed) = &signed {
        prove(storage, tenant, &mut records, signed.head.size)?;
    }
    Ok(Some(Shown { records, checkpoint: signed }))
}

fn find(storage: &dyn Storage, tenant: &TenantName, id: EvidenceId) -> Result<Vec<Proved>, Error> {
    let mut found: Vec<Proved> = Vec::new();
    each(storage, tenant, &mut |_, bytes| {
        let leaf = Leaf::decode(bytes)?;
        if leaf.event.id() == Some(id) {
            let last = matches!(
                leaf.event,
                Event::Outcome(..) | Event::Close(..) | Event::Refused(_) | Event::Answered(_)
            );
            found.push(Proved { bytes: bytes.to_vec(), leaf, path: None });
            return Ok(!last);
        }
        Ok(true)
    })?;
    Ok(found)
}

fn prove(storage: &dyn Storage, tenant: &TenantName, records: &mut [Proved], size: u64) -> Result<(), Error> {
    let mut provers: Vec<_> = records.iter().map(|record| Prover::inclusion(record.leaf.seq, size)).collect();
    each(storage, tenant, &mut |seq, bytes| {
        let hash = leaf::hash(bytes);
        for prover in provers.iter_mut().flatten() {
            prover.pass(seq, hash);
        }
        Ok(seq + 1 < size)
    })?;
    for (record, prover) in records.iter_mut().zip(provers) {
        record.path = prover.and_then(Prover::finish);
    }
    Ok(())
}

/// Sees a record and its sequence number; says whether it wants to see more.
type Look<'a> = dyn FnMut(u64, &[u8]) -> Result<bool, Wrong> + 'a;

/// Passes every record of a tenant by, until `look` says that it has seen enough.
fn each(storage: &dyn Storage, tenant: &TenantName, look: &mut Look<'_>) -> Result<(), Error> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = storage.scan(Table::Evidence, tenant, b"", after.as_deref(), PAGE).map_err(Error::Read)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for row in rows {
            for (seq, record) in (number(&row.key)..).zip(leaf::rows(&row.value)) {
                let more = record.and_then(|bytes| look(seq, bytes));
                let at = At::Record(tenant.clone(), seq);
                if !more.map_err(|wrong| Error::Damaged(Box::new(Finding::new(at, wrong))))? {
                    return Ok(());
                }
            }
        }
    }
}

/// Rows that are read at once.
const PAGE: usize = 64;
