//! Drivers that are programs: windows, tokens, the password store.
//!
//! # Invariants
//!
//! - Each is run by the path at which it was found, without a shell. A name of a device that looks like an option is refused.
//! - Their stderr is ours; their stdin is nothing, but that of `ykman` and `pass`, which may ask for a PIN or a passphrase.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use zeroize::Zeroizing;

use super::{Code, Driver, Error, Prompt, Question};

/// What `ykman` is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct YkmanSettings {
    /// The name of the OATH account (`YKMAN_OATH_CREDENTIAL_NAME`); without one, the serial number of the MFA device.
    pub account: Option<String>,
    /// The serial number of the key (`YKMAN_OATH_DEVICE_SERIAL`).
    pub device: Option<String>,
    /// The major version of `ykman` (`AWS_VAULT_YKMAN_VERSION`); before 4 the command had other words.
    pub version: Option<String>,
}

/// A program that asks.
pub struct Program {
    /// Which of them; one that has a program.
    pub driver: Driver,
    /// Where it is.
    pub path: PathBuf,
    /// The title of its window.
    pub title: String,
    /// What `ykman` is told.
    pub ykman: YkmanSettings,
    /// Variables that it does not get.
    pub withheld: Vec<String>,
}

impl Prompt for Program {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn ask(&self, question: &Question<'_>) -> Result<Code, Error> {
        let mut command = Command::new(&self.path);
        command.args(self.arguments(question)?);
        let asks = matches!(self.driver, Driver::Ykman | Driver::PassOtp);
        command.stdin(if asks { Stdio::inherit() } else { Stdio::null() });
        if self.driver == Driver::Wincredui {
            command.env("DOORWARD_TITLE", &self.title).env("DOORWARD_QUESTION", question.text());
        }
        for variable in &self.withheld {
            command.env_remove(variable);
        }
        let program = self.name();
        let (output, status) =
            output(&mut command).map_err(|source| Error::Program { program: program.to_owned(), source })?;
        if !status.success() {
            return Err(Error::Refused { program, status });
        }
        Code::read(&output)
    }
}

impl Program {
    /// What stands behind the program's name. Each program's own manual says what its words mean.
    fn arguments(&self, question: &Question<'_>) -> Result<Vec<String>, Error> {
        let text = question.text();
        let words: Vec<&str> = match self.driver {
            Driver::Kdialog => vec!["--inputbox", &text, "--title", &self.title],
            Driver::Zenity => vec!["--entry", "--title", &self.title, "--text", &text],
            Driver::Osascript => return Ok(self.script(&text)),
            Driver::Ykman => return self.ykman(question.serial),
            Driver::PassOtp => vec!["otp", name(question.serial)?],
            Driver::Wincredui => vec!["-NoProfile", "-Command", WINDOWS_PROMPT],
            Driver::Terminal | Driver::Totp => return Err(Error::Absent { driver: self.driver }),
        };
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    fn script(&self, text: &str) -> Vec<String> {
        let dialog = format!(
            "display dialog {} with title {} default answer \"\" buttons {{\"Cancel\", \"OK\"}} default button \"OK\" \
             cancel button \"Cancel\"",
            apple_text(text),
            apple_text(&self.title)
        );
        vec!["-e".to_owned(), dialog, "-e".to_owned(), "text returned of result".to_owned()]
    }

    fn ykman(&self, serial: &str) -> Result<Vec<String>, Error> {
        let YkmanSettings { account, device, version } = &self.ykman;
        let mut words = Vec::new();
        if let Some(device) = device {
            words.extend(["--device", name(device)?]);
        }
        words.push("oath");
        if !matches!(version.as_deref(), Some("1" | "2" | "3")) {
            words.push("accounts");
        }
        words.extend(["code", "--single", name(account.as_deref().unwrap_or(serial))?]);
        Ok(words.into_iter().map(str::to_owned).collect())
    }
}

/// Runs a program, waits for it, and gives what it wrote to stdout, but no more than [`MOST`] bytes.
pub(super) fn output(command: &mut Command) -> std::io::Result<(Zeroizing<Vec<u8>>, ExitStatus)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    // Reserved whole, so that no growing buffer leaves a code behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(MOST as u64).read_to_end(&mut bytes),
        None => Ok(0),
    };
    // The pipe is closed now: a program that writes without end fails instead of filling memory.
    let status = child.wait()?;
    read?;
    Ok((bytes, status))
}

/// A name as an argument of a program.
fn name(text: &str) -> Result<&str, Error> {
    if text.is_empty() || text.starts_with('-') {
        return Err(Error::Name(text.to_owned()));
    }
    Ok(text)
}

/// A text literal of AppleScript.
fn apple_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text goes in by the environment, so that nothing in it is read as a command.
const WINDOWS_PROMPT: &str = "$c = $Host.UI.PromptForCredential($env:DOORWARD_TITLE, $env:DOORWARD_QUESTION, 'code', ''); \
                              if ($c -eq $null) { exit 1 }; $c.GetNetworkCredential().Password";

/// A code and much space around it.
const MOST: usize = 4096;

#[cfg(test)]
mod tests;
