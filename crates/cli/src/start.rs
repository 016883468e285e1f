//! The first moments: protect the process, read the command line without repeating what may be a secret.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::{Value, json};

use crate::args::{Cli, Format, Global};
use crate::failure::{Failure, Kind, Outcome};
use crate::gateway::flags;
use crate::print::{Printer, problem};

mod shy;

pub(crate) use shy::shy;

/// Hides the process from debuggers and core dumps.
pub(crate) fn harden(global: &Global) -> Outcome {
    match memory::harden() {
        Ok(()) => Ok(()),
        Err(error) if global.dangerous_allow_dumps => {
            Printer::say(&format!("warning: {error}; other processes of this user may read secrets"));
            Ok(())
        }
        Err(error) => Err(Failure::of(&error).hint(
            "`--dangerous-allow-dumps` starts without this protection; only where nobody else can log in",
        )),
    }
}

/// Reads the command line. Help and version are printed; a mistake ends with status 2.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, ExitCode> {
    let arguments = flags::doubled(asked_for_help(arguments.collect()));
    let error = match Cli::try_parse_from(&arguments) {
        Ok(cli) => return Ok(cli),
        Err(error) => shy(with_tip(error), &arguments),
    };
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            match error.print().map_err(Failure::from) {
                // A reader that went away has seen enough.
                Ok(()) | Err(Failure { kind: Kind::ReaderGone, .. }) => Err(ExitCode::SUCCESS),
                Err(failure) => {
                    problem::print(&failure, Printer::new(Format::Table));
                    Err(ExitCode::FAILURE)
                }
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
            if wanted(&words) == Format::Json =>
        {
            let failure = Failure::usage("a command is missing").hint("`--help` lists the commands");
            problem::print(&failure, Printer::new(Format::Json));
            Err(ExitCode::from(USAGE))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let _ = error.print();
            Err(ExitCode::from(USAGE))
        }
        kind if takes_a_secret(&words) => {
            let failure = match kind {
                ErrorKind::MissingRequiredArgument => Failure::usage("the name of the secret is missing")
                    .hint("`doorward secret put slack/token` asks for the secret, or reads it from stdin"),
                _ => as_argument(),
            };
            problem::print(&failure, Printer::new(wanted(&words)));
            Err(ExitCode::from(failure.exit_status()))
        }
        _ => {
            if wanted(&words) == Format::Json {
                let _ = writeln!(std::io::stdout().lock(), "{}", document(&error));
            } else {
                let _ = error.print();
            }
            Err(ExitCode::from(USAGE))
        }
    }
}

/// `doorward help NAME..` and `doorward version`, as other programs have them, are `NAME.. --help` and `--version`.
fn asked_for_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("help") => {
            arguments.remove(1);
            arguments.push("--help".into());
        }
        Some("version") if arguments.len() == 2 => arguments.splice(1.., ["--version".into()]).for_each(drop),
        _ => {}
    }
    arguments
}

/// A mistake on the command line, for programs.
pub(crate) fn document(error: &clap::Error) -> Value {
    let (message, hint) = in_one_line(&error.render().to_string());
    json!({ "status": "failed", "error": { "code": "usage", "message": message, "hint": hint } })
}

/// What is wrong with a command line, and what would be right where something is near.
fn in_one_line(rendered: &str) -> (String, Option<String>) {
    let line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = rendered.split("\n\n").map(line);
    let message = parts.next().unwrap_or_default();
    let hint = parts.find_map(|part| part.strip_prefix("tip: ").map(ToOwned::to_owned));
    (message.trim_start_matches("error: ").to_owned(), hint)
}

/// Says where a command belongs that was typed without `--` in front of it: the parser only says that it did not expect it.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (word, usage) = (text(ContextKind::InvalidArg), text(ContextKind::Usage));
    let is_word = !word.is_empty() && !word.starts_with('-');
    if error.kind() == ErrorKind::UnknownArgument && is_word && usage.contains("[-- <") {
        let tip = "a command that is to be run stands behind `--`: `-- PROGRAM ..`";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.to_owned().into()]));
    }
    error
}

/// The failure of whoever typed a secret where everybody can see it. What was typed is not repeated.
pub(crate) fn as_argument() -> Failure {
    Failure::usage("a secret is never an argument: other users see it in the list of processes, and the shell keeps it")
        .hint("leave it out and type it when asked, or pipe it in: `doorward secret put NAME < FILE`, where NAME is in lower case, such as `slack/token`; if it was real, replace it")
}

/// Whether the command line is one behind which people type secrets.
fn takes_a_secret(words: &[&str]) -> bool {
    let of_tokens = ["--access-token=", "--refresh-token="];
    if words.iter().any(|word| of_tokens.iter().any(|flag| word.starts_with(flag))) {
        return true;
    }
    let mut after = words.iter().skip_while(|word| **word != "secret").skip(1);
    after.any(|word| matches!(*word, "put" | "rotate"))
}

pub(crate) fn wanted(words: &[&str]) -> Format {
    let json = words.contains(&"--json") || words.contains(&"--format=json");
    let apart = words.windows(2).any(|pair| pair == ["--format", "json"]);
    if json || apart { Format::Json } else { Format::Table }
}

const USAGE: u8 = 2;
