//! Where MFA codes come from: a terminal, a window, a token, a program, a stored seed.
//!
//! [`choose`] says which [`Driver`] asks, [`prompt`] makes it, and whoever needs a code calls [`Prompt::ask`]. The order is
//! that of aws-vault: a code that was given on the command line, then `mfa_process`, then the driver. This module reads no
//! variable of the environment: [`Facts`] holds what it has to know about the machine.
//!
//! # Invariants
//!
//! - What a driver gives is a [`Code`]: trimmed, six to eight digits, wiped on drop. Anything else is refused before AWS
//!   sees it, because a wrong code counts against the lock of the device.
//! - Nobody is asked without a way to see the question: no terminal and no program is an error that names the ways.
//! - Programs are found in the folders of `PATH` that the caller names, are run without a shell (but `mfa_process`, which
//!   is a shell command by definition), and get nothing secret as an argument.

mod code;
mod driver;
mod error;
mod process;
mod program;
mod terminal;
mod totp;

use std::path::PathBuf;

pub use code::Code;
pub use driver::{Driver, Facts, Serving, available, choose};
pub use error::Error;
pub use process::Process;
pub use program::{Program, YkmanSettings};
pub use terminal::Terminal;
pub use totp::{Seed, Totp};

/// Asks for the code of one MFA device.
///
/// An answer may take as long as a person needs. The call blocks, so asynchronous code wraps it in `spawn_blocking`.
pub trait Prompt: Send + Sync {
    /// The name of the way, as people type it after `--prompt`.
    fn name(&self) -> &'static str;

    /// Asks once.
    ///
    /// # Errors
    /// When nobody could be asked, the answer was refused, or it was no code.
    fn ask(&self, question: &Question<'_>) -> Result<Code, Error>;
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The serial number of the device: an ARN, or the number of a hardware token.
    pub serial: &'a str,
}

impl Question<'_> {
    /// The question as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("Enter MFA code for {}: ", self.serial)
    }
}

/// What the command line, the profile and the environment say about codes.
#[derive(Default)]
pub struct Settings {
    /// A code from the command line (`-t`). Goes before everything else.
    pub code: Option<Code>,
    /// The profile's `mfa_process`, a command of the shell. Goes before the driver.
    pub process: Option<String>,
    /// The driver that was named (`--prompt`); without one, [`choose`] does.
    pub driver: Option<Driver>,
    /// The title of windows, such as `aws-vault`.
    pub title: String,
    /// What `ykman` is told.
    pub ykman: YkmanSettings,
    /// The stored seed of the device, where there is one.
    pub seed: Option<Totp>,
    /// Variables of our own secrets, which no program gets to see.
    pub withheld: Vec<String>,
}

/// Makes the prompt that these settings mean on this machine.
///
/// # Errors
/// When the driver that was named is not there, or none is.
pub fn prompt(settings: Settings, facts: &Facts) -> Result<Box<dyn Prompt>, Error> {
    let Settings { code, process, driver, title, ykman, seed, withheld } = settings;
    if let Some(code) = code {
        return Ok(Box::new(Given(code)));
    }
    if let Some(command) = process {
        return Ok(Box::new(Process::new(command, facts.system_root.clone(), withheld)));
    }
    let driver = choose(driver, facts)?;
    let program = |path: PathBuf| Program { driver, path, title, ykman, withheld };
    match driver {
        Driver::Terminal => Ok(Box::new(Terminal::controlling())),
        Driver::Totp => match seed {
            Some(totp) => Ok(Box::new(totp)),
            None => Err(Error::NoSeed),
        },
        Driver::Kdialog
        | Driver::Osascript
        | Driver::PassOtp
        | Driver::Wincredui
        | Driver::Ykman
        | Driver::Zenity => {
            let path = facts.find(driver).ok_or(Error::Absent { driver })?;
            Ok(Box::new(program(path)))
        }
    }
}

/// A code that somebody gave beforehand. It is handed out as often as it is asked for; AWS takes it once.
struct Given(Code);

impl Prompt for Given {
    fn name(&self) -> &'static str {
        "mfa-token"
    }

    fn ask(&self, _: &Question<'_>) -> Result<Code, Error> {
        Ok(self.0.again())
    }
}

#[cfg(test)]
mod tests;
