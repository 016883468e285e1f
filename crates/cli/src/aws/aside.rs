//! Calls to AWS that take longer than others should wait for the home: they go on in a thread of their own, the home is
//! closed, and once the answer is there the call begins from the start.
//!
//! Whoever wants the same credentials meanwhile waits for this process and for nothing else.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws::profile::Profile;
use aws::wire::{Aside, Flight, Wire};
use store::HomeLock;
use tokio::runtime::Handle;

use super::getting::Turn;
use super::speech::Wrong;
use crate::home::Home;
use crate::wire;

/// What this process does about others while it asks AWS for one thing.
pub(super) struct Outside {
    home: Home,
    /// What is asked for, to tell whether another process asks for the same.
    name: String,
    turn: Mutex<Option<Turn>>,
}

impl Outside {
    /// For the credentials of a profile. All that are made from one stored key or sign-in are one thing.
    pub(super) fn of(profile: &Profile) -> Result<Self, Wrong> {
        let name = format!("credentials\0{}", profile.root());
        let home = super::counter::place()?;
        Ok(Self { home, name, turn: Mutex::default() })
    }

    /// Waits for the answer to what was asked for, else for the process that asks for the same.
    pub(super) fn wait(&self, wire: &Wire) -> Result<(), Wrong> {
        if !wire::runtime()?.block_on(wire.landed()) && self.turn().is_none() {
            let turn = Turn::wait(&self.name)?;
            *self.turn() = Some(turn);
        }
        Ok(())
    }

    /// Lets others ask for the same: a person will be asked first, and whoever asks a person waits for nobody else.
    pub(super) fn let_go(&self) {
        self.turn().take();
    }

    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside for Outside {
    fn begins(&self) -> bool {
        let mut turn = self.turn();
        if turn.is_none() {
            match Turn::at_once(&self.name) {
                Ok(taken) => *turn = taken,
                // Without a file to lock there are no turns, and everybody asks.
                Err(_) => return true,
            }
        }
        turn.is_some()
    }

    fn run(&self, flight: Flight) {
        if let Some(handle) = RUNS.get_or_init(started) {
            // Task `flight`; whoever waits for it is told when it ends, or that it is gone.
            handle.spawn(flight);
        }
    }

    fn wanted(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            tokio::time::sleep(PATIENCE).await;
            while !HomeLock::is_wanted(self.home.folder()) {
                tokio::time::sleep(LOOK).await;
            }
        })
    }
}

/// A thread with a runtime, until the process ends.
fn started() -> Option<Handle> {
    let runtime = wire::runtime().ok()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("aside".to_owned());
    let started = thread.spawn(move || runtime.block_on(std::future::pending::<()>()));
    started.ok().map(|_| handle)
}

/// Where requests run that outlive the runtime of a call: one thread for all of a process.
static RUNS: OnceLock<Option<Handle>> = OnceLock::new();
/// Most answers of AWS come sooner.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks whether somebody waits.
const LOOK: Duration = Duration::from_millis(50);
