//! The drivers, and which of them asks.
//!
//! # Invariants
//!
//! - A driver that was named is used or the answer is an error; another one never takes its place.
//! - A window is not opened where nobody has a screen, as long as there is a terminal.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Error;

/// A way of asking a person or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Driver {
    /// A window of KDE's `kdialog`.
    Kdialog,
    /// A window of macOS, by `osascript`.
    Osascript,
    /// `pass otp NAME`, from the password store's extension. Only when named.
    PassOtp,
    /// The controlling terminal.
    Terminal,
    /// A code made of a seed that is stored in our own store.
    Totp,
    /// The credentials window of Windows.
    Wincredui,
    /// A YubiKey, by `ykman`.
    Ykman,
    /// A window of GNOME's `zenity`.
    Zenity,
}

/// Whether a credentials server is going to run, which may need a code long after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Serving {
    /// None.
    #[default]
    No,
    /// One is.
    Yes,
}

/// What has to be known about the machine and the moment. Whoever starts the process reads it once.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The folders of `PATH`, in order.
    pub search: Vec<PathBuf>,
    /// Whether the process has a controlling terminal: [`Facts::has_terminal`] finds out.
    pub terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether there is a screen: `DISPLAY` or `WAYLAND_DISPLAY` is set.
    pub screen: bool,
    /// Whether a credentials server is going to run.
    pub serving: Serving,
    /// Whether a seed is stored for the device.
    pub seed: bool,
    /// `SystemRoot` of Windows, where its shell is. Unused elsewhere.
    pub system_root: Option<PathBuf>,
}

/// Every driver in the order of its name.
pub(super) const DRIVERS: &[Driver] = &[
    Driver::Kdialog,
    Driver::Osascript,
    Driver::PassOtp,
    Driver::Terminal,
    Driver::Totp,
    Driver::Wincredui,
    Driver::Ykman,
    Driver::Zenity,
];

impl Driver {
    /// The name that people type after `--prompt`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kdialog => "kdialog",
            Self::Osascript => "osascript",
            Self::PassOtp => "pass-otp",
            Self::Terminal => "terminal",
            Self::Totp => "totp",
            Self::Wincredui => "wincredui",
            Self::Ykman => "ykman",
            Self::Zenity => "zenity",
        }
    }

    /// The program that it needs on the `PATH`.
    const fn program(self) -> Option<&'static str> {
        match self {
            Self::Kdialog => Some("kdialog"),
            Self::Osascript => Some("osascript"),
            Self::PassOtp => Some("pass"),
            Self::Wincredui => Some(if cfg!(windows) { "powershell.exe" } else { "" }),
            Self::Ykman => Some(if cfg!(windows) { "ykman.exe" } else { "ykman" }),
            Self::Zenity => Some("zenity"),
            Self::Terminal | Self::Totp => None,
        }
    }

    /// Whether it opens a window of X11 or Wayland.
    const fn needs_screen(self) -> bool {
        matches!(self, Self::Kdialog | Self::Zenity)
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Driver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = DRIVERS.iter().find(|driver| driver.name() == text);
        known.copied().ok_or_else(|| Error::Unknown(text.to_owned()))
    }
}

impl Facts {
    /// Tries to open the controlling terminal, which is the only sure way to know that there is one.
    #[must_use]
    pub fn has_terminal() -> bool {
        opened(Path::new(TERMINAL)).is_ok()
    }

    /// Whether the driver can ask here.
    #[must_use]
    pub fn has(&self, driver: Driver) -> bool {
        match driver {
            Driver::Terminal => self.terminal,
            Driver::Totp => self.seed,
            Driver::Kdialog
            | Driver::Osascript
            | Driver::PassOtp
            | Driver::Wincredui
            | Driver::Ykman
            | Driver::Zenity => self.find(driver).is_some(),
        }
    }

    /// The program of a driver, in the first folder of the `PATH` that has it.
    pub(super) fn find(&self, driver: Driver) -> Option<PathBuf> {
        let name = driver.program().filter(|name| !name.is_empty())?;
        self.search.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(
            |path| {
                // What can't be run would only fail later, with a message that names no way out.
                path.metadata().is_ok_and(|found| found.is_file() && can_run(&found))
            },
        )
    }
}

/// The drivers that can ask here, in the order of their names.
#[must_use]
pub fn available(facts: &Facts) -> Vec<Driver> {
    DRIVERS.iter().copied().filter(|driver| facts.has(*driver)).collect()
}

/// Which driver asks: the one that was named; else a stored seed; else the terminal where the answer of the command goes to
/// a terminal, too, and no server runs; else the first program by name. A program that opens windows goes behind a terminal
/// where no screen is known, and before nothing else: it may know a screen that we don't.
///
/// # Errors
/// [`Error::Absent`] when the named one is not there, [`Error::Nobody`] when there is none at all.
pub fn choose(named: Option<Driver>, facts: &Facts) -> Result<Driver, Error> {
    if let Some(driver) = named {
        return if facts.has(driver) { Ok(driver) } else { Err(absent(driver)) };
    }
    if facts.seed {
        return Ok(Driver::Totp);
    }
    // A server may ask again while its child owns the terminal; a window is nicer then, if there is a screen for it.
    let on_terminal = facts.stdout_is_terminal && facts.serving == Serving::No;
    if on_terminal && facts.terminal {
        return Ok(Driver::Terminal);
    }
    let programs: Vec<Driver> = available(facts)
        .into_iter()
        .filter(|driver| !matches!(driver, Driver::Terminal | Driver::Totp | Driver::PassOtp))
        .collect();
    let windows = facts.screen || !facts.terminal;
    let program = programs.into_iter().find(|driver| windows || !driver.needs_screen());
    program.or_else(|| facts.terminal.then_some(Driver::Terminal)).ok_or(Error::Nobody)
}

/// The names of all drivers.
pub(super) fn names() -> Vec<&'static str> {
    DRIVERS.iter().map(|driver| driver.name()).collect()
}

/// Opens a terminal for reading and writing.
pub(super) fn opened(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

const fn absent(driver: Driver) -> Error {
    if matches!(driver, Driver::Totp) { Error::NoSeed } else { Error::Absent { driver } }
}

#[cfg(unix)]
fn can_run(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
const fn can_run(_: &std::fs::Metadata) -> bool {
    true
}

/// The controlling terminal.
pub(super) const TERMINAL: &str = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };

#[cfg(test)]
mod tests;
