//! The gateway beside nginx, on one machine, in alternating rounds.
//!
//! Both put the same bearer token on each request and send it to the same nginx as upstream. The load and the upstream
//! share one core, the proxy under measurement has the other one to itself. What counts is the CPU time per request of the
//! proxy's processes: unlike requests per second, it doesn't depend on which core is full first.
//!
//! # Invariants
//!
//! - Nothing is measured that doesn't inject: each proxy has to show the upstream the right header first.
//! - A run with an answer other than 2xx, or with a broken connection, fails.

pub(crate) mod agent;
pub(crate) mod api;
pub(crate) mod aws;
mod disk;
mod gateway;
mod nginx;
pub(crate) mod op;
pub(crate) mod peers;
mod process;
mod report;
mod rounds;
mod settings;
pub(crate) mod train;
mod wrk;

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::program::find;
use gateway::{Gateway, Home};
use nginx::Nginx;
use process::free_port;
use report::{Report, Series};
use rounds::{Target, measure};
use settings::Settings;

/// `bench proxy [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    for program in ["nginx", "wrk", "taskset"] {
        if find(program).is_none() {
            return Err(Failure::new(format!(
                "the bench needs `{program}`; `cargo xtask setup` installs it as root"
            )));
        }
    }
    let binary = match &settings.program {
        Some(program) => root.join(program),
        // nginx alone is measured: nobody starts it.
        None if settings.homes.is_empty() => PathBuf::new(),
        None => crate::dist::shipped(root)?,
    };
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench`", &error))?;
    let mut report = Report::new(root, &settings, disk::appends(&folder)?)?;
    for bytes in &settings.bodies {
        report.add(one_body(root, &binary, &settings, *bytes)?);
    }
    let text =
        serde_json::to_string_pretty(&report).map_err(|error| Failure::doing("write the report", &error))?;
    std::fs::write(folder.join("proxy.json"), text + "\n")
        .map_err(|error| Failure::doing("write `target/bench/proxy.json`", &error))?;
    print!("{}", report.markdown());
    if report.has_errors() {
        return Err(Failure::new("some requests were not answered with 2xx, so the figures don't count"));
    }
    Ok(())
}

/// All rounds with bodies of one size.
fn one_body(root: &Path, binary: &Path, settings: &Settings, bytes: usize) -> Outcome<Series> {
    let folder = root.join("target/bench");
    let upstream = Nginx::upstream(root, &folder.join("upstream"), settings.load_core(), bytes)?;
    let beside = Nginx::proxy(root, &folder.join("nginx"), settings.proxy_core(), upstream.port())?;
    let mut gateways = Vec::new();
    for place in &settings.homes {
        let home = Home::make(place, &folder)?;
        gateways.push(Gateway::start(
            root,
            binary,
            home,
            settings.proxy_core(),
            (free_port()?, upstream.port()),
        )?);
    }
    let mut targets = vec![
        Target::new("direct", &upstream, upstream.port(), &[]),
        Target::new("nginx", &beside, beside.port(), &[]),
    ];
    for gateway in &gateways {
        targets.push(Target::new(&gateway.label(), gateway, gateway.port(), gateway.headers()));
    }
    for target in &targets {
        target.injects()?;
    }
    let mut series = Series::new(bytes);
    for gateway in &gateways {
        series.ready(&gateway.label(), gateway.ready());
    }
    for round in 1..=settings.rounds {
        // Every second round runs backwards, so that a machine that gets warmer or busier favours nobody.
        let order: Vec<&Target> =
            if round % 2 == 0 { targets.iter().rev().collect() } else { targets.iter().collect() };
        for target in order {
            let sample = measure(root, settings, target, &upstream)?;
            println!("{bytes} bytes, round {round}, {}: {sample}", target.label());
            series.add(target.label(), sample);
        }
    }
    Ok(series)
}
