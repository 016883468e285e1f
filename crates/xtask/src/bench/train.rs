//! The work from which a profile is made. Nothing is measured.

use std::path::Path;

use super::gateway::{Gateway, Home};
use super::nginx::Nginx;
use super::process::free_port;
use super::rounds::{Target, measure};
use super::settings::Settings;
use super::{agent, aws, peers};
use crate::failure::{Failure, Outcome};
use crate::program::find;

/// Works with `program` for so many seconds of each kind. After each kind (commands for AWS, calls through the
/// gateway, a peer's lists, the agent's socket) `over` is called.
pub(crate) fn run(root: &Path, program: &Path, seconds: u64, over: &mut dyn FnMut() -> Outcome) -> Outcome {
    for needed in ["nginx", "wrk", "taskset"] {
        if find(needed).is_none() {
            let message = format!("a profile needs `{needed}`; `cargo xtask setup` installs it as root");
            return Err(Failure::new(message));
        }
    }
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench`", &error))?;
    aws::train(root, &folder, program)?;
    over()?;
    for bytes in [1024, 65536] {
        forwarded(root, program, &folder, bytes, seconds)?;
    }
    over()?;
    let (program, seconds) = (program.to_string_lossy(), seconds.to_string());
    // With a peer's lists, and on the agent's socket.
    let lists = ["--program", &*program, "--rounds", "1", "--seconds", &seconds];
    let lists = [&lists[..], &["--bodies", "1024", "--integrations", "20", "--rules", "200", "--idle", "0"]];
    peers::run(root, &lists.concat())?;
    over()?;
    agent::run(root, &["--program", &program, "--rounds", "1", "--seconds", "2", "--live", "0"])?;
    over()
}

/// Calls through the gateway with answers of this size.
fn forwarded(root: &Path, program: &Path, folder: &Path, bytes: usize, seconds: u64) -> Outcome {
    let text = seconds.to_string();
    let settings = Settings::parse(&["--seconds", &text, "--rounds", "1"])?;
    let upstream = Nginx::upstream(root, &folder.join("upstream"), settings.load_core(), bytes)?;
    let home = Home::at(folder.join("home-train"), folder.join("doorward-train.log"))?;
    let ports = (free_port()?, upstream.port());
    let gateway = Gateway::start(root, program, home, settings.proxy_core(), ports)?;
    let target = Target::new("train", &gateway, gateway.port(), gateway.headers());
    target.injects()?;
    let sample = measure(root, &settings, &target, &upstream)?;
    println!("{bytes} bytes: {sample}");
    Ok(())
}
