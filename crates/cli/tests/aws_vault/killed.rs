//! A rotation that is killed at any point whatever: the keyring holds a key that works, and the next rotation leaves one key.
//!
//! A point is the entry of a call of the system that changes anything outside the process (`killed_at.py` counts them over all
//! threads): a byte sent to AWS, a file written, synced, renamed or taken away. Every point is walked, in order, until the
//! command ends by itself. Between two points nothing outside changes, so these are all states that there can be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tempfile::TempDir;
use testkit::aws::{Fake, Options};

use crate::run::{Binary, Ended, Place, USUAL_TIME, command, wait, write};
use crate::{one_of_few, program};

#[test]
fn a_rotation_that_is_killed_anywhere_loses_no_key_and_leaves_none_behind() {
    if !cfg!(target_os = "linux") {
        return crate::skip("killed-at-every-point", "processes are stopped by ptrace of Linux");
    }
    let walks = [
        Walk { name: "the key signs", config: "[profile p]\n", rotate: &["rotate", "-n", "p"], kept: false },
        Walk {
            name: "a session with a code signs, and another one is kept",
            config: "[profile p]\nmfa_serial = arn:aws:iam::111111111111:mfa/ada\nmfa_process = bin/code\n",
            rotate: &["rotate", "p"],
            kept: true,
        },
    ];
    let binary = Binary::linked(&program());
    let met: Vec<BTreeMap<Left, u32>> = std::thread::scope(|scope| {
        let walking: Vec<_> = walks.iter().map(|walk| scope.spawn(|| walk.all(&binary))).collect();
        walking.into_iter().map(|walk| walk.join().unwrap()).collect()
    });
    // A walk that never meets an orphan shows nothing about orphans.
    for state in [Left::Untouched, Left::Orphan, Left::Replaced] {
        assert!(
            met.iter().all(|met| met.contains_key(&state)),
            "no point of a walk left `{state:?}`: {met:?}"
        );
    }
    // It lasts for a few system calls, which threads of the program share differently each time.
    assert!(met.iter().any(|met| met.contains_key(&Left::Both)), "no point left both keys: {met:?}");
}

/// One way of rotating.
struct Walk {
    name: &'static str,
    config: &'static str,
    rotate: &'static [&'static str],
    /// Whether a session is kept before.
    kept: bool,
}

/// What a kill left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// Nothing was changed.
    Untouched,
    /// AWS has a key that nobody has the secret of.
    Orphan,
    /// The new key is stored, and the old one is there.
    Both,
    /// The old key is gone.
    Replaced,
}

