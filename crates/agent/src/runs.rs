//! Runs that are open: programs that somebody started with a capability of their own, and who belongs to them.
//!
//! A run belongs to the process that opened it, the launcher, and ends with it, or when it says so. What belongs to a run is told by
//! the kernel ([17](../../../docs/decisions/0017-a-run-is-told-by-its-group-and-its-parents.md)): its control group has the
//! run's name in its path, or its parents lead to the launcher.
//!
//! # Invariants
//!
//! - Whoever belongs to a run that is open is this run on every socket, and neither the owner nor a user.
//! - On the socket of a run only those who belong to it are heard.
//! - When it can't be told whether a caller belongs to a run, the caller is refused.
//! - A run that has ended is nobody's fact any more: the capability that was bound to it can't be used.

mod family;
mod known;
mod serving;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use model::{CapabilityId, Code, Refusal, RunId};
use net::{Drain, Process};

use crate::holder::Proven;

pub(crate) use known::Known;

/// All runs of a house that are open.
#[derive(Debug, Default)]
pub struct Runs {
    open: Mutex<BTreeMap<RunId, Arc<Run>>>,
}

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// Who started it.
    pub(crate) launcher: Process,
    /// The name or the bearer that its calls are made with, where they bring none.
    pub(crate) capability: HeaderValue,
    /// Closes its socket.
    pub(crate) close: Drain,
    /// Whether it goes on when its launcher has ended.
    pub(crate) keep: Keep,
    /// The capability that it has a narrowing of, where that was asked for this run alone: it ends with it.
    pub(crate) asked: Option<CapabilityId>,
    /// Whether it has ended.
    over: AtomicBool,
}

impl Run {
    /// A run that is about to be opened.
    pub(crate) fn new(
        id: RunId,
        launcher: Process,
        capability: HeaderValue,
        close: Drain,
        keep: Keep,
    ) -> Self {
        Self { id, launcher, capability, close, keep, asked: None, over: AtomicBool::new(false) }
    }

    /// The same, with the capability that was asked for it alone.
    pub(crate) fn asking(self, asked: Option<CapabilityId>) -> Self {
        Self { asked, ..self }
    }

    fn stands(&self) -> Option<Stands> {
        (!self.over.load(Ordering::Acquire)).then_some(Stands(()))
    }
}

/// Proof that a run had not ended when it was looked at.
#[must_use]
pub(crate) struct Stands(());

/// Whether a run goes on without its launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It ends with it.
    No,
    /// It goes on for whoever is in its control group, until its capability is over.
    InItsGroup,
}

/// What becomes of the capability that a run has a narrowing of, when the launcher did not end it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It is somebody's, and stays.
    Stays,
    /// It was asked for the run alone, and is revoked.
    Revoked,
}

impl Runs {
    /// Opens a run.
    ///
    /// # Errors
    /// When there is one of that name, or there are too many.
    pub(crate) fn open(&self, run: Run) -> Result<Arc<Run>, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST {
            return Err(Refusal::new(Code::RateLimited, format!("{MOST} runs are open already"))
                .hint("end some of them, or wait until they end"));
        }
        if open.contains_key(&run.id) {
            return Err(Refusal::new(Code::BadRequest, "a run of that name is open already"));
        }
        let run = Arc::new(run);
        open.insert(run.id, Arc::clone(&run));
        Ok(run)
    }

    /// Ends a run: from now on nobody belongs to it.
    pub(crate) fn end(&self, id: RunId) -> Option<Arc<Run>> {
        let ended = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(run) = &ended {
            run.over.store(true, Ordering::Release);
            run.close.start();
        }
        ended
    }

    /// A run that is open.
    pub(crate) fn find(&self, id: RunId) -> Option<Arc<Run>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// The run that a caller belongs to. What has the name of a run in its control group belongs to that one, also when it has
    /// ended: then it is nobody.
    ///
    /// # Errors
    /// `unauthenticated` when it belongs to a run that has ended, or when that can't be told.
    pub(crate) fn of(&self, proven: &Proven) -> Result<Option<Arc<Run>>, Refusal> {
        if let Some(id) = proven.holder().cgroup.as_deref().and_then(named) {
            return self.find(id).map(Some).ok_or_else(|| ended(id));
        }
        let open: Vec<_> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        let Some(pid) = proven.pid().filter(|_| !open.is_empty()) else { return Ok(None) };
        let parents = family::parents(Path::new("/proc"), pid).ok_or_else(|| {
            Refusal::new(Code::Unauthenticated, "it can't be told whether the caller belongs to a run")
                .hint("ask again; where processes are hidden from the broker (`hidepid`), runs can't be used")
        })?;
        // A launcher that has ended may have given its number to somebody else.
        let mut found = open.into_iter().filter(|run| {
            run.launcher.pid.is_some_and(|launcher| parents.contains(&launcher)) && lives(&run.launcher)
        });
        // Of runs within runs the outermost counts; it was there first.
        Ok(found.next())
    }
}

/// What is said to those who belonged to it.
fn ended(id: RunId) -> Refusal {
    Refusal::new(Code::Unauthenticated, format!("the run `{id}`, which the caller belongs to, has ended"))
        .hint("start the program again with `doorward run`")
}

/// The run whose name is in the path of a control group, the first from the root.
fn named(path: &str) -> Option<RunId> {
    let name = |part: &str| {
        let name = part.strip_prefix(GROUP)?;
        name.strip_suffix(".scope").unwrap_or(name).parse().ok()
    };
    path.split('/').find_map(name)
}

fn lives(process: &Process) -> bool {
    process.handle.as_ref().is_none_or(|handle| handle.alive().is_ok())
}

/// How the control group of a run is called, before its id.
const GROUP: &str = "doorward-";
/// Most runs at a time.
const MOST: usize = 1024;

#[cfg(test)]
mod tests;
