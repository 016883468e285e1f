//! One word per idea: names that public types and functions don't have.

use serde::Deserialize;

use super::File;
use crate::failure::{Failure, Outcome};

/// Where the list is.
const LIST: &str = "crates/xtask/words.toml";

/// The list of words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    word: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    of: Kind,
    at: Place,
    word: String,
    say: String,
}

/// What a name names.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Type,
    Function,
}

/// Where in a name a word is unwanted.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Place {
    Part,
    Whole,
    First,
    Last,
}

impl Words {
    /// The list among `files`.
    pub(super) fn of(files: &[File]) -> Outcome<Self> {
        let list = files.iter().find(|file| file.path == LIST);
        let list = list.ok_or_else(|| Failure::new(format!("`{LIST}` is missing")))?;
        Self::parse(&list.text)
    }

    /// Parses a list.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        toml::from_str(text).map_err(|error| Failure::doing(&format!("read `{LIST}`"), &error))
    }

    /// The unwanted names in one file.
    pub(super) fn problems(&self, file: &File) -> Vec<String> {
        if !file.is_rust() || file.is_test() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (number, line) in file.code() {
            let Some((kind, name)) = declared(line) else { continue };
            for word in self.word.iter().filter(|word| word.of == kind && word.is_in(name)) {
                problems.push(file.problem(number, &format!("`{name}`: say {}", word.say)));
            }
        }
        problems
    }
}

impl Word {
    fn is_in(&self, name: &str) -> bool {
        let parts = parts(name);
        match self.at {
            Place::Whole => name == self.word,
            Place::Part => parts.contains(&self.word.as_str()),
            // A name that is the word and nothing else, such as `get` for the HTTP method, is a name of its own.
            Place::First => parts.len() > 1 && parts.first() == Some(&self.word.as_str()),
            Place::Last => parts.len() > 1 && parts.last() == Some(&self.word.as_str()),
        }
    }
}

/// The public name that `line` declares.
fn declared(line: &str) -> Option<(Kind, &str)> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = rest.strip_prefix("(crate)").unwrap_or(rest).strip_prefix(' ')?;
    let mut words = rest.split_whitespace().skip_while(|word| matches!(*word, "async" | "const" | "unsafe"));
    let kind = match words.next()? {
        "struct" | "enum" | "trait" | "type" | "union" => Kind::Type,
        "fn" => Kind::Function,
        _ => return None,
    };
    let name = words.next()?.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next()?;
    Some((kind, name))
}

/// The words of a name in `CamelCase` or `snake_case`.
fn parts(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for piece in name.split('_').filter(|piece| !piece.is_empty()) {
        let mut start = 0;
        for (at, letter) in piece.char_indices().skip(1) {
            if letter.is_uppercase() {
                parts.extend(piece.get(start..at));
                start = at;
            }
        }
        parts.extend(piece.get(start..));
    }
    parts
}

#[cfg(test)]
mod tests;
