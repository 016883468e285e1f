//! `doorward run`: starts a program that may do one thing, and has nothing that it could lose.
//!
//! The broker opens a *run*: a socket of its own and a capability that works for nobody else. The program is started in a
//! control group of that name, where the machine lets us make one, and is known by its parents besides. When it ends, the run
//! ends and the capability is revoked.
//!
//! # Invariants
//!
//! - The program gets a path, a name and a descriptor that opens nothing but that path. No secret and no bearer is in its
//!   environment, its arguments or its open files.
//! - It is started only after the broker knows the run, and not at all when something went wrong before.
//! - Its status is ours, and a signal that ends it is said as a shell says it.

mod asked;
mod broker;
mod group;
mod inside;
mod program;

use std::process::ExitCode;

use model::RunId;

use crate::args::Global;
use crate::args::run::{Run, RunInside};
use crate::context;
use crate::failure::{Failure, Outcome};
use crate::print::{Printer, problem};

use asked::Brought;
use broker::Agent;
use group::Group;

/// Does what was typed.
pub(crate) fn typed(typed: &Run, global: &Global, printer: Printer) -> ExitCode {
    ended(run(typed, global), printer)
}

/// The step inside: joins the group and becomes the program.
pub(crate) fn inside(typed: RunInside, printer: Printer) -> ExitCode {
    ended(inside::run(typed), printer)
}

fn ended(result: Outcome<ExitCode>, printer: Printer) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(failure) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}

fn run(typed: &Run, global: &Global) -> Outcome<ExitCode> {
    // Ends with the program that is started, which keeps the limits of its user.
    memory::conceal().map_err(|error| Failure::of(&error))?;
    if let Some(written) = &typed.capability {
        crate::typed::not_a_bearer(written.as_ref())?;
    }
    // One in the environment is of the run around this one; one that was typed is meant.
    let around = crate::settings::environment("CAPABILITY_FILE").and_then(|file| file.into_string().ok());
    if typed.resource.is_some() && typed.capability.is_some() && typed.capability != around {
        return Err(Failure::usage(
            "either a capability is brought with `--capability`, or one is asked for with `--resource`",
        ));
    }
    let agent = Agent::find(typed.socket_path.as_deref(), global)?;
    let run = RunId::new(context::now(), crypto::array().map_err(|error| Failure::of(&error))?);
    let brought = Brought::of(typed, &agent, run)?;
    let group = Group::make(run);
    if typed.keep && !group.is_certain() {
        return Err(Failure::new("without a control group nobody could tell what the program left running")
            .hint("leave `--keep` out"));
    }
    if let Some(text) = group.caution() {
        Printer::say(text);
    }
    let ended = agent.open(run, &brought, typed.keep).and_then(|opened| {
        let ended = program::run(typed, &opened, &group);
        if !typed.keep
            && let Err(failure) = agent.end(run)
        {
            // The broker ends it by itself as soon as this process is gone.
            tracing::warn!(%run, error = %failure.message, "the broker could not be told that the run has ended");
        }
        ended
    });
    group.remove();
    brought.revoke(&agent, typed.keep);
    ended
}
