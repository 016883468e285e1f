//! Files of a gateway that are edited where they stand: `config.yaml` by `integrations` and `doorward integration … --file`,
//! `allowlist.yaml` by `allowlist` and `doorward allowlist`. The command lines and the edits are [`foreign`]'s; files and printing are here.

mod file;
mod globals;
mod services;

use std::ffi::OsString;
use std::process::ExitCode;

use foreign::yaml::Document;
use foreign::{allowlist, integrations};
use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::{Failure, Outcome};
use crate::print::table::{self, at};
use crate::print::{Printer, problem};
use file::Held;

/// A command line of these, as it was found in what was typed.
pub(crate) struct Spoken {
    program: &'static str,
    tool: Tool,
    words: Vec<OsString>,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Integrations,
    Allowlist,
}

/// What is typed behind the link `integrations`.
pub(crate) fn integrations(words: Vec<OsString>) -> ExitCode {
    run(&Spoken { program: "integrations", tool: Tool::Integrations, words, format: Format::Table })
}

/// What is typed behind the link `allowlist`.
pub(crate) fn allowlist(words: Vec<OsString>) -> ExitCode {
    run(&Spoken { program: "allowlist", tool: Tool::Allowlist, words, format: Format::Table })
}

/// Finds `doorward allowlist …`, and `doorward integration add|update|delete|list …` for a file. Their flags may have one dash.
pub(crate) fn spoken(typed: &[OsString]) -> Option<Spoken> {
    let mut words: Vec<OsString> = typed.iter().skip(1).cloned().collect();
    // What holds for every command may stand before it, within it and behind it.
    let mut everywhere = globals::in_front(&mut words);
    let (program, tool) = match words.first()?.to_str()? {
        "allowlist" => ("doorward allowlist", Tool::Allowlist),
        "integration" => ("doorward integration", Tool::Integrations),
        _ => return None,
    };
    words.remove(0);
    everywhere.extend(globals::in_front(&mut words));
    everywhere.extend(globals::behind(&mut words));
    let for_a_file = |word: &OsString| {
        let word = word.to_string_lossy();
        let flag = word.trim_start_matches('-');
        word.starts_with('-') && (flag == "file" || flag.starts_with("file="))
    };
    let is_one = match (tool, words.first().and_then(|word| word.to_str())) {
        (Tool::Allowlist, _) | (Tool::Integrations, Some("update" | "delete")) => true,
        (Tool::Integrations, Some("add" | "list")) => words.iter().any(for_a_file),
        (Tool::Integrations, _) => false,
    };
    let format = is_one.then(|| globals::read(everywhere)).flatten()?.printing();
    Some(Spoken { program, tool, words, format })
}

/// The failure of such a command line that came to the reader of all others: nothing was done, and nobody may believe that it was.
pub(crate) fn unread() -> Failure {
    Failure::usage(
        "the flags that hold for every command could not be told from those of this one; nothing was done",
    )
    .hint("put them in front, as in `doorward --home DIR --format json allowlist list`")
}

