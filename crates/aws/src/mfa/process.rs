//! The profile's `mfa_process`: a command of the shell whose output is the code.
//!
//! # Invariants
//!
//! - Its stdin and stderr are the controlling terminal where there is one, so that "touch your key" is seen and typing works
//!   even where our own stdin and stderr belong to an SDK.
//! - Only stdout is read, and no more of it than a code and some space.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::driver::{TERMINAL, opened};
use super::{Code, Error, Prompt, Question, program};

/// A command of the shell.
pub struct Process {
    command: String,
    system_root: Option<PathBuf>,
    withheld: Vec<String>,
    terminal: PathBuf,
}

impl Process {
    /// A command for `/bin/sh -c`, or for `cmd.exe /C` under `system_root` on Windows. `withheld` are the variables of the
    /// environment that it does not get.
    #[must_use]
    pub fn new(command: String, system_root: Option<PathBuf>, withheld: Vec<String>) -> Self {
        Self { command, system_root, withheld, terminal: PathBuf::from(TERMINAL) }
    }

    /// The same with another terminal, by its device.
    #[must_use]
    pub fn on(self, device: &Path) -> Self {
        Self { terminal: device.to_owned(), ..self }
    }

    fn talking(&self) -> (Stdio, Stdio) {
        let terminal = opened(&self.terminal).and_then(|input| Ok((input.try_clone()?, input)));
        match terminal {
            Ok((input, errors)) => (input.into(), errors.into()),
            Err(_) => (Stdio::null(), Stdio::inherit()),
        }
    }
}

impl Prompt for Process {
    fn name(&self) -> &'static str {
        "mfa_process"
    }

    fn ask(&self, _: &Question<'_>) -> Result<Code, Error> {
        let mut shell = shell(&self.command, self.system_root.as_deref());
        let (input, errors) = self.talking();
        shell.stdin(input).stderr(errors);
        for variable in &self.withheld {
            shell.env_remove(variable);
        }
        let (output, status) = program::output(&mut shell).map_err(|source| Error::Program {
            program: shell.get_program().display().to_string(),
            source,
        })?;
        if !status.success() {
            return Err(Error::Process(status));
        }
        Code::read(&output)
    }
}

#[cfg(not(windows))]
fn shell(command: &str, _: Option<&Path>) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str, system_root: Option<&Path>) -> Command {
    use std::os::windows::process::CommandExt;
    // By its whole path: Windows would look for `cmd.exe` in the current folder first.
    let root = system_root.unwrap_or_else(|| Path::new(r"C:\Windows"));
    let mut shell = Command::new(root.join("System32").join("cmd.exe"));
    shell.raw_arg(format!("/C \"{command}\""));
    shell
}

#[cfg(test)]
mod tests;
