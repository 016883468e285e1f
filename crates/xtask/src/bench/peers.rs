//! The gateway beside nginx and beside AuthTranslator, and what many integrations, many rules and many callers cost it.
//!
//! In one run and alternating rounds: CPU per request and requests per second of all that are there, with one integration
//! each; then Doorward with one and with many integrations and rules; then a reload of the many while requests go on; then
//! connections that do nothing.
//!
//! # Invariants
//!
//! - Nothing is measured that doesn't inject: each has to show the upstream the right header first.
//! - A run with a request that was not answered with 200 fails; in a reload that is what is counted.
//! - What could not be measured here is named in the report.

mod files;
mod idle;
mod place;
mod reload;
mod report;
mod settings;

use std::path::{Path, PathBuf};

use super::nginx::Nginx;
use super::report::Series;
use super::rounds::{Target, measure};
use crate::failure::{Failure, Outcome};
use crate::program::find;
use files::Size;
use place::{Door, Way};
use report::Report;
use settings::Settings;

/// `bench gateway [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    for program in ["nginx", "wrk", "taskset", "prlimit"] {
        if find(program).is_none() {
            return Err(Failure::new(format!(
                "the bench needs `{program}`; `cargo xtask setup` installs it as root"
            )));
        }
    }
    let binary = match &settings.program {
        Some(program) => program.clone(),
        None => crate::dist::shipped(root)?,
    };
    let folder = root.join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench`", &error))?;
    let bench =
        Bench { root, binary: &binary, folder: &folder, settings: &settings, way: Way::of(root, &binary)? };
    let mut report = Report::new(root, &settings, bench.way)?;
    for bytes in &settings.rounds.bodies {
        let series = bench.beside(*bytes, &mut report)?;
        report.beside(series);
    }
    bench.many(&mut report)?;
    bench.idle(&mut report)?;
    report.write(root)?;
    print!("{}", report.markdown());
    report.whole()
}

/// What every part of the bench needs.
struct Bench<'a> {
    root: &'a Path,
    binary: &'a Path,
    folder: &'a Path,
    settings: &'a Settings,
    way: Way,
}

impl Bench<'_> {
    /// Everybody with one integration, bodies of one size.
    fn beside(&self, bytes: usize, report: &mut Report) -> Outcome<Series> {
        let rounds = &self.settings.rounds;
        let core = rounds.proxy_core();
        let upstream = Nginx::upstream(self.root, &self.folder.join("upstream"), rounds.load_core(), bytes)?;
        let nginx = Nginx::proxy(self.root, &self.folder.join("nginx"), core, upstream.port())?;
        let ours = self.door("one", Size::ONE, upstream.port())?;
        let theirs = match self.translator() {
            Some(program) => Some(Door::translator(&program, self.folder, core, upstream.port())?),
            None => {
                report.note("AuthTranslator is neither on `PATH` nor named by `--authtranslator`: nothing is said beside it");
                None
            }
        };
        let mut targets = vec![
            Target::new("direct", &upstream, upstream.port(), &[]),
            Target::new("nginx", &nginx, nginx.port(), &[]),
            Target::new("doorward", &ours, ours.port(), ours.headers()),
        ];
        if let Some(theirs) = &theirs {
            targets.push(Target::new("authtranslator", theirs, theirs.port(), theirs.headers()));
        }
        self.alternate(bytes, &targets, &upstream)
    }

    /// Doorward with one and with many integrations, then a reload of the many.
    fn many(&self, report: &mut Report) -> Outcome {
        let size = self.settings.size;
        let core = self.settings.rounds.load_core();
        let upstream = Nginx::upstream(self.root, &self.folder.join("upstream"), core, SMALL)?;
        let one = self.door("one", Size::ONE, upstream.port())?;
        let many = self.door("many", size, upstream.port())?;
        report.figure("ready_one_ms", one.ready_ms());
        report.figure("ready_many_ms", many.ready_ms());
        let targets = [
            Target::new("one", &one, one.port(), one.headers()),
            Target::new("many", &many, many.port(), many.headers()),
        ];
        report.scale(self.alternate(SMALL, &targets, &upstream)?);
        drop(one);
        for _ in 0..self.settings.rounds.rounds {
            let reloaded = reload::under_load(&many, upstream.port())?;
            println!("reload: {reloaded}");
            report.reloaded(reloaded);
        }
        Ok(())
    }

    /// Connections that were used once and then do nothing.
    fn idle(&self, report: &mut Report) -> Outcome {
        let count = self.settings.idle;
        if count == 0 {
            return Ok(());
        }
        let core = self.settings.rounds.load_core();
        let upstream = Nginx::upstream(self.root, &self.folder.join("upstream"), core, SMALL)?;
        let door = Door::ours(&self.place("idle"), Size::ONE, upstream.port(), THREADS_FOR_IDLE)?;
        let (before, after) = idle::connections(&door, count)?;
        report.figure("idle_before_mib", before);
        report.figure("idle_mib", after);
        Ok(())
    }

    fn door(&self, name: &str, size: Size, upstream: u16) -> Outcome<Door> {
        Door::ours(&self.place(name), size, upstream, 1)
    }

    fn place(&self, name: &str) -> place::Place<'_> {
        place::Place {
            root: self.root,
            binary: self.binary,
            log: self.folder.join(format!("doorward-{name}.log")),
            home: self.settings.home(self.folder, name),
            core: self.settings.rounds.proxy_core(),
            way: self.way,
        }
    }

    fn translator(&self) -> Option<PathBuf> {
        self.settings.translator.clone().or_else(|| find("authtranslator"))
    }

    /// Each target in each round, every second round backwards.
    fn alternate(&self, bytes: usize, targets: &[Target], upstream: &Nginx) -> Outcome<Series> {
        for target in targets {
            target.injects()?;
        }
        let rounds = &self.settings.rounds;
        let mut series = Series::new(bytes);
        for round in 1..=rounds.rounds {
            let order: Vec<&Target> =
                if round % 2 == 0 { targets.iter().rev().collect() } else { targets.iter().collect() };
            for target in order {
                let sample = measure(self.root, rounds, target, upstream)?;
                println!("{bytes} bytes, round {round}, {}: {sample}", target.label());
                series.add(target.label(), sample);
            }
        }
        Ok(series)
    }
}

/// The size of bodies where the size is not what is measured.
const SMALL: usize = 1024;
/// A door takes 4096 connections on each thread.
const THREADS_FOR_IDLE: usize = 4;
