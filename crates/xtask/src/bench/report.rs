//! The medians of all rounds, beside nginx and beside what we promise.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::disk::Appends;
use super::rounds::Sample;
use super::settings::Settings;
use crate::failure::Outcome;
use crate::program::Program;

/// What we promise: at most this many times nginx's CPU time per request, by size of the body.
const CPU: &[(usize, f64)] = &[(1024, 1.4), (65536, 1.0)];
/// At most this many times nginx's 99th percentile.
const P99: f64 = 1.5;
/// At most this much memory under load, in MiB.
const RSS: f64 = 40.0;
/// At most this long from start to the first answer, in milliseconds.
const READY: f64 = 100.0;

/// The whole bench.
#[derive(Serialize)]
pub(super) struct Report {
    commit: String,
    cores: usize,
    rounds: usize,
    seconds: u64,
    connections: usize,
    append_300_bytes: Appends,
    series: Vec<Series>,
}

/// All rounds with bodies of one size.
#[derive(Serialize)]
pub(super) struct Series {
    bytes: usize,
    /// Milliseconds to the first answer, by target.
    ready_ms: BTreeMap<String, f64>,
    /// Samples by target.
    samples: BTreeMap<String, Vec<Sample>>,
}

impl Report {
    pub(super) fn new(root: &Path, settings: &Settings, append: Appends) -> Outcome<Self> {
        let commit = Program::new(root, "git", &["rev-parse", "--short", "HEAD"]).output()?;
        Ok(Self {
            commit: commit.trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            rounds: settings.rounds,
            seconds: settings.seconds,
            connections: settings.connections,
            append_300_bytes: append,
            series: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, series: Series) {
        self.series.push(series);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.series.iter().any(Series::has_errors)
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let Appends { p50_us, p99_us, per_second } = self.append_300_bytes;
        let mut text = format!(
            "\nCommit {}, {} cores, {} rounds of {} s, {} connections. One append of 300 bytes with fdatasync: \
             p50 {p50_us:.0} us, p99 {p99_us:.0} us, {per_second:.0}/s.\n",
            self.commit, self.cores, self.rounds, self.seconds, self.connections
        );
        for series in &self.series {
            series.markdown(&mut text);
        }
        text
    }
}

impl Series {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, ready_ms: BTreeMap::new(), samples: BTreeMap::new() }
    }

    pub(super) fn ready(&mut self, label: &str, after: Duration) {
        self.ready_ms.insert(label.to_owned(), after.as_secs_f64() * 1000.0);
    }

    pub(super) fn add(&mut self, label: &str, sample: Sample) {
        self.samples.entry(label.to_owned()).or_default().push(sample);
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has_errors(&self) -> bool {
        self.samples.values().flatten().any(|sample| sample.errors > 0)
    }

    pub(super) fn median_of(&self, label: &str, figure: impl Fn(&Sample) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.samples.get(label).into_iter().flatten().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let upper = figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
        match figures.len() % 2 {
            1 => upper,
            _ => f64::midpoint(
                upper,
                figures.get((figures.len() / 2).wrapping_sub(1)).copied().unwrap_or(f64::NAN),
            ),
        }
    }

    fn markdown(&self, text: &mut String) {
        self.table(text, "nginx");
        text.push('\n');
        for line in self.promises() {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "{line}");
        }
    }

    /// The medians of all targets, with the CPU of each beside that of one of them.
    pub(super) fn table(&self, text: &mut String, beside: &str) {
        let mut lines = vec![format!("\n### {} bytes\n", self.bytes)];
        lines.push(format!(
            "| target | requests/s | CPU us each | beside {beside} | p50 ms | p99 ms | RSS MiB | errors | others' CPU % |"
        ));
        lines.push("|---|---|---|---|---|---|---|---|---|".to_owned());
        let other = self.median_of(beside, |sample| sample.cpu_us);
        for (label, samples) in &self.samples {
            let median = |figure: fn(&Sample) -> f64| self.median_of(label, figure);
            let cpu = median(|sample| sample.cpu_us);
            lines.push(format!(
                "| {label} | {:.0} | {cpu:.1} | {:.2} | {:.2} | {:.2} | {:.1} | {} | {:.0} |",
                median(|sample| sample.per_second),
                cpu / other,
                median(|sample| sample.p50_ms),
                median(|sample| sample.p99_ms),
                median(|sample| sample.rss_mib),
                samples.iter().map(|sample| sample.errors).sum::<u64>(),
                median(|sample| sample.other_cpu),
            ));
        }
        for line in lines {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "{line}");
        }
    }

    /// One line for each promise and target.
    fn promises(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (label, ready) in &self.ready_ms {
            let beside =
                |figure: fn(&Sample) -> f64| self.median_of(label, figure) / self.median_of("nginx", figure);
            if let Some((_, most)) = CPU.iter().find(|(bytes, _)| *bytes == self.bytes) {
                lines.push(promise(
                    label,
                    "CPU per request beside nginx",
                    beside(|sample| sample.cpu_us),
                    *most,
                ));
            }
            lines.push(promise(label, "p99 beside nginx", beside(|sample| sample.p99_ms), P99));
            lines.push(promise(
                label,
                "RSS under load, MiB",
                self.median_of(label, |sample| sample.rss_mib),
                RSS,
            ));
            lines.push(promise(label, "ready, ms", *ready, READY));
        }
        lines
    }
}

/// `met` only if the figure is there and small enough.
fn promise(label: &str, what: &str, figure: f64, most: f64) -> String {
    let verdict = if figure <= most { "met" } else { "MISSED" };
    format!("- {label}: {what}: {figure:.2}, at most {most}: {verdict}")
}

#[cfg(test)]
mod tests;
