//! Operations as commands: which program, which arguments, what it reads, what is kept of what it prints.
//!
//! Nothing is run here, and no secret comes here: a [`Text`] says *where* a secret, a file or an address goes. There is no
//! shell, so an input is always within one argument; that it never becomes an option is checked when the file is read, and
//! once more when a command is made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Code, Inputs, IntegrationName, Refusal};
use percent_encoding::utf8_percent_encode;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::body::{self, Fixed};
use crate::{InputField, Outline, reply, resource};

mod shown;
mod text;

pub use text::{Piece, Slot, Text};
pub(crate) use text::{is_file_name, is_reserved};

/// How the program of an integration is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub(crate) program: String,
    pub(crate) version: Vec<String>,
    pub(crate) says: Vec<String>,
    pub(crate) environment: BTreeMap<String, Text>,
    pub(crate) files: BTreeMap<String, Text>,
    pub(crate) lease: Option<IntegrationName>,
    pub(crate) unix_sockets: bool,
}

impl Program {
    /// The program, by its name on the PATH.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Arguments that make it print its version and do nothing else; empty where that is not known.
    #[must_use]
    pub fn version(&self) -> &[String] {
        &self.version
    }

    /// Whether the program has to be told from others of its name.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        !self.says.is_empty()
    }

    /// Whether it is the program that is meant, by what it printed as its version; else what is wrong with that.
    ///
    /// # Errors
    /// How its version would have to begin, and how it does.
    pub fn is_meant(&self, printed: &str) -> Result<(), String> {
        let first = printed.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        if self.says.is_empty() || self.says.iter().any(|says| first.starts_with(says.as_str())) {
            return Ok(());
        }
        let first: String = first.chars().filter(|c| !c.is_control()).take(80).collect();
        let wanted: Vec<String> = self.says.iter().map(|says| format!("`{says}…`")).collect();
        Err(format!("it says that it is `{first}`, not {}", wanted.join(" or ")))
    }

    /// Its environment besides the usual: fixed text with [`Slot::Folder`], [`Slot::Files`], [`Slot::File`], [`Slot::BaseUrl`],
    /// [`Slot::Host`], [`Slot::Ca`] and [`Slot::Lease`]. A variable that names what is not there is left out.
    #[must_use]
    pub const fn environment(&self) -> &BTreeMap<String, Text> {
        &self.environment
    }

    /// Files that are written for a run of this command, by name. Only these hold [`Slot::Secret`] and [`Slot::Credential`], and
    /// none of them where the command does without the service.
    pub fn files<'a>(&'a self, cli: &Cli) -> impl Iterator<Item = (&'a String, &'a Text)> + use<'a> {
        let is_secret = |slot: &Slot| matches!(slot, Slot::Secret(_) | Slot::Credential);
        let keyless = cli.keyless;
        self.files.iter().filter(move |(_, text)| !keyless || !text.slots().any(is_secret))
    }

    /// Whether it has to be given Unix sockets of its own.
    #[must_use]
    pub const fn unix_sockets(&self) -> bool {
        self.unix_sockets
    }

    /// The integration that lends what [`Slot::Lease`] stands for.
    #[must_use]
    pub const fn lease(&self) -> Option<&IntegrationName> {
        self.lease.as_ref()
    }
}

/// How standard output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One JSON value.
    #[default]
    Json,
    /// JSON values one behind another, such as one in each line.
    Lines,
    /// Text for people.
    Text,
}

/// An operation as a command.
#[derive(Debug, Clone)]
pub struct Cli {
    pub(crate) program: String,
    pub(crate) args: Vec<Group>,
    pub(crate) stdin: Option<Text>,
    pub(crate) files: BTreeMap<String, Text>,
    pub(crate) folder: Option<Text>,
    /// It may not write in the folder.
    pub(crate) looks: bool,
    pub(crate) output: Output,
    pub(crate) evidence: BTreeMap<String, reply::Origin>,
    /// The dotted path of a manifest in what it prints.
    pub(crate) outline: Option<String>,
    pub(crate) exits: Vec<u8>,
    pub(crate) timeout: Option<Duration>,
    /// It gets no file with a secret.
    pub(crate) keyless: bool,
    /// With which inputs it does the operation.
    pub(crate) only: Vec<Only>,
    /// Inputs that may be given and are not said to the program.
    pub(crate) ignores: BTreeSet<String>,
    /// What `{request_body}` is made of, where the command reads it.
    pub(crate) body: Option<Box<OwnBody>>,
    /// Inputs that the command names.
    pub(crate) names: BTreeSet<String>,
}

