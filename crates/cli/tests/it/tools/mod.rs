//! Operations done by the real programs of their vendors, on real servers where they start here. Each is performed as a person would,
//! by `doorward op run`.
//!
//! Where a tool or the server that it talks to can't be had on a kind of machine, the test says so in `docs/checks/not-here.toml`.

mod argocd;
mod aws;
mod cluster;
mod github;
mod helm;
mod kubernetes;
mod prometheus;
mod vault;
mod watch;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::Doorward;

use crate::place::Sdk;
use crate::write;

pub(super) use watch::Watch;

/// A server that does not outlive its test.
pub(super) struct Started(Child);

impl Started {
    /// Starts it. What it says goes into a file of `folder`.
    pub(super) fn new(folder: &Path, name: &str, mut command: Command) -> Self {
        let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}")))
    }

    /// Waits until it answers; fails the test when it ends before that, or takes minutes.
    pub(super) fn until(&mut self, what: &str, answers: impl Fn() -> bool) {
        let began = Instant::now();
        while !answers() {
            if let Some(status) = self.0.try_wait().unwrap() {
                panic!("{what} ended with {status} before it answered");
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not answer within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program of the system is here; where it isn't, that is said.
pub(super) fn has(program: &str, check: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        missing(check, &format!("there is no `{program}`"));
    }
    found.status.success()
}

/// The folder of a tool that the set-up installs; `None` where it can't be installed on this kind of machine.
pub(super) fn installed(sdk: Sdk, check: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let folder = sdk.folder(&root).unwrap().expect("HOME is set");
    if folder.is_dir() {
        return Some(folder);
    }
    missing(check, &format!("the tools of tests/sdk/{} are not installed", sdk.name));
    None
}

/// A check that is listed for some kind of machine is skipped; any other is a set-up that was not run.
fn missing(check: &str, reason: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = std::fs::read_to_string(root.join("docs/checks/not-here.toml")).unwrap();
    assert!(listed.contains(&format!("check = \"{check}\"")), "{reason}: run `cargo xtask setup`");
    crate::skip(check, reason);
}

/// Settings under which programs are found in these folders and may read what they are made of.
pub(super) fn settings(doorward: &Doorward, path: &[&Path], readable: &[&Path]) {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(doorward.data()).unwrap();
    write(
        doorward.data().join("settings.toml"),
        &format!("[operations]\npath = {path:?}\nreadable = {readable:?}\n"),
    );
}

/// Performs an operation; what it said and whether it was done.
#[track_caller]
pub(super) fn op(doorward: &Doorward, name: &str, inputs: &[(&str, &str)]) -> (Value, bool) {
    let inputs: Vec<String> =
        inputs.iter().flat_map(|(name, value)| ["--input".to_owned(), format!("{name}={value}")]).collect();
    // Some operations are for emergencies.
    let glass = ["instances.terminate", ".patch", "role_policy."].iter().any(|part| name.contains(part));
    let glass: &[&str] = if glass { &["--break-glass", "--reason", "it is a test"] } else { &[] };
    let args = ["op", "run", "--json", name].into_iter().chain(inputs.iter().map(String::as_str));
    let args: Vec<&str> = args.chain(glass.iter().copied()).collect();
    let run = doorward.run(&args, "");
    let told = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}\n{}\n{}", run.stdout, run.stderr));
    (told, run.status.success())
}

/// One that has to succeed.
#[track_caller]
pub(super) fn done(doorward: &Doorward, name: &str, inputs: &[(&str, &str)]) -> Value {
    let (told, done) = op(doorward, name, inputs);
    assert!(done, "{name}: {told}");
    told
}

/// Everything that is recorded of a call.
#[track_caller]
pub(super) fn record(doorward: &Doorward, told: &Value) -> String {
    doorward.run(&["evidence", "show", told["evidence"].as_str().unwrap(), "--json"], "").succeeded()
}

const PATIENCE: Duration = Duration::from_secs(600);
