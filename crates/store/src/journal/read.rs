//! Reading long tables out of the segments.

use std::sync::Arc;

use model::TenantName;

use super::frame::{Deed, Entry, Frame, Kind};
use super::memory::{Key, Memory, is_replaced};
use super::segment::{At, Window};
use super::{Journal, Known, Marks, is_long, number};
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

impl Range<'_> {
    /// Whether all of it stands behind a key.
    fn is_behind(&self, key: &[u8]) -> bool {
        key < self.prefix || self.after.is_some_and(|after| key <= after)
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
    let (segments, end, last) = {
        let state = journal.state();
        (state.segments.clone(), state.end, state.lasts.get(&key).cloned())
    };
    let mut marks: Vec<Option<Arc<Marks>>> = segments.iter().map(|known| known.marks.clone()).collect();
    if range.prefix.is_empty() && range.after.is_none() {
        // Who asks for everything is shown nothing before all segments were seen to follow one another: a head can hide those before it.
        for (place, (known, marks)) in
            segments.iter().zip(&mut marks).enumerate().filter(|(_, (_, marks))| marks.is_none())
        {
            *marks = Some(mark_through(journal, place, known)?);
        }
    }
    let begin = segments
        .iter()
        .rposition(|known| known.before.get(&key).is_none_or(|before| range.is_behind(before)));
    let from = range.after.unwrap_or_default().max(range.prefix);
    let mut found = Found { key: &key, range, again: is_replaced(table), rows: Vec::new() };
    for (place, (known, marks)) in segments.iter().zip(marks).enumerate().skip(begin.unwrap_or(0)) {
        let newest = place + 1 == segments.len();
        let length = if newest { end } else { known.segment.length()? };
        let marks = match marks {
            Some(marks) => marks,
            None => mark_through(journal, place, known)?,
        };
        let start = marks.get(&key).and_then(|marks| {
            let behind = marks.partition_point(|(first, _)| first.as_slice() <= from);
            marks.get(behind.saturating_sub(1)).map(|(_, at)| *at)
        });
        // No mark: the segment has no row of this table and tenant.
        let Some(mut offset) = start else { continue };
        // Most readers want the last row, or what is behind it.
        if let Some((_, at)) = last.as_ref().filter(|(key, _)| newest && key.as_slice() <= from) {
            offset = offset.max(*at);
        }
        // Bytes before the end never change, so they may be read ahead.
        let mut window = Window::ahead();
        while let Some((frame, next)) = frame_in(known, &mut window, offset, length)? {
            if found.take(frame) == Done::Yes {
                return Ok(found.rows);
            }
            offset = next;
        }
    }
    Ok(found.rows)
}

#[derive(PartialEq, Eq)]
enum Done {
    Yes,
    No,
}

/// The rows that were found so far.
struct Found<'a> {
    key: &'a Key,
    range: Range<'a>,
    /// Whether the last row may stand there again, with another value.
    again: bool,
    rows: Vec<Row>,
}

impl Found<'_> {
    fn take(&mut self, frame: Frame) -> Done {
        for Entry { table, deed, tenant, row } in frame.entries {
            let ours = deed == Deed::Put && number(table) == self.key.0 && tenant == self.key.1;
            if !ours || self.range.is_behind(&row.key) {
                continue;
            }
            let full = self.rows.len() >= self.range.limit || !row.key.starts_with(self.range.prefix);
            match self.rows.last_mut() {
                Some(last) if last.key == row.key => *last = row,
                _ if full => return Done::Yes,
                _ => self.rows.push(row),
            }
        }
        if self.rows.len() >= self.range.limit && !self.again { Done::Yes } else { Done::No }
    }
}

/// Reads an older segment through once, checks that its frames follow one another and that the next segment goes on from them, and
/// remembers where to begin.
fn mark_through(journal: &Journal, place: usize, known: &Known) -> Result<Arc<Marks>, Error> {
    let length = known.segment.length()?;
    let damaged = |offset| Error::Damaged { path: known.segment.path.clone(), offset };
    let mut marks = Marks::new();
    let mut memory = Memory::default();
    let (mut offset, mut expected, mut window) = (0, None, Window::ahead());
    while let Some((frame, next)) = frame_in(known, &mut window, offset, length)? {
        let follows = expected.is_none_or(|expected| expected == frame.number);
        let first = place == 0 && offset == 0;
        if !follows || (frame.kind == Kind::Head) != (offset == 0) || (first && !frame.entries.is_empty()) {
            return Err(damaged(offset));
        }
        memory.read(&frame).ok_or_else(|| damaged(offset))?;
        for entry in frame.entries.iter().filter(|entry| entry.deed == Deed::Put && is_long(entry.table)) {
            mark(
                marks.entry((number(entry.table), entry.tenant.clone())).or_default(),
                &entry.row.key,
                offset,
            );
        }
        expected = Some(frame.number + 1);
        offset = next;
    }
    let follower = journal.state().segments.get(place + 1).cloned();
    if let Some(follower) = follower {
        // Frames are missing between the two, or the head says something else than they do.
        let head = frame(&follower, 0, follower.segment.length()?)?;
        let says = head
            .is_some_and(|(head, _)| Some(head.number) == expected && Some(head.entries) == memory.head());
        says.then_some(()).ok_or_else(|| damaged(offset))?;
    }
    let marks = Arc::new(marks);
    if let Some(known) = journal.state().segments.get_mut(place) {
        known.marks = Some(Arc::clone(&marks));
    }
    Ok(marks)
}

fn frame(known: &Known, offset: u64, length: u64) -> Result<Option<(Frame, u64)>, Error> {
    frame_in(known, &mut Window::default(), offset, length)
}

/// The same for who reads many in a row.
fn frame_in(
    known: &Known,
    window: &mut Window,
    offset: u64,
    length: u64,
) -> Result<Option<(Frame, u64)>, Error> {
    match known.segment.at_in(window, offset, length)? {
        At::Frame(frame, next) => Ok(Some((frame, next))),
        At::End => Ok(None),
        At::Broken => Err(Error::Damaged { path: known.segment.path.clone(), offset }),
    }
}

/// Bytes between two places to begin at.
const APART: u64 = 256 << 10;
