//! The command line `allowlist`: it grants ready-made capabilities in an `allowlist.yaml`, and takes them back.
//!
//! # Invariants
//!
//! - Taking back never allows more than before: a caller whose last grant goes keeps an entry that allows nothing, so that
//!   neither the entry of everybody nor a missing one speaks for them. Rules written by hand stay.

mod edit;
mod params;

pub use edit::{Done, Grant, Granted, list};

use crate::flags::{self, Flag, Words, nearest, shown};
use crate::integrations::Error;
use crate::yaml::{Document, Node};

/// Capabilities by name, with the names of their parameters.
pub type Capabilities = Vec<(String, Vec<String>)>;

/// What is known about capabilities.
pub struct Known<'a> {
    /// The capabilities of an integration with the names of their parameters; nothing where the integration is not known.
    pub of: &'a dyn Fn(&str) -> Option<Capabilities>,
    /// Why the parameters of a grant would not be read; nothing where they would, or where nobody can tell.
    pub problem: &'a dyn Fn(&Grant) -> Option<String>,
    /// The names of all integrations that are known.
    pub integrations: Vec<String>,
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
    /// Print what is granted.
    List,
    /// Grant.
    Add(Grant),
    /// Take back; without parameters, whatever the parameters.
    Remove(Grant),
}

impl Command {
    /// Edits the document.
    ///
    /// # Errors
    /// When it can't be done; the document is not changed then.
    pub fn apply(&self, document: &mut Document, file: &str) -> Result<Done, Error> {
        match self {
            Self::Help(_) | Self::List => Ok(Done::Unchanged),
            Self::Add(grant) => edit::add(document, grant, file),
            Self::Remove(grant) => edit::remove(document, grant, file),
        }
    }
}

/// Reads a command line.
///
/// # Errors
/// For one that makes no sense.
pub fn read(typed: &[String], program: &str, known: &Known<'_>) -> Result<Typed, Error> {
    let words = Words::split(typed, &["json", "help", "h"]);
    let mut named = words.words.iter().filter(|word| *word != "help");
    let (command, extra) = (named.next().map(String::as_str), named.next());
    if let Some(extra) = extra {
        return Err(flags::Error::new(format!("the word {} is too much", shown(extra))).into());
    }
    let needed: Vec<Flag> = match command {
        _ if words.wants_help() => return Ok(typed_as(&words, Command::Help(help(program)))),
        Some("list") => flags_of(false),
        Some("add" | "remove") => flags_of(true),
        None => {
            let error = flags::Error::new("a command is missing: `list`, `add` or `remove`");
            return Err(error.hint(format!("`{program} --help` shows how")).into());
        }
        Some(other) => {
            let error = flags::Error::new(format!("there is no command {}", shown(other)));
            let near = nearest(other, ["list", "add", "remove"]);
            return Err(error
                .hint(near.map_or("it is `list`, `add` or `remove`".to_owned(), |near| {
                    format!("did you mean `{near}`?")
                }))
                .into());
        }
    };
    let given = words.check(&needed)?;
    given.complete(&needed)?;
    if command == Some("list") {
        return Ok(typed_as(&words, Command::List));
    }
    let value = |name: &str| given.one(name).unwrap_or_default().to_owned();
    let params = given.one("params").map(params::read).transpose()?.unwrap_or(Node::Nothing);
    let grant = Grant {
        integration: value("integration").to_ascii_lowercase(),
        caller: value("caller"),
        capability: value("capability"),
        params,
    };
    if [&grant.integration, &grant.caller, &grant.capability].iter().any(|text| text.is_empty()) {
        return Err(flags::Error::new("`-integration`, `-caller` and `-capability` are not empty").into());
    }
    if command == Some("remove") {
        return Ok(typed_as(&words, Command::Remove(grant)));
    }
    check(&grant, known)?;
    Ok(typed_as(&words, Command::Add(grant)))
}

fn typed_as(words: &Words, command: Command) -> Typed {
    let file = words.value_of("file").unwrap_or("allowlist.yaml").to_owned();
    Typed { file, json: words.has("json"), command }
}

/// A grant is only written if it means something: a misspelt one would be an allowlist that nobody can load.
fn check(grant: &Grant, known: &Known<'_>) -> Result<(), Error> {
    let Grant { integration, capability, params, .. } = grant;
    if capability == EVERYTHING {
        return match params {
            Node::Map(entries) if !entries.is_empty() => {
                Err(flags::Error::new(format!("`{EVERYTHING}` takes no parameters")).into())
            }
            _ => Ok(()),
        };
    }
    let Some(capabilities) = (known.of)(integration) else {
        // A name of the user's own: which service it is stands in another file.
        let everywhere = known.integrations.iter().filter_map(|name| (known.of)(name)).flatten();
        let names: Vec<String> = everywhere.map(|(name, _)| name).collect();
        return match names.contains(capability) {
            true => Ok(()),
            false => Err(unknown(capability, "any service", &names).into()),
        };
    };
    let Some((_, takes)) = capabilities.iter().find(|(name, _)| name == capability) else {
        let names: Vec<String> = capabilities.into_iter().map(|(name, _)| name).collect();
        return Err(unknown(capability, &format!("`{integration}`"), &names).into());
    };
    let Some(problem) = (known.problem)(grant) else { return Ok(()) };
    let takes = takes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let hint = if takes.is_empty() { "it takes none".to_owned() } else { format!("it takes {takes}") };
    Err(flags::Error::new(problem).hint(hint).into())
}

fn unknown(capability: &str, whose: &str, names: &[String]) -> flags::Error {
    let error = flags::Error::new(format!("there is no capability {} of {whose}", shown(capability)));
    match nearest(capability, names.iter().map(|name| &**name)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names.len() > 12 => error.hint("`doorward integration show NAME` lists them"),
        None => error.hint(format!("it has {}, and `{EVERYTHING}`", names.join(", "))),
    }
}

fn flags_of(grant: bool) -> Vec<Flag> {
    let mut flags = Vec::new();
    if grant {
        flags.push(Flag::new("integration", "NAME", "the integration").required(true));
        flags.push(Flag::new("caller", "ID", "who calls; `*` is everybody without an entry").required(true));
        flags.push(Flag::new("capability", "NAME", "the ready-made capability").required(true));
        flags.push(Flag::new(
            "params",
            "K=V,...",
            "its parameters; a value that begins with [, { or \" is JSON",
        ));
    }
    flags.push(Flag::new("file", "FILE", "the file that is edited [default: allowlist.yaml]"));
    flags.push(Flag::switch("json", "print one JSON document"));
    flags
}

fn help(program: &str) -> String {
    format!(
        "Grant ready-made capabilities in an `allowlist.yaml`, and take them back, in place.\n\n\
         usage:\n  {program} list -file FILE\n  {program} add -integration NAME -caller ID -capability NAME [-params K=V,...]\n  \
         {program} remove -integration NAME -caller ID -capability NAME [-params K=V,...]\n\n\
         `remove` without `-params` takes back every grant of that capability. Whose last grant goes keeps an entry that allows \
         nothing.\n\nflags:\n{}",
        flags::table(&flags_of(true))
    )
}

/// The capability that every integration has.
const EVERYTHING: &str = "dangerously_allow_full_access";

#[cfg(test)]
mod tests;
