//! What an operation by name costs over what it is made of: a program that is run, or a request that is sent.
//!
//! One program and one upstream, each asked by itself and by the operation, turn by turn. Then many reads at once, by which the memory of
//! the broker is measured. That tenants take turns is held by a test of the crate `runner`; here there is one tenant.
//!
//! # Invariants
//!
//! - An operation that failed fails the bench: what does nothing is quick.
//! - The way that was taken is looked at, so that a request is never measured for a program.

mod settings;
mod talk;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::nginx::Nginx;
use super::process::{Server, free_port};
use crate::failure::{Failure, Outcome};
use crate::program::Program;
use settings::Settings;
use talk::Wire;

/// What is promised: milliseconds over the bare program and the bare request, and memory in MiB.
const OVER_PROGRAM: f64 = 15.0;
const OVER_REQUEST: f64 = 1.0;
const MEMORY: f64 = 256.0;
/// It is no secret of anybody's.
const SECRET: &str = "bench-CANARY-operation";

/// `bench op [FLAGS]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    if flags.contains(&"--help") {
        print!("{}", settings::HELP);
        return Ok(());
    }
    let settings = Settings::parse(flags)?;
    let binary = match &settings.program {
        Some(path) => root.join(path),
        None => crate::dist::shipped(root)?,
    };
    let folder = root.join("target/bench/op");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make `target/bench/op`", &error))?;
    let upstream = Nginx::upstream(root, &folder.join("upstream"), None, 256)?;
    let house = House::start(root, &binary, &folder, upstream.port())?;
    let report = measure(&house, upstream.port(), &settings)?;
    let text =
        serde_json::to_string_pretty(&report).map_err(|error| Failure::doing("write the report", &error))?;
    std::fs::write(folder.join("op.json"), text + "\n")
        .map_err(|error| Failure::doing("write `target/bench/op/op.json`", &error))?;
    print!("{}", report.markdown());
    Ok(())
}

fn measure(house: &House, upstream: u16, settings: &Settings) -> Outcome<Report> {
    let mut wire = Wire::open(house.port)?;
    let mut bare = Wire::open(upstream)?;
    let (mut program, mut by_program) = (Vec::new(), Vec::new());
    let (mut request, mut by_request) = (Vec::new(), Vec::new());
    // The first one finds out which sandbox works, and hashes the program.
    house.operate(&mut wire, "tool.show", "cli")?;
    house.operate(&mut wire, "root.show", "http")?;
    for _ in 0..settings.rounds {
        program.push(timed(|| house.tool())?);
        by_program.push(timed(|| house.operate(&mut wire, "tool.show", "cli"))?);
    }
    for _ in 0..settings.rounds * 20 {
        request.push(timed(|| bare.ask("GET", "/", &[], "").map(|_| ()))?);
        by_request.push(timed(|| house.operate(&mut wire, "root.show", "http"))?);
    }
    let before = house.memory("VmRSS:");
    let parallel_requests = at_once(house, settings.parallel, ("root.show", "http"))?;
    let parallel_programs = at_once(house, settings.parallel, ("tool.show", "cli"))?;
    Ok(Report {
        rounds: settings.rounds,
        parallel: settings.parallel,
        program_ms: median(program),
        by_program_ms: median(by_program),
        request_ms: median(request),
        by_request_ms: median(by_request),
        idle_mib: before,
        peak_mib: house.memory("VmHWM:"),
        parallel_requests_ms: parallel_requests,
        parallel_programs_ms: parallel_programs,
    })
}

/// So many of one operation at once, each on a connection of its own. How long until the last one was answered, in milliseconds.
fn at_once(house: &House, count: usize, (operation, way): (&'static str, &'static str)) -> Outcome<f64> {
    let start = Arc::new(Barrier::new(count + 1));
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..count)
            .map(|_| {
                let start = Arc::clone(&start);
                let ask = move || {
                    let wire = Wire::open(house.port);
                    start.wait();
                    wire.and_then(|mut wire| house.operate(&mut wire, operation, way))
                };
                std::thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, ask)
            })
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::doing("start threads that ask", &error))?;
        start.wait();
        let began = Instant::now();
        for one in asking {
            one.join().map_err(|_| Failure::new("a thread that asked broke off"))??;
        }
        Ok(milliseconds(began.elapsed()))
    })
}

