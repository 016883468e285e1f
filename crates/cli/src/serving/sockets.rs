//! The Unix sockets of a house: that of its home, and one that an agent was told to open beside it.
//!
//! # Invariants
//!
//! - The folder of a socket that is made here is closed to everybody but the owner, or the owner and the socket's group. One
//!   that is there already is used where nobody else could put another socket in our place, or where that was accepted.
//! - Two sockets share gauges and limits: the second one is no way around the first one's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent::{Control, Gauges, Limits, Socket};
use broker::{SystemClock, Worker};
use net::{Access, Draining, Listener, ServeLimits};
use tokio::task::JoinSet;

use crate::failure::{Failure, Outcome};
use crate::print::Printer;

/// Which sockets are opened.
pub(crate) struct Sockets {
    /// The home's own.
    pub(crate) home: PathBuf,
    /// Another one.
    pub(crate) public: Option<Public>,
    /// Limits of the line protocol.
    pub(crate) limits: Limits,
}

/// A socket beside that of the home.
pub(crate) enum Public {
    /// To be made at a path.
    At(PathBuf, Access, Folder),
    /// Handed over by a supervisor, under this path.
    Handed(OwnedFd, PathBuf),
}

impl Public {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::At(path, ..) | Self::Handed(_, path) => path,
        }
    }
}

/// In which folders a socket is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Where nobody but the owner and root may put another socket in the place of ours.
    Closed,
    /// Anywhere: a volume that an orchestrator makes for the containers of one pod is writable for everybody in it.
    Shared,
}

impl Folder {
    /// What `VAULT_AGENT_DANGEROUS_SHARED_FOLDER` says.
    ///
    /// # Errors
    /// A usage failure where it says neither `true` nor `false`.
    pub(crate) fn told(said: Option<&OsStr>) -> Outcome<Self> {
        match said.map(OsStr::to_string_lossy).as_deref() {
            None | Some("false") => Ok(Self::Closed),
            Some("true") => Ok(Self::Shared),
            Some(other) => {
                let message = format!("`{SHARED}` is `{other}`, which is neither `true` nor `false`");
                Err(Failure::usage(message))
            }
        }
    }
}

/// The variable that lets a socket be made where everybody may replace it.
pub(crate) const SHARED: &str = "VAULT_AGENT_DANGEROUS_SHARED_FOLDER";

/// Sockets that are open and not served yet.
pub(crate) struct Open {
    listeners: Vec<(Listener, PathBuf)>,
    limits: Limits,
}

impl Sockets {
    /// Opens all of them. Called within the runtime that serves them.
    pub(crate) fn open(self) -> Outcome<Open> {
        let Self { home, public, limits } = self;
        let mut listeners = vec![(net::bind_unix(&home).map_err(|error| unbound(&error))?, home)];
        if let Some(public) = public {
            let path = public.path().to_owned();
            let listener = match public {
                Public::Handed(descriptor, _) => net::adopt_unix(descriptor)?,
                Public::At(path, access, which) => {
                    folder(&path, access, which)?;
                    net::bind_unix_for(&path, access).map_err(|error| unbound(&error))?
                }
            };
            listeners.push((listener, path));
        }
        Ok(Open { listeners, limits })
    }
}

impl Open {
    /// Serves all of them until the house drains.
    pub(crate) fn serve(
        self,
        worker: &Arc<Worker>,
        control: &Control,
        doors: &BTreeMap<String, String>,
        draining: &Draining,
        gauges: &Arc<Gauges>,
    ) -> JoinSet<()> {
        let runs: Arc<agent::Runs> = Arc::default();
        let mut tasks = JoinSet::new();
        for (listener, path) in self.listeners {
            let door = Socket {
                control: control.clone(),
                doors: doors.clone(),
                path,
                limits: self.limits.clone(),
                gauges: Arc::clone(gauges),
                clock: Arc::new(SystemClock::default()),
                runs: Arc::clone(&runs),
            };
            let (worker, draining) = (Arc::clone(worker), draining.clone());
            tasks.spawn(async move {
                let _ = door.serve(worker, listener, ServeLimits::default(), draining).await;
            });
        }
        tasks
    }
}

/// Why a socket could not be opened, in the seed's words.
fn unbound(error: &net::Error) -> Failure {
    match error {
        net::Error::Taken { .. } => Failure::of(error)
            .hint("an agent is running already: `agent status` shows it, `agent stop` stops it"),
        net::Error::Listen { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Failure::doing("Failed to create socket: permission denied", error)
        }
        _ => Failure::of(error),
    }
}

/// Whether a socket's path can be bound at all.
pub(crate) fn fits(path: &Path) -> Outcome {
    let length = path.as_os_str().len();
    // It is bound under a name of this length in a folder of its own first.
    let name = path.file_name().map_or(0, OsStr::len);
    if length > LONGEST || length - name + NEST > LONGEST {
        let message = format!(
            "Failed to create socket: its path is too long, {length} bytes, and at most {LONGEST} can be bound"
        );
        return Err(Failure::usage(message).hint("choose a shorter one with `--socket-path`"));
    }
    Ok(())
}

/// Whether somebody answers at this path already.
pub(crate) fn refuse_live(path: &Path) -> Outcome {
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(Failure::new("Failed to start agent: address already in use").hint(format!(
            "an agent answers at `{}`: `agent status` shows it, `agent stop` stops it",
            path.display()
        ))),
        Err(_) => match std::fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let message = format!("Failed to start agent: `{}` is there and no socket", path.display());
                Err(Failure::new(message).hint("move it away, or choose another place with `--socket-path`"))
            }
            _ => Ok(()),
        },
    }
}

/// Makes the folder of a socket, or looks at the one that is there.
fn folder(path: &Path, access: Access, which: Folder) -> Outcome {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let wrong = |what: &str, error: &std::io::Error| {
        let shown = format!("Failed to create socket: could not {what} `{}`", folder.display());
        Failure::doing(shown, error)
    };
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let build = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            build.map_err(|error| wrong("make", &error))?;
            if let Access::Group(group) = access {
                std::os::unix::fs::chown(folder, None, group).map_err(|error| wrong("share", &error))?;
                let mode = std::fs::Permissions::from_mode(0o750);
                std::fs::set_permissions(folder, mode).map_err(|error| wrong("share", &error))?;
            }
            Ok(())
        }
        Err(error) => Err(wrong("look at", &error)),
        Ok(found) if found.mode() & 0o002 != 0 && found.mode() & STICKY == 0 => {
            let shown = folder.display();
            if which == Folder::Shared {
                Printer::say(&format!(
                    "Warning: everybody who may write in `{shown}` may put another socket there"
                ));
                return Ok(());
            }
            let message = format!("Failed to create socket: everybody may replace what is in `{shown}`");
            Err(Failure::new(message)
                .hint(format!("`chmod o-w {shown}`; or `{SHARED}=true`, if nobody else can write there")))
        }
        Ok(_) => Ok(()),
    }
}

/// Longest path that fits into the address of a Unix socket, with its end.
const LONGEST: usize = 107;
/// Length of the name under which it is bound first: `.dw`, at most eight digits, `/s`.
const NEST: usize = 13;
const STICKY: u32 = 0o1000;
