//! Opening a journal: which segments there are, what the last one says, what a crash left behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{Builder, Deed, Frame, Kind};
use super::segment::{At, Segment};
use super::{Key, Known, State, create, number, unwritten};
use crate::{Error, Row, Table, files};

/// How the name of a segment ends.
pub(super) const ENDING: &str = "journal";
/// How the name of a file ends that holds what a crash left half-written.
pub(super) const ASIDE: &str = "aside";

/// Everything that is known of the journal in a folder.
pub(super) fn state(folder: &Path) -> Result<State, Error> {
    files::private_folder(folder)?;
    let mut segments = Vec::new();
    for path in listed(folder, ENDING)? {
        let segment = Arc::new(Segment::open(path)?);
        let head = head(&segment)?;
        match head {
            Some(head) => segments.push(known(segment, &head)),
            // A crash while a segment was begun: nothing in it was ever durable.
            None => set_aside(&segment, 0)?,
        }
    }
    let Some(newest) = segments.last().cloned() else { return first(folder) };
    check_names(&segments)?;
    let path = newest.segment.path.clone();
    let file =
        File::options().read(true).write(true).open(&path).map_err(|source| unwritten(source, &path))?;
    let mut state = State {
        segments,
        file,
        end: 0,
        next: numbered(&path).unwrap_or(0),
        small: BTreeMap::new(),
        last: BTreeMap::new(),
        builder: Builder::default(),
        failed: false,
        dirty: false,
    };
    read_through(&mut state, &newest.segment)?;
    Ok(state)
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
    let file = create(&path)?;
    let segment = Arc::new(Segment::open(path.clone())?);
    let before: BTreeMap<Key, Vec<u8>> =
        state.last.iter().map(|(key, row)| (key.clone(), row.key.clone())).collect();
    state.builder.begin(state.next, Kind::Head);
    write_head(state)?;
    let fresh = Known { segment, before: Arc::new(before), marks: Some(Arc::default()) };
    let (old_file, old_end) =
        (std::mem::replace(&mut state.file, file), std::mem::replace(&mut state.end, 0));
    state.segments.push(fresh);
    let synced = state.append().and_then(|()| sync_folder(folder));
    if let Err(error) = synced {
        // Back to the former segment; the file that could not be begun goes.
        state.segments.pop();
        (state.file, state.end) = (old_file, old_end);
        state.dirty = false;
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(())
}

fn write_head(state: &mut State) -> Result<(), Error> {
    for ((table, tenant, key), value) in &state.small {
        let table = table_of(*table).ok_or(Error::Conflict)?;
        state.builder.row(table, Deed::Put, tenant, key, value).ok_or(Error::Conflict)?;
    }
    for ((table, tenant), row) in &state.last {
        let table = table_of(*table).ok_or(Error::Conflict)?;
        state.builder.row(table, Deed::Last, tenant, &row.key, b"").ok_or(Error::Conflict)?;
    }
    Ok(())
}

fn first(folder: &Path) -> Result<State, Error> {
    let path = named(folder, 0);
    let file = create(&path)?;
    let segment = Arc::new(Segment::open(path)?);
    let known = Known { segment, before: Arc::default(), marks: Some(Arc::default()) };
    let mut state = State {
        segments: vec![known],
        file,
        end: 0,
        next: 0,
        small: BTreeMap::new(),
        last: BTreeMap::new(),
        builder: Builder::default(),
        failed: false,
        dirty: false,
    };
    state.builder.begin(0, Kind::Head);
    state.append()?;
    sync_folder(folder)?;
    Ok(state)
}

/// Reads the newest segment through and takes it into memory.
fn read_through(state: &mut State, segment: &Segment) -> Result<(), Error> {
    let length = segment.length()?;
    let mut offset = 0;
    loop {
        match segment.at(offset, length)? {
            At::End => break,
            At::Frame(frame, next) => {
                if frame.number != state.next || (frame.kind == Kind::Head) != (offset == 0) {
                    return Err(Error::Damaged { path: segment.path.clone(), offset });
                }
                take(state, frame, offset);
                state.next += 1;
                offset = next;
            }
            At::Broken => {
                if has_frame_behind(segment, offset, length, state.next)? {
                    return Err(Error::Damaged { path: segment.path.clone(), offset });
                }
                set_aside(segment, offset)?;
                break;
            }
        }
    }
    state.end = offset;
    state.dirty = offset < length;
    Ok(())
}

fn take(state: &mut State, frame: Frame, at: u64) {
    for entry in frame.entries {
        match entry.deed {
            Deed::Put => state.put(entry.table, &entry.tenant, entry.row, at),
            Deed::Delete => {
                state.small.remove(&(number(entry.table), entry.tenant, entry.row.key));
            }
            Deed::Last => {
                let row = Row { key: entry.row.key, value: Vec::new() };
                state.last.insert((number(entry.table), entry.tenant), row);
            }
        }
    }
}

/// Whether a whole frame with a later number stands behind a broken place: then it is damage, and not a crash while writing.
fn has_frame_behind(segment: &Segment, broken: u64, length: u64, number: u64) -> Result<bool, Error> {
    for offset in broken + 1..length {
        if let At::Frame(frame, _) = segment.at(offset, length)?
            && frame.number > number
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies the bytes from `offset` on into a file of their own. The segment is cut there before the next frame is written.
fn set_aside(segment: &Segment, offset: u64) -> Result<(), Error> {
    use std::os::unix::fs::FileExt;
    let wrong = |source| Error::File { what: "read", path: segment.path.clone(), source };
    let length = usize::try_from(segment.length()?.saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    segment.file.read_exact_at(&mut bytes, offset).map_err(wrong)?;
    let mut name = segment.path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{offset:012}.{ASIDE}"));
    if !bytes.is_empty() {
        files::replace(&segment.path.with_file_name(name), &bytes, 0o600)?;
    }
    if offset == 0 {
        std::fs::remove_file(&segment.path).map_err(wrong)?;
    }
    Ok(())
}

fn head(segment: &Segment) -> Result<Option<Frame>, Error> {
    match segment.at(0, segment.length()?)? {
        At::Frame(frame, _) if frame.kind == Kind::Head => Ok(Some(frame)),
        At::Frame(..) => Err(Error::Damaged { path: segment.path.clone(), offset: 0 }),
        At::End => Ok(None),
        At::Broken if has_frame_behind(segment, 0, segment.length()?, 0)? => {
            Err(Error::Damaged { path: segment.path.clone(), offset: 0 })
        }
        At::Broken => Ok(None),
    }
}

fn known(segment: Arc<Segment>, head: &Frame) -> Known {
    let before = head.entries.iter().filter(|entry| entry.deed == Deed::Last);
    let before =
        before.map(|entry| ((number(entry.table), entry.tenant.clone()), entry.row.key.clone())).collect();
    Known { segment, before: Arc::new(before), marks: None }
}

/// A segment is named after its first frame, and that is the frame that it begins with.
fn check_names(segments: &[Known]) -> Result<(), Error> {
    for known in segments {
        let begins = head(&known.segment)?.map(|frame| frame.number);
        if begins.is_none() || begins != numbered(&known.segment.path) {
            return Err(Error::Damaged { path: known.segment.path.clone(), offset: 0 });
        }
    }
    let first = segments.first().and_then(|known| numbered(&known.segment.path));
    match (first, segments.first()) {
        (Some(0), _) | (_, None) => Ok(()),
        (_, Some(known)) => Err(Error::Damaged { path: known.segment.path.clone(), offset: 0 }),
    }
}

fn named(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{ENDING}"))
}

fn numbered(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn table_of(wanted: u8) -> Option<Table> {
    Table::ALL.into_iter().find(|table| number(*table) == wanted)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::File { what: "sync", path: folder.to_owned(), source })
}
