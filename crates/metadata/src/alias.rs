//! The metadata address on this machine: 169.254.169.254, added to the loopback interface while a server listens there.
//!
//! Programs that can't be told another address ask this one, on port 80. Adding it needs root. On Linux the address gets
//! a label of its own, so that one that a killed process left behind is known for ours at the next start.
//!
//! # Invariants
//!
//! - Where somebody answers at the address already, nothing is changed: that may be the cloud's own server.
//! - An address that has not our label is never taken away, and no process is ever ended.
//! - The programs that change addresses are run by their full path, with an empty environment.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use net::Bound;

use crate::Error;
use crate::gate::LINK_LOCAL;

/// The metadata address, ours while this lives. Dropping it takes the address away again; [`Alias::remove`] does so and
/// says whether it worked.
#[must_use]
pub struct Alias {
    system: Box<dyn System>,
    removed: bool,
}

impl Alias {
    /// Adds the address and listens on its port 80. An address that an earlier run left behind is taken over.
    ///
    /// # Errors
    /// [`Error::NotRoot`] without the rights (its hint says what to run instead), [`Error::Taken`] where somebody answers
    /// there, [`Error::Foreign`] where the address belongs to another interface, and what the system said.
    pub fn open() -> Result<(Self, Bound), Error> {
        Self::open_on(Box::new(This))
    }

    /// The commands that a person with the rights can type to do the same, for this system.
    #[must_use]
    pub fn commands() -> [String; 2] {
        [ADD, REMOVE].map(|command| format!("sudo {}", command.join(" ")))
    }

    /// Takes the address away.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(mut self) -> Result<(), Error> {
        self.removed = true;
        self.system.run(REMOVE)
    }

    fn open_on(system: Box<dyn System>) -> Result<(Self, Bound), Error> {
        if !system.is_root() {
            return Err(Error::NotRoot);
        }
        match owner(&system.addresses()?) {
            Owner::Nobody => {
                // Not on an interface of ours, but something on the way may answer: the cloud that we run in.
                if system.answers() {
                    return Err(Error::Taken);
                }
                system.run(ADD)?;
            }
            // Left behind, unless its owner lives.
            Owner::Us => {
                if system.answers() {
                    return Err(Error::Taken);
                }
                tracing::info!("the metadata address was left behind by an earlier run; it is used again");
            }
            Owner::Other(interface) => return Err(Error::Foreign(interface)),
        }
        // From here on a failure takes the address away again.
        let alias = Self { system, removed: false };
        let bound = alias.system.listen()?;
        Ok((alias, bound))
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        // The next start would find what is left; a warning is all that can be done here.
        if !self.removed
            && let Err(error) = self.system.run(REMOVE)
        {
            tracing::warn!(%error, "the metadata address could not be taken away");
        }
    }
}

/// What is asked of the system; tests have one of their own.
trait System: Send + Sync {
    fn is_root(&self) -> bool;
    /// What `ip -o -4 address show` prints, or the like.
    fn addresses(&self) -> Result<String, Error>;
    /// Whether somebody answers at the metadata address.
    fn answers(&self) -> bool;
    fn run(&self, command: &[&str]) -> Result<(), Error>;
    fn listen(&self) -> Result<Bound, Error>;
}

/// The machine that this runs on.
struct This;

impl System for This {
    fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }

    fn addresses(&self) -> Result<String, Error> {
        output(SHOW)
    }

    fn answers(&self) -> bool {
        TcpStream::connect_timeout(&place(), PROBE).is_ok()
    }

    fn run(&self, command: &[&str]) -> Result<(), Error> {
        output(command).map(|_| ())
    }

    fn listen(&self) -> Result<Bound, Error> {
        let mut bound = net::bind_tcp(place(), NonZeroUsize::MIN)?;
        bound.pop().ok_or(Error::Taken)
    }
}

fn place() -> SocketAddr {
    SocketAddr::from((LINK_LOCAL, 80))
}

/// To whom the metadata address belongs.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Nobody,
    Us,
    Other(String),
}

/// Reads what the system printed about its addresses.
fn owner(addresses: &str) -> Owner {
    let mut interface = "";
    for line in addresses.lines() {
        let mut words = line.split_whitespace();
        // `ifconfig` names the interface on a line of its own, `lo0: flags=…`.
        if !line.starts_with(char::is_whitespace) {
            interface = words
                .clone()
                .find(|word| word.trim_end_matches(':').parse::<u32>().is_err())
                .unwrap_or("")
                .trim_end_matches(':');
        }
        let ours = words.any(|word| {
            word.split('/').next().and_then(|address| address.parse::<Ipv4Addr>().ok()) == Some(LINK_LOCAL)
        });
        if ours {
            // With `-o` the end of a line that was put together is a backslash.
            let labelled = line.split_whitespace().any(|word| word.trim_end_matches('\\') == LABEL);
            return if labelled || LABEL == interface {
                Owner::Us
            } else {
                Owner::Other(interface.to_owned())
            };
        }
    }
    Owner::Nobody
}

/// Runs a command of the system and answers with what it printed.
fn output(command: &[&str]) -> Result<String, Error> {
    let shown = command.join(" ");
    let failed = |said: String| Error::Command { command: shown.clone(), said };
    let Some((name, arguments)) = command.split_first() else {
        return Err(failed("there is no command".to_owned()));
    };
    let Some(program) = FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
    else {
        return Err(failed(format!("there is no `{name}` in {}", FOLDERS.join(", "))));
    };
    let ran = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    Err(failed(format!("{} ({})", String::from_utf8_lossy(&ran.stderr).trim(), ran.status)))
}

/// Where systems keep their programs; `PATH` is not asked by a process with root's rights.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
/// Longest wait for an answer at the metadata address; a cloud's own server is one hop away.
const PROBE: Duration = Duration::from_millis(300);

#[cfg(not(target_os = "macos"))]
const LABEL: &str = "lo:doorward";
#[cfg(not(target_os = "macos"))]
const SHOW: &[&str] = &["ip", "-o", "-4", "address", "show"];
#[cfg(not(target_os = "macos"))]
const ADD: &[&str] = &["ip", "address", "add", "169.254.169.254/32", "dev", "lo", "label", LABEL];
#[cfg(not(target_os = "macos"))]
const REMOVE: &[&str] = &["ip", "address", "del", "169.254.169.254/32", "dev", "lo"];

/// There are no labels; nothing but such an alias puts this address on the loopback interface.
#[cfg(target_os = "macos")]
const LABEL: &str = "lo0";
#[cfg(target_os = "macos")]
const SHOW: &[&str] = &["ifconfig", "-a"];
#[cfg(target_os = "macos")]
const ADD: &[&str] = &["ifconfig", "lo0", "alias", "169.254.169.254", "255.255.255.255"];
#[cfg(target_os = "macos")]
const REMOVE: &[&str] = &["ifconfig", "lo0", "-alias", "169.254.169.254"];

#[cfg(test)]
mod tests;
