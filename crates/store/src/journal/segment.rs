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

    /// Reads the frame at `offset`; bytes from `end` on do not count.
    pub(super) fn at(&self, offset: u64, end: u64) -> Result<At, Error> {
        if offset >= end {
            return Ok(At::End);
        }
        let mut prefix = [0; frame::PREFIX];
        if !self.fill(&mut prefix, offset, end)? {
            return Ok(At::Broken);
        }
        let Some(rest) = frame::rest_length(&prefix) else { return Ok(At::Broken) };
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        if rest > left.saturating_sub(frame::PREFIX) {
            return Ok(At::Broken);
        }
        let mut bytes = vec![0; frame::PREFIX + rest];
        if !self.fill(&mut bytes, offset, end)? {
            return Ok(At::Broken);
        }
        let next = offset + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(frame::read(&bytes).map_or(At::Broken, |frame| At::Frame(frame, next)))
    }

    /// `false` where the file ends before the buffer is full.
    fn fill(&self, buffer: &mut [u8], offset: u64, end: u64) -> Result<bool, Error> {
        let wanted = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        if end.saturating_sub(offset) < wanted {
            return Ok(false);
        }
        match self.file.read_exact_at(buffer, offset) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(source) => Err(Error::File { what: "read", path: self.path.clone(), source }),
        }
    }
}

/// Whether the file that is open is still the one at its path: appending to an unlinked file would lose what it took.
pub(super) fn still_there(file: &File, path: &Path) -> Result<(), Error> {
    let same = std::fs::metadata(path).ok().zip(file.metadata().ok()).is_some_and(|(there, open)| {
        there.ino() == open.ino() && there.dev() == open.dev() && there.len() == open.len()
    });
    if same { Ok(()) } else { Err(Error::Gone(path.to_owned())) }
}
