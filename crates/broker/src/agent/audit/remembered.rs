//! Which line of an audit log was written last, as the home's own rows remember it: so that lines are missed that somebody took
//! from the end of the file, also while nothing ran.
//!
//! It is written down behind a line, at most once a second, about each minute, and at the end: each time is a commit, for which
//! nobody waits. What a process that was killed wrote last is then found in the file itself.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::{Refusal, TenantName};
use store::{Batch, Storage, Table};

use crate::manage::unstored;

/// See the module.
pub(super) struct Remembered {
    storage: Arc<dyn Storage>,
    key: Vec<u8>,
    state: Mutex<State>,
}

struct State {
    last: String,
    written: String,
    /// When it was written down last by this process.
    at: Option<Instant>,
}

impl Remembered {
    /// What is remembered of the log of this name.
    pub(super) fn of(path: &Path, storage: Arc<dyn Storage>) -> Result<Self, Refusal> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let name = crypto::to_hex(&crypto::sha256(&[path.as_os_str().as_encoded_bytes()]));
        let key = format!("{PREFIX}{name}").into_bytes();
        let row = storage.get(Table::Meta, &TenantName::local(), &key).map_err(|error| unstored(&error))?;
        let last = row.and_then(|row| String::from_utf8(row).ok()).unwrap_or_default();
        let state = State { written: last.clone(), last, at: None };
        Ok(Self { storage, key, state: Mutex::new(state) })
    }

    /// The hash of the last line; empty where none is known.
    pub(super) fn last(&self) -> String {
        self.state().last.clone()
    }

    /// Notes a line that is on the disk.
    pub(super) fn note(&self, last: &str) {
        last.clone_into(&mut self.state().last);
    }

    /// Writes it down where some time has passed.
    pub(super) fn write_down_at_times(&self) {
        let before = self.state().at;
        if before.is_none_or(|at| at.elapsed() >= OFTEN) {
            self.write_down();
        }
    }

    /// Writes it down where it is not. Blocks.
    pub(super) fn write_down(&self) {
        let last = {
            let mut state = self.state();
            state.at = Some(Instant::now());
            if state.last == state.written {
                return;
            }
            state.last.clone()
        };
        let batch = Batch::new().put(Table::Meta, &TenantName::local(), &self.key, last.clone().into_bytes());
        match self.storage.commit(&batch) {
            Ok(()) => self.state().written = last,
            // The line itself is there; a later one writes it down.
            Err(error) => tracing::warn!(%error, "the end of the audit log could not be remembered"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PREFIX: &str = "audit-log/";
const OFTEN: Duration = Duration::from_secs(1);