/// What the body of a request is made of.
pub(crate) type OwnBody = (Vec<Fixed>, BTreeMap<String, InputField>);

/// What has to hold for a program to do what the request does.
#[derive(Debug, Clone)]
pub(crate) struct Only {
    pub(crate) when: Option<String>,
    pub(crate) text: resource::Template,
    pub(crate) pattern: Regex,
}

/// Arguments that come and go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) when: Vec<String>,
    pub(crate) unless: Vec<String>,
    pub(crate) args: Vec<Text>,
}

/// What is run: nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The arguments. The slots that are left are [`Slot::File`], [`Slot::Files`], [`Slot::Folder`], [`Slot::BaseUrl`],
    /// [`Slot::Host`] and [`Slot::Ca`].
    pub args: Vec<Text>,
    /// What the program reads.
    pub stdin: Option<String>,
    /// Files of this run besides those of the [`Program`], by name.
    pub files: BTreeMap<String, String>,
    /// The folder of the caller in which the program works.
    pub folder: Option<String>,
}

impl Cli {
    /// The program, by its name on the PATH.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// How standard output is written.
    #[must_use]
    pub const fn output(&self) -> Output {
        self.output
    }

    /// Whether it only looks at the folder in which it works, so that nothing in there is written.
    #[must_use]
    pub const fn looks(&self) -> bool {
        self.looks
    }

    /// Whether the program does with these inputs what the request does. A program that looks names up by itself may find others.
    #[must_use]
    pub fn suits(&self, inputs: &Inputs) -> bool {
        let said = |name: &str| inputs.get(name).filter(|value| !value.is_empty()).cloned();
        self.only.iter().all(|Only { when, text, pattern }| {
            let counts = when.as_deref().is_none_or(|name| said(name).is_some());
            let text = text.fill(|name| Some(said(name).unwrap_or_default()));
            !counts || text.is_some_and(|text| pattern.is_match(&text))
        })
    }

    /// The names of the evidence fields of what it prints.
    pub fn evidence(&self) -> impl Iterator<Item = &str> {
        self.evidence.keys().map(String::as_str)
    }

    /// Whether an exit status means that it was done.
    #[must_use]
    pub fn is_done(&self, exit: u8) -> bool {
        if self.exits.is_empty() { exit == 0 } else { self.exits.contains(&exit) }
    }

    /// For how long it may run; `None` where the integration's `total` counts.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The evidence fields of what it printed, in the order of their names. See [`crate::Integration::fields`]. Digests and counts are
    /// taken of `all`, so that they say something of what is hidden in what is `shown`.
    #[must_use]
    pub fn fields(&self, shown: &[u8], all: &[u8]) -> Vec<(String, String)> {
        if shown == all {
            return reply::printed(&self.evidence, self.output, shown);
        }
        let is_digest =
            |origin: &reply::Origin| matches!(origin, reply::Origin::Digest(_) | reply::Origin::Lines(_));
        let (digests, plain): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.evidence.clone().into_iter().partition(|(_, origin)| is_digest(origin));
        let mut fields = reply::printed(&plain, self.output, shown);
        fields.extend(reply::printed(&digests, self.output, all));
        fields.sort_unstable();
        fields
    }

    /// The outline of the manifest in what it printed.
    #[must_use]
    pub fn outline(&self, printed: &[u8]) -> Option<Outline> {
        let path = self.outline.as_deref()?;
        match body::json::read(printed).ok()?.at(path)? {
            body::json::Json::Text(manifest) => Some(Outline::of(manifest)),
            _ => None,
        }
    }

