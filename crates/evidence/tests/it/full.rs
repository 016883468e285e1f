//! No space left: intents are refused at once, nothing hangs, and the log goes on by itself when there is space again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use evidence::{Error, Lane, Reader, Wait};
use model::TenantName;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use store::Journal;

use crate::fixture::{HOME, Hand, check, child, done, folder, intent, key, open, run, skip, told};

#[test]
fn a_file_that_may_not_grow_refuses_until_it_may() {
    let home = folder();
    let inner = child("full::a_child_whose_files_may_not_grow", home.path());
    // The signal that comes with the error would end the child.
    succeeds(&mut wrapped("trap '' XFSZ; exec \"$@\"", &inner), home.path());
}

#[test]
fn a_full_disk_refuses_until_there_is_space() {
    let home = folder();
    let mounts = "mount -t tmpfs -o size=1m tmpfs \"$DOORWARD_TEST_CHILD_HOME\"";
    let inner = child("full::a_child_on_a_small_disk", home.path());
    let mut probe = Command::new("unshare");
    let probe =
        probe.args(["--mount", "sh", "-c", mounts]).env(HOME, home.path()).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        skip("evidence-on-a-full-disk", "a small disk can't be mounted here");
        return;
    }
    let script = format!("{mounts} && exec \"$@\"");
    let sh = wrapped(&script, &inner);
    let mut command = Command::new("unshare");
    command.arg("--mount").arg(sh.get_program()).args(sh.get_args());
    succeeds(&mut command, home.path());
}

/// A shell that does something and then becomes another program.
fn wrapped(script: &str, inner: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command
}

fn succeeds(command: &mut Command, home: &Path) {
    let output = command.env(HOME, home).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_child_whose_files_may_not_grow() {
    let Some(home) = told(HOME) else { return };
    let most = |bytes| {
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
    };
    most(Some(60_001));
    refuses_and_goes_on(Path::new(&home), 1 << 20, || most(None));
}

#[test]
fn a_child_on_a_small_disk() {
    let Some(home) = told(HOME) else { return };
    let home = Path::new(&home);
    for segments in [1 << 20, 30_000] {
        let ballast = home.join("ballast");
        let file = std::fs::File::create(&ballast).unwrap();
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, 900 << 10).unwrap();
        drop(file);
        let folder = home.join(format!("{segments}"));
        refuses_and_goes_on(&folder, segments, || std::fs::remove_file(&ballast).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// Writes until there is no space; makes some; writes on.
fn refuses_and_goes_on(home: &Path, segments: u64, free: impl FnOnce()) {
    let journal = Arc::new(Journal::with_segments_of(home, segments).unwrap());
    let clock = Hand::new();
    let log = open(&journal, &clock);
    let lane = log.lane();
    let mut settled = 0;
    run(async {
        while call(&lane, settled).await.is_ok() {
            settled += 1;
            clock.forward(100);
        }
        assert!(settled > 10);
        // Many at once, and again and again.
        for round in 1..5 {
            let calls: Vec<_> =
                (0..32).map(|n| tokio::spawn(refused(lane.clone(), round * 1_000_000 + n))).collect();
            for call in calls {
                call.await.unwrap();
            }
        }
        free();
        let limit = Instant::now() + Duration::from_secs(120);
        while let Err(error) = call(&lane, 9_000_000).await {
            assert!(Instant::now() < limit, "the log does not go on: {error:?}");
        }
    });
    log.close().unwrap();
    let report = check(&*journal).unwrap();
    assert!(report.open.is_empty() && report.unsigned == 0);
    // No intent of those that were refused is in the log, and each that gave a receipt is.
    let reader = Reader::new(journal.clone(), key().public());
    let is_there = |n| reader.show(&TenantName::local(), crate::fixture::id(n)).unwrap().is_some();
    assert!((0..settled).all(is_there) && is_there(9_000_000));
    assert!((1..5).flat_map(|round| (0..32).map(move |n| round * 1_000_000 + n)).all(|n| !is_there(n)));
    drop(log);
    drop(reader);
    drop(journal);
    check(&Journal::with_segments_of(home, segments).unwrap()).unwrap();
}

async fn call(lane: &Lane, n: u64) -> Result<(), Error> {
    let receipt = lane.intend(intent(&TenantName::local(), n)).await.map_err(at_once)?;
    // It may fail where its intent did not; it is kept then and written later.
    let _ = lane.settle(receipt, done(), Wait::Durable).await.map_err(at_once);
    Ok(())
}

/// A refusal that was the log's answer: one whose patience had to end is another error, however fast the machine is.
fn at_once(error: Error) -> Error {
    assert!(!matches!(error, Error::Slow), "it hangs");
    error
}

async fn refused(lane: Lane, n: u64) {
    let refusal = lane.intend(intent(&TenantName::local(), n)).await.unwrap_err();
    assert!(matches!(&refusal, Error::Write(why) if matches!(**why, store::Error::Full)), "{refusal:?}");
}
