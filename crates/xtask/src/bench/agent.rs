//! The agent beside a bare echo on a Unix socket, in one run on one machine.
//!
//! The echo reads a line and writes it back, a blocking thread for each connection: whatever answers lines on a socket costs
//! at least that. Both are asked by the same program with the same framing, from another core.
//!
//! # Invariants
//!
//! - Each answer is looked at. A run in which one says something else than it should fails.
//! - The agent runs in development mode on a home of its own; its evidence is as durable as ever.
//! - Where a figure is about one core, all threads of the agent have that core alone.

mod load;
mod place;
mod report;
mod settings;

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::program::find;
use load::{Ask, Loader};
use place::Place;
use report::Report;
use settings::Settings;

/// `bench agent [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    if find("taskset").is_none() {
        return Err(Failure::new("the bench needs `taskset`; `cargo xtask setup` installs it as root"));
    }
    let program = match &settings.program {
        Some(program) => program.clone(),
        None => crate::dist::shipped(root)?,
    };
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench`", &error))?;
    let loader = Loader::build(root, &folder)?;
    let mut report = Report::new(root, &settings)?;
    for round in 1..=settings.rounds {
        println!("round {round} of {}", settings.rounds);
        one_round(&program, &folder, &loader, &settings, &mut report)?;
    }
    let mut place = Place::make(&program, &folder, &settings)?;
    many(&mut place, &loader, &settings, &mut report)?;
    drop(place);
    report.write(root)?;
    print!("{}", report.markdown());
    report.whole()
}

/// Everything that is quick, on a fresh home.
fn one_round(
    program: &Path,
    folder: &Path,
    loader: &Loader,
    settings: &Settings,
    report: &mut Report,
) -> Outcome {
    let echo = loader.echo(folder, settings)?;
    let hello = Ask::echo();
    report.add("echo, 1 connection", loader.load(echo.socket(), &hello, 1, settings)?);
    report.add("echo, 32 connections", loader.load(echo.socket(), &hello, CONNECTIONS, settings)?);
    drop(echo);
    let mut place = Place::make(program, folder, settings)?;
    report.figure("ready_ms", place.start(settings.agent_core())?);
    report.figure("idle_mib", place.idle()?);
    for _ in 0..COMMANDS {
        report.figure("command_ms", place.command()?);
    }
    let id = place.capability()?;
    let validate = Ask::validate(&id);
    report.add("validate, 1 connection", loader.load(place.socket(), &validate, 1, settings)?);
    report.add("validate, 32 connections", loader.load(place.socket(), &validate, CONNECTIONS, settings)?);
    place.everywhere()?;
    let request = Ask::request();
    report.add("request, 1 connection", loader.load(place.socket(), &request, 1, settings)?);
    report.add("request, 32 connections", loader.load(place.socket(), &request, CONNECTIONS, settings)?);
    report.add("request, 96 connections", loader.load(place.socket(), &request, MANY, settings)?);
    Ok(())
}

/// So many capabilities at once, on a home of their own.
fn many(place: &mut Place<'_>, loader: &Loader, settings: &Settings, report: &mut Report) -> Outcome {
    if settings.live == 0 {
        return Ok(());
    }
    let _ = place.start(None)?;
    let made = loader.count(place.socket(), &Ask::request(), MANY, settings.live)?;
    report.add("request, until all live", made);
    report.figure("live", settings.live as f64);
    report.figure("live_mib", place.resident());
    let id = place.capability()?;
    report.add(
        "validate among all, 1 connection",
        loader.load(place.socket(), &Ask::validate(&id), 1, settings)?,
    );
    // What was in memory only because of the load is not what many capabilities cost; a restart shows what they do.
    place.stop()?;
    report.figure("live_ready_ms", place.start(None)?);
    report.figure("live_mib_restarted", place.resident());
    Ok(())
}

const CONNECTIONS: usize = 32;
/// As many as the agent takes, but for a few.
const MANY: usize = 96;
/// Runs of `capability request` in each round.
const COMMANDS: usize = 15;
