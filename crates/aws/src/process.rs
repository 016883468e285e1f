//! `credential_process`, `web_identity_token_process` and token files: credentials from programs and files of the user.
//!
//! A program runs through the shell, as the user wrote it, with our stdin and stderr, so that it can ask. Its output is
//! bounded, waited for with a limit, and wiped.
//!
//! Source: the AWS SDKs and tools reference guide, "Process credential provider".

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::json::{SecretText, optional};

/// A command line of the user.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// What the shell is given.
    pub command: &'a str,
    /// How long it may take. A person may have to answer it.
    pub within: Duration,
    /// Variables of our environment that it does not get.
    pub without: &'a [&'a str],
}

/// What is done to the white space around a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// It is taken off: no token has any, and most files end with a newline.
    Trimmed,
    /// It is kept.
    Kept,
}

/// Why a program or a file gave no credentials. No variant carries what it wrote.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It ended with an error.
    #[error("running command {command:?}: {status}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended: `exit status 4`, `signal 9`.
        status: String,
    },
    /// It could not be run, or its output not be read.
    #[error("running command {command:?}")]
    Run {
        /// The command line.
        command: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It did not end in time, and was stopped.
    #[error("running command {command:?}: it did not end within {} seconds", within.as_secs())]
    Late {
        /// The command line.
        command: String,
        /// The limit.
        within: Duration,
    },
    /// It wrote something that is not what it should be.
    #[error("the output of the program {what}")]
    Output {
        /// The command line.
        command: String,
        /// What is wrong.
        what: String,
    },
    /// It wrote no token.
    #[error("the output of the program is empty")]
    NoToken {
        /// The command line.
        command: String,
    },
    /// Its credentials had ended when it gave them.
    #[error("the credentials of command {command:?} expired at {ended}")]
    Expired {
        /// The command line.
        command: String,
        /// When they ended.
        ended: Timestamp,
    },
    /// A token file cannot be used.
    #[error("could not read the token in `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no guarded memory left.
    #[error(transparent)]
    Memory(#[from] memory::Error),
}

impl Error {
    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Output { .. } => Some(
                "it writes one JSON object to stdout: {\"Version\": 1, \"AccessKeyId\": .., \"SecretAccessKey\": .., \"SessionToken\": .., \"Expiration\": ..}",
            ),
            Self::NoToken { .. } => Some("it writes the token, and nothing else, to stdout"),
            Self::Expired { .. } => {
                Some("the program keeps its credentials longer than they last; sign in there again")
            }
            Self::Failed { .. }
            | Self::Run { .. }
            | Self::Late { .. }
            | Self::File { .. }
            | Self::Memory(_) => None,
        }
    }
}

