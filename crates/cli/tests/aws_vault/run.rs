//! Runs one case: a fresh home, a fake of AWS, the command lines one after the other.
//!
//! # Invariants
//!
//! - Nothing of the environment of the test reaches a command: what programs it finds is a fixed list ([`TOOLS`]), so that
//!   a prompt program of the machine changes no case.
//! - A command has a session of its own, without a terminal unless the step asks for one; what outlives its time is killed
//!   with all that it started.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use testkit::aws::{Fake, Options};

use crate::case::{Case, Environment, Step};
use crate::{expect, terminal};

/// The binary under test, under the name of the program whose command line it speaks, and the tools beside it.
pub(crate) struct Binary {
    folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) setsid: PathBuf,
    pub(crate) script: PathBuf,
}

/// Where a case runs.
pub(crate) struct Place {
    pub(crate) work: PathBuf,
    pub(crate) endpoint: String,
    pub(crate) binary: PathBuf,
}

/// How a step ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The exit status, the negative number of a signal, or `None` where its time was over.
    pub(crate) rc: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Binary {
    /// Makes a link `aws-vault` to this program.
    pub(crate) fn linked(program: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("av-bin-").tempdir().unwrap();
        let path = folder.path().join("aws-vault");
        std::os::unix::fs::symlink(program, &path).unwrap();
        let tools = folder.path().join("tools");
        std::fs::create_dir(&tools).unwrap();
        for (name, from) in TOOLS.iter().filter_map(|name| Some((name, found(name)?))) {
            std::os::unix::fs::symlink(from, tools.join(name)).unwrap();
        }
        let needed = |name| found(name).unwrap_or_else(|| panic!("the cases need the program `{name}`"));
        Self { folder, path, setsid: needed("setsid"), script: needed("script") }
    }

    pub(crate) fn search_path(&self, work: &Path) -> String {
        let folder = self.folder.path().display();
        format!("{}/bin:{folder}:{folder}/tools", work.display())
    }
}

impl Place {
    /// A text of a case with its placeholders filled in.
    pub(crate) fn filled(&self, text: &str) -> String {
        text.replace("{WORK}", &self.work.display().to_string())
            .replace("{ENDPOINT}", &self.endpoint)
            .replace("{BIN}", &self.binary.display().to_string())
    }
}

/// Everything that differs from what a case expects; nothing where it holds. `home` is that of a running broker; without one
/// each command opens a home that belongs to the case.
pub(crate) fn run(case: &Case, binary: &Binary, home: Option<&Path>) -> Vec<String> {
    let fake = Fake::start(Options::from_json(&Value::Object(case.server.clone())));
    let folder = tempfile::Builder::new().prefix("av-").tempdir_in("/tmp").unwrap();
    let place = Place { work: folder.path().to_owned(), endpoint: fake.url(), binary: binary.path.clone() };
    prepare(case, &place);
    let mut usual: Environment = BTreeMap::from([
        ("AWS_ENDPOINT_URL".to_owned(), Some(fake.url())),
        ("AWS_REGION".to_owned(), Some("us-east-1".to_owned())),
        ("PATH".to_owned(), Some(binary.search_path(&place.work))),
    ]);
    if let Some(home) = home {
        usual.insert("DOORWARD_HOME".to_owned(), Some(home.display().to_string()));
    }
    if case.tls_proxy {
        let authority = place.work.join("ca.pem");
        write(&authority, &fake.authority());
        usual.insert("HTTPS_PROXY".to_owned(), Some(fake.proxy_url()));
        usual.insert("SSL_CERT_FILE".to_owned(), Some(authority.display().to_string()));
        usual.insert("NO_PROXY".to_owned(), Some("127.0.0.1".to_owned()));
    }
    let mut out = seeded(case, &place, binary, &usual);
    usual.extend(case.env.clone());
    for (number, step) in case.steps.iter().enumerate() {
        let before = fake.calls().len();
        if let Some(change) = &step.server {
            fake.set(change);
        }
        let mut variables = usual.clone();
        variables.extend(step.env.clone());
        let ended = take(step, &place, binary, &variables);
        let calls = fake.calls();
        let calls = calls.get(before..).unwrap_or_default();
        let differences = expect::differences(&step.expect, &ended, calls, &place);
        out.extend(differences.into_iter().map(|line| format!("step {}: {line}", number + 1)));
    }
    out
}

/// Writes the files of a case.
fn prepare(case: &Case, place: &Place) {
    let config = case.config.iter().map(|text| ("config", text));
    for (name, text) in config.chain(case.files.iter().map(|(name, text)| (name.as_str(), text))) {
        let path = place.work.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if text.starts_with("#!") {
            testkit::program(&path, &place.filled(text));
        } else {
            write(&path, &place.filled(text));
        }
    }
}

