//! One file per command. Each reads its arguments, asks, and prints.

pub(crate) mod agent;
mod approval;
mod capability;
pub(crate) mod compat;
mod completions;
mod console;
mod doctor;
mod evidence;
mod gateway;
mod guard;
mod import;
mod init;
mod integration;
mod key;
mod key_provider;
mod lists;
mod operation;
mod plan;
mod policy;
mod policy_files;
mod recovery;
mod role;
mod sealing;
mod secret;
mod serve;
mod service;
mod status;
mod store;
mod tenant;
mod tenant_debug;
mod tenant_group;
mod tenant_integration;
mod up;
mod usage;

use crate::args::Command;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::{backup, demo, generate, inplace, llm, mcp};

/// Does what was typed.
pub(crate) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        // Taken out before: its flags may have one dash.
        Command::Allowlist(_) => Err(inplace::unread()),
        // Taken out before: its programs end with statuses of their own.
        Command::Aws(_) | Command::Metadata(_) | Command::Run(_) | Command::RunInside(_) => {
            Err(Failure::usage("this command can't be done from here; nothing was done"))
        }
        Command::Demo(args) => demo::run(context, &args),
        Command::Up(args) => up::run(context, &args),
        Command::Serve(args) => serve::run(context, &args),
        Command::Console(args) => console::run(context, &args),
        Command::Gateway(args) => gateway::run(context, &args),
        Command::Import(args) => import::run(context, &args),
        Command::Agent(args) => agent::run(context, *args),
        Command::Init(args) => init::run(context, &args),
        Command::Status => status::run(context),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Seal => sealing::seal(context),
        Command::Unseal => sealing::unseal(context),
        Command::Store(args) => store::run(context, args),
        Command::Backup(args) => backup::run(context, &args),
        Command::Restore(args) => backup::restore(context, &args),
        Command::Mcp(args) => mcp::run(context, &args),
        Command::KeyProvider(args) => key_provider::run(context, &args),
        Command::Recovery(args) => recovery::run(context, &args),
        Command::Secret(args) => secret::run(context, args),
        Command::Tenant(args) => tenant::run(context, args),
        Command::Guard { command } => guard::run(context, command),
        Command::Key(args) => key::run(context, args),
        Command::Integration(args) => integration::run(context, args),
        Command::Capability(args) => capability::run(context, *args),
        Command::Approval(args) => approval::run(context, args),
        Command::Plan(args) => plan::run(context, *args),
        Command::Role(args) => role::run(context, args),
        Command::Llm(args) => llm::run(context, *args),
        Command::Op(args) => operation::run(context, *args),
        Command::Policy(args) => policy::run(context, args),
        Command::Lists(args) => lists::run(context, *args),
        Command::Evidence(args) => evidence::run(context, args),
        Command::Compat(args) => compat::run(context, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Generate(args) => generate::run(context, &args),
    }
}
