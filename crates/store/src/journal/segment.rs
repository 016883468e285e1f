//! One file of a journal.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use crate::Error;

/// A segment that is open for reading.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// What stands at a place of a segment.
pub(super) enum At {
    /// A frame, and where the next one begins.
    Frame(Frame, u64),
    /// Nothing: the segment ends here.
    End,
    /// Something that is no whole frame.
    Broken,
}

impl Segment {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let file =
            File::open(&path).map_err(|source| Error::File { what: "open", path: path.clone(), source })?;
        Ok(Self { path, file })
    }

    pub(super) fn length(&self) -> Result<u64, Error> {
        let seen = self.file.metadata();
        Ok(seen.map_err(|source| Error::File { what: "look at", path: self.path.clone(), source })?.len())
    }

    /// All bytes from `offset` on.
    pub(super) fn rest(&self, offset: u64) -> Result<Vec<u8>, Error> {
        let left = usize::try_from(self.length()?.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|source| Error::File { what: "read", path: self.path.clone(), source })?;
        Ok(bytes)
    }

    /// Reads the frame at `offset`; bytes from `end` on do not count.
    pub(super) fn at(&self, offset: u64, end: u64) -> Result<At, Error> {
        self.at_in(&mut Window::none(), offset, end)
    }

    /// The same for who reads many frames in a row.
    pub(super) fn at_in(&self, window: &mut Window, offset: u64, end: u64) -> Result<At, Error> {
        if offset >= end {
            return Ok(At::End);
        }
        let mut prefix = [0; frame::PREFIX];
        if !self.fill(window, &mut prefix, offset, end)? {
            return Ok(At::Broken);
        }
        let Some(rest) = frame::rest_length(&prefix) else { return Ok(At::Broken) };
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        if rest > left.saturating_sub(frame::PREFIX) {
            return Ok(At::Broken);
        }
        let mut bytes = vec![0; frame::PREFIX + rest];
        if !self.fill(window, &mut bytes, offset, end)? {
            return Ok(At::Broken);
        }
        let next = offset + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(frame::read(&bytes).map_or(At::Broken, |frame| At::Frame(frame, next)))
    }

    /// `false` where the file ends before the buffer is full.
    fn fill(&self, window: &mut Window, buffer: &mut [u8], offset: u64, end: u64) -> Result<bool, Error> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        if end.saturating_sub(offset) < wanted {
            return Ok(false);
        }
        if window.gives(buffer, offset) {
            return Ok(true);
        }
        if let Some(room) = window.room(buffer.len(), end.saturating_sub(offset)) {
            window.start = offset;
            window.bytes.resize(room, 0);
            if self.file.read_exact_at(&mut window.bytes, offset).is_ok() && window.gives(buffer, offset) {
                return Ok(true);
            }
            // The file is shorter than it was said to be: what is asked for is read alone, and says so.
            window.bytes.clear();
        }
        match self.file.read_exact_at(buffer, offset) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(source) => Err(Error::File { what: "read", path: self.path.clone(), source }),
        }
    }
}

/// A part of a segment that was read at once, for who reads frame by frame. For a segment that nobody writes to meanwhile.
#[derive(Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
    most: usize,
}

impl Window {
    /// Nothing is read ahead.
    fn none() -> Self {
        Self::default()
    }

    /// Reads ahead as much as costs about as much as one frame.
    pub(super) fn ahead() -> Self {
        Self { most: AHEAD, ..Self::default() }
    }

    fn gives(&self, buffer: &mut [u8], offset: u64) -> bool {
        let from = offset.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let found = from.and_then(|from| self.bytes.get(from..from.checked_add(buffer.len())?));
        found.map(|found| buffer.copy_from_slice(found)).is_some()
    }

    /// How much to read ahead; `None` where it would not hold what is wanted.
    fn room(&self, wanted: usize, left: u64) -> Option<usize> {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(self.most);
        (room >= wanted && room > 0).then_some(room)
    }
}

const AHEAD: usize = 128 << 10;

/// Which file is open. Appending to one that was unlinked would lose what it took; appending to one that somebody else
/// has cut or written to would leave a hole, or overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(file: &File, path: &Path) -> Result<Self, Error> {
        let seen = file.metadata();
        let seen = seen.map_err(|source| Error::File { what: "look at", path: path.to_owned(), source })?;
        Ok(Self { device: seen.dev(), inode: seen.ino() })
    }

    /// The file at the path is this one, and ends where it should.
    pub(super) fn check(self, path: &Path, end: u64) -> Result<(), Error> {
        let seen =
            std::fs::metadata(path).ok().filter(|seen| seen.dev() == self.device && seen.ino() == self.inode);
        let seen = seen.ok_or_else(|| Error::Gone(path.to_owned()))?;
        if seen.len() == end {
            Ok(())
        } else {
            Err(Error::Damaged { path: path.to_owned(), offset: seen.len().min(end) })
        }
    }
}