    /// The command with these inputs, which [`crate::Integration::named`] took.
    ///
    /// # Errors
    /// `bad_request` where an input cannot be said to the program, or would be read as an option.
    pub fn command(&self, inputs: &Inputs) -> Result<Command, Refusal> {
        let unsaid = |name: &&String| !self.names.contains(*name) && !self.ignores.contains(*name);
        if let Some(name) = inputs.keys().find(unsaid) {
            let message = format!("`{}` can't be told the input `{name}`", self.program);
            return Err(Refusal::new(Code::BadRequest, message).hint("leave the input out"));
        }
        let mut args = Vec::new();
        let mut positional = false;
        for group in &self.args {
            if let Some(some) = self.group(group, inputs, positional)? {
                positional = positional || some.iter().any(Text::is_separator);
                args.extend(some);
            }
        }
        let fill = |text: &Text| text.fill(|slot| self.plain(slot, inputs));
        let mut files = BTreeMap::new();
        for (name, text) in &self.files {
            if let Some(text) = fill(text) {
                files.insert(name.clone(), text);
            }
        }
        Ok(Command {
            args,
            stdin: self.stdin.as_ref().and_then(fill),
            files,
            folder: self.folder.as_ref().and_then(fill),
        })
    }

    fn plain(&self, slot: &Slot, inputs: &Inputs) -> Option<String> {
        match slot {
            Slot::Input(name) => inputs.get(name).filter(|value| !value.is_empty()).cloned(),
            Slot::Escaped(name) => {
                let value = inputs.get(name).filter(|value| !value.is_empty())?;
                Some(utf8_percent_encode(value, crate::path::SEGMENT).to_string())
            }
            Slot::Path(name) => {
                let value = inputs.get(name).filter(|value| !value.is_empty())?;
                let parts =
                    value.split('/').map(|part| utf8_percent_encode(part, crate::path::SEGMENT).to_string());
                Some(parts.collect::<Vec<_>>().join("/"))
            }
            Slot::Body => {
                let (fixed, fields) = self.body.as_deref()?;
                Some(body::object((fixed, serde_json::Map::new()), fields, inputs).to_string())
            }
            Slot::Each(_)
            | Slot::File(_)
            | Slot::Folder
            | Slot::Files
            | Slot::BaseUrl
            | Slot::Host
            | Slot::Ca
            | Slot::Lease(_)
            | Slot::Secret(_)
            | Slot::Credential => None,
        }
    }

    /// The arguments of one group; `None` where it is left out.
    fn group(&self, group: &Group, inputs: &Inputs, positional: bool) -> Result<Option<Vec<Text>>, Refusal> {
        let is = |name: &String| inputs.get(name).is_some_and(|value| !value.is_empty() && value != "false");
        if !group.when.iter().all(is) || group.unless.iter().any(is) {
            return Ok(None);
        }
        let mut args = Vec::new();
        let mut behind = positional;
        for text in &group.args {
            match self.argument(text, inputs) {
                Some(some) => {
                    if let Some(name) = text.leading().filter(|_| !behind)
                        && some.iter().any(Text::looks_like_an_option)
                    {
                        let message =
                            format!("the input `{name}` begins with `-`, so it would be read as an option");
                        return Err(Refusal::new(Code::BadRequest, message));
                    }
                    behind = behind || text.is_separator();
                    args.extend(some);
                }
                // Where the condition holds, half of what belongs together would mean something else.
                None if !group.when.is_empty() || !group.unless.is_empty() => {
                    let message = format!("`{}` needs more inputs than these", self.program);
                    return Err(Refusal::new(Code::BadRequest, message));
                }
                None => return Ok(None),
            }
        }
        Ok(Some(args))
    }

    /// The arguments that one text makes: one, or as many as a list has items.
    fn argument(&self, text: &Text, inputs: &Inputs) -> Option<Vec<Text>> {
        let Some(name) = text.each() else {
            return text.with(|slot| self.plain(slot, inputs)).map(|text| vec![text]);
        };
        let items: Vec<String> = serde_json::from_str(inputs.get(name)?).ok()?;
        let some: Option<Vec<Text>> = items
            .iter()
            .map(|item| {
                text.with(|slot| match slot {
                    Slot::Each(_) => Some(item.clone()),
                    other => self.plain(other, inputs),
                })
            })
            .collect();
        some.filter(|some| !some.is_empty())
    }
}

#[cfg(test)]
mod tests;
