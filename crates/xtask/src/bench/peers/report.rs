//! What was measured, beside what is to be reached.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::super::report::Series;
use super::place::Way;
use super::reload::Reloaded;
use super::settings::Settings;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// The whole bench.
#[derive(Serialize)]
pub(super) struct Report {
    commit: String,
    rounds: usize,
    seconds: u64,
    connections: usize,
    home: &'static str,
    way: &'static str,
    integrations: usize,
    rules: usize,
    idle: usize,
    beside: Vec<Series>,
    scale: Option<Series>,
    reloads: Vec<Reloaded>,
    figures: BTreeMap<&'static str, f64>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(root: &Path, settings: &Settings, way: Way) -> Outcome<Self> {
        let commit = Program::new(root, "git", &["rev-parse", "--short", "HEAD"]).output()?;
        let layer = way == Way::Layer;
        let mut report = Self {
            commit: commit.trim().to_owned(),
            rounds: settings.rounds.rounds,
            seconds: settings.rounds.seconds,
            connections: settings.rounds.connections,
            home: settings.home_label(),
            way: if layer { "files in the home" } else { "a peer's files" },
            integrations: settings.size.integrations,
            rules: if layer { 0 } else { settings.size.rules },
            idle: settings.idle,
            beside: Vec::new(),
            scale: None,
            reloads: Vec::new(),
            figures: BTreeMap::new(),
            notes: Vec::new(),
        };
        if layer {
            report.note("the program has no `gateway --config`: no rules of an allowlist were measured");
        }
        Ok(report)
    }

    pub(super) fn beside(&mut self, series: Series) {
        self.beside.push(series);
    }

    pub(super) fn scale(&mut self, series: Series) {
        self.scale = Some(series);
    }

    pub(super) fn reloaded(&mut self, reloaded: Reloaded) {
        self.reloads.push(reloaded);
    }

    pub(super) fn figure(&mut self, name: &'static str, figure: f64) {
        self.figures.insert(name, figure);
    }

    /// Something that could not be measured.
    pub(super) fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    /// Writes `target/bench/gateway.json`.
    pub(super) fn write(&self, root: &Path) -> Outcome {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::doing("write the report", &error))?;
        std::fs::write(root.join("target/bench/gateway.json"), text + "\n")
            .map_err(|error| Failure::doing("write `target/bench/gateway.json`", &error))
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let Self { commit, rounds, seconds, connections, home, way, .. } = self;
        let mut text = format!(
            "\nCommit {commit}, {rounds} rounds of {seconds} s, {connections} connections, home: {home}, integrations from {way}.\n"
        );
        for series in &self.beside {
            series.table(&mut text, "nginx");
        }
        if let Some(series) = &self.scale {
            let _ =
                write!(text, "\nOne integration beside {} with {} rules:\n", self.integrations, self.rules);
            series.table(&mut text, "one");
        }
        for reloaded in &self.reloads {
            let _ = write!(text, "\nReload of {} integrations: {reloaded}\n", self.integrations);
        }
        text.push('\n');
        for line in self.promises() {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "- {line}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "- not measured: {note}");
        }
        text
    }

    /// Fails where some requests were not answered, so that the figures don't count.
    pub(super) fn whole(&self) -> Outcome {
        let mut series = self.beside.iter().chain(&self.scale);
        if series.any(Series::has_errors) {
            return Err(Failure::new("some requests were not answered with 2xx, so the figures don't count"));
        }
        Ok(())
    }

    fn promises(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for series in &self.beside {
            let cpu = |label: &str| series.median_of(label, |sample| sample.cpu_us);
            let most = match series.bytes() {
                1024 => Some(1.2),
                65536 => Some(0.9),
                _ => None,
            };
            if let Some(most) = most {
                let what = format!("CPU per request beside nginx, {} bytes", series.bytes());
                lines.push(at_most(&what, cpu("doorward") / cpu("nginx"), most));
            }
            let rate = |label: &str| series.median_of(label, |sample| sample.per_second);
            let beside = rate("doorward") / rate("authtranslator");
            if beside.is_finite() {
                let verdict = if beside >= 3.0 { "met" } else { "MISSED" };
                let bytes = series.bytes();
                lines.push(format!("requests a second beside AuthTranslator, {bytes} bytes: {beside:.2}, at least 3: {verdict}"));
            }
        }
        if let Some(series) = &self.scale {
            let cpu = |label: &str| series.median_of(label, |sample| sample.cpu_us);
            let what = format!("CPU per request with {} integrations beside one", self.integrations);
            lines.push(at_most(&what, cpu("many") / cpu("one"), 1.1));
        }
        if let Some(longest) = self.reloads.iter().map(|reloaded| reloaded.ms).max_by(f64::total_cmp) {
            lines.push(at_most("reload, ms", longest, 1000.0));
            let dropped: u64 = self.reloads.iter().map(|reloaded| reloaded.dropped).sum();
            lines.push(at_most("requests dropped by reloads", dropped as f64, 0.0));
        }
        if let Some(mib) = self.figures.get("idle_mib") {
            lines.push(at_most(&format!("memory with {} idle connections, MiB", self.idle), *mib, 200.0));
        }
        lines
    }
}

/// `met` only if the figure is there and small enough.
fn at_most(what: &str, figure: f64, most: f64) -> String {
    let verdict = if figure <= most { "met" } else { "MISSED" };
    format!("{what}: {figure:.2}, at most {most}: {verdict}")
}
