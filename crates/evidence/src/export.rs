//! Exports: the chain of one tenant with its checkpoints as lines of JSON, for anybody with the public key.
//!
//! ```text
//! {"doorward":"evidence/1","tenant":"local","key":"BASE64"}
//! {"seq":0,"leaf":"BASE64","text":{"kind":"intent",..}}
//! {"checkpoint":{"note":"..","head":"BASE64","place":0,"path":[]}}
//! {"end":{"records":1,"checkpoints":1}}
//! ```
//!
//! A checkpoint stands behind the last record that it covers. Of several over the same records the last one is there. The bytes of
//! every line are fixed, so that a verification can render it again and compare.

use std::io::{BufRead, Read, Write};

use crypto::{Digest, PublicKey, from_base64, to_base64};
use model::TenantName;
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::{Row, Storage, Table};

use crate::checkpoint::{ChainHead, Checkpoint};
use crate::codec::Decoder;
use crate::event::quoted;
use crate::history::History;
use crate::standing;
use crate::{At, Error, Finding, Leaf, Wrong, leaf};

/// One line.
pub(crate) enum Line {
    Header { tenant: TenantName, key: PublicKey },
    Record(Vec<u8>),
    Checkpoint(Proof),
    End { records: u64, checkpoints: u64 },
}

/// A checkpoint as a tenant sees it: the note, its own head, and the proof that the head was signed.
pub(crate) struct Proof {
    pub(crate) note: String,
    pub(crate) head: ChainHead,
    pub(crate) place: u64,
    pub(crate) path: Vec<Digest>,
}

/// The line of a record.
pub(crate) fn record(seq: u64, bytes: &[u8], leaf: &Leaf) -> String {
    format!("{{\"seq\":{seq},\"leaf\":\"{}\",\"text\":{}}}\n", to_base64(bytes), leaf.said().to_json())
}

fn header(tenant: &TenantName, key: &PublicKey) -> String {
    let key = to_base64(key.as_bytes());
    format!("{{\"doorward\":\"{FORMAT}\",\"tenant\":\"{tenant}\",\"key\":\"{key}\"}}\n")
}

fn checkpoint(proof: &Proof) -> String {
    let mut head = Vec::new();
    proof.head.encode(&mut head);
    let path: Vec<String> = proof.path.iter().map(|node| format!("\"{}\"", to_base64(node))).collect();
    let (note, head, place, path) = (quoted(&proof.note), to_base64(&head), proof.place, path.join(","));
    format!(
        "{{\"checkpoint\":{{\"note\":{note},\"head\":\"{head}\",\"place\":{place},\"path\":[{path}]}}}}\n"
    )
}

fn end(records: u64, checkpoints: u64) -> String {
    format!("{{\"end\":{{\"records\":{records},\"checkpoints\":{checkpoints}}}}}\n")
}

/// Writes the chain of a tenant. Returns the number of records.
///
/// # Errors
/// When the storage can't be read, what it holds is damaged, or `out` takes nothing.
pub(crate) fn write(
    storage: &dyn Storage,
    tenant: &TenantName,
    key: &PublicKey,
    out: &mut dyn Write,
) -> Result<u64, Error> {
    // In this order, for the log may grow meanwhile: what was written before the last checkpoint was read is either covered by
    // it, or was not due to be signed.
    let newest = storage.last(Table::Evidence, tenant).map_err(Error::Read)?;
    let mut signed = Signed::new(storage, tenant, key)?;
    let mut put = |text: String| out.write_all(text.as_bytes()).map_err(unwritten);
    put(header(tenant, key))?;
    let (mut records, mut checkpoints) = (0, 0);
    let until = newest.map_or(0, |row| number(&row.key).saturating_add(1)).max(signed.covers);
    let mut after: Option<Vec<u8>> = None;
    let mut next = signed.next()?;
    'rows: loop {
        let rows = storage.scan(Table::Evidence, tenant, b"", after.as_deref(), PAGE).map_err(Error::Read)?;
        let Some(row) = rows.last() else { break };
        after = Some(row.key.clone());
        for Row { key: first, value } in rows {
            if number(&first) >= until {
                break 'rows;
            }
            for bytes in leaf::rows(&value) {
                let wrong = |wrong| {
                    Error::Damaged(Box::new(Finding::new(At::Record(tenant.clone(), records), wrong)))
                };
                let leaf = bytes.and_then(|bytes| Ok((bytes, Leaf::decode(bytes)?)));
                let (bytes, leaf) = leaf.map_err(wrong)?;
                put(record(leaf.seq, bytes, &leaf))?;
                records += 1;
            }
            while let Some(proof) = next.take_if(|proof| proof.head.size <= records) {
                put(checkpoint(&proof))?;
                checkpoints += 1;
                next = signed.next()?;
            }
        }
    }
    put(end(records, checkpoints))?;
    out.flush().map_err(unwritten)?;
    Ok(records)
}

fn unwritten(source: std::io::Error) -> Error {
    Error::System { what: "write the export", source }
}

fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// The checkpoints that belong into an export, in order.
struct Signed<'a> {
    storage: &'a dyn Storage,
    tenant: &'a TenantName,
    key: &'a PublicKey,
    /// The last one as it was when the export began; it may be replaced meanwhile.
    last: Option<Checkpoint>,
    /// Records of the tenant under it.
    covers: u64,
    after: Option<[u8; 8]>,
    /// All heads, as far as has been read.
    history: History,
    /// The last one over as many records as it covers, as far as has been read.
    held: Option<Proof>,
}

