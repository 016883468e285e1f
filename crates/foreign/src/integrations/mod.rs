//! The command line `integrations`: it writes blocks into the `config.yaml` of a gateway, and takes them out again.
//!
//! # Invariants
//!
//! - What is written can be read by the program whose file it is: its keys, its names, references instead of secrets.
//! - The same command twice leaves the same bytes. A block that says something else is changed by `update` only, and `update`
//!   changes what was said and nothing more.

mod block;
mod edit;
mod help;
mod reference;
mod services;
mod settings;

pub use edit::{Done, Listed, list};
pub use services::{Auth, Domain, SecretFlag, Service, known};

use crate::flags::{self, Flag, Words, nearest, shown};
use crate::yaml::{self, Document};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was typed makes no sense.
    #[error(transparent)]
    Usage(#[from] flags::Error),
    /// It makes sense, and not for this file.
    #[error("{message}")]
    Failed {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The file can't be read or edited.
    #[error(transparent)]
    File(#[from] yaml::Error),
}

impl Error {
    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: hint.into() }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage(error) => error.hint.clone(),
            Self::Failed { hint, .. } => Some(hint.clone()).filter(|hint| !hint.is_empty()),
            Self::File(error) => Some(error.hint().to_owned()),
        }
    }
}

/// Services beyond those of that program.
pub struct More<'a> {
    /// Their names.
    pub names: Vec<String>,
    /// One of them, or why its credential can't be said in such a file.
    pub find: &'a dyn Fn(&str) -> Result<Service, String>,
}

/// What was typed.
#[derive(Debug)]
pub struct Typed {
    /// The file.
    pub file: String,
    /// Whether a program reads the answer.
    pub json: bool,
    /// What to do.
    pub command: Command,
}

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print this text.
    Help(String),
    /// Print what is in the file.
    List,
    /// Write a block for a service.
    Add(Service, Words),
    /// Change a block, or write it where there is none yet.
    Update(String, Option<Service>, Words),
    /// Take a block out.
    Delete(String),
}

impl Command {
    /// Edits the document.
    ///
    /// # Errors
    /// When it can't be done; the document is not changed then.
    pub fn apply(&self, document: &mut Document, file: &str) -> Result<Done, Error> {
        match self {
            Self::Help(_) | Self::List => Ok(Done::Unchanged(String::new())),
            Self::Add(service, words) => edit::add(document, service, words, file),
            Self::Update(name, service, words) => edit::update(document, name, service.as_ref(), words, file),
            Self::Delete(name) => edit::delete(document, name, file),
        }
    }
}

/// Reads a command line. `add NAME` and `NAME` are the same. `program` is how it was called, for texts of help.
///
/// # Errors
/// For one that makes no sense.
pub fn read(typed: &[String], program: &str, more: &More<'_>) -> Result<Typed, Error> {
    let switches: Vec<&str> = settings::switches().chain(["json", "help", "h"]).collect();
    let mut words = Words::split(typed, &switches);
    if words.words.first().is_some_and(|word| word == "add") {
        words.words.remove(0);
    }
    let command = command(words.clone(), program, more)?;
    let file = words.value_of("file").unwrap_or("config.yaml").to_owned();
    if file.is_empty() {
        return Err(flags::Error::new("`-file` needs a value: FILE").into());
    }
    Ok(Typed { file, json: words.has("json"), command })
}

fn command(words: Words, program: &str, more: &More<'_>) -> Result<Command, Error> {
    let wants_help = words.wants_help();
    let mut named = words.words.iter().filter(|word| *word != "help").cloned();
    let (first, second, third) = (named.next(), named.next(), named.next());
    let one_word = |rest: Option<&String>| match rest {
        Some(word) => Err(flags::Error::new(format!("the word {} is too much", shown(word)))
            .hint("a secret is never an argument; `-token env:NAME` says where it is")),
        None => Ok(()),
    };
    match first.as_deref() {
        None if wants_help => Ok(Command::Help(help::overview(program, more))),
        None => Err(flags::Error::new("a command or the name of a service is missing")
            .hint(format!("`{program} --help` lists them"))
            .into()),
        Some("list") if wants_help => Ok(Command::Help(help::list(program))),
        Some("list") => {
            one_word(second.as_ref())?;
            words.check(&general())?;
            Ok(Command::List)
        }
        Some("delete") if wants_help => Ok(Command::Help(help::delete(program))),
        Some("delete") => {
            one_word(third.as_ref())?;
            words.check(&general())?;
            Ok(Command::Delete(block::name(&named_block(second, "delete")?)?))
        }
        Some("update") if wants_help && second.is_none() => Ok(Command::Help(help::update(program))),
        Some("update") => {
            one_word(third.as_ref())?;
            let name = named_block(second, "update")?;
            let service = match words.value_of("service") {
                Some(kind) => Some(find(kind, program, more)?),
                None => find(&name, program, more).ok(),
            };
            if wants_help {
                return Ok(Command::Help(help::update_of(program, &name, service.as_ref())));
            }
            if let Some(service) = &service {
                words.check(&block::flags(service, block::For::Update))?;
            }
            Ok(Command::Update(block::name(&name)?, service, words))
        }
        Some(name) => {
            let service = find(name, program, more)?;
            if wants_help {
                return Ok(Command::Help(help::service(program, &service)));
            }
            one_word(second.as_ref())?;
            let flags = block::flags(&service, block::For::Add);
            words.check(&flags)?.complete(&flags)?;
            Ok(Command::Add(service, words))
        }
    }
}

fn named_block(name: Option<String>, command: &str) -> Result<String, Error> {
    name.ok_or_else(|| {
        flags::Error::new(format!("`{command}` needs the name of an integration"))
            .hint("`list` prints the names")
            .into()
    })
}

fn find(name: &str, program: &str, more: &More<'_>) -> Result<Service, Error> {
    let known = known();
    if let Some(service) = known.iter().find(|service| service.name == name) {
        return Ok(service.clone());
    }
    if more.names.iter().any(|known| known == name) {
        return (more.find)(name).map_err(|why| {
            Error::failed(why, "`doorward integration add` without `--file` writes it into a home instead")
        });
    }
    let names = known.iter().map(|service| &*service.name).chain(more.names.iter().map(|name| &**name));
    let near = nearest(name, names.chain(["list", "update", "delete"]));
    Err(flags::Error::new(format!("there is no command and no service {}", shown(name)))
        .hint(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`{program} --help` lists them"),
        })
        .into())
}

/// The flags that every command has.
fn general() -> Vec<Flag> {
    vec![
        Flag::new("file", "FILE", "the file that is edited [default: config.yaml]"),
        Flag::switch("json", "print one JSON document"),
    ]
}

#[cfg(test)]
mod tests;