/// Stores the keys of a case, over an empty profile file: a profile with a source takes no keys.
fn seeded(case: &Case, place: &Place, binary: &Binary, usual: &Environment) -> Vec<String> {
    let mut out = Vec::new();
    for (name, key) in &case.vault {
        let empty = place.work.join(".seed-config");
        write(&empty, "");
        let mut variables = usual.clone();
        variables.insert("AWS_ACCESS_KEY_ID".to_owned(), Some(key.clone()));
        variables.insert("AWS_SECRET_ACCESS_KEY".to_owned(), Some(format!("secret-of-{key}")));
        variables.insert("AWS_CONFIG_FILE".to_owned(), Some(empty.display().to_string()));
        let mut command = command(&binary.setsid, place, &variables);
        command.arg(&binary.path).args(["add", "--env", "--no-add-config", name]);
        let ended = wait(&mut command, USUAL_TIME);
        if ended.rc != Some(0) {
            out.push(format!("seeding {name}: rc={:?} {}", ended.rc, ended.stderr));
        }
    }
    out
}

/// Runs one step to its end.
fn take(step: &Step, place: &Place, binary: &Binary, variables: &Environment) -> Ended {
    let limit = step.timeout.map_or(USUAL_TIME, Duration::from_secs);
    let argv: Vec<String> = step.argv.iter().map(|arg| place.filled(arg)).collect();
    if let Some(turns) = &step.tty {
        let words = match &step.shell {
            Some(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), place.filled(line)],
            None => std::iter::once(binary.path.display().to_string()).chain(argv).collect(),
        };
        return terminal::converse(turns, &words, command(&binary.setsid, place, variables), binary, limit);
    }
    let mut command = command(&binary.setsid, place, variables);
    match &step.shell {
        Some(line) => command.args(["/bin/sh", "-c", &place.filled(line)]),
        None => command.arg(&binary.path).args(argv),
    };
    wait(&mut command, limit)
}

/// A command in the home of a case, with these variables and no others.
pub(crate) fn command(program: &Path, place: &Place, variables: &Environment) -> Command {
    let home = place.work.display().to_string();
    let mut command = Command::new(program);
    command.env_clear().current_dir(&place.work).stdin(Stdio::null());
    command.env("HOME", &home).env("LANG", "C.UTF-8").env("SHELL", "/bin/sh");
    command.env("AWS_CONFIG_FILE", format!("{home}/config"));
    command.env("AWS_VAULT_BACKEND", "file").env("AWS_VAULT_FILE_DIR", format!("{home}/keys"));
    command.env("AWS_VAULT_FILE_PASSPHRASE", "pass phrase");
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, place.filled(value)),
            None => command.env_remove(name),
        };
    }
    command
}

pub(crate) fn wait(command: &mut Command, limit: Duration) -> Ended {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let rc = ended(&mut child, limit);
    // Whatever it left running must not hold its output open.
    let text = |from: mpsc::Receiver<Vec<u8>>| {
        let bytes = from.recv_timeout(OUTPUT_TIME).unwrap_or_else(|_| b"<still held open>".to_vec());
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ended { rc, stdout: text(stdout), stderr: text(stderr) }
}

/// Waits for the end of a child and gives its status; kills it with its session when the time is over.
pub(crate) fn ended(child: &mut Child, limit: Duration) -> Option<i32> {
    let until = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().or_else(|| status.signal().map(|signal| -signal));
        }
        if Instant::now() > until {
            let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Reads to the end on a thread of its own.
fn collect(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[expect(clippy::disallowed_methods, reason = "a file of a case in a folder that is thrown away")]
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the tools of the cases are those of the machine")]
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What commands of cases find on their `PATH`, beside the binary and what the case brings: no prompt program, no password
/// program, no browser.
const TOOLS: &[&str] = &[
    "base64", "cat", "chmod", "cmp", "cp", "curl", "cut", "date", "dirname", "echo", "env", "false", "find",
    "grep", "head", "id", "ip", "kill", "ln", "ls", "mkdir", "mv", "printf", "readlink", "rm", "rmdir",
    "sed", "seq", "setsid", "sh", "sleep", "sort", "stat", "stty", "tail", "tee", "test", "timeout", "touch",
    "tr", "true", "uniq", "unshare", "wc", "xargs",
];

pub(crate) const USUAL_TIME: Duration = Duration::from_secs(300);
const OUTPUT_TIME: Duration = Duration::from_secs(60);
