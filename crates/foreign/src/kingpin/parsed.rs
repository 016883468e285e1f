//! A command line that was read: the command, its flags and its arguments, by name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::Command;

/// A value of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// On or off.
    Switch(bool),
    /// A text, or a word of a list.
    Text(String),
    /// A length of time.
    Duration(Duration),
}

/// A command line that was read. Asking for a name that is not in the table gives nothing; tests hold the names together.
#[derive(Debug)]
pub struct Parsed {
    /// The command.
    pub command: &'static Command,
    pub(super) flags: BTreeMap<&'static str, Value>,
    pub(super) args: BTreeMap<&'static str, Vec<OsString>>,
}

impl Parsed {
    /// Whether a switch is on; off where nothing says so.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.flags.get(name), Some(Value::Switch(true)))
    }

    /// The text of a flag; an empty one is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.flags.get(name) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The length of time of a flag.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.flags.get(name) {
            Some(Value::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    /// An argument; an empty one is none.
    pub fn arg(&self, name: &str) -> Option<&OsStr> {
        self.rest(name).first().map(OsString::as_os_str).filter(|word| !word.is_empty())
    }

    /// All words of an argument that takes many.
    pub fn rest(&self, name: &str) -> &[OsString] {
        self.args.get(name).map_or(&[], Vec::as_slice)
    }
}
