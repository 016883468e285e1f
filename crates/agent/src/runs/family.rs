//! The parents of a process.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The numbers of the parents of a process, up to the first one that has none here. Looked at until two looks agree: a parent may
/// end meanwhile, and its children be taken in by another one.
pub(super) fn parents(proc: &Path, pid: i32) -> Option<Vec<i32>> {
    let mut before = look(proc, pid)?;
    for _ in 0..TRIES {
        let now = look(proc, pid)?;
        if now == before {
            return Some(now.into_iter().map(|(parent, _)| parent).collect());
        }
        before = now;
    }
    None
}

/// Parents with the time at which each started.
fn look(proc: &Path, pid: i32) -> Option<Vec<(i32, u64)>> {
    let mut line = Vec::new();
    let (mut at, _) = stat(proc, pid)?;
    while at > 0 {
        if line.len() >= DEEPEST {
            return None;
        }
        let (parent, started) = stat(proc, at)?;
        line.push((at, started));
        at = parent;
    }
    Some(line)
}

/// Parent and time of start: fields 4 and 22 of `/proc/PID/stat`, counted behind the last bracket, since the name in field 2 may
/// hold anything.
fn stat(proc: &Path, pid: i32) -> Option<(i32, u64)> {
    let mut text = String::new();
    let file = File::open(proc.join(pid.to_string()).join("stat")).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(4 - 3)?.parse().ok()?;
    let started = fields.nth(22 - 4 - 1)?.parse().ok()?;
    Some((parent, started))
}

/// How often a family that changes is looked at.
const TRIES: usize = 8;
/// Longest line of parents.
const DEEPEST: usize = 512;

#[cfg(test)]
mod tests;
