//! A keyring at the other end does what the one beside it does, over a pipe.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use keyring::{Error, Fault, Item, Keyring, Kind, Trust};
use tokio::sync::mpsc;

use super::ask::kept;
use super::distant::{Distant, Line, Post, enclosed};
use super::letter::{Enclosed, Letter, sealed};
use super::words::{Said, Which};
use crate::mint::{Reach, Seeds, Shelf, Tools};

fn item(name: &str, secret: &str) -> Item {
    Item {
        name: name.to_owned(),
        secret: memory::Secret::new(secret.as_bytes().to_vec()).unwrap(),
        label: "label".to_owned(),
        description: "description".to_owned(),
        trust: Trust::Application,
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    tools: Tools,
}

impl Bench {
    fn new() -> Self {
        struct Nobody;
        impl keyring::Ask for Nobody {
            fn ask(&self, _: &keyring::Question) -> Result<memory::Secret, keyring::NoAnswer> {
                Ok(memory::Secret::new(b"pass phrase".to_vec()).unwrap())
            }

            fn tell(&self, _: &str) {}
        }
        let folder = tempfile::tempdir().unwrap();
        let mut settings = keyring::Settings::new(folder.path().to_owned(), Arc::new(Nobody));
        settings.file.folder = Some(folder.path().join("keys"));
        let keys = Shelf::new(keyring::open(Kind::File, &settings).unwrap());
        let reach = Reach::default();
        let wire = Arc::new(reach.wire().unwrap());
        let seeds = Seeds::Leave;
        let tools = Tools { sessions: keys.clone(), keys, other: None, seeds, wire, reach, words: None };
        Self { _folder: folder, tools }
    }

    /// Uses the keyring from the other end of a pipe.
    fn at_the_other_end<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Keyring) -> T + Send + 'static,
    ) -> T {
        let (line, mut posts) = mpsc::unbounded_channel();
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let user = std::thread::spawn(move || {
            let distant = Distant { which: Which::Keys, kind: Kind::File, line: Line(line) };
            work(&distant)
        });
        let broker = std::thread::spawn(move || {
            while let Some(post) = posts.blocking_recv() {
                let (said, item, answer) = Post::split(post);
                let with: Vec<Enclosed<'_>> = enclosed(item.as_ref()).into_iter().collect();
                near.write_all(&sealed(&said, &with).unwrap()).unwrap();
                let _ = answer.unwrap().send(Letter::read(&mut near).unwrap());
            }
        });
        loop {
            let mut first = [0; 1];
            // The end of the pipe is the end of the work.
            if far.read(&mut first).unwrap() == 0 {
                break;
            }
            let letter = Letter::read(&mut first.as_slice().chain(&mut far)).unwrap();
            let Said::Ask(which, deed) = letter.head().unwrap() else { panic!("not a question") };
            far.write_all(&kept(&self.tools, (which, deed), letter).unwrap()).unwrap();
        }
        broker.join().unwrap();
        user.join().unwrap()
    }
}

#[test]
fn entries_are_kept_read_listed_and_removed_from_afar() {
    let bench = Bench::new();
    let names = bench.at_the_other_end(|keyring| {
        keyring.set(item("alice", "canary-key-1")).unwrap();
        keyring.names().unwrap()
    });
    assert_eq!(names, ["alice"]);
    let read = bench.at_the_other_end(|keyring| keyring.get("alice")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a canary is compared")]
    let same = read.secret.expose(|bytes| bytes == b"canary-key-1");
    assert!(same && read.label == "label" && read.description == "description");
    assert_eq!(read.trust, Trust::Application);
    bench.at_the_other_end(|keyring| keyring.remove("alice")).unwrap();
    assert!(bench.tools.keys.with(|keyring| keyring.names()).unwrap().is_empty());
}

#[test]
fn what_is_not_there_is_known_as_such_from_afar() {
    let missing = Bench::new().at_the_other_end(|keyring| keyring.get("nobody")).err().unwrap();
    assert_eq!(missing.fault(), Fault::Missing);
    assert_eq!(missing.to_string(), "`nobody` is not in the keyring `file`");
    let missing = Bench::new().at_the_other_end(|keyring| keyring.remove("nobody")).unwrap_err();
    assert_eq!(missing.fault(), Fault::Missing);
}

#[test]
fn a_keyring_whose_program_went_away_says_so() {
    let (line, posts) = mpsc::unbounded_channel();
    drop(posts);
    let distant = Distant { which: Which::Keys, kind: Kind::File, line: Line(line) };
    let gone = distant.names().unwrap_err();
    assert!(matches!(gone, Error::Elsewhere { fault: Fault::Else, .. }), "{gone}");
    assert!(gone.to_string().contains("went away"), "{gone}");
}
