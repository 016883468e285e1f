//! Flags that hold for every command, among the words of a command line that another reader than clap takes.
//!
//! # Invariants
//!
//! - They are told in every form that clap takes, and clap reads what they say: what it would refuse is not guessed.

use std::ffi::{OsStr, OsString};

use clap::{Args, FromArgMatches};

use crate::args::Global;

/// Takes those in front of the first word.
pub(super) fn in_front(words: &mut Vec<OsString>) -> Vec<OsString> {
    let mut taken = Vec::new();
    while let Some(width) = words.first().map(|word| width(word)).filter(|width| *width > 0) {
        taken.extend(words.drain(..width.min(words.len())));
    }
    taken
}

/// Takes those behind. What follows a flag of the command itself may be its value, and what follows `--` is no flag.
pub(super) fn behind(words: &mut Vec<OsString>) -> Vec<OsString> {
    let (mut taken, mut at) = (Vec::new(), 0);
    let mut free = true;
    while let Some(word) = words.get(at).filter(|word| *word != "--") {
        let width = if free { width(word) } else { 0 };
        if width > 0 {
            taken.extend(words.drain(at..(at + width).min(words.len())));
            continue;
        }
        let text = word.to_string_lossy();
        free =
            !text.starts_with('-') || text.contains('=') || SWITCHES.contains(&text.trim_start_matches('-'));
        at += 1;
    }
    taken
}

/// What they say; nothing where clap would refuse them.
pub(super) fn read(taken: Vec<OsString>) -> Option<Global> {
    let command = Global::augment_args(clap::Command::new("doorward"));
    let matches = command.try_get_matches_from([OsString::from("doorward")].into_iter().chain(taken)).ok()?;
    Global::from_arg_matches(&matches).ok()
}

/// How many words such a flag takes; none where it is no such flag.
fn width(word: &OsStr) -> usize {
    let word = word.to_string_lossy();
    let (name, has_value) = word.split_once('=').map_or((&*word, false), |(name, _)| (name, true));
    match (name, has_value) {
        ("--json" | "--verbose" | "--dangerous-allow-dumps", false) => 1,
        ("--home" | "--format" | "--log", true) => 1,
        ("--home" | "--format" | "--log", false) => 2,
        (short, false) if short.len() > 1 && short.strip_prefix('-').is_some_and(only_v) => 1,
        _ => 0,
    }
}

fn only_v(short: &str) -> bool {
    short.chars().all(|letter| letter == 'v')
}

/// Flags of these commands that take no value.
const SWITCHES: [&str; 3] = ["json", "help", "h"];
