//! One process has a home open at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::Error;

/// Held as long as a process works with a home. The kernel releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock(File);

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
            Ok(()) => {
                // What one that kept it said counts no more. Who can't know believes that somebody still does, and asks the kernel.
                if file.metadata().is_ok_and(|said| said.len() > 0) {
                    let _ = file.set_len(0);
                }
                Ok(Self(file))
            }
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

    /// Says in the lock's file that this process keeps the home for long, so that nobody waits for it.
    pub fn keep(&self) {
        // On a full disk nobody reads it, and others wait in vain for a while.
        let _ = (&self.0).write_all(format!("{}\n", std::process::id()).as_bytes());
    }

    /// The process that keeps the home for long, where there is one.
    #[must_use]
    pub fn keeper(home: &Path) -> Option<u32> {
        let file = OpenOptions::new().read(true).open(home.join("lock")).ok()?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        let mut said = String::new();
        file.take(MOST).read_to_string(&mut said).ok()?;
        said.trim().parse().ok()
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

/// Bytes of a process id and its line end.
const MOST: u64 = 16;
/// Between two looks at a lock: most are held for a few milliseconds.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(16);
