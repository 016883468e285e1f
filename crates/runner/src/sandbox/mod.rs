//! What a program runs in.
//!
//! Bubblewrap where it is there and works, else the same with our own hands: namespaces that our executable makes, and Landlock for
//! what the file system shows. Both end in the step inside, which restricts system calls. Whether one works is found out by
//! running it once; nothing is believed.

mod bare;
mod bubblewrap;
mod calls;
mod settings;
pub(crate) mod view;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::system;
use crate::{Error, Program, Room, Rooms, stage};
use calls::Ready;
use settings::{Copied, Settings};

/// What is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// The best that works here.
    #[default]
    Auto,
    /// Bubblewrap, or nothing runs.
    Bwrap,
    /// Namespaces and Landlock, or nothing runs.
    Landlock,
    /// No sandbox. Each record says so.
    None,
}

/// What a program runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Bubblewrap.
    Bwrap,
    /// Namespaces and Landlock.
    Landlock,
    /// Nothing but limits.
    None,
}

impl Kind {
    /// As evidence says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bwrap => "bwrap",
            Self::Landlock => "landlock",
            Self::None => "none",
        }
    }
}

/// How sandboxes are set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// What is wanted.
    pub wanted: Wanted,
    /// What programs may read and start besides what every system has.
    pub readable: Vec<PathBuf>,
    /// Our own executable, or another one that calls [`crate::inside`].
    pub own: PathBuf,
    /// Where bubblewrap is.
    pub bubblewrap: Option<PathBuf>,
}

/// A sandbox that was seen to work.
#[derive(Debug)]
pub struct Sandbox {
    kind: Kind,
    setup: Setup,
    /// The filter of system calls, compiled once; empty where there is none.
    filter: Vec<u8>,
    /// The same with Unix sockets, for the few programs that need them: compiled for the first one.
    with_sockets: OnceLock<Vec<u8>>,
    settings: Settings,
}

/// What is to be seen in a sandbox.
pub(crate) struct Seen<'a> {
    /// The private folder of the run.
    pub(crate) room: &'a Room,
    /// The program, the folder that it works in, and whether it may change that; none to try the sandbox.
    pub(crate) program: Option<(&'a Program, Option<&'a Path>, bool)>,
    /// The settings of the machine, where the sandbox shows copies of them.
    pub(crate) settings: Option<&'a Copied>,
    /// Whether the program may have Unix sockets.
    pub(crate) sockets: bool,
}

