//! Command lines of programs written in Go: `-flag value`, `--flag value`, `-flag=value`, before and behind the words.
//!
//! # Invariants
//!
//! - A value is never repeated in an error: it may be a secret in the wrong place. A flag or a word is, if it is plainly a word.

/// One flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: String,
    /// What stands behind it; nothing for a switch.
    pub takes: Option<&'static str>,
    /// What it is for.
    pub help: String,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether it may be there several times.
    pub repeats: bool,
}

impl Flag {
    /// A flag with a value.
    pub fn new(name: impl Into<String>, takes: &'static str, help: impl Into<String>) -> Self {
        Self { name: name.into(), takes: Some(takes), help: help.into(), required: false, repeats: false }
    }

    /// A switch.
    pub fn switch(name: &str, help: &str) -> Self {
        Self { name: name.to_owned(), takes: None, help: help.to_owned(), required: false, repeats: false }
    }

    /// The same, one that has to be there.
    #[must_use]
    pub fn required(self, required: bool) -> Self {
        Self { required, ..self }
    }

    /// The same, one that may be there several times.
    #[must_use]
    pub fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// A mistake on the command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// A mistake without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What was typed: words, and flags that nobody has looked at yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What is no flag, in its order.
    pub words: Vec<String>,
    flags: Vec<(String, Option<String>)>,
}

/// Flags that the command has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(Vec<(String, String)>);

impl Words {
    /// Parts words and flags. A flag that is none of the switches takes the word behind it.
    #[must_use]
    pub fn split(typed: &[String], switches: &[&str]) -> Self {
        let mut parted = Self::default();
        let mut rest = typed.iter();
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                parted.words.push(word.clone());
                continue;
            };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            if flag.is_empty() {
                // `--` ends the flags.
                parted.words.extend(rest.by_ref().cloned());
                continue;
            }
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None if switches.contains(&flag) => (flag, None),
                None => (flag, rest.next().cloned()),
            };
            parted.flags.push((name.to_owned(), value));
        }
        parted
    }

    /// Whether help is asked for.
    #[must_use]
    pub fn wants_help(&self) -> bool {
        self.flags.iter().any(|(name, _)| HELP.contains(&&**name))
            || self.words.first().is_some_and(|word| word == "help")
    }

    /// The value of a flag that every command has.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
    }

    /// Whether a switch that every command has is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(known, value)| known == name && value.as_deref() != Some("false"))
    }

    /// Holds the flags against those of a command.
    ///
    /// # Errors
    /// For one that the command does not have, one without its value, one that is there twice, one that is missing.
    pub fn check(&self, known: &[Flag]) -> Result<Given, Error> {
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.flags {
            let flag = known.iter().find(|flag| flag.name == *name).ok_or_else(|| unknown(name, known))?;
            let value = match (flag.takes, value) {
                (Some(_), Some(value)) => value.clone(),
                (Some(takes), None) => return Err(Error::new(format!("`-{name}` needs a value: {takes}"))),
                (None, None) => "true".to_owned(),
                (None, Some(value)) => switch(name, value)?,
            };
            if !flag.repeats && given.iter().any(|(known, _)| known == name) {
                return Err(Error::new(format!("`-{name}` is there twice")));
            }
            given.push((name.clone(), value));
        }
        Ok(Given(given))
    }
}

impl Given {
    /// The value of a flag.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a flag.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The flags that are missing.
    ///
    /// # Errors
    /// Where there are some.
    pub fn complete(&self, known: &[Flag]) -> Result<(), Error> {
        let missing: Vec<String> = known
            .iter()
            .filter(|flag| flag.required && self.one(&flag.name).is_none())
            .map(|flag| format!("`-{} {}`", flag.name, flag.takes.unwrap_or_default()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let verb = if missing.len() == 1 { "is" } else { "are" };
        Err(Error::new(format!("{} {verb} missing", missing.join(" and "))))
    }
}

fn switch(name: &str, value: &str) -> Result<String, Error> {
    match value {
        "true" | "1" | "t" | "T" | "TRUE" | "True" => Ok("true".to_owned()),
        "false" | "0" | "f" | "F" | "FALSE" | "False" => Ok("false".to_owned()),
        _ => Err(Error::new(format!("`-{name}` is `true` or `false`"))),
    }
}

fn unknown(name: &str, known: &[Flag]) -> Error {
    let near = nearest(name, known.iter().map(|flag| &*flag.name));
    let error = Error::new(format!("there is no flag {}", shown(&format!("-{name}"))));
    match near {
        Some(near) => error.hint(format!("did you mean `-{near}`?")),
        None => error.hint("`--help` lists the flags"),
    }
}

/// The nearest known word, where one is near.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|word| (strsim::jaro_winkler(wrong, word), word));
    scored.filter(|(score, _)| *score >= 0.8).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, word)| word)
}

/// A word as it may be repeated: what is not plainly a word may be a secret in the wrong place.
#[must_use]
pub fn shown(word: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.');
    if word.len() <= 32 && word.chars().all(plain) { format!("`{word}`") } else { "(not shown)".to_owned() }
}

/// The table of flags in a help text.
#[must_use]
pub fn table(flags: &[Flag]) -> String {
    let left = |flag: &Flag| match flag.takes {
        Some(takes) => format!("  -{} {takes}", flag.name),
        None => format!("  -{}", flag.name),
    };
    let width = flags.iter().map(|flag| left(flag).len()).max().unwrap_or(0);
    flags
        .iter()
        .map(|flag| {
            let must = if flag.required { " (required)" } else { "" };
            format!("{:width$}  {}{must}\n", left(flag), flag.help)
        })
        .collect()
}

const HELP: [&str; 2] = ["help", "h"];

#[cfg(test)]
mod tests;
