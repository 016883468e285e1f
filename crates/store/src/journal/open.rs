//! Opening a journal: which segments there are, what the last one says, what a crash left behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{self, Builder, Deed, Entry, Frame, Kind};
use super::memory::Memory;
use super::segment::{At, Identity, Segment, Window};
use super::{Known, State, create, is_long, number, unwritten};
use crate::{Error, files};

/// How the name of a segment ends.
pub(super) const ENDING: &str = "journal";
/// How the name of a file ends that holds what a crash left half-written.
pub(super) const ASIDE: &str = "aside";

/// Everything that is known of the journal in a folder.
pub(super) fn state(folder: &Path) -> Result<State, Error> {
    files::private_folder(folder)?;
    let (mut segments, mut aside) = (Vec::new(), Vec::new());
    let mut paths = listed(folder, ENDING)?.into_iter().peekable();
    while let Some(path) = paths.next() {
        let segment = Arc::new(Segment::open(path)?);
        match head(&segment)? {
            Some(head) => segments.push(known(folder, segment, &head)?),
            // A crash while a segment was begun: nothing in it was ever durable.
            None if paths.peek().is_none() => aside.extend(set_aside(&segment, 0)?),
            None => return Err(Error::Damaged { path: segment.path.clone(), offset: 0 }),
        }
    }
    let Some(newest) = segments.last().cloned() else { return Ok(State { aside, ..first(folder)? }) };
    if segments.first().and_then(|known| numbered(&known.segment.path)) != Some(0) {
        return Err(Error::Damaged { path: named(folder, 0), offset: 0 });
    }
    let path = newest.segment.path.clone();
    let file =
        File::options().read(true).write(true).open(&path).map_err(|source| unwritten(source, &path))?;
    let mut state = fresh(segments, file, numbered(&path).unwrap_or(0))?;
    state.aside = aside;
    read_through(&mut state, &newest.segment)?;
    Ok(state)
}

fn fresh(segments: Vec<Known>, file: File, next: u64) -> Result<State, Error> {
    let path = segments.last().map(|known| known.segment.path.as_path()).unwrap_or(Path::new(""));
    let identity = Identity::of(&file, path)?;
    let (memory, builder) = (Memory::default(), Builder::default());
    let lasts = std::collections::BTreeMap::new();
    Ok(State {
        segments,
        file,
        identity,
        end: 0,
        next,
        memory,
        lasts,
        builder,
        failed: false,
        dirty: false,
        aside: Vec::new(),
    })
}