impl Sandbox {
    /// The sandbox that is wanted, after it was tried. Blocks for some milliseconds.
    ///
    /// # Errors
    /// When none works, or not the one that is wanted.
    pub fn probe(setup: Setup, rooms: &Rooms) -> Result<Self, Error> {
        let kinds: &[Kind] = match setup.wanted {
            Wanted::Auto => &[Kind::Bwrap, Kind::Landlock],
            Wanted::Bwrap => &[Kind::Bwrap],
            Wanted::Landlock => &[Kind::Landlock],
            Wanted::None => &[],
        };
        let settings = || Settings::of(rooms.clone(), view::SETTINGS.iter().map(PathBuf::from));
        if kinds.is_empty() {
            let (filter, with_sockets) = (Vec::new(), OnceLock::new());
            return Ok(Self { kind: Kind::None, setup, filter, with_sockets, settings: settings() });
        }
        let (room, filter) = (rooms.make()?, filter(false).map_err(Error::Sandbox)?);
        let mut failed = Vec::new();
        for kind in kinds {
            let (filter, with_sockets) = (filter.clone(), OnceLock::new());
            let sandbox =
                Self { kind: *kind, setup: setup.clone(), filter, with_sockets, settings: settings() };
            match sandbox.tried(&room) {
                Ok(()) => return Ok(sandbox),
                Err(why) => failed.push(format!("{}: {why}", kind.as_str())),
            }
        }
        Err(Error::Sandbox(failed.join("; ")))
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What programs may read besides what every system has.
    pub(crate) fn readable(&self) -> &[PathBuf] {
        &self.setup.readable
    }

    /// Whether a program that has Unix sockets meets none of the machine's: where the file system is one of its own.
    #[must_use]
    pub const fn shuts_in_sockets(&self) -> bool {
        !matches!(self.kind, Kind::Landlock)
    }

    /// The filter of system calls that the step inside is told: none where bubblewrap has restricted them before it begins.
    pub(crate) fn filter(&self) -> Option<&[u8]> {
        (self.kind == Kind::Landlock).then_some(&*self.filter)
    }

    /// The filter that bubblewrap is handed, for a program with or without Unix sockets.
    fn handed(&self, sockets: bool) -> Result<File, Error> {
        let list = if !sockets {
            &self.filter
        } else if let Some(known) = self.with_sockets.get() {
            known
        } else {
            let made = filter(true).map_err(Error::Sandbox)?;
            self.with_sockets.get_or_init(|| made)
        };
        calls::file(list).map_err(system("hand over the list of system calls"))
    }

    /// The settings of the machine as they are now, where this kind of sandbox shows copies of them.
    pub(crate) fn settings(&self) -> Result<Option<Arc<Copied>>, Error> {
        (self.kind == Kind::Bwrap).then(|| self.settings.now()).transpose()
    }

    /// The process that makes the sandbox and starts the step inside in it. Nothing about the program is among its words.
    pub(crate) fn process(&self, seen: &Seen<'_>, files: u64) -> Result<Ready, Error> {
        let filter = (self.kind == Kind::Bwrap).then(|| self.handed(seen.sockets)).transpose()?;
        let mut process = match self.kind {
            Kind::Bwrap => bubblewrap::process(&self.setup, seen, files, filter.as_ref())?,
            Kind::Landlock => bare::process(&self.setup.own, seen.room, files),
            Kind::None => {
                let mut process = Process::new(&self.setup.own);
                process.arg(stage::WORD);
                process
            }
        };
        match seen.program {
            Some(_) => process.arg(stage::PROGRAM),
            None => process.arg(stage::PROBE).arg(seen.room.work()).arg(self.kind.as_str()),
        };
        process.env_clear().current_dir("/");
        Ok(Ready { process, filter })
    }

    /// Starts the step inside without an order: it comes back when all of the sandbox is there.
    fn tried(&self, room: &Room) -> Result<(), String> {
        let settings = self.settings().map_err(|error| error.to_string())?;
        let seen = Seen { room, program: None, settings: settings.as_deref(), sockets: false };
        let mut ready = self.process(&seen, 1 << 20).map_err(|error| error.to_string())?;
        ready.process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ready.start(|mut process| process.spawn()).map_err(|error| error.to_string())?;
        let began = Instant::now();
        while child.try_wait().map_err(|error| error.to_string())?.is_none() {
            if began.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err("it does not end".to_owned());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if output.status.success() && output.stdout.starts_with(stage::HERE.as_bytes()) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it says nothing").chars().take(200).collect();
        Err(said)
    }
}

#[cfg(target_os = "linux")]
fn filter(sockets: bool) -> Result<Vec<u8>, String> {
    stage::calls::filter(sockets)
}

#[cfg(not(target_os = "linux"))]
fn filter(_sockets: bool) -> Result<Vec<u8>, String> {
    Err("there is no sandbox on this system".to_owned())
}

/// Where bubblewrap is: where systems install it, else on a path.
#[must_use]
pub fn bubblewrap(path: &[PathBuf]) -> Option<PathBuf> {
    let usual = ["/usr/bin", "/usr/local/bin", "/bin"].map(PathBuf::from);
    usual
        .iter()
        .chain(path)
        .map(|folder| folder.join("bwrap"))
        .find(|file| file.is_file() && file.is_absolute())
}

/// Whether a path is below one of these.
pub(crate) fn is_below(path: &Path, folders: &[PathBuf]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

/// So long that a machine that is busy, or reads the program from a slow disk, is not taken for one without a sandbox.
const PATIENCE: Duration = Duration::from_secs(30);
