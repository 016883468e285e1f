//! What `doorward aws …` and the link `aws-vault` do: one file a command.
//!
//! A command resolves the profile here, where files and environment are, and asks the broker's one path for everything that
//! needs a secret. What comes back is a lease, which goes to the child, to stdout or to an SDK that asks.
//!
//! # Invariants
//!
//! - The profile file is written by `add` and `configure` only; a missing one is no mistake.
//! - A child gets a lease in its environment and never a secret of our own.
//! - No bus is dialled, no keyring opened and nothing resolved that the command does not need.

mod aside;
mod ask;
mod beside;
pub(crate) mod child;
mod configure;
mod console;
pub(crate) mod counter;
mod csv;
pub(crate) mod desk;
mod exec;
mod export;
mod getting;
mod import;
mod keys;
mod lent;
mod list;
pub(crate) mod reach;
mod rotate;
mod seed;
pub(crate) mod serve;
mod signals;
mod speech;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::args;
use crate::compat::aws_vault::command::{Command, Invocation};
use crate::compat::aws_vault::{Asked, World, read};
use crate::compat::environment;
use crate::compat::kingpin::{Saying, Stream};
use crate::failure::Outcome;
use crate::print::{Printer, problem};

use desk::Desk;
pub(crate) use speech::Wrong;

/// Speaks the command line of aws-vault.
pub(crate) fn linked(words: &[OsString]) -> ExitCode {
    let world = World {
        environment: &|name| environment(name),
        profiles: &|| desk::profile_names().unwrap_or_default(),
        prompts: &ask::drivers,
    };
    let invocation = match read(words, &world) {
        Ok(Asked::Run(invocation)) => invocation,
        Ok(Asked::Say(saying)) => return said(&saying),
        Err(error) => return speech::usage(&error),
    };
    let name = invocation.command.name();
    match run(*invocation) {
        Ok(code) => code,
        Err(wrong) => speech::failed(name, &wrong),
    }
}

/// Does what was typed behind `doorward aws`.
pub(crate) fn typed(typed: args::aws::Aws, global: &args::Global, printer: Printer) -> ExitCode {
    let world = World { environment: &|name| environment(name), profiles: &Vec::new, prompts: &ask::drivers };
    if let Some(home) = &global.home {
        counter::at(home.clone());
    }
    speech::print_as(printer);
    if let args::aws::Command::Help(help) = &typed.command {
        return help_of(help.of.as_deref());
    }
    let done = typed.meaning(global, &world).map_err(Wrong).and_then(run);
    match done {
        Ok(code) => code,
        Err(Wrong(failure)) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}

/// Prints the help that a flag would have printed.
fn help_of(command: Option<&str>) -> ExitCode {
    let words = ["doorward", "aws"].into_iter().chain(command).chain(["--help"]);
    crate::start::parse(words.map(OsString::from)).err().unwrap_or(ExitCode::SUCCESS)
}

fn said(saying: &Saying) -> ExitCode {
    match saying.to {
        Stream::Stdout => speech::out(saying.text.as_bytes()),
        Stream::Stderr => speech::err(&saying.text),
    }
}

/// Does what a command line asks for.
///
/// # Errors
/// What kept it from being done; the caller says it in the words of its command line.
pub(crate) fn run(invocation: Invocation) -> Result<ExitCode, Wrong> {
    let Invocation { global, command } = invocation;
    conceal()?;
    speech::debug(global.debug);
    match command {
        Command::Version => speech::version(),
        Command::Add(add) => keys::add(&Desk::open(global)?, &add),
        Command::Remove(remove) => keys::remove(&Desk::open(global)?, &remove),
        Command::List(list) => list::run(&Desk::open(global)?, &list),
        Command::Clear(clear) => keys::clear(&Desk::open(global)?, &clear),
        Command::MigrateBackend(migrate) => keys::migrate(global, &migrate),
        Command::Rotate(rotate) => rotate::run(&Desk::open(global)?, rotate),
        Command::Exec(exec) => exec::run(global, *exec),
        Command::Export(export) => export::run(global, export),
        Command::Login(login) => console::run(global, login),
        Command::Proxy(proxy) => serve::proxy(&proxy),
        Command::Import(wanted) => import::run(global, &wanted),
        Command::Configure(configure) => configure::run(&configure),
    }
}

/// Hides this process from others of the same user. Ends with the program that it becomes.
fn conceal() -> Outcome {
    memory::conceal().map_err(|error| crate::failure::Failure::of(&error))
}
