//! Why there is no MFA code.

use std::io;
use std::process::ExitStatus;

use super::{Driver, driver};

/// An error of this module. None repeats what was typed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a terminal nor a program that could ask.
    #[error("nobody can be asked for an MFA code: there is no terminal and no prompt program")]
    Nobody,
    /// A driver was named that this machine does not have.
    #[error("the prompt driver `{driver}` is not there")]
    Absent {
        /// Which.
        driver: Driver,
    },
    /// A name that is none of a driver.
    #[error("`{0}` is not a prompt driver")]
    Unknown(String),
    /// There is no controlling terminal, or it can't be used.
    #[error("could not ask on the terminal")]
    Terminal(#[source] io::Error),
    /// A program could not be started or read.
    #[error("could not run `{program}`")]
    Program {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program ended with a failure: its window was closed, or it has no such device.
    #[error("`{program}` gave no code: {}", ended(*.status))]
    Refused {
        /// Which.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// The profile's `mfa_process` ended with a failure.
    #[error("process provider: {}", ended(*.0))]
    Process(ExitStatus),
    /// An answer that is not a code.
    #[error("the answer is not a code of 6 to 8 digits")]
    NotACode,
    /// The name of a device that would be read as an option of a program.
    #[error("`{0}` can't be the name of a device")]
    Name(String),
    /// The driver `totp` was named, and nothing is stored for the device.
    #[error("no seed is stored for this device")]
    NoSeed,
    /// A stored seed that can't be read.
    #[error("the stored seed has the wrong form: {0}")]
    Seed(&'static str),
    /// A code could not be made of a seed.
    #[error("could not make a code of the stored seed")]
    Totp(#[source] crypto::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Nobody => {
                "give the code with `-t CODE`, set `mfa_process` in the profile, store the device's seed for the driver \
                 `totp`, or put `ykman`, `zenity` or `kdialog` on the PATH"
            }
            Self::Absent { driver: Driver::Terminal } => {
                "there is no controlling terminal; give the code with `-t CODE` or set `mfa_process` in the profile"
            }
            Self::Absent { .. } => "put the program on the PATH, or name another driver with `--prompt`",
            Self::Unknown(_) => return Some(format!("it is one of {}", driver::names().join(", "))),
            Self::NoSeed => "store the seed first, or name another driver with `--prompt`",
            Self::Seed(_) => {
                "store the base 32 text that was shown for the device, or its otpauth:// address"
            }
            Self::NotACode => "type the digits that the device shows now",
            Self::Refused { program: "kdialog" | "zenity", .. } => {
                "a window needs a screen; elsewhere give the code with `-t CODE`, set `mfa_process` in the profile, or name \
                 another driver with `--prompt`"
            }
            Self::Terminal(_)
            | Self::Program { .. }
            | Self::Refused { .. }
            | Self::Process(_)
            | Self::Name(_)
            | Self::Totp(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// How a program ended, in the words that scripts know from other tools: `exit status 3`.
fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit status {code}"))
}
