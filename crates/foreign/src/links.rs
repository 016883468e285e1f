//! Links under whose names this program speaks the command line of another (design, section 7).
//!
//! # Invariants
//!
//! - What is not a link to this program is never replaced and never taken away.
//! - Either all links that were asked for are made, or the first thing in the way is named before any is made.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// A program whose name a link may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The name of the link.
    pub name: &'static str,
    /// Whether its command line is here.
    pub speaks: Speaks,
}

/// Whether the command line of a peer is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// It is.
    Yes,
    /// Some of it: what is not there is refused, so a link never takes the place of the program itself unasked.
    InPart,
}

/// Every name.
pub const PEERS: [Peer; 5] = [
    Peer { name: "vault", speaks: Speaks::Yes },
    Peer { name: "aws-vault", speaks: Speaks::Yes },
    Peer { name: "assistantctl", speaks: Speaks::InPart },
    Peer { name: "integrations", speaks: Speaks::Yes },
    Peer { name: "allowlist", speaks: Speaks::Yes },
];

/// The peer as whom this program was started.
#[must_use]
pub fn started_as(argv0: &OsStr) -> Option<Peer> {
    let stem = Path::new(argv0).file_stem()?;
    PEERS.into_iter().find(|peer| stem == peer.name)
}

/// What is under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum There {
    /// Nothing.
    Nothing,
    /// A link to this program.
    Ours,
    /// A link of ours to a place where this program was before: nothing is there any more.
    Stale,
    /// Something else; where a link leads to.
    Foreign(Option<PathBuf>),
}

/// Looks what is under a path. `program` is the real place of this one.
///
/// # Errors
/// When it can't be seen.
pub fn look(path: &Path, program: &Path) -> io::Result<There> {
    let kind = match path.symlink_metadata() {
        Ok(facts) => facts.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(error),
    };
    if !kind.is_symlink() {
        return Ok(There::Foreign(None));
    }
    let target = std::fs::read_link(path)?;
    match path.canonicalize() {
        Ok(real) if real == program => Ok(There::Ours),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_our_name(&target) => Ok(There::Stale),
        _ => Ok(There::Foreign(Some(target))),
    }
}

fn is_our_name(target: &Path) -> bool {
    target.file_stem().is_some_and(|stem| stem == "doorward")
}

/// Makes one link. One of ours that leads nowhere is replaced.
///
/// # Errors
/// When something came to be there meanwhile, or the folder can't be written.
pub fn make(path: &Path, target: &Path, there: &There) -> io::Result<()> {
    if *there != There::Stale {
        return std::os::unix::fs::symlink(target, path);
    }
    // Beside it first, so that there is a link at every moment. Somebody else's of this name makes this fail.
    let beside = path.with_extension(format!("doorward-{}", std::process::id()));
    std::os::unix::fs::symlink(target, &beside)?;
    std::fs::rename(&beside, path).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

/// Where this program is: its real place, and the place by which links reach it. A link that a package manager keeps for it on
/// `PATH` stays right when it puts another version behind it, so that one is taken where there is one.
///
/// # Errors
/// When the system does not tell.
pub fn program(search: &[PathBuf]) -> io::Result<(PathBuf, PathBuf)> {
    let real = std::env::current_exe()?.canonicalize()?;
    let reached = search.iter().map(|folder| folder.join("doorward"));
    let reached = reached
        .filter(|path| path.is_absolute())
        .find(|path| path.canonicalize().is_ok_and(|leads| leads == real));
    Ok((real.clone(), reached.unwrap_or(real)))
}

/// The first program of a name on `PATH`.
#[must_use]
pub fn first_on(search: &[PathBuf], name: &str) -> Option<PathBuf> {
    search.iter().map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
