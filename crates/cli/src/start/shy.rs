//! Mistakes on the command line, told without what was typed: a secret in the wrong place must not end in a log as well.
//!
//! The parser repeats words and values. Here they become their place (`word 3, not shown`) or `(not shown)`; the names of flags
//! and of commands that may be mistyped stay, and so does what it suggests, which are words of ours.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The same mistake without anything that may be a secret. `typed` is the command line with the program's name.
pub(crate) fn shy(mut error: clap::Error, typed: &[OsString]) -> clap::Error {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => ContextKind::InvalidValue,
    };
    let Some(ContextValue::String(raw)) = error.get(kind).cloned() else { return error };
    let plain = match kind {
        ContextKind::InvalidArg => is_flag(&raw),
        ContextKind::InvalidSubcommand => is_word(&raw),
        _ => false,
    };
    if raw.is_empty() || plain {
        return error;
    }
    let place = typed.iter().skip(1).position(|word| word.to_str() == Some(raw.as_str()));
    let instead = match (kind, place) {
        (ContextKind::InvalidValue, _) | (_, None) => "(not shown)".to_owned(),
        (_, Some(place)) => format!("(word {}, not shown)", place + 1),
    };
    error.insert(kind, ContextValue::String(instead));
    // `to pass '...' as a value, use ...` repeats it.
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let tips: Vec<_> = tips.into_iter().filter(|tip| !tip.to_string().contains(&raw)).collect();
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

/// Whether it is plainly the name of a flag: `-x`, or `--words-of-letters`.
fn is_flag(word: &str) -> bool {
    match word.strip_prefix("--") {
        Some(name) => name.len() <= LONGEST && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
        None => word.starts_with('-') && word.chars().count() == 2,
    }
}

/// Whether it could be the name of a command, a mistyped one: a few small letters, where commands stand and no values do.
fn is_word(word: &str) -> bool {
    word.len() <= LONGEST_WORD && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// Longest word that is repeated as a command.
const LONGEST_WORD: usize = 16;
/// Longest name of a flag that is repeated.
const LONGEST: usize = 32;