fn timed(work: impl FnOnce() -> Outcome) -> Outcome<f64> {
    let began = Instant::now();
    work()?;
    Ok(milliseconds(began.elapsed()))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// A broker over a home with one service: one operation by its program, one by its request.
struct House {
    server: Server,
    port: u16,
    capability: String,
    tool: PathBuf,
    folder: PathBuf,
}

impl House {
    fn start(root: &Path, binary: &Path, folder: &Path, upstream: u16) -> Outcome<Self> {
        let home = folder.join(format!("home-{}", std::process::id()));
        let tool = home.join("tools/benchtool");
        let failed = |error: std::io::Error| Failure::doing("make the home of the bench", &error);
        let shown = home.to_string_lossy().into_owned();
        let doorward = |arguments: &[&str]| {
            Program::at(root, binary, &[&["--home", shown.as_str()], arguments].concat())
        };
        doorward(&["init"]).run()?;
        // A home is made in an empty folder only.
        std::fs::create_dir_all(home.join("tools")).map_err(failed)?;
        std::fs::create_dir_all(home.join("integrations")).map_err(failed)?;
        std::fs::write(&tool, "#!/bin/sh\nprintf '{\"id\": 1}\\n'\n").map_err(failed)?;
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
        let tools = home.join("tools");
        std::fs::write(home.join("settings.toml"), format!("[operations]\npath = [{tools:?}]\n"))
            .map_err(failed)?;
        std::fs::write(home.join("integrations/bench.yaml"), integration(upstream)).map_err(failed)?;
        doorward(&["secret", "put", "bench/token"]).output_of(SECRET.as_bytes())?;
        let words = [
            "capability",
            "request",
            "--for",
            "bench",
            "--integrations",
            "bench",
            "--access",
            "read",
            "--expires",
            "1h",
            "--json",
        ];
        let capability = super::gateway::capability(&doorward(&words).output()?)?;
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let since = Instant::now();
        let arguments = ["--home", shown.as_str(), "up", "--gateway", &listen];
        let mut server = Server::start(binary, &arguments, None, &folder.join("doorward.log"))?;
        let headers =
            vec!["X-Doorward-Integration: bench".to_owned(), format!("Authorization: Bearer {capability}")];
        server.ready_within(port, &headers, since, Duration::from_secs(60))?;
        Ok(Self { server, port, capability, tool, folder: home })
    }

    /// The program by itself, as the operation runs it.
    fn tool(&self) -> Outcome {
        let mut command = Command::new(&self.tool);
        command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        let ran = command.output().map_err(|error| Failure::doing("run the program of the bench", &error))?;
        if ran.status.success() { Ok(()) } else { Err(Failure::new("the program of the bench failed")) }
    }

    fn operate(&self, wire: &mut Wire, operation: &str, way: &str) -> Outcome {
        let bearer = format!("Authorization: Bearer {}", self.capability);
        let path = format!("/v1/operations/bench/{operation}");
        let answer =
            wire.ask("POST", &path, &[&bearer, "Content-Type: application/json"], "{\"inputs\": {}}")?;
        let used = format!("\"used\":\"{way}\"");
        if answer.contains(&used) {
            return Ok(());
        }
        Err(Failure::new(format!("`{operation}` was not done by `{way}`: {answer}")))
    }

    /// A line of the broker's memory, in MiB.
    fn memory(&self, line: &str) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn integration(upstream: u16) -> String {
    format!(
        "name: bench
title: The service of the bench
docs: https://doorward.example/bench
base_url: http://127.0.0.1:{upstream}
dangerous_allow_private: true
secrets:
  token: {{title: Bearer token}}
auth:
  - {{scheme: bearer, secret: token}}
limits: {{connect: 5s, head: 30s, total: 2m, idle: 30s, body: 1MiB}}
cli:
  program: benchtool
  environment: {{BENCH_CONFIG: \"{{file:config}}\"}}
  files: {{config: \"token: {{secret:token}}\"}}
operations:
  root.show: {{title: Read the body, access: read, risk: low, match: {{method: GET, path: /}}}}
  tool.show: {{title: Run the program, access: read, risk: low, http: none, why: it is measured, cli: {{args: [show]}}}}
"
    )
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    rounds: usize,
    parallel: usize,
    program_ms: f64,
    by_program_ms: f64,
    request_ms: f64,
    by_request_ms: f64,
    idle_mib: f64,
    peak_mib: f64,
    parallel_requests_ms: f64,
    parallel_programs_ms: f64,
}

impl Report {
    fn markdown(&self) -> String {
        let Self { rounds, parallel, idle_mib, peak_mib, .. } = self;
        let (program, request) = (self.by_program_ms - self.program_ms, self.by_request_ms - self.request_ms);
        let row = |what: &str, bare: f64, ours: f64, over: f64, most: f64| {
            format!("| {what} | {bare:.2} | {ours:.2} | {over:.2} | {most} | {} |\n", verdict(over <= most))
        };
        let mut text = format!("\nMedians of {rounds} rounds (requests: {}), milliseconds.\n\n", rounds * 20);
        text.push_str("| | bare | operation | over it | at most | |\n|---|---|---|---|---|---|\n");
        text.push_str(&row("program", self.program_ms, self.by_program_ms, program, OVER_PROGRAM));
        text.push_str(&row("request", self.request_ms, self.by_request_ms, request, OVER_REQUEST));
        text.push_str(&format!(
            "\n{parallel} reads at once: by request in {:.0} ms, by program in {:.0} ms. Memory of the broker: {idle_mib:.0} MiB before, {peak_mib:.0} MiB at \
             most, {MEMORY} are allowed: {}.\n",
            self.parallel_requests_ms,
            self.parallel_programs_ms,
            verdict(*peak_mib <= MEMORY)
        ));
        text
    }
}

const fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
