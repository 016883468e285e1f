//! The figures of the agent, beside the echo's and beside what is promised.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::load::Seen;
use super::settings::Settings;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// The whole bench.
#[derive(Serialize)]
pub(super) struct Report {
    commit: String,
    cores: usize,
    rounds: usize,
    seconds: u64,
    home: &'static str,
    /// What each load saw, one entry a round.
    loads: Vec<(&'static str, Vec<Seen>)>,
    /// Other figures by name: `_ms` in milliseconds, `_mib` in MiB.
    figures: BTreeMap<&'static str, Vec<f64>>,
}

impl Report {
    pub(super) fn new(root: &Path, settings: &Settings) -> Outcome<Self> {
        let commit = Program::new(root, "git", &["rev-parse", "--short", "HEAD"]).output()?;
        Ok(Self {
            commit: commit.trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            rounds: settings.rounds,
            seconds: settings.seconds,
            home: if settings.memory { "memory" } else { "disk" },
            loads: Vec::new(),
            figures: BTreeMap::new(),
        })
    }

    pub(super) fn add(&mut self, name: &'static str, seen: Seen) {
        println!("{name}: {:.0}/s, p50 {:.1} us, p99 {:.1} us", seen.per_second(), seen.p50_us, seen.p99_us);
        match self.loads.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(seen),
            None => self.loads.push((name, vec![seen])),
        }
    }

    pub(super) fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.entry(name).or_default().push(value);
    }

    /// Writes `target/bench/agent.json`.
    pub(super) fn write(&self, root: &Path) -> Outcome {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::doing("write the report", &error))?;
        std::fs::write(root.join("target/bench/agent.json"), text + "\n")
            .map_err(|error| Failure::doing("write `target/bench/agent.json`", &error))
    }

    /// Fails where an answer was not what it should be: the figures don't count then.
    pub(super) fn whole(&self) -> Outcome {
        let errors: u64 = self.loads.iter().flat_map(|(_, all)| all).map(|seen| seen.errors).sum();
        if errors == 0 {
            Ok(())
        } else {
            Err(Failure::new(format!("{errors} answers were not what they should be")))
        }
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let Self { commit, cores, rounds, seconds, home, .. } = self;
        let mut lines = vec![
            format!(
                "\nCommit {commit}, {cores} cores, {rounds} rounds of {seconds} s, home on {home}. Medians.\n"
            ),
            "| load | a second | p50 us | p99 us | errors |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
        ];
        for (name, all) in &self.loads {
            lines.push(format!(
                "| {name} | {:.0} | {:.1} | {:.1} | {} |",
                median(all.iter().map(Seen::per_second)),
                median(all.iter().map(|seen| seen.p50_us)),
                median(all.iter().map(|seen| seen.p99_us)),
                all.iter().map(|seen| seen.errors).sum::<u64>(),
            ));
        }
        lines.push(String::new());
        lines.extend(self.promises());
        let mut text = String::new();
        for line in lines {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// One line for each promise that was looked at.
    fn promises(&self) -> Vec<String> {
        let of = |name: &str, figure: fn(&Seen) -> f64| {
            let found = self.loads.iter().find(|(known, _)| *known == name);
            median(found.into_iter().flat_map(|(_, all)| all).map(figure))
        };
        let p50 = |name| of(name, |seen| seen.p50_us);
        let busiest = of("request, 96 connections", Seen::per_second);
        let mut lines = vec![
            at_most(
                "p50 of validate beside the echo's, 1 connection",
                p50("validate, 1 connection") / p50("echo, 1 connection"),
                3.0,
            ),
            at_least(
                "validations a second on one core, 32 connections",
                of("validate, 32 connections", Seen::per_second),
                50_000.0,
            ),
            at_least("requests a second with durable evidence", busiest, 10_000.0),
        ];
        for (name, what, most) in [
            ("idle_mib", "memory of an idle agent, MiB", 15.0),
            ("ready_ms", "ready, ms", 50.0),
            ("command_ms", "`capability request` as a process, ms", 10.0),
            ("live_mib", "memory of 1000000 live capabilities, MiB", 256.0),
            ("live_mib_restarted", "the same after a restart, MiB", 256.0),
        ] {
            if let Some(values) = self.figures.get(name) {
                lines.push(at_most(what, median(values.iter().copied()), most));
            }
        }
        // A promise about a million says nothing of fewer.
        let live = self.figures.get("live").and_then(|values| values.first()).copied();
        if let Some(live) = live.filter(|live| *live < 1e6) {
            lines.push(format!("- note: {live:.0} live capabilities only"));
        }
        lines
    }
}

/// The middle one, or what lies between the two in the middle; no number where there is none.
fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
    match all.len() % 2 {
        1 => at(all.len() / 2),
        _ => f64::midpoint(at(all.len() / 2), at((all.len() / 2).wrapping_sub(1))),
    }
}

/// `met` only if the figure is there and small enough.
fn at_most(what: &str, figure: f64, most: f64) -> String {
    format!("- {what}: {figure:.2}, at most {most}: {}", if figure <= most { "met" } else { "MISSED" })
}

fn at_least(what: &str, figure: f64, least: f64) -> String {
    format!("- {what}: {figure:.0}, at least {least}: {}", if figure >= least { "met" } else { "MISSED" })
}

#[cfg(test)]
mod tests;
