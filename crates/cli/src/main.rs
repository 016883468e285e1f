//! The binary `doorward`: arguments, settings, wiring, printing.
//!
//! What was typed (`args`) becomes what it means (`settings`), that becomes what runs (`wire`), and one file per command
//! (`command`) asks it something and prints the answer (`print`). Nothing below this crate knows of flags.
//!
//! # Invariants
//!
//! - The process is hidden from debuggers and core dumps before anything else happens.
//! - No secret is an argument, a variable of a child, or printed.
//! - A command goes the broker's one path, whether a broker is running or not, so that it leaves evidence.
//! - Nothing is sent anywhere that nobody asked for.

mod args;
mod aside;
mod aws;
mod backup;
mod cloud;
mod command;
mod compat;
mod context;
mod demo;
mod failure;
mod gateway;
mod generate;
mod home;
mod inplace;
mod keys;
mod line;
mod llm;
mod logging;
mod management;
mod mcp;
mod place;
mod print;
mod relay;
mod run;
mod serving;
mod settings;
mod sources;
mod start;
mod supervisor;
mod traces;
mod typed;
mod wire;

use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::compat::links;
use crate::context::Context;
use crate::print::{Printer, problem};

fn main() -> ExitCode {
    // A step between a sandbox and the program of an operation; nothing else may happen before it.
    if let Some(code) = runner::inside(&std::env::args_os().collect::<Vec<_>>()) {
        return code;
    }
    // Under `vault`, and under the names that an image's entry point may have.
    if let Some(words) = compat::vault::words(std::env::args_os().collect()) {
        return compat::vault::run(&words);
    }
    let mut words = std::env::args_os();
    match words.next().as_deref().and_then(links::started_as) {
        Some(peer) if peer.name == "aws-vault" => return aws::linked(&words.collect::<Vec<_>>()),
        Some(peer) if peer.name == "assistantctl" => {
            return compat::assistantctl::linked(&words.collect::<Vec<_>>());
        }
        Some(peer) if peer.name == "integrations" => return inplace::integrations(words.collect()),
        Some(peer) if peer.name == "allowlist" => return inplace::allowlist(words.collect()),
        Some(peer) => {
            problem::print(&command::compat::unspoken(peer), Printer::new(args::Format::Table));
            return ExitCode::FAILURE;
        }
        None => {}
    }
    if let Some(spoken) = inplace::spoken(&std::env::args_os().collect::<Vec<_>>()) {
        return inplace::run(&spoken);
    }
    let cli = match start::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let printer = Printer::new(cli.global.printing());
    let cli = match cli {
        Cli { global, command: Command::Aws(aws) } => return aws::typed(*aws, &global, printer),
        Cli { global, command: Command::Metadata(metadata) } => {
            return cloud::typed(*metadata, &global, printer);
        }
        Cli { global, command: Command::Run(typed) } => return run::typed(&typed, &global, printer),
        Cli { command: Command::RunInside(typed), .. } => return run::inside(typed, printer),
        other => other,
    };
    let result = start::harden(&cli.global)
        .and_then(|()| Context::new(&cli.global, &cli.command, printer))
        .and_then(|context| command::run(&context, cli.command));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}