impl Program<'_> {
    /// Runs a `credential_process`. `SessionToken` and `Expiration` may be missing: then it is a long-lived key.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Expired`] when the credentials ended before `now`.
    pub async fn credentials(&self, now: Timestamp) -> Result<Lease, Error> {
        let output = self.run().await?;
        let wrong = |what: String| Error::Output { command: self.command.to_owned(), what };
        let given: Given = serde_json::from_slice(&output).map_err(|error| {
            // The library's own words can quote what it read.
            wrong(format!("is not the JSON object that is expected (line {})", error.line()))
        })?;
        if given.version != Some(1) {
            return Err(wrong("has no `Version` 1".to_owned()));
        }
        let missing: Vec<&str> = [
            ("AccessKeyId", given.id.as_deref().is_none_or(str::is_empty)),
            ("SecretAccessKey", given.secret.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        let (Some(id), Some(secret), true) = (given.id, given.secret, missing.is_empty()) else {
            return Err(wrong(format!("is missing the following fields: [{}]", missing.join(" "))));
        };
        let expiration = given.expiration.filter(|text| !text.is_empty());
        let expiration = expiration.map(|text| text.parse::<Timestamp>()).transpose();
        let expiration = expiration.map_err(|_| wrong("has an `Expiration` that is no time".to_owned()))?;
        if let Some(ended) = expiration.filter(|ends| *ends <= now) {
            return Err(Error::Expired { command: self.command.to_owned(), ended });
        }
        Ok(Lease {
            access_key_id: id,
            secret_access_key: secret.0,
            session_token: given.token.map(|token| token.0),
            expiration,
        })
    }

    /// Runs a `web_identity_token_process`: its output is the token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn token(&self, edges: Edges) -> Result<Secret, Error> {
        let output = self.run().await?;
        token(&output, edges)?.ok_or_else(|| Error::NoToken { command: self.command.to_owned() })
    }

    /// What the shell is given: the command, or the path of a program with spaces, whose quotes the profile file has taken.
    fn line(&self) -> Cow<'_, str> {
        let command = self.command.trim();
        if command.contains(char::is_whitespace) && Path::new(command).is_file() {
            return format!("'{}'", command.replace('\'', r"'\''")).into();
        }
        self.command.into()
    }

    async fn run(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let command = || self.command.to_owned();
        let failed = |source| Error::Run { command: command(), source };
        let mut shell = Command::new(SHELL);
        shell.arg("-c").arg(self.line().as_ref()).stdout(Stdio::piped()).kill_on_drop(true);
        shell.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        for name in self.without {
            shell.env_remove(name);
        }
        let mut child = shell.spawn().map_err(failed)?;
        let stdout = child.stdout.take();
        let work = async {
            let output = match stdout {
                Some(stdout) => read(stdout).await.map_err(failed)?,
                None => None,
            };
            // Whoever writes too much is not read to its end, so it would never end.
            let Some(output) = output else { return Ok((None, None)) };
            Ok((Some(output), Some(child.wait().await.map_err(failed)?)))
        };
        match tokio::time::timeout(self.within, work).await {
            Err(_) => Err(Error::Late { command: command(), within: self.within }),
            Ok(Err(error)) => Err(error),
            Ok(Ok((Some(output), Some(status)))) if status.success() => Ok(output),
            Ok(Ok((_, Some(status)))) => Err(Error::Failed { command: command(), status: shown(status) }),
            Ok(Ok((_, None))) => {
                Err(Error::Output { command: command(), what: format!("is larger than {MOST} bytes") })
            }
        }
    }
}

/// Reads a token from a file.
///
/// # Errors
/// [`Error::File`] when it cannot be read, is empty or too large.
pub fn token_file(path: &Path, edges: Edges) -> Result<Secret, Error> {
    use std::io::{Error as Io, ErrorKind, Read};
    let failed = |source| Error::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = Zeroizing::new(Vec::with_capacity(MOST + 1));
    let most = u64::try_from(MOST + 1).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut text).map_err(failed)?;
    if text.len() > MOST {
        return Err(failed(Io::new(ErrorKind::FileTooLarge, "it is too large for a token")));
    }
    token(&text, edges)?.ok_or_else(|| failed(Io::new(ErrorKind::InvalidData, "it is empty")))
}

fn token(text: &[u8], edges: Edges) -> Result<Option<Secret>, Error> {
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Ok(None);
    }
    let kept = match edges {
        Edges::Trimmed => trimmed,
        Edges::Kept => text,
    };
    Ok(Some(Secret::new(kept.to_vec())?))
}

/// Reads to the end; `None` where that is too far away.
async fn read(mut from: impl AsyncRead + Unpin) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    // With room for all of it, or growing would leave copies behind.
    let mut output = Zeroizing::new(Vec::with_capacity(MOST + 1));
    while output.len() <= MOST {
        if from.read_buf(&mut *output).await? == 0 {
            return Ok(Some(output));
        }
    }
    Ok(None)
}

fn shown(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "it ended without a status".to_owned(),
    }
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "Version")]
    version: Option<u64>,
    #[serde(rename = "AccessKeyId")]
    id: Option<String>,
    #[serde(rename = "SecretAccessKey", default, deserialize_with = "optional")]
    secret: Option<SecretText>,
    #[serde(rename = "SessionToken", default, deserialize_with = "optional")]
    token: Option<SecretText>,
    #[serde(rename = "Expiration")]
    expiration: Option<String>,
}

const SHELL: &str = "/bin/sh";
/// Most bytes that a program may write, or a token file hold.
const MOST: usize = 256 * 1024;

#[cfg(test)]
mod tests;
