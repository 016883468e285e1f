//! The folder or the file of the journal is taken away, replaced or locked: refusals, until it is put back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use evidence::{Error, Lane, Log, Wait};
use model::TenantName;
use store::Journal;
use tempfile::TempDir;

use crate::fixture::{Hand, check, done, folder, intent, open, run, skip};

struct House {
    outer: TempDir,
    home: PathBuf,
    journal: Arc<Journal>,
    log: Log,
    lane: Lane,
}

impl House {
    fn new(outer: TempDir, segments: u64) -> Self {
        let home = outer.path().join("evidence");
        let journal = Arc::new(Journal::with_segments_of(&home, segments).unwrap());
        let log = open(&journal, &Hand::new());
        let lane = log.lane();
        Self { outer, home, journal, log, lane }
    }

    fn call(&self, n: u64) -> Result<(), Error> {
        let called = run(async {
            let receipt = self.lane.intend(intent(&TenantName::local(), n)).await?;
            self.lane.settle(receipt, done(), Wait::Durable).await.map(|_| ())
        });
        assert!(!matches!(called, Err(Error::Slow)), "it hangs");
        called
    }

    /// Away: refused. Back: it goes on by itself. Then everything is as it should be.
    fn away_and_back(self, away: impl FnOnce(&Path), back: impl FnOnce(&Path)) {
        self.call(0).unwrap();
        away(&self.home);
        for n in 1..4 {
            assert!(matches!(self.call(n), Err(Error::Write(_))));
        }
        back(&self.home);
        for n in 4..8 {
            self.call(n).unwrap();
        }
        self.log.close().unwrap();
        let report = check(&*self.journal).unwrap();
        assert!(report.open.is_empty() && report.unsigned == 0 && report.records >= 11);
    }

    fn newest(home: &Path) -> PathBuf {
        let paths = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "journal")).max().unwrap()
    }
}

#[test]
fn a_folder_that_is_taken_away_refuses_until_it_is_back() {
    for segments in [1 << 20, 100] {
        let house = House::new(folder(), segments);
        let aside = house.outer.path().join("aside");
        house.away_and_back(
            |home| std::fs::rename(home, &aside).unwrap(),
            |home| std::fs::rename(&aside, home).unwrap(),
        );
    }
}

#[test]
fn a_file_that_is_replaced_refuses_until_it_is_back() {
    let house = House::new(folder(), 1 << 20);
    let aside = house.outer.path().join("aside");
    house.away_and_back(
        |home| {
            let path = House::newest(home);
            std::fs::rename(&path, &aside).unwrap();
            std::fs::copy(&aside, &path).unwrap();
        },
        |home| std::fs::rename(&aside, House::newest(home)).unwrap(),
    );
}

#[test]
fn a_folder_that_is_removed_for_good_refuses_for_good() {
    let house = House::new(folder(), 1 << 20);
    house.call(0).unwrap();
    std::fs::remove_dir_all(&house.home).unwrap();
    for n in 1..4 {
        assert!(house.call(n).is_err());
    }
    // Nothing was signed since, and nothing can be.
    assert!(house.log.close().is_err());
}

#[test]
fn a_file_that_is_made_immutable_refuses_until_it_is_not() {
    // Not in memory: files there can't be immutable on every kernel.
    let house = House::new(tempfile::tempdir().unwrap(), 1 << 20);
    let change = |how: &str, path: &Path| {
        let changed = Command::new("chattr").arg(how).arg(path).stderr(Stdio::null()).status();
        changed.is_ok_and(|status| status.success())
    };
    let path = House::newest(&house.home);
    if !change("+i", &path) || !change("-i", &path) {
        skip("evidence-in-an-immutable-file", "files can't be made immutable here");
        return;
    }
    house.away_and_back(|_| assert!(change("+i", &path)), |_| assert!(change("-i", &path)));
}
