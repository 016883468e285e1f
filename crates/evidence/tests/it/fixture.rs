//! What these tests share: a clock by hand, a key, calls, children.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crypto::SigningKey;
use evidence::{Deed, Ending, Finding, Intent, Log, Outcome, Report, Use, verify_store};
use model::{Access, Clock, Door, EvidenceId, Proof, Risk, TenantName, Timestamp};
use store::{Journal, Storage};
use tempfile::TempDir;

/// A clock that a test moves.
pub(crate) struct Hand(pub(crate) AtomicU64);

impl Hand {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_760_000_000_000)))
    }

    pub(crate) fn forward(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Small and fast; the same numbers for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

pub(crate) fn rounds(otherwise: u64) -> u64 {
    told("DOORWARD_ROUNDS").and_then(|rounds| rounds.parse().ok()).unwrap_or(otherwise)
}

/// A variable that a test was started with.
pub(crate) fn told(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how a test runs is not a setting of the product")]
    std::env::var(name).ok()
}

/// Notes that a check can't be made on this machine.
pub(crate) fn skip(check: &str, reason: &str) {
    use std::io::Write;
    if let Some(file) = told("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(file).unwrap();
        writeln!(file, "{check}\t{reason}").unwrap();
    }
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed([9; 32]).unwrap()
}

/// A folder in memory where there is such a place: syncing is not what most of these tests are about.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn open(storage: &Arc<Journal>, clock: &Arc<Hand>) -> Log {
    Log::open(storage.clone(), key(), "doorward.example".to_owned(), clock.clone()).unwrap()
}

pub(crate) fn check(storage: &dyn Storage) -> Result<Report, Finding> {
    verify_store(storage, &key().public(), &mut |_, _| {})
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn id(n: u64) -> EvidenceId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    EvidenceId::new(Timestamp::from_millis(1_760_000_000_000), random)
}

pub(crate) fn intent(tenant: &TenantName, n: u64) -> Intent {
    Intent {
        id: id(n),
        tenant: tenant.clone(),
        principal: "ci-bot".parse().unwrap(),
        proof: Proof::Kernel,
        door: Door::Socket,
        grant: None,
        narrowings: Vec::new(),
        deed: Deed {
            integration: "slack".parse().unwrap(),
            operation: "chat.post".parse().unwrap(),
            access: Access::Write,
            risk: Risk::Medium,
            resource: "channel:C1".parse().unwrap(),
            request: None,
        },
        inputs: [1; 32],
        secrets: vec!["store:slack/token".parse().unwrap()],
        policy: [2; 32],
        purpose: None,
        uses: vec![Use { id: [(n % 3) as u8; 16], most: u64::MAX }],
        disclosure: None,
    }
}

pub(crate) fn done() -> Outcome {
    Outcome { status: Some(200), ..Outcome::bare(Ending::Done) }
}

/// This program again, to run one test that does something only when it is told where.
pub(crate) fn child(test: &str, home: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(HOME, home);
    command
}

/// Where a child works.
pub(crate) const HOME: &str = "DOORWARD_TEST_CHILD_HOME";
