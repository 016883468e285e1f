//! The steps inside: our own executable, started again to stand between the sandbox and the program.
//!
//! `space` makes namespaces where bubblewrap did not, and starts the other step in them. `program` waits for its order, sets the
//! limits, makes the listeners of the relay and hands them out, restricts itself, and becomes the program. `probe` does the same
//! for nothing, to find out whether it works.
//!
//! # Invariants
//!
//! - The program is started only after every restriction was accepted by the kernel; the first that is not ends the step.
//! - The steps end with the process that started them.

#[cfg(target_os = "linux")]
pub(crate) mod calls;
#[cfg(target_os = "linux")]
mod land;
mod limits;
#[cfg(target_os = "linux")]
mod space;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command as Process, ExitCode};

use crate::channel::{self, Bounds, Land, Order, Word};

/// The word with which our executable is started for this.
pub const WORD: &str = "op-inside";
pub(crate) const PROGRAM: &str = "program";
pub(crate) const PROBE: &str = "probe";
pub(crate) const SPACE: &str = "space";
/// What the probe says when all went well.
pub(crate) const HERE: &str = "here";
/// Who the program is inside.
pub(crate) const USER: &str = "1000";

/// Does the step that these words ask for, the name of the executable before them; `None` where they ask for none. To be called
/// before anything else, by a process of one thread.
#[must_use]
pub fn inside(words: &[OsString]) -> Option<ExitCode> {
    let [_, word, step, rest @ ..] = words else { return None };
    if word != WORD {
        return None;
    }
    let done = match (step.to_str(), rest) {
        (Some(PROGRAM), []) => program(),
        (Some(PROBE), [work, kind]) => probe(Path::new(work), kind.to_str() == Some("landlock")),
        #[cfg(target_os = "linux")]
        (Some(SPACE), [work, bytes, next @ ..]) => space::make(Path::new(work), bytes, next),
        _ => Err(format!("`{WORD}` is a step of `doorward op run` and nothing to be called by hand")),
    };
    Some(done.unwrap_or_else(|why| {
        let _ = writeln!(std::io::stderr(), "error: {why}");
        ExitCode::FAILURE
    }))
}

/// Becomes the program.
fn program() -> Result<ExitCode, String> {
    tie()?;
    let channel = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned();
    let mut channel = UnixStream::from(channel.map_err(|error| format!("there is no channel: {error}"))?);
    let (order, filter) =
        channel::order(&mut channel).map_err(|error| format!("there is no order: {error}"))?;
    let said = match prepared(&order, &filter) {
        Ok((command, listeners)) => {
            channel::say(&mut channel, &Word::Ready, &listeners).map(|()| Some(command))
        }
        Err(why) => channel::say(&mut channel, &Word::Failed(why), &[]).map(|()| None),
    };
    let Some(mut command) = said.map_err(|error| format!("nobody hears us: {error}"))? else {
        return Ok(ExitCode::FAILURE);
    };
    let error = command.exec();
    let _ = channel::say(&mut channel, &Word::NotStarted(error.to_string()), &[]);
    Ok(ExitCode::from(126))
}

/// Puts everything in place but the program.
fn prepared(order: &Order, filter: &[u8]) -> Result<(Process, Vec<TcpListener>), String> {
    let Order { program, args, environment, stdin, work, folder, listen, limits, land, calls } = order;
    let mut command = Process::new(program);
    command.args(args).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.current_dir(folder.as_ref().unwrap_or(work));
    let listeners = match listen {
        None => Vec::new(),
        Some(addresses) => {
            let listeners = listeners(addresses)?;
            let proxy = listeners.last().and_then(|last| last.local_addr().ok());
            let proxy = format!("http://{}", proxy.ok_or("the relay has no address")?);
            for name in PROXY {
                command.env(name, &proxy);
            }
            for name in NO_PROXY {
                command.env(name, "127.0.0.1,::1,localhost");
            }
            listeners
        }
    };
    let input = File::open(stdin.as_deref().unwrap_or(Path::new("/dev/null")));
    let input = input.map_err(|error| format!("could not open what the program reads: {error}"))?;
    restrict(limits, land.as_ref(), calls.then_some(filter))?;
    // The channel was copied to a place that the program does not inherit.
    rustix::stdio::dup2_stdin(&input)
        .map_err(|error| format!("could not hand over what it reads: {error}"))?;
    Ok((command, listeners))
}

/// From here on this process may do what the program may do.
fn restrict(limits: &Bounds, land: Option<&Land>, calls: Option<&[u8]>) -> Result<(), String> {
    limits::set(limits)?;
    #[cfg(target_os = "linux")]
    {
        if let Some(land) = land {
            land::restrict(land)?;
        }
        if let Some(filter) = calls {
            calls::restrict(filter)?;
        }
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    match (land, calls) {
        (None, None) => Ok(()),
        _ => Err("there is no sandbox on this system".to_owned()),
    }
}

fn listeners(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, String> {
    let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let all = addresses.iter().chain([&proxy]);
    all.map(|address| {
        TcpListener::bind(address).map_err(|error| format!("could not listen at {address}: {error}"))
    })
    .collect()
}

/// Does for nothing what `program` does.
fn probe(work: &Path, own_view: bool) -> Result<ExitCode, String> {
    tie()?;
    drop(listeners(&[])?);
    let land = own_view.then(|| Land {
        run: crate::sandbox::view::present(crate::sandbox::view::SYSTEM),
        read: Vec::new(),
        write: vec![work.to_owned()],
    });
    let limits = Bounds { memory: 1 << 30, file: 1 << 20, processes: 64, cpu: 10 };
    #[cfg(target_os = "linux")]
    let filter = calls::filter(false)?;
    #[cfg(not(target_os = "linux"))]
    let filter = Vec::new();
    restrict(&limits, land.as_ref(), Some(&filter))?;
    let file = work.join("probe");
    File::create(&file).map_err(|error| format!("could not write: {error}"))?;
    if std::fs::read_dir("/root").is_ok()
        || std::fs::read_dir("/home").is_ok_and(|mut all| all.next().is_some())
    {
        return Err("the folders of users can be seen".to_owned());
    }
    writeln!(std::io::stdout(), "{HERE}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Has the kernel end this process with the one that started it.
fn tie() -> Result<(), String> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| format!("could not be tied to the broker: {error}"))?;
    Ok(())
}

const PROXY: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
