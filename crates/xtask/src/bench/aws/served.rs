//! How many requests a second the ECS metadata server answers on one core.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::place::{Place, Profiles};
use super::settings::Settings;
use crate::bench::wrk::Load;
use crate::failure::{Failure, Outcome};
use crate::program::find;

/// Puts load on the server of a place, from another core. `None` where the tools or the cores for it are missing.
pub(super) fn measure(place: &Place, settings: &Settings) -> Outcome<Option<Load>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let missing = ["wrk", "taskset"].into_iter().find(|tool| find(tool).is_none());
    if let Some(tool) = missing {
        println!("note: no `{tool}`, so no load is put on the ECS server");
        return Ok(None);
    }
    if cores < 2 {
        println!("note: one core only, so the load could not be kept apart from the ECS server");
        return Ok(None);
    }
    let taskset = find("taskset").unwrap_or_else(|| PathBuf::from("taskset"));
    let program = place.program().to_string_lossy();
    let load = format!(
        "exec taskset -c 0 wrk -t1 -c{CONNECTIONS} -d{}s --latency \
         -H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\" \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\"",
        settings.seconds
    );
    let words = ["-c", "1", &program, "exec", "--ecs-server", "alice", "--", "sh", "-c", &load];
    let mut command: Command = place.inside(&taskset, &words, Profiles::Few);
    command.stdout(Stdio::piped());
    let output = command.output().map_err(|error| Failure::doing("put load on the ECS server", &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("the ECS server of {} failed: {}", place.label(), said.trim())));
    }
    let load = Load::parse(&String::from_utf8_lossy(&output.stdout))?;
    if load.errors > 0 {
        let label = place.label();
        return Err(Failure::new(format!("{} requests to the ECS server of {label} failed", load.errors)));
    }
    Ok(Some(load))
}

const CONNECTIONS: usize = 32;