impl Walk {
    /// Walks all points, and counts the states that were met.
    fn all(&self, binary: &Binary) -> BTreeMap<Left, u32> {
        let template = self.prepared(binary);
        let (next, met) = (AtomicU32::new(1), Mutex::new(BTreeMap::<Left, u32>::new()));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let point = next.fetch_add(1, Ordering::Relaxed);
                        let left = one_of_few(|| self.killed_at(point, binary, template.path()));
                        let Some(left) = left else { return };
                        *met.lock().unwrap().entry(left).or_default() += 1;
                    }
                });
            }
        });
        let met = met.into_inner().unwrap();
        println!("{}: {} points, {met:?}", self.name, met.values().sum::<u32>());
        met
    }

    /// A home with a stored key, and a session where one is wanted.
    fn prepared(&self, binary: &Binary) -> TempDir {
        let scene = Scene::new(self, binary, None);
        let mut add = scene.command(&binary.path);
        add.env("AWS_ACCESS_KEY_ID", OLD).env("AWS_SECRET_ACCESS_KEY", format!("secret-of-{OLD}"));
        assert_eq!(wait(add.args(["add", "--env", "p"]), USUAL_TIME).rc, Some(0));
        if self.kept {
            let ended = scene.run(&["exec", "p", "--", "true"]);
            assert_eq!(ended.rc, Some(0), "{}", ended.stderr);
        }
        scene.folder
    }

    /// Kills one rotation at one point, looks, and rotates again. `None`: it has fewer points.
    fn killed_at(&self, point: u32, binary: &Binary, template: &Path) -> Option<Left> {
        let scene = Scene::new(self, binary, Some(template));
        let mut traced = scene.command(&python());
        let tracer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_vault/killed_at.py");
        traced.arg(tracer).arg(point.to_string()).arg(scene.folder.path().join("points"));
        let ended = wait(traced.arg(&binary.path).args(self.rotate), USUAL_TIME);
        if ended.rc == Some(3) {
            return None;
        }
        let at = format!("{}, killed at point {point}", self.name);
        assert_eq!(ended.rc, Some(0), "{at}: the tracer said: {}", ended.stderr);
        if scene.fake.calls().iter().all(|call| call.api != "iam.CreateAccessKey") {
            // Nothing to mend: AWS was never asked for a key.
            assert_eq!((scene.stored(&at), scene.fake.keys().len() <= 1), (OLD.to_owned(), true), "{at}");
            return Some(Left::Untouched);
        }
        let left = self.looked_at(&scene, &at);
        let again = scene.run(self.rotate);
        assert_eq!(again.rc, Some(0), "{at} ({left:?}): the next rotation: {}{}", again.stdout, again.stderr);
        let stored = scene.stored(&at);
        assert_eq!(
            scene.fake.keys(),
            [stored.as_str()],
            "{at} ({left:?}): keys of the user: {}",
            again.stdout
        );
        Some(left)
    }

    /// Sees that the stored key works, and tells what else there is.
    fn looked_at(&self, scene: &Scene<'_>, at: &str) -> Left {
        let stored = scene.stored(at);
        let keys = scene.fake.keys();
        let session = scene.run(&["exec", "p", "--", "true"]);
        assert_eq!(session.rc, Some(0), "{at}: `{stored}` does not work: {}", session.stderr);
        match (stored == OLD, keys.iter().any(|key| key == OLD), keys.iter().any(|key| key != OLD)) {
            (true, _, false) => Left::Untouched,
            (true, _, true) => Left::Orphan,
            (false, true, _) => Left::Both,
            (false, false, _) => Left::Replaced,
        }
    }
}

/// One home with one AWS.
struct Scene<'a> {
    binary: &'a Binary,
    folder: TempDir,
    place: Place,
    fake: Fake,
}

impl<'a> Scene<'a> {
    fn new(walk: &Walk, binary: &'a Binary, template: Option<&Path>) -> Self {
        // The user has the key that is stored and no other; a code is taken as often as it is shown.
        let options = json!({ "keys_at_start": 1, "lenient": ["code-reuse"] });
        let fake = Fake::start(Options::from_json(&options));
        let folder = tempfile::Builder::new().prefix("av-").tempdir_in("/tmp").unwrap();
        if let Some(template) = template {
            copy(template, folder.path());
        }
        let work = folder.path().to_owned();
        write(&work.join("config"), walk.config);
        std::fs::create_dir_all(work.join("bin")).unwrap();
        testkit::program(work.join("bin/code"), "#!/bin/sh\necho 123456\n");
        let place = Place { work, endpoint: fake.url(), binary: binary.path.clone() };
        Self { binary, folder, place, fake }
    }

    fn command(&self, program: &Path) -> std::process::Command {
        let variables = BTreeMap::from([
            ("AWS_ENDPOINT_URL".to_owned(), Some(self.fake.url())),
            ("AWS_REGION".to_owned(), Some("us-east-1".to_owned())),
            ("PATH".to_owned(), Some(self.binary.search_path(&self.place.work))),
        ]);
        let mut command = command(&self.binary.setsid, &self.place, &variables);
        command.arg("-w").arg(program);
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        wait(self.command(&self.binary.path).args(words), USUAL_TIME)
    }

    /// The id of the key that is stored.
    fn stored(&self, at: &str) -> String {
        let shown = self.run(&["exec", "-n", "p", "--", "sh", "-c", "echo $AWS_ACCESS_KEY_ID"]);
        assert_eq!(shown.rc, Some(0), "{at}: the stored key can't be had: {}", shown.stderr);
        shown.stdout.trim().to_owned()
    }
}

/// The Python of this machine itself: what is on the `PATH` may be a script that looks for it there.
fn python() -> PathBuf {
    let said =
        std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    PathBuf::from(String::from_utf8(said.expect("the walk needs python3").stdout).unwrap().trim())
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status();
    assert!(copied.unwrap().success(), "the home could not be copied");
}

const OLD: &str = "AKIASOURCE0000000001";
