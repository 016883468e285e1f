//! From words to a command: the scanner and the parser.
//!
//! # Invariants
//!
//! - A word is scanned once. Behind `--` every word is an argument, whatever it looks like.
//! - Files of arguments (`@file`) are read before `--` only, and a chain of them ends.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::Read;

use super::parsed::Value;
use super::{
    Arg, Command, Error, Flag, Grammar, Kind, Parsed, Reading, Saying, Stream, complete, help, value,
};
use crate::Environment;

/// Reads a command line. `words` are those behind the program's name, `environment` gives the defaults, and `names` the
/// names that completion offers (profiles); it is asked only when they are needed.
///
/// # Errors
/// When the words make no sense; [`Error::line`] is what to print, and the status is 1.
pub fn read(
    grammar: &'static Grammar,
    words: &[OsString],
    environment: &Environment<'_>,
    names: &dyn Fn() -> Vec<String>,
) -> Result<Reading, Error> {
    if words.first().is_some_and(|word| word == "--completion-bash") {
        let typed = words.get(1..).unwrap_or_default();
        return Ok(Reading::Say(complete::offers(grammar, typed, names)));
    }
    let mut parser = Parser::new(grammar, words);
    parser.run()?;
    if let Some(saying) = parser.saying() {
        return Ok(Reading::Say(saying));
    }
    let Some(command) = parser.command else {
        return Ok(Reading::Say(Saying { to: Stream::Stderr, text: help::overview(grammar) }));
    };
    if command.name == "help" {
        return help_on(grammar, parser.args).map(Reading::Say);
    }
    finished(grammar, command, parser, environment).map(Reading::Run)
}

/// One word, as the scanner sees it.
enum Token {
    Long { name: String, value: Option<String> },
    Short { letter: String, behind: String },
    Word(OsString),
}

struct Parser {
    grammar: &'static Grammar,
    words: VecDeque<OsString>,
    command: Option<&'static Command>,
    flags: BTreeMap<&'static str, Value>,
    /// The flags of [`super::BUILT_IN`], in the order in which they were typed.
    asked: Vec<&'static str>,
    args: Vec<OsString>,
    only_args: bool,
    files: u32,
}

impl Parser {
    fn new(grammar: &'static Grammar, words: &[OsString]) -> Self {
        Self {
            grammar,
            words: words.iter().cloned().collect(),
            command: None,
            flags: BTreeMap::new(),
            asked: Vec::new(),
            args: Vec::new(),
            only_args: false,
            files: 0,
        }
    }

    fn run(&mut self) -> Result<(), Error> {
        while let Some(token) = self.next()? {
            match token {
                Token::Long { name, value } => self.long(&name, value)?,
                Token::Short { letter, behind } => self.short(&letter, &behind)?,
                Token::Word(word) => self.word(word)?,
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Token>, Error> {
        loop {
            let Some(word) = self.words.pop_front() else { return Ok(None) };
            if self.only_args {
                return Ok(Some(Token::Word(word)));
            }
            if word == "--" {
                self.only_args = true;
                continue;
            }
            // What is no text is no flag; a file's name may be anything.
            let Some(text) = word.to_str() else { return Ok(Some(Token::Word(word))) };
            if let Some(flag) = text.strip_prefix("--") {
                let (name, value) = match flag.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (flag, None),
                };
                return Ok(Some(Token::Long { name: name.to_owned(), value }));
            }
            if let Some(letters) = text.strip_prefix('-') {
                let first = letters.chars().next().map_or(0, char::len_utf8);
                let (letter, behind) = letters.split_at(first);
                return Ok(Some(Token::Short { letter: letter.to_owned(), behind: behind.to_owned() }));
            }
            let Some(file) = text.strip_prefix('@') else { return Ok(Some(Token::Word(word))) };
            self.expand(file)?;
        }
    }

    /// Puts the lines of a file in front of what is left; lines that begin with `#` are comments.
    fn expand(&mut self, name: &str) -> Result<(), Error> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(Error::Files);
        }
        let mut text = String::new();
        std::fs::File::open(name)
            .and_then(|file| file.take(LARGEST_FILE).read_to_string(&mut text))
            .map_err(|source| Error::File { name: name.to_owned(), source })?;
        for line in text.lines().rev().filter(|line| !line.starts_with('#')) {
            self.words.push_front(OsString::from(line));
        }
        Ok(())
    }

    fn long(&mut self, name: &str, attached: Option<String>) -> Result<(), Error> {
        let unknown = || Error::UnknownLong(name.to_owned());
        let (flag, on) = match (self.find(name), name.strip_prefix("no-").and_then(|name| self.find(name))) {
            (Some(flag), _) => (flag, true),
            (None, Some(flag)) if flag.kind == Kind::Switch => (flag, false),
            (None, _) => return Err(unknown()),
        };
        if flag.kind != Kind::Switch {
            let value = match attached {
                Some(value) => value,
                None => self.value(&format!("--{name}"))?,
            };
            return self.set(flag, &value);
        }
        let said = attached.map_or(Ok(true), |value| value::switch(&value))?;
        self.turn(flag, said == on);
        Ok(())
    }

    /// Letters behind one `-`: switches, until one takes a value, which is the rest of the word or the next word.
    fn short(&mut self, letter: &str, behind: &str) -> Result<(), Error> {
        let found = self.grammar.flags(self.command).find(|flag| {
            flag.short.is_some_and(|short| letter.strip_prefix(short).is_some_and(str::is_empty))
        });
        let Some(flag) = found else { return Err(Error::UnknownShort(letter.to_owned())) };
        if flag.kind != Kind::Switch {
            let value =
                if behind.is_empty() { self.value(&format!("-{letter}"))? } else { behind.to_owned() };
            return self.set(flag, &value);
        }
        self.turn(flag, true);
        if !behind.is_empty() {
            self.words.push_front(OsString::from(format!("-{behind}")));
        }
        Ok(())
    }

