//! A frame: what one commit appends.
//!
//! ```text
//! length of the rest: u32 ‖ CRC-32 of the rest: u32 ‖ number of the frame: u64 ‖ kind: u8 ‖ rows
//! row = table: u8 ‖ deed: u8 ‖ tenant: u8-prefixed ‖ key: u16-prefixed ‖ value: u32-prefixed
//! ```
//!
//! All integers are big-endian. The numbers of the frames have no gap, so that a frame that was cut out, doubled or moved is found
//! when it is read; that nothing was *changed* is what the chain in the rows proves, not the checksum.

use model::TenantName;

use super::KEPT;
use crate::{Row, Table};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first of a segment: the small tables whole, and the last key of every long one.
    Head,
    /// A commit.
    Commit,
}

/// What a frame says about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is there.
    Put,
    /// It is gone.
    Delete,
    /// Only in a head: the last key of a long table; the value is empty.
    Last,
}

/// One row in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) table: Table,
    pub(super) deed: Deed,
    pub(super) tenant: TenantName,
    pub(super) row: Row,
}

/// A frame as it was read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) entries: Vec<Entry>,
}

/// Bytes before the number of a frame.
pub(super) const PREFIX: usize = 8;
/// The largest frame that is read: a group of evidence is far smaller.
pub(super) const LARGEST: u32 = 64 << 20;

/// Writes frames into a buffer that is used again.
#[derive(Default)]
pub(super) struct Builder(Vec<u8>);

impl Builder {
    pub(super) fn begin(&mut self, number: u64, kind: Kind) {
        self.0.clear();
        self.0.extend_from_slice(&[0; PREFIX]);
        self.0.extend_from_slice(&number.to_be_bytes());
        self.0.push(match kind {
            Kind::Head => HEAD,
            Kind::Commit => COMMIT,
        });
    }

    /// Adds a row; `None` where a part is too long for its length, or the table is none that a journal keeps.
    pub(super) fn row(
        &mut self,
        table: Table,
        deed: Deed,
        tenant: &TenantName,
        key: &[u8],
        value: &[u8],
    ) -> Option<()> {
        KEPT.contains(&table).then_some(())?;
        self.0.push(table_number(table));
        self.0.push(match deed {
            Deed::Put => PUT,
            Deed::Delete => DELETE,
            Deed::Last => LAST,
        });
        self.0.push(u8::try_from(tenant.as_str().len()).ok()?);
        self.0.extend_from_slice(tenant.as_str().as_bytes());
        self.0.extend_from_slice(&u16::try_from(key.len()).ok()?.to_be_bytes());
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(&u32::try_from(value.len()).ok()?.to_be_bytes());
        self.0.extend_from_slice(value);
        Some(())
    }

    /// The finished bytes; `None` where the frame is too large.
    pub(super) fn finish(&mut self) -> Option<&[u8]> {
        let rest = self.0.get(PREFIX..)?;
        let length = u32::try_from(rest.len()).ok().filter(|length| *length <= LARGEST)?.to_be_bytes();
        let sum = crc32fast::hash(rest).to_be_bytes();
        for (to, from) in self.0.iter_mut().zip(length.into_iter().chain(sum)) {
            *to = from;
        }
        Some(&self.0)
    }
}

/// The length of the rest, from the first bytes of a frame.
pub(super) fn rest_length(prefix: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(*prefix.first_chunk::<4>()?);
    (length <= LARGEST && length > 8).then_some(usize::try_from(length).ok()?)
}

/// A whole frame; `None` where anything about it is wrong.
pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
    let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
    let sum = u32::from_be_bytes(*prefix.last_chunk::<4>()?);
    if rest_length(prefix)? != rest.len() || crc32fast::hash(rest) != sum {
        return None;
    }
    let (number, mut rest) = rest.split_first_chunk::<8>()?;
    let kind = match *take(&mut rest, 1)?.first()? {
        HEAD => Kind::Head,
        COMMIT => Kind::Commit,
        _ => return None,
    };
    let mut entries = Vec::new();
    while !rest.is_empty() {
        entries.push(entry(&mut rest)?);
    }
    Some(Frame { number: u64::from_be_bytes(*number), kind, entries })
}

/// The number of the frame that may begin here, from its first bytes, without a look at the rest.
pub(super) fn number_at(bytes: &[u8]) -> Option<u64> {
    let number = bytes.get(PREFIX..)?.first_chunk::<8>()?;
    (rest_length(bytes)? <= bytes.len().saturating_sub(PREFIX)).then_some(u64::from_be_bytes(*number))
}

/// The frame that begins here, whatever follows it.
pub(super) fn first_of(bytes: &[u8]) -> Option<Frame> {
    read(bytes.get(..PREFIX + rest_length(bytes)?)?)
}

fn entry(rest: &mut &[u8]) -> Option<Entry> {
    let table = *take(rest, 1)?.first()?;
    let table = KEPT.into_iter().find(|known| table_number(*known) == table)?;
    let deed = match *take(rest, 1)?.first()? {
        PUT => Deed::Put,
        DELETE => Deed::Delete,
        LAST => Deed::Last,
        _ => return None,
    };
    let length = usize::from(*take(rest, 1)?.first()?);
    let tenant = std::str::from_utf8(take(rest, length)?).ok()?.parse().ok()?;
    let length = usize::from(u16::from_be_bytes(*take(rest, 2)?.first_chunk()?));
    let key = take(rest, length)?.to_vec();
    let length = usize::try_from(u32::from_be_bytes(*take(rest, 4)?.first_chunk()?)).ok()?;
    let value = take(rest, length)?.to_vec();
    Some(Entry { table, deed, tenant, row: Row { key, value } })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// The number of a table in a file; never given to another table.
const fn table_number(table: Table) -> u8 {
    match table {
        Table::Meta => 1,
        Table::Keys => 2,
        Table::Secrets => 3,
        Table::Versions => 4,
        Table::Grants => 5,
        Table::Uses => 6,
        Table::Revocations => 7,
        Table::Policies => 8,
        Table::Approvals => 9,
        Table::Evidence => 10,
        Table::Checkpoints => 11,
        Table::Tenants => 12,
        Table::ApiKeys => 13,
        Table::Credentials => 14,
    }
}

const HEAD: u8 = 1;
const COMMIT: u8 = 2;
const PUT: u8 = 1;
const DELETE: u8 = 2;
const LAST: u8 = 3;
