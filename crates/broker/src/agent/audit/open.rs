//! The file of an audit log: opened at its last whole line, followed when its path leads elsewhere, set aside when it is full.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{AuditFile, BROKEN, CHAIN, PREVIOUS, sealed};

/// An open file, and where in it the next line goes.
pub(super) struct Open {
    file: File,
    /// Bytes of whole lines.
    pub(super) size: u64,
    /// The hash that the next line follows.
    chain: String,
    /// The hash with which the file ends, where that is not the line that was written last.
    stray: Option<String>,
}

/// Lines that are on the disk.
pub(super) struct Appended {
    /// Whether others were missing before them.
    pub(super) broke: bool,
}

/// What is known of the line that was written last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Last<'a> {
    /// It is this one.
    Is(&'a str),
    /// It is this one, or some that came shortly after it: the process ended before it wrote down more.
    AtLeast(&'a str),
}

impl Open {
    /// Opens a file at its last whole line. An empty one goes on from what was written last; one that ends with something else
    /// lost lines. What is no audit log is refused, and stays as it is.
    pub(super) fn at(path: &Path, last: Last<'_>) -> Result<Self> {
        // Looked at before it is opened, which waits where it is a pipe, and again before anything is done to it.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(strange("it is no regular file"));
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(strange("it is no regular file"));
        }
        let length = found.len();
        let begin = length.saturating_sub(2 * LONGEST_LINE);
        file.seek(SeekFrom::Start(begin))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let (whole, torn) =
            tail.split_at(tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        let end = whole
            .strip_suffix(b"\n")
            .map(|lines| lines.rsplit(|byte| *byte == b'\n').next().unwrap_or(lines));
        let end = end.map(|line| chained(line).ok_or_else(|| strange(OTHER))).transpose()?;
        if !is_ours(torn) {
            return Err(strange(OTHER));
        }
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        let size = begin + u64::try_from(whole.len()).unwrap_or(0);
        if size < length {
            file.set_len(size)?;
        }
        if length == 0 {
            durable(path)?;
        }
        let (chain, stray) = match (end, last) {
            (None, Last::Is(last) | Last::AtLeast(last)) => (last.to_owned(), None),
            (Some(end), Last::Is(last) | Last::AtLeast(last)) if last.is_empty() || end == last => {
                (end, None)
            }
            (Some(end), Last::AtLeast(last)) if tells_of(path, last)? => (end, None),
            (Some(end), Last::Is(last) | Last::AtLeast(last)) => (last.to_owned(), Some(end)),
        };
        Ok(Self { file, size, chain, stray })
    }

    /// Whether lines that were written are missing.
    pub(super) const fn is_broken(&self) -> bool {
        self.stray.is_some()
    }

    /// The hash that the next line follows.
    pub(super) fn chain(&self) -> &str {
        &self.chain
    }

    /// Appends lines, all of them or none, and makes them durable.
    pub(super) fn append(
        &mut self,
        settings: &AuditFile,
        lines: Vec<Map<String, Value>>,
    ) -> Result<Appended> {
        self.follow(&settings.path)?;
        if self.size > settings.longest {
            self.rotate(settings)?;
        }
        let (mut bytes, mut chain) = (Vec::new(), self.chain.clone());
        let broken = self.stray.as_ref().map(|found| broken(&chain, found, lines.first()));
        for mut fields in broken.into_iter().chain(lines) {
            fields.insert(PREVIOUS.to_owned(), chain.clone().into());
            let (line, next) = sealed(&Value::Object(fields).to_string(), &chain);
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            chain = next;
        }
        let written = self.file.write_all_at(&bytes, self.size).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Nobody was told that it is there.
            self.file.set_len(self.size)?;
            return Err(error);
        }
        self.size += u64::try_from(bytes.len()).unwrap_or(0);
        self.chain = chain;
        Ok(Appended { broke: self.stray.take().is_some() })
    }

    /// Takes so many bytes of the disk for the next lines, where its file system can.
    pub(super) fn reserve(&mut self, path: &Path, bytes: u64) -> Result<()> {
        self.follow(path)?;
        store::files::reserve(&self.file, self.size, bytes)
    }

    /// Opens the file anew where its path leads elsewhere by now, or others cut it or wrote to it: a line in a file that
    /// nobody finds is none. The chain goes on, so that lines which went with a file are missed by who looks for them; and a
    /// file that does not end with the last line is told of in the next one.
    fn follow(&mut self, path: &Path) -> Result<()> {
        let ours = self.file.metadata()?;
        let why = match std::fs::metadata(path) {
            Ok(there) if same(&ours, &there) && ours.len() == self.size => return Ok(()),
            Ok(there) if same(&ours, &there) => "it is not as long as it was left",
            Ok(_) => "its path leads to another file",
            Err(error) if error.kind() == ErrorKind::NotFound => "it was removed or renamed",
            Err(error) => return Err(error),
        };
        *self = Self::at(path, Last::Is(&self.chain))?;
        let breaks = self.is_broken();
        tracing::warn!(path = %path.display(), why, breaks, "the audit log was opened anew");
        Ok(())
    }

    fn rotate(&mut self, settings: &AuditFile) -> Result<()> {
        let former = |nth: usize| former(&settings.path, nth);
        for nth in (1..settings.kept).rev() {
            match std::fs::rename(former(nth), former(nth + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&settings.path, former(1))?;
        let stray = self.stray.take();
        *self = Self::at(&settings.path, Last::Is(&self.chain))?;
        self.stray = stray;
        Ok(())
    }
}

/// The line that says that others are missing: it follows the last one that was written, which is not the one before it.
fn broken(expected: &str, found: &str, next: Option<&Map<String, Value>>) -> Map<String, Value> {
    let at = next.and_then(|line| line.get("timestamp")).cloned();
    let known = [
        ("timestamp", at.unwrap_or_default()),
        ("type", BROKEN.into()),
        ("category", "security".into()),
        ("severity", "critical".into()),
        ("outcome", "failure".into()),
        ("description", "lines before this one were removed or replaced".into()),
        ("expected", expected.into()),
        ("found", found.into()),
    ];
    known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a line with this hash, or one that follows it, is in the file or in the one that was set aside last.
pub(super) fn tells_of(path: &Path, hash: &str) -> Result<bool> {
    for file in [path.to_owned(), former(path, 1)] {
        let file = match File::open(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened?,
        };
        let told = [(CHAIN, hash), (PREVIOUS, hash)].map(|(name, hash)| format!("\"{name}\":\"{hash}\""));
        for line in BufReader::new(file).lines() {
            let line = line?;
            if told.iter().any(|told| line.contains(told)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Where a file that was full lies.
fn former(path: &Path, nth: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{nth}"));
    PathBuf::from(name)
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The hash that stands in a whole line; none where it is no line of an audit log.
fn chained(line: &[u8]) -> Option<String> {
    let fields: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let hash = fields.get(CHAIN)?.as_str()?;
    let whole = hash.len() == 2 * size_of::<crypto::Digest>() && crypto::from_hex(hash).is_ok();
    whole.then(|| hash.to_owned())
}

/// Whether what stands behind the last whole line can be what is left of one of ours: it begins like one, or holds nothing.
fn is_ours(torn: &[u8]) -> bool {
    let begins = torn.iter().zip(BEGIN).all(|(there, ours)| there == ours);
    let is_whole =
        || serde_json::from_slice::<Map<String, Value>>(torn).is_ok_and(|line| !line.contains_key(CHAIN));
    torn.iter().all(|byte| *byte == 0) || begins && !is_whole()
}

/// Makes the name of a new file durable.
fn durable(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn strange(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

const OTHER: &str = "it holds something else than an audit log, and is left as it is";
/// How a line begins, whatever it says.
const BEGIN: &[u8] = b"{\"";
/// No line is longer: what is in one was bounded before.
const LONGEST_LINE: u64 = 256 * 1024;