impl<'a> Signed<'a> {
    fn new(storage: &'a dyn Storage, tenant: &'a TenantName, key: &'a PublicKey) -> Result<Self, Error> {
        let last = standing::last(storage, tenant, key)?;
        let covers = last.as_ref().and_then(|last| last.head.as_ref()).map_or(0, |(head, ..)| head.size);
        let last = last.map(|last| last.checkpoint);
        let (after, history, held) = (None, History::default(), None);
        Ok(Self { storage, tenant, key, last, covers, after, history, held })
    }

    fn next(&mut self) -> Result<Option<Proof>, Error> {
        let home = TenantName::local();
        loop {
            let Some(last) = self.last.as_ref().map(|last| last.statement.number) else {
                return Ok(self.held.take());
            };
            let after = self.after.as_ref().map(<[u8; 8]>::as_slice);
            let rows = self.storage.scan(Table::Checkpoints, &home, b"", after, 1).map_err(Error::Read)?;
            let found = match rows.first().filter(|row| number(&row.key) < last) {
                Some(row) => standing::read(row, self.key)?,
                None => match self.last.take() {
                    Some(last) => last,
                    None => continue,
                },
            };
            let number = found.statement.number;
            self.after = Some(number.to_be_bytes());
            let wrong = |wrong| Error::Damaged(Box::new(Finding::new(At::Checkpoint(number), wrong)));
            self.history.take(&found).map_err(wrong)?;
            let Some((head, place, path)) = self.history.prove(self.tenant) else { continue };
            let nth = head.nth;
            if let Some(done) = self.held.replace(Proof { note: found.note, head, place, path })
                && done.head.nth < nth
            {
                return Ok(Some(done));
            }
        }
    }
}

/// Reads an export line by line.
pub(crate) struct Lines<'a> {
    read: &'a mut dyn BufRead,
    line: String,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(read: &'a mut dyn BufRead) -> Self {
        Self { read, line: String::new(), number: 0 }
    }

    /// A finding about the line that was read last.
    pub(crate) fn wrong(&self, wrong: Wrong) -> Finding {
        Finding::new(At::Line(self.number), wrong)
    }

    /// The next line, understood. Lines whose bytes follow from what they say are compared already; records are not.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>, Finding> {
        self.number += 1;
        self.line.clear();
        let limited = (&mut *self.read).take(LONGEST).read_line(&mut self.line);
        if limited.map_err(|_| self.wrong(Wrong::Unreadable))? == 0 {
            return Ok(None);
        }
        let line = parse(&self.line).map_err(|wrong| self.wrong(wrong))?;
        match &line {
            Line::Record(_) => {}
            Line::Header { tenant, key } => self.must_be(&header(tenant, key))?,
            Line::Checkpoint(proof) => self.must_be(&checkpoint(proof))?,
            Line::End { records, checkpoints } => self.must_be(&end(*records, *checkpoints))?,
        }
        Ok(Some(line))
    }

    /// Compares the line with what it should be.
    pub(crate) fn must_be(&self, text: &str) -> Result<(), Finding> {
        if self.line == text { Ok(()) } else { Err(self.wrong(Wrong::Text)) }
    }
}

/// Every key that a line can have. Which belong together is seen when the line is rendered again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    doorward: Option<String>,
    tenant: Option<TenantName>,
    key: Option<String>,
    leaf: Option<String>,
    #[serde(rename = "seq")]
    _seq: Option<u64>,
    #[serde(rename = "text")]
    _text: Option<IgnoredAny>,
    checkpoint: Option<CheckpointKeys>,
    end: Option<EndKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointKeys {
    note: String,
    head: String,
    place: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndKeys {
    records: u64,
    checkpoints: u64,
}

fn parse(line: &str) -> Result<Line, Wrong> {
    let form = Wrong::Format("a line of an export");
    let bytes = |text: &str| from_base64(text).map_err(|_| form);
    match serde_json::from_str(line).map_err(|_| form)? {
        Keys { leaf: Some(leaf), .. } => Ok(Line::Record(bytes(&leaf)?)),
        Keys { checkpoint: Some(CheckpointKeys { note, head, place, path }), .. } => {
            let head = bytes(&head)?;
            let mut from = Decoder(&head);
            let head = ChainHead::decode(&mut from)?;
            from.end()?;
            let node = |text: &String| bytes(text)?.try_into().map_err(|_| form);
            let path = path.iter().map(node).collect::<Result<_, _>>()?;
            Ok(Line::Checkpoint(Proof { note, head, place, path }))
        }
        Keys { end: Some(EndKeys { records, checkpoints }), .. } => Ok(Line::End { records, checkpoints }),
        Keys { doorward: Some(format), tenant: Some(tenant), key: Some(key), .. } if format == FORMAT => {
            let key = bytes(&key)?.try_into().map_err(|_| form)?;
            Ok(Line::Header { tenant, key: PublicKey::new(key) })
        }
        Keys { .. } => Err(form),
    }
}

const FORMAT: &str = "evidence/1";
/// Longest line that is read; a record is far shorter.
const LONGEST: u64 = 1 << 20;
/// Rows that are read at once.
const PAGE: usize = 64;
