//! The audit log: lines of JSON for tools that read such, each with the hash of the one before it. The evidence is the record;
//! this is a view of it, written through before the answer.
//!
//! # Invariants
//!
//! - A line is whole or not there: what a full disk or a crash left of one is cut off before the next.
//! - A line goes to the file that the path leads to at that moment, and to nothing else than an audit log.
//! - A line about what was done stays owed while it can't be written, and stands before the next one that can.
//! - `previous` of a line is `chain_hash` of the line before it, also over a change of files, so that a changed, missing or
//!   additional line is found.
//! - The home remembers which line was written last. A file that does not end with it is told of in the chain, by a line that
//!   no check passes.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Code, Refusal, Retry, Timestamp};
use serde_json::{Map, Value};
use store::Storage;
use tokio::sync::oneshot;

mod open;
mod remembered;

use open::{Appended, Last, Open};
use remembered::Remembered;

/// Where the audit log lies, and how large it grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFile {
    /// The file.
    pub path: PathBuf,
    /// Bytes beyond which the next file is begun.
    pub longest: u64,
    /// How many former files are kept.
    pub kept: usize,
}

impl AuditFile {
    /// A file with the usual limits: 100 MiB, ten former ones.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, longest: 100 << 20, kept: 10 }
    }
}

/// An open audit log.
pub(crate) struct AuditLog {
    settings: AuditFile,
    queue: Mutex<Queue>,
    open: Mutex<Open>,
    remembered: Remembered,
    /// Whether lines were missing when this process looked.
    broke: AtomicBool,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Line>,
    writing: bool,
    failed: bool,
    written: Option<Timestamp>,
    /// Lines about what was done that could not be written.
    owed: Vec<Map<String, Value>>,
}

struct Line {
    fields: Map<String, Value>,
    answer: Option<oneshot::Sender<Result<(), Refusal>>>,
    deed: Deed,
}

/// Whether what a line says was done, which decides what becomes of it where it can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// What is not done, or is taken back then.
    Undone,
    /// What was done: the line is owed.
    Done,
}

impl AuditLog {
    /// Opens the log, or begins one that only its owner can read. Blocks.
    pub(crate) fn open(settings: AuditFile, storage: Arc<dyn Storage>) -> Result<Self, Refusal> {
        let remembered = Remembered::of(&settings.path, storage)?;
        let open = Open::at(&settings.path, Last::AtLeast(&remembered.last()))
            .map_err(|error| unwritten(&settings.path, &error))?;
        if open.is_broken() {
            tracing::error!(path = %settings.path.display(), "lines of the audit log were removed or replaced");
        }
        Ok(Self {
            settings,
            queue: Mutex::default(),
            broke: AtomicBool::new(open.is_broken()),
            open: Mutex::new(open),
            remembered,
        })
    }

    /// Writes the lines that are owed, where that can be done by now, and down how far it reaches. Blocks.
    pub(crate) fn write_down(&self) {
        let owes = !self.queue().owed.is_empty();
        if owes && let Err(refusal) = self.append(Vec::new()) {
            tracing::error!(%refusal, "lines of the audit log are still owed");
        }
        self.remembered.write_down();
    }

    /// Sees that the next lines can be written, before something is done that can't be taken back. Blocks.
    pub(crate) fn room(&self) -> Result<(), Refusal> {
        let owed = u64::try_from(self.queue().owed.len()).unwrap_or(u64::MAX);
        let bytes = ROOM.saturating_add(owed.saturating_mul(ROOM_FOR_ONE));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.reserve(&self.settings.path, bytes).map_err(|error| unwritten(&self.settings.path, &error))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.settings.path
    }

    pub(crate) const fn settings(&self) -> &AuditFile {
        &self.settings
    }