/// The files of one kind, by name.
pub(super) fn listed(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Error> {
    let wrong = |source| Error::File { what: "look into", path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|found| found == ending) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Begins a new segment: its head says again what is in memory.
pub(super) fn next_segment(folder: &Path, state: &mut State) -> Result<(), Error> {
    let path = named(folder, state.next);
    write_head(state)?;
    let file = create(&path)?;
    let segment = Arc::new(Segment::open(path.clone())?);
    let identity = Identity::of(&file, &path)?;
    let before = Arc::new(state.memory.lasts().clone());
    let old = (
        std::mem::replace(&mut state.file, file),
        std::mem::replace(&mut state.identity, identity),
        state.end,
    );
    state.end = 0;
    let lasts = std::mem::take(&mut state.lasts);
    state.segments.push(Known { segment, before, marks: Some(Arc::default()) });
    if let Err(error) = state.append() {
        // Back to the former segment; the file that could not be begun goes.
        state.segments.pop();
        (state.file, state.identity, state.end) = old;
        state.lasts = lasts;
        state.dirty = false;
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    // The frame is on the disk; whether its name is, nobody knows then.
    sync_folder(folder).inspect_err(|_| state.failed = true)
}

fn write_head(state: &mut State) -> Result<(), Error> {
    state.builder.begin(state.next, Kind::Head);
    for Entry { table, deed, tenant, row } in state.memory.head().ok_or(Error::Conflict)? {
        state.builder.row(table, deed, &tenant, &row.key, &row.value).ok_or(Error::Conflict)?;
    }
    Ok(())
}

fn first(folder: &Path) -> Result<State, Error> {
    let path = named(folder, 0);
    let file = create(&path)?;
    let segment = Arc::new(Segment::open(path)?);
    let known = Known { segment, before: Arc::default(), marks: Some(Arc::default()) };
    let mut state = fresh(vec![known], file, 0)?;
    state.builder.begin(0, Kind::Head);
    state.append()?;
    sync_folder(folder)?;
    Ok(state)
}

/// Reads the newest segment through and takes it into memory.
fn read_through(state: &mut State, segment: &Segment) -> Result<(), Error> {
    let length = segment.length()?;
    let (mut offset, mut window) = (0, Window::ahead());
    // From here on the writer keeps the marks of this segment: nobody may find it unread.
    if let Some(known) = state.segments.last_mut() {
        known.marks = Some(Arc::default());
    }
    loop {
        match segment.at_in(&mut window, offset, length)? {
            At::End => break,
            At::Frame(frame, next) => {
                let first = frame.number == 0 && !frame.entries.is_empty();
                let fits =
                    frame.number == state.next && (frame.kind == Kind::Head) == (offset == 0) && !first;
                if !fits || state.memory.read(&frame).is_none() {
                    return Err(Error::Damaged { path: segment.path.clone(), offset });
                }
                for entry in
                    frame.entries.iter().filter(|entry| entry.deed == Deed::Put && is_long(entry.table))
                {
                    state.mark(entry.table, &entry.tenant, &entry.row.key, offset);
                }
                state.next += 1;
                offset = next;
            }
            At::Broken => {
                if has_frame_behind(segment, offset, state.next)? {
                    return Err(Error::Damaged { path: segment.path.clone(), offset });
                }
                state.aside.extend(set_aside(segment, offset)?);
                break;
            }
        }
    }
    state.end = offset;
    state.dirty = offset < length;
    Ok(())
}

/// Whether a whole frame with this number or a later one stands behind a broken place: then it is damage, and not a crash while
/// writing.
fn has_frame_behind(segment: &Segment, broken: u64, number: u64) -> Result<bool, Error> {
    let bytes = segment.rest(broken)?;
    Ok((1..bytes.len()).any(|offset| {
        let rest = bytes.get(offset..).unwrap_or_default();
        // Only a number that can stand here is worth the sum over its frame.
        let near =
            |found: u64| found >= number && found - number <= u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        frame::number_at(rest).is_some_and(near) && frame::first_of(rest).is_some()
    }))
}

/// Copies the bytes from `offset` on into a file of their own, where there are any. The segment is cut there before the next frame is
/// written.
fn set_aside(segment: &Segment, offset: u64) -> Result<Option<PathBuf>, Error> {
    let wrong = |source| Error::File { what: "remove", path: segment.path.clone(), source };
    let bytes = segment.rest(offset)?;
    let mut name = segment.path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{offset:012}.{ASIDE}"));
    let aside = (!bytes.is_empty()).then(|| segment.path.with_file_name(name));
    if let Some(aside) = &aside {
        files::replace(aside, &bytes, 0o600)?;
    }
    if offset == 0 {
        std::fs::remove_file(&segment.path).map_err(wrong)?;
    }
    Ok(aside)
}

fn head(segment: &Segment) -> Result<Option<Frame>, Error> {
    match segment.at(0, segment.length()?)? {
        At::Frame(frame, _) if frame.kind == Kind::Head => Ok(Some(frame)),
        At::Frame(..) => Err(Error::Damaged { path: segment.path.clone(), offset: 0 }),
        At::End => Ok(None),
        At::Broken if has_frame_behind(segment, 0, 0)? => {
            Err(Error::Damaged { path: segment.path.clone(), offset: 0 })
        }
        At::Broken => Ok(None),
    }
}

/// A segment is named after its first frame, in exactly one way.
fn known(folder: &Path, segment: Arc<Segment>, head: &Frame) -> Result<Known, Error> {
    if segment.path != named(folder, head.number) {
        return Err(Error::Damaged { path: segment.path.clone(), offset: 0 });
    }
    let before = head.entries.iter().filter(|entry| entry.deed == Deed::Last);
    let before =
        before.map(|entry| ((number(entry.table), entry.tenant.clone()), entry.row.key.clone())).collect();
    Ok(Known { segment, before: Arc::new(before), marks: None })
}

fn named(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{ENDING}"))
}

fn numbered(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::File { what: "sync", path: folder.to_owned(), source })
}
