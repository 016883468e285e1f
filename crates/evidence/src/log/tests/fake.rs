//! For tests: a clock by hand, and storages whose disk can be filled, broken or stopped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crypto::SigningKey;
use model::{Clock, TenantName, Timestamp};
use store::{Batch, Embedded, Journal, Row, Step, Storage, Table};
use tempfile::TempDir;

use crate::log::Log;
use crate::{Ending, Outcome, verify_store};

/// A clock that a test moves.
pub(crate) struct Hand(pub(crate) AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Works,
    Full,
    Busy,
    Broken,
    Stuck,
    /// Records are taken, checkpoints are not, however long a test takes.
    Unsigned,
}

/// A storage whose disk a test can fill, break or stop.
pub(crate) struct Fake {
    pub(crate) inner: Box<dyn Storage>,
    _folder: Option<TempDir>,
    mode: Mutex<Mode>,
    changed: Condvar,
    /// Of each commit: whether it brought records, and whether it brought a checkpoint.
    commits: Mutex<Vec<(bool, bool)>>,
}

/// Makes an empty storage of one kind.
pub(crate) type Make = fn() -> Arc<Fake>;

/// The storages that evidence may lie in; a test that loops over them holds on each.
pub(crate) const EVERY: [Make; 2] = [Fake::embedded, Fake::journal];

impl Fake {
    pub(crate) fn embedded() -> Arc<Self> {
        Self::over(Box::new(Embedded::in_memory().unwrap()), None)
    }

    /// With segments so small that a test has several.
    pub(crate) fn journal() -> Arc<Self> {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let journal = Journal::with_segments_of(folder.path(), 4_000).unwrap();
        Self::over(Box::new(journal), Some(folder))
    }

    fn over(inner: Box<dyn Storage>, folder: Option<TempDir>) -> Arc<Self> {
        let (mode, changed) = (Mutex::new(Mode::Works), Condvar::new());
        Arc::new(Self { inner, _folder: folder, mode, changed, commits: Mutex::default() })
    }

    /// Another storage with the same rows, as a crash would leave them.
    pub(crate) fn copied(&self, make: Make) -> Arc<Self> {
        let copy = make();
        for table in Table::ALL {
            for tenant in self.tenants(table).unwrap() {
                for row in self.scan(table, &tenant, b"", None, 10_000).unwrap() {
                    copy.inner.commit(&Batch::new().put(table, &tenant, &row.key, row.value)).unwrap();
                }
            }
        }
        copy
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
        self.changed.notify_all();
    }

    /// Of each commit so far: whether it brought records, and whether it brought a checkpoint.
    pub(crate) fn commits(&self) -> Vec<(bool, bool)> {
        self.commits.lock().unwrap().clone()
    }

    /// Number of rows of evidence of the tenant `local`.
    pub(crate) fn groups(&self) -> usize {
        self.inner.scan(Table::Evidence, &local(), b"", None, 100_000).unwrap().len()
    }

    pub(crate) fn records(&self, tenant: &TenantName) -> Vec<crate::Leaf> {
        let rows = self.inner.scan(Table::Evidence, tenant, b"", None, 100_000).unwrap();
        let leaves = rows.iter().flat_map(|row| crate::leaf::rows(&row.value));
        leaves.map(|leaf| crate::Leaf::decode(leaf.unwrap()).unwrap()).collect()
    }
}

impl Storage for Fake {
    fn get(&self, t: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        self.inner.get(t, tenant, key)
    }

    fn scan(
        &self,
        t: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, store::Error> {
        self.inner.scan(t, tenant, prefix, after, limit)
    }

    fn last(&self, t: Table, tenant: &TenantName) -> Result<Option<Row>, store::Error> {
        self.inner.last(t, tenant)
    }

    fn tenants(&self, t: Table) -> Result<Vec<TenantName>, store::Error> {
        self.inner.tenants(t)
    }

    fn commit(&self, batch: &Batch) -> Result<(), store::Error> {
        let mut mode = self.mode.lock().unwrap();
        while *mode == Mode::Stuck {
            mode = self.changed.wait(mode).unwrap();
        }
        let mode = *mode;
        match mode {
            Mode::Full => Err(store::Error::Full),
            Mode::Busy => Err(store::Error::Busy),
            // Stands for a sync that failed: any error that is not known to pass.
            Mode::Broken => Err(store::Error::Conflict),
            Mode::Works | Mode::Stuck | Mode::Unsigned => {
                let brings = |wanted: Table| {
                    batch
                        .steps()
                        .iter()
                        .any(|step| matches!(step, Step::Put(t, ..) | Step::Insert(t, ..) if *t == wanted))
                };
                let brought = (brings(Table::Evidence), brings(Table::Checkpoints));
                if mode == Mode::Unsigned && brought.1 {
                    return Err(store::Error::Busy);
                }
                self.inner.commit(batch)?;
                self.commits.lock().unwrap().push(brought);
                Ok(())
            }
        }
    }
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed([9; 32]).unwrap()
}

pub(crate) fn clock() -> Arc<Hand> {
    Arc::new(Hand(AtomicU64::new(1_760_000_000_000)))
}

pub(crate) fn open(storage: &Arc<Fake>, clock: &Arc<Hand>) -> Log {
    open_with(storage, clock, Duration::from_secs(120))
}

pub(crate) fn open_with(storage: &Arc<Fake>, clock: &Arc<Hand>, patience: Duration) -> Log {
    let origin = crate::Origin::parse("doorward.example").unwrap();
    Log::open_with(storage.clone(), key(), origin, clock.clone(), patience).unwrap()
}

pub(crate) fn local() -> TenantName {
    TenantName::local()
}

pub(crate) fn verify(storage: &Fake) -> crate::Report {
    verify_store(storage, &key().public(), &mut |_, _| {}).unwrap()
}

/// Waits for a condition, with a limit.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < limit, "{what} did not happen");
        std::thread::yield_now();
    }
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn done() -> Outcome {
    Outcome { status: Some(200), ..Outcome::bare(Ending::Done) }
}
