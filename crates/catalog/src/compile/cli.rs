//! Commands: what a file says of its program, and that no input can become an option of it.

mod lead;
mod only;
mod printed;

use std::collections::{BTreeMap, BTreeSet};

use model::parse_duration;

use super::Origin;
use super::wiring::check_field;
use crate::body::Fixed;
use crate::cli::{Group, Program, Slot, Text};
use crate::file::{ArgEntry, CliEntry, File, OneOrMore, ProgramEntry};
use crate::{Body, Cli, Error, InputField, Kind, Place, SecretField, nearest};

/// How the program of the integration is run.
pub(super) fn program(
    file: &File,
    origin: &Origin,
    secrets: &BTreeMap<String, SecretField>,
) -> Result<Option<Program>, Error> {
    let Some(entry) = &file.cli else { return Ok(None) };
    let wrong = |problem: String| origin.wrong(entry.referenced.line(), format!("`cli`: {problem}"));
    read(&entry.value, secrets).map(Some).map_err(wrong)
}

fn read(entry: &ProgramEntry, secrets: &BTreeMap<String, SecretField>) -> Result<Program, String> {
    let ProgramEntry { program, version, says, environment, files, unix_sockets, lease } = entry;
    if let Some(lease) = lease.as_ref().filter(|name| !LENDERS.contains(&name.as_str())) {
        let near = nearest::suffix(lease.as_str(), LENDERS.iter().copied());
        return Err(format!("`lease` names an integration that lends credentials, not `{lease}`{near}"));
    }
    let mut texts = BTreeMap::new();
    for (name, text) in files {
        let text =
            file_text(name, text, secrets).map_err(|problem| format!("the file `{name}`: {problem}"))?;
        texts.insert(name.clone(), text);
    }
    let mut variables = BTreeMap::new();
    for (name, text) in environment {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        let loads = name == "PATH" || name.starts_with("LD_") || name.starts_with("DYLD_");
        if name.is_empty() || !name.bytes().all(plain) || loads {
            return Err(
                "a variable is made of upper-case letters, digits and `_`, and does not say what is loaded"
                    .to_owned(),
            );
        }
        let text = variable(text, files, lease.is_some())
            .map_err(|problem| format!("the variable `{name}`: {problem}"))?;
        variables.insert(name.clone(), text);
    }
    if lease.is_some() && !variables.values().flat_map(Text::slots).any(|slot| matches!(slot, Slot::Lease(_)))
    {
        return Err("nothing names `{lease:…}`, so `lease` lends nothing".to_owned());
    }
    if !says.is_empty() && (version.is_empty() || says.iter().any(|word| word.trim().is_empty())) {
        return Err("`says` is how the answer to `version` begins".to_owned());
    }
    Ok(Program {
        unix_sockets: *unix_sockets,
        program: one_word(program)?,
        version: version.clone(),
        says: says.clone(),
        environment: variables,
        files: texts,
        lease: lease.clone(),
    })
}

fn one_word(program: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if program.is_empty() || program.starts_with(['-', '.']) || !program.bytes().all(plain) {
        return Err("`program` is the name of a program, without a path".to_owned());
    }
    Ok(program.to_owned())
}

fn file_text(name: &str, text: &str, secrets: &BTreeMap<String, SecretField>) -> Result<Text, String> {
    if !crate::cli::is_file_name(name) {
        return Err("a file's name is made of letters, digits, `.`, `-` and `_`".to_owned());
    }
    let text = Text::parse(text)?;
    for slot in text.slots() {
        match slot {
            Slot::Secret(field) => check_field(field, secrets)?,
            Slot::Credential | Slot::BaseUrl | Slot::Host => {}
            Slot::Input(_)
            | Slot::Escaped(_)
            | Slot::Path(_)
            | Slot::Body
            | Slot::Each(_)
            | Slot::File(_)
            | Slot::Folder
            | Slot::Files
            | Slot::Ca
            | Slot::Lease(_) => {
                return Err(
                    "it holds `{secret:NAME}`, `{credential}`, `{base_url}` and `{host}` only".to_owned()
                );
            }
        }
    }
    Ok(text)
}

fn variable(text: &str, files: &BTreeMap<String, String>, lease: bool) -> Result<Text, String> {
    let text = Text::parse(text)?;
    for slot in text.slots() {
        match slot {
            Slot::File(name) => check_file(name, files.keys())?,
            Slot::Lease(field) if !lease => {
                return Err(format!("`{{lease:{field}}}` needs `lease`"));
            }
            Slot::Lease(field) if !LENT.contains(&field.as_str()) => {
                let near = nearest::suffix(field, LENT.iter().copied());
                return Err(format!("a lease has no {}{near}", nearest::shown(field)));
            }
            Slot::Files if files.is_empty() => {
                return Err("`{files}` is the folder of `files`, and there are none".to_owned());
            }
            Slot::Folder | Slot::Files | Slot::BaseUrl | Slot::Host | Slot::Ca | Slot::Lease(_) => {}
            // A stored secret in an environment is there for every child, and in every crash report.
            Slot::Secret(_) | Slot::Credential => {
                return Err(
                    "a stored secret never stands in the environment; write it into a file".to_owned()
                );
            }
            Slot::Input(_) | Slot::Escaped(_) | Slot::Path(_) | Slot::Body | Slot::Each(_) => {
                return Err("an input never stands in the environment".to_owned());
            }
        }
    }
    Ok(text)
}

