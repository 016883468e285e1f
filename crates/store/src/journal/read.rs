//! Reading long tables out of the segments.

use std::sync::Arc;

use model::TenantName;

use super::frame::{Deed, Kind};
use super::segment::At;
use super::{Journal, Key, Known, Marks, number};
use crate::{Error, Row, Table};

/// Which rows.
#[derive(Clone, Copy)]
pub(super) struct Range<'a> {
    pub(super) prefix: &'a [u8],
    pub(super) after: Option<&'a [u8]>,
    pub(super) limit: usize,
}

/// Adds a place to begin at, where the last one is far enough away.
pub(super) fn mark(marks: &mut Vec<(Vec<u8>, u64)>, key: &[u8], at: u64) {
    if marks.last().is_none_or(|(_, last)| at >= last + APART) {
        marks.push((key.to_vec(), at));
    }
}

/// The rows of a range, in the order of their keys.
pub(super) fn rows(
    journal: &Journal,
    table: Table,
    tenant: &TenantName,
    range: Range<'_>,
) -> Result<Vec<Row>, Error> {
    let key = (number(table), tenant.clone());
    let (segments, end) = {
        let state = journal.state();
        (state.segments.clone(), state.end)
    };
    let from = range.after.unwrap_or(range.prefix);
    let begin = segments
        .iter()
        .rposition(|known| known.before.get(&key).is_none_or(|before| before.as_slice() <= from));
    let mut found = Vec::new();
    for (place, known) in segments.iter().enumerate().skip(begin.unwrap_or(0)) {
        let newest = place + 1 == segments.len();
        let length = if newest { end } else { known.segment.length()? };
        let marks = match &known.marks {
            Some(marks) => Arc::clone(marks),
            None => mark_through(journal, place, known, length)?,
        };
        let start = marks.get(&key).and_then(|marks| {
            let behind = marks.partition_point(|(first, _)| first.as_slice() <= from);
            marks.get(behind.saturating_sub(1)).or(marks.first()).map(|(_, at)| *at)
        });
        // No mark: the segment has no row of this table and tenant.
        let Some(start) = start else { continue };
        if within(known, &key, (start, length), range, &mut found)? == Done::Yes {
            break;
        }
    }
    Ok(found)
}

#[derive(PartialEq, Eq)]
enum Done {
    Yes,
    No,
}

fn within(
    known: &Known,
    key: &Key,
    (start, length): (u64, u64),
    range: Range<'_>,
    found: &mut Vec<Row>,
) -> Result<Done, Error> {
    let mut offset = start;
    while let Some((frame, next)) = frame(known, offset, length)? {
        for entry in frame.entries {
            if entry.deed != Deed::Put || number(entry.table) != key.0 || entry.tenant != key.1 {
                continue;
            }
            let row = entry.row;
            if range.after.is_some_and(|after| row.key.as_slice() <= after)
                || row.key.as_slice() < range.prefix
            {
                continue;
            }
            if !row.key.starts_with(range.prefix) {
                return Ok(Done::Yes);
            }
            if found.len() >= range.limit {
                return Ok(Done::Yes);
            }
            found.push(row);
        }
        offset = next;
    }
    Ok(if found.len() >= range.limit { Done::Yes } else { Done::No })
}

/// Reads an older segment through once, checks the numbers of its frames, and remembers where to begin.
fn mark_through(journal: &Journal, place: usize, known: &Known, length: u64) -> Result<Arc<Marks>, Error> {
    let mut marks = Marks::new();
    let (mut offset, mut expected) = (0, None);
    while let Some((frame, next)) = frame(known, offset, length)? {
        if expected.is_some_and(|expected| expected != frame.number)
            || (frame.kind == Kind::Head) != (offset == 0)
        {
            return Err(Error::Damaged { path: known.segment.path.clone(), offset });
        }
        for entry in
            frame.entries.iter().filter(|entry| entry.deed == Deed::Put && super::is_long(entry.table))
        {
            mark(
                marks.entry((number(entry.table), entry.tenant.clone())).or_default(),
                &entry.row.key,
                offset,
            );
        }
        expected = Some(frame.number + 1);
        offset = next;
    }
    let marks = Arc::new(marks);
    let mut state = journal.state();
    let follows = state.segments.get(place + 1).map(|next| next.segment.path.clone());
    let begins = follows.as_ref().and_then(|path| path.file_stem()?.to_str()?.parse::<u64>().ok());
    if follows.is_some() && begins != expected {
        // Frames are missing between this segment and the next.
        return Err(Error::Damaged { path: known.segment.path.clone(), offset });
    }
    if let Some(known) = state.segments.get_mut(place) {
        known.marks = Some(Arc::clone(&marks));
    }
    Ok(marks)
}

fn frame(known: &Known, offset: u64, length: u64) -> Result<Option<(super::frame::Frame, u64)>, Error> {
    match known.segment.at(offset, length)? {
        At::Frame(frame, next) => Ok(Some((frame, next))),
        At::End => Ok(None),
        At::Broken => Err(Error::Damaged { path: known.segment.path.clone(), offset }),
    }
}

/// Bytes between two places to begin at.
const APART: u64 = 256 << 10;
