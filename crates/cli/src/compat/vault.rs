//! The links `vault`, and `vault-agent` as the entry point of an image: the seed's command line over Doorward.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::args::vault::{Agent, Capability, Command, Global, Vault};
use crate::args::{self, Format, LogFormat};
use crate::command::agent::{config, start as starting};
use crate::failure::{Failure, Kind, Outcome};
use crate::line::asking::Desk;
use crate::line::wanted::Wanted;
use crate::line::{self, Voice};
use crate::print::{Printer, problem};
use crate::settings::Origin;
use crate::settings::agent::{AgentSettings, Places, Typed};
use crate::{logging, settings, start};

/// The words behind the name, where the program was started through one of the links.
pub(crate) fn words(mut typed: Vec<OsString>) -> Option<Vec<OsString>> {
    let name = typed.first().map(PathBuf::from)?;
    match name.file_stem().and_then(OsStr::to_str)? {
        "vault" => Some(typed),
        // An image whose command is `start …`, `agent start …` or `vault agent start …`.
        "vault-agent" | "aether-vault-agent" => {
            let is = |word: Option<&OsString>, known: &str| {
                word.is_some_and(|word| Path::new(word).file_name() == Some(OsStr::new(known)))
            };
            if is(typed.get(1), "vault") {
                typed.remove(1);
            }
            if !is(typed.get(1), "agent") && !is(typed.get(1), "capability") {
                typed.insert(1, OsString::from("agent"));
            }
            Some(typed)
        }
        _ => None,
    }
}

/// Speaks the seed's command line.
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    let vault = match Vault::try_parse_from(words) {
        Ok(vault) => vault,
        Err(error) => return mistaken(&start::shy(error, words), words),
    };
    let format = if vault.global.json { Format::Json } else { vault.global.format.unwrap_or(Format::Table) };
    let printer = Printer::new(format);
    match obey(vault, printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}

/// Help, or a mistake in what was typed; programs get that as a document as well.
fn mistaken(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    if start::wanted(&words) == Format::Json {
        let _ = Printer::new(Format::Json).json(&start::document(error));
    }
    ExitCode::from(2)
}

fn obey(vault: Vault, printer: Printer) -> Outcome {
    let Vault { global, command } = vault;
    memory::harden().map_err(|error| Failure::of(&error))?;
    match command {
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let told = serde_json::json!({ "version": version, "program": "doorward" });
            printer.answer(&told, |_| format!("Aether Vault CLI {version} (doorward)"))
        }
        Command::Agent(agent) => of_agent(&global, agent, printer),
        Command::Capability(capability) => of_capability(&desk(&global, printer)?, *capability),
    }
}

fn of_agent(global: &Global, agent: Agent, printer: Printer) -> Outcome {
    match agent {
        Agent::Start(flags) => {
            logging::start(LogFormat::Text, global.verbose, logging::Quiet::Warnings);
            let home = settings::home_of(global.home.as_deref(), &settings::environment)?;
            let typed = flags.typed(global.config.clone(), global.socket_path.clone());
            starting::run(&home, Voice::Vault, typed, printer)
        }
        Agent::Stop => desk(global, printer)?.stop(),
        Agent::Status { wait } => {
            desk(global, printer)?.agent_status(global.verbose > 0, wait.map(Duration::from_secs))
        }
        Agent::Reload => desk(global, printer)?.reload(),
        Agent::Config(flags) => {
            let home = settings::home_of(global.home.as_deref(), &settings::environment)?;
            let places = Places::of(Voice::Vault, &home, &settings::environment);
            let running = || desk(global, printer);
            config::run(&places, global.config.clone(), &flags, &running, printer)
        }
    }
}

fn of_capability(desk: &Desk, capability: Capability) -> Outcome {
    match capability {
        Capability::Request(request) => desk.request(&request.into()),
        Capability::Validate { id, context } => desk.validate(&id, context.as_deref()),
        Capability::List(list) => desk.list(&list.into()),
        Capability::Revoke { id, reason } => desk.revoke(&id, &reason),
        Capability::Status => desk.capability_status(),
        Capability::Narrow { id, request } => desk.narrow(&id, &Wanted::from(request)),
        Capability::Use(args::vault::Use { id, request, how: typed }) => {
            desk.use_it(&id, &line::how::read(typed, &request)?)
        }
    }
}

fn desk(global: &Global, printer: Printer) -> Outcome<Desk> {
    let usual = || {
        let home = settings::home_of(global.home.as_deref(), &settings::environment)?;
        Ok(Places::of(Voice::Vault, &home, &settings::environment).socket)
    };
    // A configuration says where the agent is, as it says it to the agent.
    let told = match &global.socket_path {
        None if settings::environment("VAULT_AGENT_SOCKET_PATH").is_none() => {
            let home = settings::home_of(global.home.as_deref(), &settings::environment)?;
            let places = Places::of(Voice::Vault, &home, &settings::environment);
            let typed = Typed { config: global.config.clone(), ..Typed::default() };
            match AgentSettings::load(&places, &typed, &settings::environment) {
                Ok(told) if told.socket.origin == Origin::File || global.config.is_some() => {
                    Some(told.socket.value)
                }
                // One that nobody typed may be the agent's of somebody else, and is wrong for that one.
                Err(failure) if global.config.is_some() => return Err(failure),
                Ok(_) | Err(_) => None,
            }
        }
        typed => typed.clone(),
    };
    let places = line::places(told, &settings::environment, usual)?;
    Ok(Desk { places, printer, voice: Voice::Vault })
}

/// A failure in the seed's words: `Error: …`, what it came from on lines of their own. Programs get the document as well.
fn say(failure: &Failure, printer: Printer) {
    if matches!(failure.kind, Kind::Silent | Kind::ReaderGone) {
        return;
    }
    let mut text = format!("Error: {}", problem::clean(&failure.message));
    for cause in &failure.causes {
        text.push_str(&format!("\n{}", problem::clean(cause)));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\nhint: {}", problem::clean(&own(hint))));
    }
    Printer::say(&text);
    if printer.is_json() {
        let Failure { kind, message, causes, hint } = failure;
        let hint = hint.as_deref().map(|hint| own(hint).into());
        let told = Failure { kind: *kind, message: message.clone(), causes: causes.clone(), hint };
        let _ = printer.json(&problem::document(&told));
    }
}

/// Advice with the commands that this link has under its own name.
fn own(hint: &str) -> String {
    OWN.iter().fold(hint.to_owned(), |hint, command| {
        hint.replace(&format!("`doorward {command}"), &format!("`vault {command}"))
    })
}

/// Commands that go by the same words here.
const OWN: [&str; 9] = [
    "agent start",
    "agent stop",
    "agent status",
    "agent reload",
    "agent config",
    "capability request",
    "capability list",
    "capability revoke",
    "capability status",
];

#[cfg(test)]
mod tests;
