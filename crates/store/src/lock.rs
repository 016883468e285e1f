//! One process has a home open at a time.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::Error;

/// Held as long as a process works with a home. The kernel releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl HomeLock {
    /// Takes the lock of a home, without waiting.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it.
    pub fn take(home: &Path) -> Result<Self, Error> {
        let path = home.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|source| Error::File { what: "open", path: path.clone(), source })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked(home.to_owned())),
            Err(source) => Err(Error::File { what: "lock", path, source: source.into() }),
        }
    }

    /// Takes the lock of a home, and waits where another process has it. `go_on` is asked before each look, with the time
    /// that was waited so far; once it says no, the lock is given up.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process still has it.
    pub fn wait(home: &Path, mut go_on: impl FnMut(Duration) -> bool) -> Result<Self, Error> {
        let mut waited = Duration::ZERO;
        let mut pause = SHORTEST;
        let mut waiting = None;
        loop {
            match Self::take(home) {
                Err(Error::Locked(_)) if go_on(waited) => {}
                done => return done,
            }
            if waiting.is_none() {
                // Without it whoever has the home keeps it for as long as it likes; that is no reason to give up.
                waiting = Some(wish_for(home));
            }
            std::thread::sleep(pause);
            waited += pause;
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// Whether somebody waits for the lock that this process has, so that one that would go on using the home lets go of it.
    #[must_use]
    pub fn is_wanted(home: &Path) -> bool {
        let Ok(file) = wishes(home) else { return false };
        // All who wait share a lock on the file.
        matches!(flock(&file, FlockOperation::NonBlockingLockExclusive), Err(rustix::io::Errno::WOULDBLOCK))
    }
}

/// Says that this process waits, for as long as what it gives is kept.
fn wish_for(home: &Path) -> std::io::Result<File> {
    let file = wishes(home)?;
    flock(&file, FlockOperation::LockShared)?;
    Ok(file)
}

fn wishes(home: &Path) -> std::io::Result<File> {
    let path = home.join("lock.wanted");
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Between two looks at a lock: most are held for a few milliseconds.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(16);
