//! The program that gets the credentials: its environment, and how it takes our place.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus};

use aws::profile::Profile;

use super::exec;
use super::speech::Wrong;
use crate::compat::aws_vault::OUR_SECRETS;
use crate::failure::Failure;
use crate::wire;

/// A program about to be started.
pub(crate) struct Child {
    program: OsString,
    command: Command,
}

impl Child {
    /// The program and its arguments; none is the shell. Whatever could outrank or confuse the credentials is taken out of its
    /// environment, and our own secrets are.
    pub(super) fn new(profile: &Profile, words: Vec<OsString>) -> Result<Self, Wrong> {
        let Self { program, mut command } = Self::bare(words, STALE);
        command.env("AWS_VAULT", &profile.name);
        if let Some(region) = &profile.region {
            command.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", region);
        }
        if let Some(endpoint) = &profile.endpoints.all {
            command.env("AWS_ENDPOINT_URL", endpoint);
        }
        Ok(Self { program, command })
    }

    /// The program and its arguments, without the variables of `stale` and without our own secrets.
    pub(crate) fn bare(words: Vec<OsString>, stale: &[&str]) -> Self {
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_else(exec::shell);
        let mut command = Command::new(&program);
        command.args(words);
        for name in stale.iter().chain(OUR_SECRETS) {
            command.env_remove(name);
        }
        Self { program, command }
    }

    /// The program.
    pub(super) fn program(&self) -> &OsStr {
        &self.program
    }

    /// Adds a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds a variable that may have no value; then it is taken out.
    pub(super) fn maybe(mut self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.command.env(name, value),
            None => self.command.env_remove(name),
        };
        self
    }

    /// Replaces this process. Comes back only when that failed.
    pub(super) fn become_it(mut self) -> Result<ExitCode, Wrong> {
        if let Some(mask) = wire::users_umask() {
            rustix::process::umask(mask);
        }
        let error = self.command.exec();
        Err(self.unstarted(&error))
    }

    /// Starts it beside this process.
    pub(super) fn spawn(mut self) -> Result<tokio::process::Child, Wrong> {
        if let Some(mask) = wire::users_umask() {
            rustix::process::umask(mask);
        }
        let program = self.program.clone();
        let mut command = tokio::process::Command::from(self.command);
        self.command = Command::new(&program);
        command.spawn().map_err(|error| self.unstarted(&error))
    }

    fn unstarted(&self, error: &std::io::Error) -> Wrong {
        let shown = self.program.to_string_lossy();
        if error.kind() == std::io::ErrorKind::PermissionDenied {
            return Wrong::new(format!("exec: {shown:?}: permission denied"))
                .hint("is it executable? `chmod +x`");
        }
        if error.kind() == std::io::ErrorKind::NotFound {
            let wrong = Wrong::new(format!("exec: {shown:?}: executable file not found in $PATH"));
            // A script is there, and what its first line names is not.
            let there = shown.contains('/') && std::path::Path::new(&self.program).exists();
            return if there { wrong.hint("is what its first line names installed?") } else { wrong };
        }
        Wrong(Failure::doing(format!("could not start `{shown}`"), error))
    }
}

/// The status of a child as our own: its own, or 128 and the number of the signal that ended it.
pub(super) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What an outer program may have set, and what outranks credentials in the environment or is left of former ones.
const STALE: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];
