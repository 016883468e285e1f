//! `doorward agent`: start, stop, look at and tell the agent. The link `vault` comes here as well.

pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod pid;
pub(crate) mod start;

use crate::args::agent::Agent;
use crate::context::Context;
use crate::failure::Outcome;
use crate::line::Voice;
use crate::line::asking::Desk;
use crate::print::Printer;
use crate::print::problem;
use crate::settings::agent::Places;
use crate::{line, settings};

/// Does what was typed behind `doorward agent`.
pub(crate) fn run(context: &Context, agent: Agent) -> Outcome {
    let asked = |socket| desk(context, socket);
    match agent {
        Agent::Start(start) => {
            let typed = start.flags.typed(start.config, start.socket_path);
            start::run(context.home()?, Voice::Doorward, typed, context.printer)
        }
        Agent::Stop(at) => aloud(context.printer, asked(at.socket_path)?.stop()),
        Agent::Reload(at) => aloud(context.printer, asked(at.socket_path)?.reload()),
        Agent::Status(status) => {
            let wait = status.wait.map(std::time::Duration::from_secs);
            let desk = asked(status.at.socket_path)?;
            aloud(context.printer, desk.agent_status(context.verbose, wait))
        }
        Agent::Config(typed) => {
            let places = Places::of(Voice::Doorward, context.home()?, &settings::environment);
            let running = || desk(context, None);
            config::run(&places, typed.config, &typed.flags, &running, context.printer)
        }
    }
}

/// Where the agent is that a command asks.
pub(crate) fn desk(context: &Context, socket: Option<std::path::PathBuf>) -> Outcome<Desk> {
    let usual = || Ok(context.home()?.socket());
    let places = line::places(socket, &settings::environment, usual)?;
    Ok(Desk { places, printer: context.printer, voice: Voice::Doorward })
}

/// Programs that read JSON on stdout look for `connection refused` on stderr.
pub(crate) fn aloud(printer: Printer, outcome: Outcome) -> Outcome {
    outcome.inspect_err(|failure| {
        if printer.is_json() {
            Printer::say(problem::text(failure).trim_end());
        }
    })
}
