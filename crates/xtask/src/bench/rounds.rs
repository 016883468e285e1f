//! One round: load on one target, and what it cost meanwhile.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;

use super::nginx::Nginx;
use super::process::{busy, get, pinned, resident, ticks};
use super::settings::Settings;
use super::wrk::Load;
use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};

/// A server whose cost can be seen in `/proc`.
pub(super) trait Served {
    /// The process at the top of its tree.
    fn process(&self) -> u32;
}

/// Something to put load on.
pub(super) struct Target {
    label: String,
    process: u32,
    port: u16,
    headers: Vec<String>,
}

impl Target {
    pub(super) fn new(label: &str, served: &dyn Served, port: u16, headers: &[String]) -> Self {
        Self { label: label.to_owned(), process: served.process(), port, headers: headers.to_vec() }
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Asks the upstream, through this target, whether the secret arrived. The upstream itself is let off.
    pub(super) fn injects(&self) -> Outcome {
        if self.label == "direct" {
            return Ok(());
        }
        let answer = get(self.port, "/__auth", &self.headers)
            .map_err(|error| Failure::doing(&format!("ask {} about its header", self.label), &error))?;
        if answer.status == 200 && answer.body.contains("yes") {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} did not put the secret on the request (status {})",
            self.label, answer.status
        )))
    }
}

/// What one round cost.
#[derive(Serialize, Clone)]
pub(super) struct Sample {
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) cpu_us: f64,
    pub(super) rss_mib: f64,
    /// What everything else on the machine used, in percent of one core. Above 25 the round was disturbed.
    pub(super) other_cpu: f64,
    pub(super) errors: u64,
}

impl fmt::Display for Sample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { per_second, p50_ms, p99_ms, cpu_us, rss_mib, other_cpu, errors } = self;
        write!(
            out,
            "{per_second:.0} requests/s, {cpu_us:.1} us CPU each, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, "
        )?;
        write!(out, "{rss_mib:.1} MiB, {errors} errors, others {other_cpu:.0} %")
    }
}

/// Warms `target` up, then measures it for one round.
pub(super) fn measure(
    root: &Path,
    settings: &Settings,
    target: &Target,
    upstream: &Nginx,
) -> Outcome<Sample> {
    load(settings, target, settings.warm, &mut || {})?;
    let mut others: Vec<u32> = vec![target.process, upstream.process()];
    others.dedup();
    let mine = || others.iter().map(|process| ticks(*process)).sum::<u64>();
    let (cpu_before, mine_before, busy_before) = (ticks(target.process), mine(), busy());
    let mut peak = 0;
    let (text, of_load) =
        load(settings, target, settings.seconds, &mut || peak = peak.max(resident(target.process)))?;
    let cpu = ticks(target.process).saturating_sub(cpu_before);
    let mine = mine().saturating_sub(mine_before) + of_load;
    let other = busy().saturating_sub(busy_before).saturating_sub(mine);

    let load = Load::parse(&text)?;
    let tick = 1.0 / ticks_per_second(root)?;
    Ok(Sample {
        per_second: load.per_second,
        p50_ms: load.p50_ms,
        p99_ms: load.p99_ms,
        cpu_us: cpu as f64 * tick * 1e6 / load.requests.max(1) as f64,
        rss_mib: peak as f64 / 1024.0,
        other_cpu: other as f64 * tick * 100.0 / settings.seconds as f64,
        errors: load.errors,
    })
}

/// Runs wrk for `seconds`, calling `watch` twice a second; answers with its text and the CPU time that it used.
fn load(
    settings: &Settings,
    target: &Target,
    seconds: u64,
    watch: &mut dyn FnMut(),
) -> Outcome<(String, u64)> {
    let failed = |error: std::io::Error| Failure::doing("run wrk", &error);
    let program = find("wrk").unwrap_or_else(|| PathBuf::from("wrk"));
    let mut command = pinned(settings.load_core(), &program);
    command
        .args(["-t1", "--latency"])
        .arg(format!("-c{}", settings.connections))
        .arg(format!("-d{seconds}s"));
    for header in &target.headers {
        command.arg("-H").arg(header);
    }
    command.arg(format!("http://127.0.0.1:{}/", target.port));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut used = 0;
    // Its text is shorter than a pipe holds, so nobody has to read along.
    while child.try_wait().map_err(failed)?.is_none() {
        used = ticks(child.id()).max(used);
        watch();
        std::thread::sleep(Duration::from_millis(500));
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(Failure::new(format!("wrk failed on {} ({})", target.label, output.status)));
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), used))
}

fn ticks_per_second(root: &Path) -> Outcome<f64> {
    let text = Program::new(root, "getconf", &["CLK_TCK"]).output()?;
    text.trim().parse().map_err(|error| Failure::doing("read the length of a clock tick", &error))
}