    fn word(&mut self, word: OsString) -> Result<(), Error> {
        let Some(command) = self.command else {
            let shown = || word.to_string_lossy().into_owned();
            let found = word.to_str().and_then(|name| self.grammar.command(name));
            self.command = Some(found.ok_or_else(|| Error::NoCommand(shown()))?);
            return Ok(());
        };
        let takes_more = command.args.len() > self.args.len() || command.args.iter().any(|arg| arg.many);
        if !takes_more {
            return Err(Error::Unexpected(word.to_string_lossy().into_owned()));
        }
        self.args.push(word);
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&'static Flag> {
        self.grammar.flags(self.command).find(|flag| flag.long == name)
    }

    /// The value of a flag that stands in a word of its own.
    fn value(&mut self, flag: &str) -> Result<String, Error> {
        let missing = || Error::NoValue(flag.to_owned());
        if self.words.front().is_none_or(|word| word == "--") {
            return Err(missing());
        }
        match self.next()? {
            Some(Token::Word(word)) => word
                .into_string()
                .map_err(|_| Error::Value(format!("the value of flag '{flag}' is not UTF-8 text"))),
            _ => Err(missing()),
        }
    }

    fn turn(&mut self, flag: &'static Flag, on: bool) {
        if super::BUILT_IN.contains(flag) {
            if on {
                self.asked.push(flag.long);
            }
            return;
        }
        self.flags.insert(flag.long, Value::Switch(on));
    }

    fn set(&mut self, flag: &'static Flag, text: &str) -> Result<(), Error> {
        if self.flags.contains_key(flag.long) {
            return Err(Error::Repeated(flag.long));
        }
        self.flags.insert(flag.long, read_value(flag, text)?);
        Ok(())
    }

    /// The text that a flag of the parser asks for.
    fn saying(&self) -> Option<Saying> {
        let asked = self.asked.first()?;
        let (to, text) = match *asked {
            "version" => (Stream::Stderr, format!("{}\n", self.grammar.version)),
            "help-long" => (Stream::Stdout, help::long(self.grammar)),
            "help-man" => (Stream::Stdout, help::man(self.grammar)),
            "completion-script-bash" => (Stream::Stdout, complete::bash(self.grammar.name)),
            "completion-script-zsh" => (Stream::Stdout, complete::zsh(self.grammar.name)),
            "completion-script-fish" => (Stream::Stdout, complete::fish(self.grammar.name)),
            _ => {
                let page = self.command.map(|command| help::on(self.grammar, command));
                (Stream::Stdout, page.unwrap_or_else(|| help::overview(self.grammar)))
            }
        };
        Some(Saying { to, text })
    }
}

/// `help`, alone or with the name of a command.
fn help_on(grammar: &'static Grammar, words: Vec<OsString>) -> Result<Saying, Error> {
    let mut words = words.into_iter().map(|word| word.to_string_lossy().into_owned());
    let text = match words.next() {
        None => help::overview(grammar),
        Some(name) => match grammar.command(&name) {
            Some(command) => help::on(grammar, command),
            None => return Err(Error::NoCommand(name)),
        },
    };
    match words.next() {
        None => Ok(Saying { to: Stream::Stdout, text }),
        Some(more) => Err(Error::Unexpected(more)),
    }
}

/// Adds what the environment and the defaults say, and checks that what is needed is there.
fn finished(
    grammar: &'static Grammar,
    command: &'static Command,
    parser: Parser,
    environment: &Environment<'_>,
) -> Result<Parsed, Error> {
    let Parser { mut flags, args, .. } = parser;
    let set = |name: &&str| environment(name).filter(|value| !value.is_empty());
    let mut missing = Vec::new();
    for flag in grammar.flags(Some(command)).filter(|flag| !super::BUILT_IN.contains(flag)) {
        if flags.contains_key(flag.long) {
            continue;
        }
        let from_environment = flag.env.iter().find_map(set);
        if let Some(text) = from_environment.as_deref().or(flag.default) {
            flags.insert(flag.long, read_value(flag, text)?);
        } else if flag.required {
            missing.push(format!("'--{}'", flag.long));
        }
    }
    if !missing.is_empty() {
        return Err(Error::RequiredFlags(missing.join(", ")));
    }
    Ok(Parsed { command, flags, args: placed(command.args, args, &set)? })
}

/// Gives each argument its words.
fn placed(
    args: &'static [Arg],
    words: Vec<OsString>,
    set: &dyn Fn(&&str) -> Option<String>,
) -> Result<BTreeMap<&'static str, Vec<OsString>>, Error> {
    let mut words = words.into_iter();
    let mut placed = BTreeMap::new();
    for arg in args {
        let mut given: Vec<OsString> =
            if arg.many { words.by_ref().collect() } else { words.next().into_iter().collect() };
        if given.is_empty() {
            given.extend(arg.env.and_then(|name| set(&name)).map(OsString::from));
        }
        if given.is_empty() && arg.required {
            return Err(Error::RequiredArg(arg.name));
        }
        placed.insert(arg.name, given);
    }
    Ok(placed)
}

fn read_value(flag: &Flag, text: &str) -> Result<Value, Error> {
    match flag.kind {
        Kind::Switch => value::switch(text).map(Value::Switch),
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Duration => value::duration(text).map(Value::Duration),
        Kind::OneOf(words) => value::one_of(text, words).map(|()| Value::Text(text.to_owned())),
    }
}

/// More files than anybody nests; a file that names itself ends here.
const MOST_FILES: u32 = 16;
const LARGEST_FILE: u64 = 1 << 20;

#[cfg(test)]
mod tests;
