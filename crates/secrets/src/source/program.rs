//! Runs a program that prints a secret: no shell, an environment of its own, bounded in size and time, wiped.
//!
//! What a program says on stderr is looked at to tell a missing secret from another failure, and never shown: some print
//! there what they were asked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use memory::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::{Environment, Trouble};
use crate::fit::LONGEST;

/// A program that is run once.
pub(crate) struct Run<'a> {
    /// Its name for people.
    pub(crate) name: &'a str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// A token that it reads from a variable, because it knows no other way.
    pub(crate) token: Option<(&'a str, &'a Secret)>,
    pub(crate) within: Duration,
    /// The folder that it works in, where that matters.
    pub(crate) folder: Option<PathBuf>,
}

/// What it said.
pub(crate) struct Said {
    pub(crate) output: Zeroizing<Vec<u8>>,
    /// The status, where it ended with one.
    pub(crate) status: Option<i32>,
    complaint: Zeroizing<Vec<u8>>,
}

impl Run<'_> {
    /// Runs it to its end.
    pub(crate) async fn run(self) -> Result<Said, Trouble> {
        self.carried_out(None).await
    }

    /// The same with this on its standard input.
    pub(crate) async fn fed(self, input: Zeroizing<Vec<u8>>) -> Result<Said, Trouble> {
        self.carried_out(Some(input)).await
    }

    async fn carried_out(self, input: Option<Zeroizing<Vec<u8>>>) -> Result<Said, Trouble> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment.iter().cloned());
        if let Some((name, token)) = self.token {
            #[expect(
                clippy::disallowed_methods,
                reason = "this program reads its token from its environment"
            )]
            token.expose(|bytes| {
                use std::os::unix::ffi::OsStrExt;
                command.env(name, std::ffi::OsStr::from_bytes(bytes.trim_ascii()));
            });
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it started ends with it.
        command.process_group(0).kill_on_drop(true);
        let started = command.spawn();
        drop(command);
        let mut child = started.map_err(|source| Trouble::System { what: "start its program", source })?;
        let group = Group::of(&child);
        let said = tokio::time::timeout(self.within, async {
            let feeding = feed(child.stdin.take(), input);
            let (said, ()) = tokio::join!(heard(&mut child), feeding);
            said
        });
        let said = said.await;
        drop(group);
        match said {
            Ok(said) => said,
            Err(_) => Err(Trouble::late(format!("the program `{}`", self.name))),
        }
    }
}

impl Said {
    /// Its output, where it ended well.
    pub(crate) fn succeeded(self, name: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        match self.status {
            Some(0) => Ok(self.output),
            status => {
                let why = status.map_or("it was ended by a signal".to_owned(), |status| {
                    format!("it ended with status {status}")
                });
                Err(Trouble::Refused { at: format!("the program `{name}`"), why })
            }
        }
    }

    /// Whether it complained in one of these words, in any case.
    pub(crate) fn complained(&self, words: &[&str]) -> bool {
        let complaint = Zeroizing::new(String::from_utf8_lossy(&self.complaint).to_ascii_lowercase());
        words.iter().any(|word| complaint.contains(word))
    }
}

/// Ends a process group when it is dropped, also when whoever waited went away.
struct Group(Option<rustix::process::Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// A program that ends before it has read everything says so by its status.
async fn feed(to: Option<tokio::process::ChildStdin>, input: Option<Zeroizing<Vec<u8>>>) {
    if let (Some(mut to), Some(input)) = (to, input) {
        let _ = to.write_all(&input).await;
        let _ = to.shutdown().await;
    }
}

async fn heard(child: &mut Child) -> Result<Said, Trouble> {
    let failed = |source| Trouble::System { what: "read what its program says", source };
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Trouble::Wrong("its program has no output"));
    };
    let (output, complaint) = tokio::join!(read(&mut stdout, LONGEST + 4096), read(&mut stderr, COMPLAINT));
    let (output, complaint) = (output.map_err(failed)?, complaint.map_err(failed)?);
    let status = child.wait().await.map_err(failed)?;
    if output.len() > LONGEST + 2048 {
        return Err(Trouble::Wrong("its program says more than a secret may hold"));
    }
    Ok(Said { output, status: status.code(), complaint })
}

/// Reads to the end and keeps the first bytes; the rest is read as well, so that nobody is stopped by a full pipe.
async fn read(mut from: impl AsyncRead + Unpin, most: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(most));
    let mut piece = Zeroizing::new([0; 8 * 1024]);
    loop {
        let got = from.read(&mut *piece).await?;
        if got == 0 {
            return Ok(kept);
        }
        let room = most.saturating_sub(kept.len()).min(got);
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
}

/// The program of this name: where the settings say, else in a folder of `PATH` that is no relative one.
pub(crate) fn find(name: &str, chosen: Option<&Path>, environment: &Environment) -> Result<PathBuf, Trouble> {
    if let Some(chosen) = chosen {
        if !chosen.is_absolute() || !is_program(chosen) {
            let shown = chosen.display();
            return Err(Trouble::setting(format!("`{shown}` is no program with an absolute path")));
        }
        return Ok(chosen.to_owned());
    }
    let path = environment.raw("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file));
    found.ok_or_else(|| Trouble::setting(format!("the program `{name}` is not installed, or not in `PATH`")))
}

/// These variables, as far as they are set.
pub(crate) fn inherited<'n>(
    environment: &Environment,
    names: impl IntoIterator<Item = &'n str>,
) -> Vec<(OsString, OsString)> {
    let set = names.into_iter().filter(|name| !name.starts_with("DOORWARD_"));
    set.filter_map(|name| Some((OsString::from(name), environment.raw(name)?))).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|seen| seen.is_file() && seen.permissions().mode() & 0o111 != 0)
}

const COMPLAINT: usize = 8 * 1024;
