//! What people and programs see: stdout is data, stderr is talk.
//!
//! # Invariants
//!
//! - With `--json`, stdout holds one JSON document, or one object a line where a command goes on; nothing else.
//! - Colour only on a terminal, never where `NO_COLOR` is set, and never as the only carrier of a meaning.

pub(crate) mod problem;
pub(crate) mod table;
pub(crate) mod yaml;

use std::io::{IsTerminal, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::args::Format;
use crate::failure::Outcome;

/// Prints for one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    format: Format,
}

impl Printer {
    /// A printer of this format.
    pub(crate) const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether programs read it, as JSON or the same as YAML.
    pub(crate) fn is_json(self) -> bool {
        self.format != Format::Table
    }

    /// Prints one answer: the document for programs, or what `human` makes of it for people.
    pub(crate) fn answer(self, value: &Value, human: impl FnOnce(&Value) -> String) -> Outcome {
        if self.is_json() { self.json(value) } else { Self::text(&human(value)) }
    }

    /// Prints a JSON document on one line, or a YAML document.
    pub(crate) fn json(self, value: &Value) -> Outcome {
        let mut out = std::io::stdout().lock();
        match self.format {
            Format::Yaml => write!(out, "---\n{}", yaml::document(value))?,
            Format::Table | Format::Json => writeln!(out, "{value}")?,
        }
        Ok(out.flush()?)
    }

    /// Prints bytes as they are.
    pub(crate) fn raw(bytes: &[u8]) -> Outcome {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Prints text for people, with a line end.
    pub(crate) fn text(text: &str) -> Outcome {
        let mut out = anstream::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        write!(out, "{text}{end}")?;
        Ok(out.flush()?)
    }

    /// Says something about what is going on, on stderr. Nobody has to listen.
    pub(crate) fn say(text: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

impl Printer {
    /// Whether somebody looks at stderr while it is written.
    pub(crate) fn is_watched() -> bool {
        std::io::stderr().is_terminal()
    }

    /// How far something is, in one line of a terminal that the next one replaces.
    pub(crate) fn progress(done: u64, all: u64, what: &str) {
        let filled = usize::try_from(done * BAR / all.max(1)).unwrap_or_default();
        let bar: String = (0..BAR_WIDTH).map(|at| if at < filled { '#' } else { '.' }).collect();
        let _ = write!(anstream::stderr().lock(), "\r[{bar}] {done} of {all} {what}");
    }

    /// Ends that line.
    pub(crate) fn progress_over() {
        Self::say("");
    }
}

/// Whether somebody sits in front of stdin.
pub(crate) fn somebody_types() -> bool {
    std::io::stdin().is_terminal()
}

/// A path in a document for programs. What is not UTF-8 in it is shown as it is for people; as it stands it could not be written.
pub(crate) fn path(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// Whether stdout was closed when this process began. Then it is the place for what nobody wants, opened both ways, which no shell does.
pub(crate) fn is_closed() -> bool {
    use std::os::unix::fs::MetadataExt;
    let out = rustix::stdio::stdout();
    let both_ways = rustix::fs::fcntl_getfl(out).is_ok_and(|flags| flags.contains(rustix::fs::OFlags::RDWR));
    let (Ok(null), Ok(seen)) = (std::fs::metadata("/dev/null"), rustix::fs::fstat(out)) else { return false };
    both_ways && seen.st_rdev == null.rdev()
}

/// Text in a style, and back.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

const BAR: u64 = 30;
const BAR_WIDTH: usize = 30;
/// What went well.
pub(crate) const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
/// What went wrong.
pub(crate) const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
/// What deserves a look.
pub(crate) const WARN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// What stands back.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What stands out.
pub(crate) const BOLD: Style = Style::new().bold();

#[cfg(test)]
mod tests;