fn check_file<'a>(name: &str, files: impl Iterator<Item = &'a String> + Clone) -> Result<(), String> {
    if files.clone().any(|one| one == name) {
        return Ok(());
    }
    Err(format!(
        "there is no file {}{}",
        nearest::shown(name),
        nearest::suffix(name, files.map(String::as_str))
    ))
}

/// An operation as a command.
pub(super) fn command(
    entry: &CliEntry,
    (inputs, fixed, body): (&BTreeMap<String, InputField>, &[Fixed], Body),
    program: Option<&Program>,
) -> Result<Cli, String> {
    let own = entry.program.as_deref().map(one_word).transpose()?;
    let name = own.or_else(|| Some(program?.program.clone()));
    let name = name.ok_or("`cli` has no `program`, and neither has the integration")?;
    let reading = Reading {
        inputs,
        files: entry.files.keys().chain(program.into_iter().flat_map(|p| p.files.keys())).collect(),
    };
    let args = reading.groups(&entry.args)?;
    reading.check_options(&args)?;
    let stdin = entry.stdin.as_deref().map(|text| reading.content(text)).transpose()?;
    let folder = entry.folder.as_deref().map(|text| reading.content(text)).transpose()?;
    let mut files = BTreeMap::new();
    for (name, text) in &entry.files {
        let clash = program.is_some_and(|program| program.files.contains_key(name));
        if !crate::cli::is_file_name(name) || clash {
            return Err(
                "a file's name is made of letters, digits, `.`, `-` and `_`, and is none of the program's"
                    .to_owned(),
            );
        }
        files.insert(name.clone(), reading.content(text)?);
    }
    let reads = stdin.iter().chain(files.values()).flat_map(Text::slots).any(|slot| *slot == Slot::Body);
    if reads && body != Body::Json {
        return Err("`{request_body}` is for an operation with `body: json`".to_owned());
    }
    let of_body = inputs
        .iter()
        .filter(|(_, field)| reads && matches!(field.place, Place::Body(_)))
        .map(|(name, _)| name.clone());
    let names: BTreeSet<String> = args
        .iter()
        .flat_map(|group| {
            group.when.iter().chain(&group.unless).cloned().chain(group.args.iter().flat_map(named))
        })
        .chain(stdin.iter().chain(&folder).chain(files.values()).flat_map(named))
        .chain(of_body)
        .collect();
    let ignores = reading.ignores(entry, &names)?;
    let output = entry.output.unwrap_or_default();
    let timeout =
        entry.timeout.as_deref().map(parse_duration).transpose().map_err(|error| error.to_string())?;
    Ok(Cli {
        program: name,
        args,
        stdin,
        files,
        folder,
        looks: entry.looks,
        output,
        evidence: printed::evidence(entry, output)?,
        outline: printed::outline(entry, output)?,
        exits: entry.exits.clone(),
        timeout,
        keyless: entry.keyless,
        only: only::only(&reading, &entry.only)?,
        ignores,
        body: reads.then(|| Box::new((fixed.to_vec(), inputs.clone()))),
        names,
    })
}

fn named(text: &Text) -> impl Iterator<Item = String> {
    text.slots().filter_map(|slot| match slot {
        Slot::Input(name) | Slot::Escaped(name) | Slot::Path(name) | Slot::Each(name) => Some(name.clone()),
        _ => None,
    })
}

/// What the texts of one command may name.
struct Reading<'a> {
    inputs: &'a BTreeMap<String, InputField>,
    files: Vec<&'a String>,
}

