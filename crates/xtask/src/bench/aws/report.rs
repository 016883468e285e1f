//! The figures of the commands for AWS, beside the peer's and beside what is promised.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::burst::Burst;
use super::settings::Settings;
use super::timed::Cost;
use crate::bench::wrk::Load;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// At most this part of the peer's wall time.
const WALL: f64 = 1.0 / 3.0;
/// At most this part of the peer's memory.
const MEMORY: f64 = 0.5;
/// At least this many requests a second.
const SERVED: f64 = 20_000.0;

/// The whole bench.
#[derive(Serialize)]
pub(super) struct Report {
    commit: String,
    cores: usize,
    rounds: usize,
    /// By command, then by program.
    commands: Vec<(String, BTreeMap<String, Cost>)>,
    /// Requests a second and the 99th percentile in milliseconds, by program.
    served: BTreeMap<String, [f64; 2]>,
    bursts: BTreeMap<String, Burst>,
}

impl Report {
    pub(super) fn new(root: &Path, settings: &Settings) -> Outcome<Self> {
        let commit = Program::new(root, "git", &["rev-parse", "--short", "HEAD"]).output()?;
        Ok(Self {
            commit: commit.trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            rounds: settings.rounds,
            commands: Vec::new(),
            served: BTreeMap::new(),
            bursts: BTreeMap::new(),
        })
    }

    pub(super) fn cost(&mut self, label: &str, command: &str, cost: Cost) {
        match self.commands.iter_mut().find(|(name, _)| name == command) {
            Some((_, costs)) => {
                costs.insert(label.to_owned(), cost);
            }
            None => self.commands.push((command.to_owned(), BTreeMap::from([(label.to_owned(), cost)]))),
        }
    }

    pub(super) fn served(&mut self, label: &str, load: &Load) {
        self.served.insert(label.to_owned(), [load.per_second, load.p99_ms]);
    }

    pub(super) fn burst(&mut self, label: &str, burst: Burst) {
        self.bursts.insert(label.to_owned(), burst);
    }

    /// Writes `target/bench/aws.json`.
    pub(super) fn write(&self, root: &Path) -> Outcome {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::doing("write the report", &error))?;
        std::fs::write(root.join("target/bench/aws.json"), text + "\n")
            .map_err(|error| Failure::doing("write `target/bench/aws.json`", &error))
    }

    /// Fails where a process of a burst failed: the figures don't count then.
    pub(super) fn whole(&self) -> Outcome {
        match self.bursts.get(OURS) {
            Some(burst) if burst.failed > 0 => {
                Err(Failure::new(format!("{} of {} processes failed at once", burst.failed, burst.processes)))
            }
            _ => Ok(()),
        }
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut lines = vec![
            format!("\nCommit {}, {} cores, {} rounds.\n", self.commit, self.cores, self.rounds),
            "| command | program | wall ms: least, median, most | CPU ms | peak MiB |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
        ];
        for (command, costs) in &self.commands {
            for (label, Cost { wall_ms: [least, median, most], cpu_ms, peak_mib }) in costs {
                let peak = peak_mib.map_or("-".to_owned(), |mib| format!("{mib:.1}"));
                lines.push(format!(
                    "| {command} | {label} | {least:.1}, {median:.1}, {most:.1} | {cpu_ms:.1} | {peak} |"
                ));
            }
        }
        lines.push(String::new());
        for (label, [per_second, p99]) in &self.served {
            lines.push(format!(
                "- {label}: ECS server on one core: {per_second:.0} requests/s, p99 {p99:.2} ms"
            ));
        }
        lines.extend(self.bursts.iter().map(|(label, burst)| format!("- {label}: {burst}")));
        lines.push(String::new());
        lines.extend(self.promises());
        let mut text = String::new();
        for line in lines {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// One line for each promise that could be looked at.
    fn promises(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (command, costs) in &self.commands {
            let (Some(ours), Some(peer)) = (costs.get(OURS), costs.get(PEER)) else { continue };
            let [_, our_wall, _] = ours.wall_ms;
            let [_, wall, _] = peer.wall_ms;
            lines.push(at_most(&format!("{command}: wall beside the peer"), our_wall / wall, WALL));
            if let (Some(ours), Some(peer)) = (ours.peak_mib, peer.peak_mib) {
                lines.push(at_most(&format!("{command}: memory beside the peer"), ours / peer, MEMORY));
            }
        }
        if let Some([per_second, _]) = self.served.get(OURS) {
            let verdict = verdict(*per_second >= SERVED);
            lines.push(format!("- ECS server, requests/s: {per_second:.0}, at least {SERVED:.0}: {verdict}"));
        }
        if let Some(burst) = self.bursts.get(OURS) {
            lines.push(at_most("calls of STS of all at once", burst.calls as f64, 1.0));
            lines.push(at_most("codes asked for by all at once", burst.codes as f64, 1.0));
        }
        lines
    }
}

fn at_most(what: &str, figure: f64, most: f64) -> String {
    format!("- {what}: {figure:.2}, at most {most:.2}: {}", verdict(figure <= most))
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

const OURS: &str = "doorward";
const PEER: &str = "aws-vault";

#[cfg(test)]
mod tests;
