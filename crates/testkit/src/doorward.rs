//! Runs the binary as a person would, in a home that is thrown away, and keeps everything it prints.

use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::canary;
use crate::upstream::locked;

mod running;

pub use running::Running;

/// A home for the binary under test, and what was printed there so far. Threads of one test may share it.
#[derive(Debug)]
pub struct Doorward {
    binary: PathBuf,
    folder: TempDir,
    printed: Arc<Mutex<Vec<u8>>>,
    canaries: Mutex<Vec<String>>,
}

/// What one run printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said on standard output.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a run that succeeded; fails the test otherwise.
    #[must_use]
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert!(
            self.status.success(),
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// Standard error of a run that ended with this status; fails the test otherwise.
    #[must_use]
    #[track_caller]
    pub fn failed_with(self, status: i32) -> String {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.status.code(), Some(status), "\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self.stderr
    }

    /// Standard output of a run that succeeded, as one JSON document.
    #[must_use]
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let text = self.succeeded();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }
}

impl Doorward {
    /// A new home for this binary: `Doorward::home(env!("CARGO_BIN_EXE_doorward"))`.
    #[must_use]
    pub fn home(binary: impl Into<PathBuf>) -> Self {
        // Not under a long path: the name of a Unix socket has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("dw-").tempdir_in("/tmp").expect("the test kit works");
        for (_, name) in FOLDERS {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder.path().join(name))
                .expect("the test kit works");
        }
        Self { binary: binary.into(), folder, printed: Arc::default(), canaries: Mutex::default() }
    }

    /// The folder in which everything is: `HOME` of every run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home of the broker, where nothing else is said: `$XDG_DATA_HOME/doorward`.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data/doorward")
    }

    /// A canary that [`Self::assert_no_canary`] looks for.
    #[must_use]
    pub fn plant(&self, name: &str) -> String {
        let canary = canary::plant(name);
        self.watch(&canary);
        canary
    }

    /// Looks for this one as well, such as that of an [`Upstream`](crate::Upstream).
    pub fn watch(&self, canary: &str) {
        locked(&self.canaries).push(canary.to_owned());
    }

    /// A command that has the binary, an environment of nothing but `PATH` and this home, and no arguments yet.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().current_dir(self.folder.path());
        #[expect(
            clippy::disallowed_methods,
            reason = "programs that the binary runs are found as those of the test"
        )]
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (variable, name) in FOLDERS {
            command.env(variable, self.folder.path().join(name));
        }
        command
    }

    /// The same through a link of another name, which is the first program of that name on `PATH` as well.
    #[must_use]
    pub fn command_as(&self, name: &str) -> Command {
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).expect("the test kit works");
        let link = folder.join(name);
        match std::os::unix::fs::symlink(&self.binary, &link) {
            // Another thread of the same test may make it at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.expect("the test kit works"),
        }
        let plain = self.command();
        let mut command = Command::new(&link);
        command.env_clear().current_dir(self.folder.path());
        for (variable, value) in plain.get_envs() {
            let Some(value) = value else { continue };
            if variable == "PATH" {
                let mut path = folder.clone().into_os_string();
                path.push(":");
                path.push(value);
                command.env(variable, path);
            } else {
                command.env(variable, value);
            }
        }
        command
    }

    /// Runs the binary to its end with this on standard input; fails the test when it takes more than five minutes.
    #[track_caller]
    pub fn run(&self, args: &[&str], stdin: impl AsRef<[u8]>) -> Output {
        let mut command = self.command();
        command.args(args);
        self.run_command(command, stdin)
    }

    /// The same with a command made from [`Self::command`].
    #[track_caller]
    pub fn run_command(&self, mut command: Command, stdin: impl AsRef<[u8]>) -> Output {
        let shown = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Reaped(command.spawn().unwrap_or_else(|error| panic!("cannot run {shown}: {error}")));
        let stdout = collect(child.0.stdout.take());
        let stderr = collect(child.0.stderr.take());
        let mut to = child.0.stdin.take().expect("standard input was asked for");
        let bytes = stdin.as_ref().to_vec();
        // On a thread: a program that reads nothing must not hold up whoever writes more than a pipe holds.
        std::thread::spawn(move || drop(to.write_all(&bytes)));
        let status = child.wait(HANG).unwrap_or_else(|| panic!("{shown} did not end within {HANG:?}"));
        let text = |bytes: mpsc::Receiver<Vec<u8>>| {
            let bytes =
                bytes.recv_timeout(HANG).expect("somebody still holds the output of a run that ended");
            let mut printed = locked(&self.printed);
            printed.extend_from_slice(&bytes);
            printed.push(b'\n');
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Output { status, stdout: text(stdout), stderr: text(stderr) }
    }

    /// Starts `doorward up --json` with these arguments more, on a port that the system picks unless they name one, and
    /// waits until it is ready; fails the test when that takes more than five minutes.
    #[must_use]
    #[track_caller]
    pub fn start_up(&self, args: &[&str]) -> Running {
        let mut command = self.command();
        command.args(["up", "--json"]).args(args);
        if !args.iter().any(|arg| *arg == "--gateway" || arg.starts_with("--gateway=")) {
            command.args(["--gateway", "127.0.0.1:0"]);
        }
        self.start(command)
    }

    /// The same with a command made from [`Self::command`], which has to print the line that says `ready`.
    #[must_use]
    #[track_caller]
    pub fn start(&self, command: Command) -> Running {
        Running::start(command, &self.printed)
    }

    /// Everything that was printed so far, by every run.
    #[must_use]
    pub fn printed(&self) -> Vec<u8> {
        locked(&self.printed).clone()
    }

    /// Fails the test when a canary is in anything that was printed, or in any file of the home, in any encoding.
    #[track_caller]
    pub fn assert_no_canary(&self) {
        let canaries = locked(&self.canaries).clone();
        assert!(!canaries.is_empty(), "no canary was planted, so there is nothing to find");
        let printed = self.printed();
        let mut files = Vec::new();
        files_below(self.folder.path(), &mut files);
        for canary in &canaries {
            canary::assert_free_of(&printed, canary, "what was printed");
            for (path, bytes) in &files {
                canary::assert_free_of(bytes, canary, &path.display().to_string());
                canary::assert_free_of(path.as_os_str().as_encoded_bytes(), canary, "the name of a file");
            }
        }
    }
}

/// A child that does not outlive its owner.
#[derive(Debug)]
pub(crate) struct Reaped(pub(crate) Child);

impl Reaped {
    /// Waits for its end; `None` where it does not come in time.
    pub(crate) fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.0.try_wait().expect("the test kit works") {
                return Some(status);
            }
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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

fn files_below(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    // What is being written or removed by a running broker may be gone by the time it is looked at.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            files_below(&entry.path(), files);
        } else if kind.is_file()
            && let Ok(bytes) = std::fs::read(entry.path())
        {
            files.push((entry.path(), bytes));
        }
    }
}

/// The variables that name folders, and the folders.
const FOLDERS: [(&str, &str); 7] = [
    ("HOME", ""),
    ("XDG_DATA_HOME", "data"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_RUNTIME_DIR", "run"),
    ("TMPDIR", "tmp"),
];
/// How long a run may take: longer than anything on a machine that is busy and slow, shorter than patience.
pub(crate) const HANG: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