/// Does what was typed.
pub(crate) fn run(spoken: &Spoken) -> ExitCode {
    let asks =
        |word: &OsString| matches!(word.to_str(), Some("--json" | "-json" | "--json=true" | "-json=true"));
    let json = spoken.words.iter().any(asks);
    let printer = Printer::new(if json { Format::Json } else { spoken.format });
    let done = texts(&spoken.words).and_then(|words| match spoken.tool {
        Tool::Integrations => of_integrations(&words, spoken.program, printer),
        Tool::Allowlist => of_allowlist(&words, spoken.program, printer),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}

fn of_integrations(words: &[String], program: &str, printer: Printer) -> Outcome {
    use integrations::{Command, Done};

    let catalog = services::Catalogue::load();
    let typed = integrations::read(words, program, &catalog.more())?;
    let file = typed.file.as_str();
    match &typed.command {
        Command::Help(text) => return Printer::text(text),
        Command::List => {
            let document = Document::read(&file::text(file)?, file).map_err(integrations::Error::from)?;
            return listed(file, &integrations::list(&document, file)?, printer);
        }
        Command::Add(..) | Command::Update(..) | Command::Delete(_) => {}
    }
    let mut held = match typed.command {
        // Nobody who speaks of one that is there means a file that is not.
        Command::Delete(_) | Command::Update(_, None, _) if program != "integrations" => {
            Held::existing(file).map_err(|failure| {
                failure.hint(
                    "`--file` says where it is; an integration of the home is a file there, `integrations/NAME.yaml`: edit it or take it away",
                )
            })?
        }
        Command::Delete(_) => Held::existing(file)?,
        _ => Held::open(file)?,
    };
    let mut document = Document::read(held.text(), file).map_err(integrations::Error::from)?;
    let done = typed.command.apply(&mut document, file)?;
    held.write(document.text())?;
    let (status, name, keys) = match done {
        Done::Added(name) => ("added", name, Vec::new()),
        Done::Unchanged(name) => ("unchanged", name, Vec::new()),
        Done::Updated(name, keys) => ("updated", name, keys),
        Done::Deleted(name) => ("deleted", name, Vec::new()),
    };
    let answer = json!({ "status": status, "name": name, "file": file, "changed": keys });
    printer.answer(&answer, |_| match keys.is_empty() {
        true => format!("{status} `{name}` in {file}"),
        false => format!("{status} `{name}` in {file}: {}", keys.join(", ")),
    })
}

fn listed(file: &str, blocks: &[integrations::Listed], printer: Printer) -> Outcome {
    let row = |block: &integrations::Listed| {
        json!({
            "name": block.name, "destination": block.destination,
            "incoming": block.incoming, "outgoing": block.outgoing,
        })
    };
    let rows: Value = blocks.iter().map(row).collect();
    printer.answer(&json!({ "file": file, "integrations": rows }), |document| {
        let columns = [
            ("name", "name"),
            ("destination", "destination"),
            ("callers prove", "incoming"),
            ("sent", "outgoing"),
        ];
        table::of(at(document, "integrations"), &columns, "There are none.")
    })
}

fn of_allowlist(words: &[String], program: &str, printer: Printer) -> Outcome {
    use allowlist::{Command, Done};

    let catalog = services::Catalogue::load();
    let known = catalog.capabilities();
    let typed = allowlist::read(words, program, &known)?;
    let file = typed.file.as_str();
    let grant = match &typed.command {
        Command::Help(text) => return Printer::text(text),
        Command::List => {
            let document = Document::read(&file::text(file)?, file).map_err(integrations::Error::from)?;
            return granted(file, &allowlist::list(&document, file)?, printer);
        }
        Command::Add(grant) | Command::Remove(grant) => grant,
    };
    let mut held = match typed.command {
        Command::Remove(_) => Held::existing(file)?,
        _ => Held::open(file)?,
    };
    let mut document = Document::read(held.text(), file).map_err(integrations::Error::from)?;
    let done = typed.command.apply(&mut document, file)?;
    held.write(document.text())?;
    if matches!(typed.command, Command::Add(_)) && (known.of)(&grant.integration).is_none() {
        Printer::say(&format!(
            "note: `{0}` is no service that is built in: a gateway starts with this grant only where its `config.yaml` has `{0}`",
            grant.integration
        ));
    }
    let (status, count) = match done {
        Done::Added => ("added", 1),
        Done::Unchanged => ("unchanged", 0),
        Done::Removed(count) | Done::RemovedAll(count) => ("removed", count),
    };
    let nothing_left = matches!(done, Done::RemovedAll(_));
    let answer = json!({
        "status": status, "file": file, "integration": grant.integration, "caller": grant.caller,
        "capability": grant.capability, "grants": count, "allows_nothing_now": nothing_left,
    });
    printer.answer(&answer, |_| {
        let what = format!("{status} `{}` of `{}` for `{}` in {file}", grant.capability, grant.integration, grant.caller);
        match nothing_left {
            true => format!("{what}\nThat was the last grant: an entry that allows nothing is left, so that nobody else's speaks for `{}`.", grant.caller),
            false => what,
        }
    })
}

fn granted(file: &str, lines: &[allowlist::Granted], printer: Printer) -> Outcome {
    let row = |line: &allowlist::Granted| {
        json!({
            "integration": line.integration, "caller": line.caller, "capability": line.capability,
            "params": line.params, "rules": line.rules,
        })
    };
    let rows: Value = lines.iter().map(row).collect();
    printer.answer(&json!({ "file": file, "grants": rows }), |document| {
        let columns = [
            ("integration", "integration"),
            ("caller", "caller"),
            ("capability", "capability"),
            ("params", "params"),
            ("own rules", "rules"),
        ];
        table::of(at(document, "grants"), &columns, "There are none.")
    })
}

fn texts(words: &[OsString]) -> Outcome<Vec<String>> {
    let text = |word: &OsString| {
        word.to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::usage("a word of the command line is not UTF-8"))
    };
    words.iter().map(text).collect()
}

impl From<integrations::Error> for Failure {
    fn from(error: integrations::Error) -> Self {
        let hint = error.hint();
        let failure = match &error {
            integrations::Error::Usage(usage) => Self::usage(usage.to_string()),
            _ => Self::new(error.to_string()),
        };
        failure.maybe_hint(hint)
    }
}

#[cfg(test)]
mod tests;