impl Reading<'_> {
    fn groups(&self, entries: &[ArgEntry]) -> Result<Vec<Group>, String> {
        entries
            .iter()
            .map(|entry| {
                let (when, unless, args) = match entry {
                    ArgEntry::One(one) => (Vec::new(), Vec::new(), std::slice::from_ref(one)),
                    ArgEntry::Several(several) => (Vec::new(), Vec::new(), several.as_slice()),
                    ArgEntry::If(condition) => {
                        if condition.when.is_none() && condition.unless.is_none() {
                            return Err("arguments under a condition have `when` or `unless`".to_owned());
                        }
                        let all = |names: &Option<OneOrMore>| {
                            names.clone().map_or_else(Vec::new, |OneOrMore(all)| all)
                        };
                        (all(&condition.when), all(&condition.unless), condition.args.as_slice())
                    }
                };
                if args.is_empty() {
                    return Err("a list of arguments is empty".to_owned());
                }
                for name in when.iter().chain(&unless) {
                    self.input(name)?;
                }
                let args = args.iter().map(|arg| self.argument(arg)).collect::<Result<_, _>>()?;
                Ok(Group { when, unless, args })
            })
            .collect()
    }

    fn argument(&self, text: &str) -> Result<Text, String> {
        let text = Text::parse(text)?;
        let mut lists = 0;
        for slot in text.slots() {
            match slot {
                Slot::Each(name) if self.input(name)?.kind == Kind::List => lists += 1,
                Slot::Each(name) => return Err(format!("`{{{name}...}}` is for an input of `type: list`")),
                Slot::Input(name) | Slot::Escaped(name) | Slot::Path(name)
                    if self.input(name)?.kind == Kind::List =>
                {
                    return Err(format!("the list `{name}` stands in arguments as `{{{name}...}}`"));
                }
                Slot::File(name) => check_file(name, self.files.iter().copied())?,
                Slot::Files if self.files.is_empty() => {
                    return Err("`{files}` is the folder of `files`, and there are none".to_owned());
                }
                Slot::Input(_) | Slot::Escaped(_) | Slot::Path(_) => {}
                Slot::Folder | Slot::Files | Slot::BaseUrl | Slot::Host | Slot::Ca => {}
                Slot::Body => return Err("`{request_body}` stands in `stdin` or a file".to_owned()),
                // What stands in an argument is seen by everybody on the machine.
                Slot::Secret(_) | Slot::Credential | Slot::Lease(_) => {
                    return Err("a secret never stands in an argument; write it into a file".to_owned());
                }
            }
        }
        if text.names_an_option() {
            return Err("an input cannot be the name of an option; put a `=` before it".to_owned());
        }
        for name in text.beside_slashes() {
            if lead::can_change_an_address(self.input(name)?) {
                return Err(format!(
                    "the input `{name}` stands in a path and could end it with `?`, `#` or `%`: write `{{%{name}}}` (`{{%{name}...}}` \
                     where it may have slashes), or give it a `pattern` without them"
                ));
            }
        }
        if lists > 1 {
            return Err("an argument is repeated for one list at most".to_owned());
        }
        Ok(text)
    }

    /// What a program reads: inputs only.
    fn content(&self, text: &str) -> Result<Text, String> {
        let text = Text::parse(text)?;
        for slot in text.slots() {
            match slot {
                Slot::Input(name) | Slot::Escaped(name) | Slot::Path(name) => {
                    self.input(name)?;
                }
                Slot::Body => {}
                _ => return Err("`stdin`, `files` and `folder` of an operation hold inputs only".to_owned()),
            }
        }
        Ok(text)
    }

    fn input(&self, name: &str) -> Result<&InputField, String> {
        self.inputs.get(name).ok_or_else(|| {
            let near = nearest::suffix(name, self.inputs.keys().map(String::as_str));
            format!("there is no input {}{near}", nearest::shown(name))
        })
    }

    /// No value can be read as an option: it stands behind text, behind `--`, or its pattern has no leading `-`.
    fn check_options(&self, groups: &[Group]) -> Result<(), String> {
        let mut behind = false;
        for group in groups {
            for text in &group.args {
                if let Some(name) = text.leading().filter(|_| !behind)
                    && lead::can_be_a_dash(self.input(name)?)
                {
                    return Err(format!(
                        "the input `{name}` could be read as an option: write `--flag={{{name}}}`, put `--` before it, or \
                         give it a `pattern` that does not begin with `-`"
                    ));
                }
                // Only a `--` that is always there.
                behind = behind
                    || (group.when.is_empty()
                        && group.unless.is_empty()
                        && text.is_separator()
                        && always(group));
            }
        }
        Ok(())
    }

    fn ignores(&self, entry: &CliEntry, names: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
        let mut ignores = BTreeSet::new();
        for name in &entry.ignores {
            self.input(name)?;
            if names.contains(name) || !ignores.insert(name.clone()) {
                return Err(format!("`ignores` names `{name}`, which the command names too"));
            }
        }
        let unsaid = self.inputs.iter().find(|(name, field)| {
            (field.required || field.default.is_some()) && !names.contains(*name) && !ignores.contains(*name)
        });
        match unsaid {
            Some((name, _)) => Err(format!(
                "the command does not name the input `{name}`; if it has no need of it, write it under `ignores`"
            )),
            None => Ok(ignores),
        }
    }
}

/// Whether a group is never left out: it names no input.
fn always(group: &Group) -> bool {
    group.args.iter().all(|text| named(text).next().is_none())
}

/// The integrations that lend short-lived credentials.
const LENDERS: [&str; 3] = ["aws-credentials", "azure-credentials", "gcp-credentials"];
/// What they lend.
const LENT: [&str; 5] = ["access_key_id", "secret_access_key", "session_token", "region", "token"];

#[cfg(test)]
mod tests;
