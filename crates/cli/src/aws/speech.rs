//! What is said, and in whose words.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::compat::kingpin;
use crate::failure::{Failure, Kind};
use crate::print::Printer;
use crate::print::problem::clean;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) Failure);

impl Wrong {
    /// Says why, in words of our own.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Failure::new(message))
    }

    /// Puts words in front of the message.
    pub(super) fn after(mut self, before: &str) -> Self {
        self.0.message = format!("{before}{}", self.0.message);
        self
    }

    /// The same with advice, where there is some.
    pub(super) fn maybe_hint(self, hint: Option<impl Into<String>>) -> Self {
        Self(self.0.maybe_hint(hint))
    }

    /// The same with advice.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.hint(hint))
    }
}

impl<T: Into<Failure>> From<T> for Wrong {
    fn from(failure: T) -> Self {
        Self(failure.into())
    }
}

/// A mistake in the command line of aws-vault: its own text, status 1.
pub(super) fn usage(error: &kingpin::Error) -> ExitCode {
    say(&error.line("aws-vault"));
    ExitCode::FAILURE
}

/// A command that failed, in the words of aws-vault, with our advice behind it.
pub(super) fn failed(command: &str, wrong: &Wrong) -> ExitCode {
    let Failure { kind, message, causes, hint } = &wrong.0;
    if *kind == Kind::Silent {
        return ExitCode::FAILURE;
    }
    let causes: String = causes.iter().map(|cause| format!(": {cause}")).collect();
    say(&format!("aws-vault: error: {command}: {message}{causes}"));
    if let Some(hint) = hint {
        say(&format!("hint: {hint}"));
    }
    ExitCode::FAILURE
}

/// A line on stderr.
pub(super) fn say(line: &str) {
    // Whoever closed stderr wants to hear nothing.
    let _ = writeln!(std::io::stderr().lock(), "{}", clean(line));
}

/// Text on stdout, as it is.
pub(super) fn out(text: &[u8]) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever closed it has read enough.
            if error.kind() != ErrorKind::BrokenPipe {
                say(&format!("aws-vault: error: could not write the answer: {error}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// A line on stdout.
pub(super) fn line(text: &str) -> ExitCode {
    out(format!("{text}\n").as_bytes())
}

/// Says how answers are printed, for the life of this process: `--json`. aws-vault has no word for it.
pub(super) fn print_as(printer: Printer) {
    let _ = PRINTER.set(printer);
}

/// What prints for programs, where programs read the answers.
pub(super) fn for_programs() -> Option<Printer> {
    PRINTER.get().copied().filter(|printer| printer.is_json())
}

/// The answer of a command: text for people, a document for programs.
pub(super) fn told(text: &str, document: impl FnOnce() -> Value) -> Result<ExitCode, Wrong> {
    match for_programs() {
        Some(printer) => {
            printer.json(&document())?;
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(out(text.as_bytes())),
    }
}

/// How far a command is: a line on stdout, but on stderr where programs read the answer.
pub(super) fn progress(text: &str) {
    match for_programs() {
        Some(_) => say(text),
        None => {
            line(text);
        }
    }
}

/// Text on stderr that was asked for.
pub(super) fn err(text: &str) -> ExitCode {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// The version, on stdout.
pub(super) fn version() -> Result<ExitCode, Wrong> {
    let version = env!("CARGO_PKG_VERSION");
    told(&format!("v{version}\n"), || serde_json::json!({ "version": version }))
}

/// Switches the log of `--debug` on.
pub(super) fn debug(on: bool) {
    DEBUG.store(on, Ordering::Relaxed);
}

/// A line of the log of `--debug`.
pub(super) fn log(line: impl FnOnce() -> String) {
    if DEBUG.load(Ordering::Relaxed) {
        say(&line());
    }
}

/// The last four characters of an id of a key, which is how people know it.
pub(super) fn masked(id: &str) -> String {
    let keep = id.len().saturating_sub(4);
    format!("{}{}", "*".repeat(keep), id.get(keep..).unwrap_or_default())
}

static DEBUG: AtomicBool = AtomicBool::new(false);
static PRINTER: OnceLock<Printer> = OnceLock::new();