    pub(crate) fn size(&self) -> u64 {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).size
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue().waiting.len()
    }

    pub(crate) fn last_written(&self) -> Option<Timestamp> {
        self.queue().written
    }

    pub(crate) fn status(&self) -> &'static str {
        match (self.queue().failed, self.broke.load(Ordering::Relaxed)) {
            (true, _) => "Failing",
            (false, true) => "Broken",
            (false, false) => "Healthy",
        }
    }

    /// Writes a line, and waits until it is on the disk.
    pub(crate) async fn write(
        self: &Arc<Self>,
        fields: Map<String, Value>,
        (deed, now): (Deed, Timestamp),
    ) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.push(Line { fields, answer: Some(answer), deed }, now);
        answered
            .await
            .unwrap_or_else(|_| Err(Refusal::new(Code::EvidenceUnavailable, "the audit log broke off")))
    }

    /// Writes a line for which nobody waits, where there are not too many of those.
    pub(crate) async fn note(
        self: &Arc<Self>,
        fields: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.waiting() >= MOST_WAITING {
            return self.write(fields, (Deed::Undone, now)).await;
        }
        self.push(Line { fields, answer: None, deed: Deed::Undone }, now);
        Ok(())
    }

    fn push(self: &Arc<Self>, line: Line, now: Timestamp) {
        let first = {
            let mut queue = self.queue();
            queue.waiting.push(line);
            !std::mem::replace(&mut queue.writing, true)
        };
        if first {
            let log = Arc::clone(self);
            drop(tokio::task::spawn_blocking(move || log.run(now)));
        }
    }

    fn run(&self, now: Timestamp) {
        loop {
            let waiting = {
                let mut queue = self.queue();
                queue.writing = !queue.waiting.is_empty();
                std::mem::take(&mut queue.waiting)
            };
            if waiting.is_empty() {
                return;
            }
            let (lines, answers): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|line| ((line.fields, line.deed), line.answer)).unzip();
            let written = self.append(lines);
            match &written {
                Ok(()) => self.queue().written = Some(now),
                Err(refusal) => tracing::error!(%refusal, "the audit log could not be written"),
            }
            for answer in answers.into_iter().flatten() {
                drop(answer.send(written.clone()));
            }
            self.remembered.write_down_at_times();
        }
    }

    /// Appends what is owed and these lines, all or none. Where it can't, those about what was done are owed from now on.
    fn append(&self, lines: Vec<(Map<String, Value>, Deed)>) -> Result<(), Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock of the file, so that no other one writes them as well.
        let mut owed = std::mem::take(&mut self.queue().owed);
        let mut fields = owed.clone();
        owed.extend(lines.iter().filter(|(_, deed)| *deed == Deed::Done).map(|(fields, _)| fields.clone()));
        fields.extend(lines.into_iter().map(|(fields, _)| fields));
        let written = open.append(&self.settings, fields);
        let written = written.map_err(|error| unwritten(&self.settings.path, &error));
        let mut queue = self.queue();
        queue.failed = written.is_err();
        match written {
            Ok(Appended { broke }) => {
                self.broke.fetch_or(broke, Ordering::Relaxed);
                self.remembered.note(open.chain());
                Ok(())
            }
            Err(refusal) => {
                let lost = owed.len().saturating_sub(MOST_OWED);
                if lost > 0 {
                    tracing::error!(lost, "lines of the audit log are lost; the evidence has what they said");
                    owed.truncate(MOST_OWED);
                }
                queue.owed = owed;
                Err(refusal)
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line with its hashes, and the second of them.
fn sealed(core: &str, previous: &str) -> (String, String) {
    let mut line = core.to_owned();
    let hash = crypto::to_hex(&crypto::sha256(&[line.as_bytes()]));
    let chain = crypto::to_hex(&crypto::sha256(&[previous.as_bytes(), line.as_bytes()]));
    line.truncate(line.len().saturating_sub(1));
    line.push_str(&format!(",\"hash\":\"{hash}\",\"{CHAIN}\":\"{chain}\"}}"));
    (line, chain)
}

/// What was found in an audit log that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// How many lines there are.
    pub lines: u64,
    /// What the first one follows; empty for the first of all.
    pub follows: String,
    /// The hash that the next line will follow.
    pub last: String,
}

/// Verifies an audit log: that each line is as it was written, and follows the one before it.
///
/// # Errors
/// The first line that is wrong, by its number, or why the file can't be read.
pub fn verify_audit(path: &Path) -> Result<Audited, Refusal> {
    let unread = |error: &std::io::Error| {
        Refusal::new(Code::NotFound, format!("could not read `{}`: {error}", path.display()))
    };
    let file = File::open(path).map_err(|error| unread(&error))?;
    let mut found = Audited { lines: 0, follows: String::new(), last: String::new() };
    // By line ends of ours: a `\r` before one was added by somebody.
    for line in BufReader::new(file).split(b'\n') {
        let line = String::from_utf8(line.map_err(|error| unread(&error))?).unwrap_or_default();
        found.lines += 1;
        let wrong = |what: &str| {
            Refusal::new(Code::Conflict, format!("{}:{}: {what}", path.display(), found.lines))
                .hint("`doorward evidence verify` looks at the record that this log is a view of")
        };
        let strange = || wrong("this is no line of an audit log");
        let fields: Value = serde_json::from_str(&line).map_err(|_| strange())?;
        let previous = fields.get(PREVIOUS).and_then(Value::as_str).unwrap_or_default().to_owned();
        // As it was written, byte by byte: the hashes stand at its end.
        let core = line.len().checked_sub(TAIL).and_then(|at| line.get(..at)).ok_or_else(strange)?;
        let (again, chain) = sealed(&format!("{core}}}"), &previous);
        if again != line {
            return Err(wrong("the line was changed"));
        }
        if fields.get("type").and_then(Value::as_str) == Some(BROKEN) {
            let told = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let what = format!(
                "lines before this one were removed or replaced: the last one that was written had the hash {}, and the file ended with {}",
                told("expected"),
                told("found")
            );
            return Err(wrong(&what));
        }
        if found.lines == 1 {
            found.follows = previous;
        } else if previous != found.last {
            return Err(wrong("the line does not follow the one before it: lines are missing or were added"));
        }
        found.last = chain;
    }
    Ok(found)
}

/// Proof that a log ends with the line that its home remembers, or with later ones; or that it remembers none.
#[derive(Debug)]
#[must_use]
pub struct Ended(());

/// Looks for the line that a home remembers as the last one of the log at this place.
///
/// # Errors
/// When it is not there, or file or rows can't be read.
pub fn verify_audit_end(path: &Path, storage: Arc<dyn Storage>) -> Result<Ended, Refusal> {
    let last = Remembered::of(path, storage)?.last();
    let there = last.is_empty()
        || open::tells_of(path, &last).map_err(|error| {
            Refusal::new(Code::NotFound, format!("could not read `{}`: {error}", path.display()))
        })?;
    if there {
        return Ok(Ended(()));
    }
    let message = format!(
        "{}: lines are missing at its end: this home remembers that the hash {last} was written",
        path.display()
    );
    Err(Refusal::new(Code::Conflict, message)
        .hint("`doorward evidence verify` looks at the record that this log is a view of"))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Refusal {
    let message = format!("the audit log `{}` could not be written: {error}", path.display());
    let hint = match error.kind() {
        ErrorKind::InvalidData => {
            "name another file as `audit.log_file` in agent.yaml, or move this one away"
        }
        _ => "make room, or see who may write there",
    };
    Refusal::new(Code::EvidenceUnavailable, message).retry(Retry::Safe).hint(hint)
}

/// The type of a line that says that others are missing.
const BROKEN: &str = "chain_broken";
const PREVIOUS: &str = "previous";
const CHAIN: &str = "chain_hash";
/// Bytes of what [`sealed`] puts in the place of the last brace.
const TAIL: usize = r#","hash":"","chain_hash":""}"#.len() + 2 * 64;
/// Bytes that have to be free before something is done that can't be taken back: more than its lines need.
const ROOM: u64 = 16 * 1024;
/// The same for each line that is owed.
const ROOM_FOR_ONE: u64 = 2 * 1024;
/// Most lines that are owed.
const MOST_OWED: usize = 4_096;
/// Most lines for which nobody waits.
pub(crate) const MOST_WAITING: usize = 65_536;

#[cfg(test)]
mod tests;
