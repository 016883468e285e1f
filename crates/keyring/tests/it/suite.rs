//! What every keyring promises. `conformance!(make)` tests it for the member that `make` starts.

use std::collections::BTreeMap;

use keyring::{Error, Item, Keyring, Trust};
use memory::Secret;

/// A member that runs.
pub(crate) trait Member: Sync {
    fn open(&self) -> Box<dyn Keyring>;

    /// The same place, opened with what does not unlock it. `None` where nothing is locked.
    fn locked(&self) -> Option<Box<dyn Keyring>>;

    /// The longest value that is tried.
    fn longest(&self) -> u32 {
        64 * 1024
    }

    /// Whether labels and descriptions come back.
    fn keeps_labels(&self) -> bool {
        true
    }
}

macro_rules! conformance {
    ($make:expr) => {
        mod conformance {
            use super::*;
            use crate::suite;

            #[test]
            fn an_entry_comes_back_as_it_was_stored() {
                suite::comes_back(&$make);
            }

            #[test]
            fn entries_are_listed_replaced_and_removed() {
                suite::listed_replaced_removed(&$make);
            }

            #[test]
            fn what_is_not_there_is_not_found() {
                suite::not_found(&$make);
            }

            #[test]
            fn every_byte_and_every_length_comes_back() {
                suite::bytes(&$make);
            }

            #[test]
            fn odd_names_are_kept_apart_and_names_that_are_none_refused() {
                suite::odd_names(&$make);
            }

            #[test]
            fn writers_at_the_same_time_lose_nothing() {
                suite::writers(&$make);
            }

            #[test]
            fn what_stays_locked_is_an_error_and_loses_nothing() {
                suite::locked(&$make);
            }
        }
    };
}

pub(crate) fn item(name: &str, bytes: &[u8]) -> Item {
    Item {
        name: name.to_owned(),
        secret: Secret::new(bytes.to_vec()).unwrap(),
        label: format!("aws-vault ({name})"),
        description: "a \"description\"".to_owned(),
        trust: Trust::Application,
    }
}

#[expect(clippy::disallowed_methods, reason = "tests look at what comes back")]
pub(crate) fn bytes_of(item: &Item) -> Vec<u8> {
    item.secret.expose(<[u8]>::to_vec)
}

pub(crate) fn read(keyring: &dyn Keyring, name: &str) -> Vec<u8> {
    bytes_of(&keyring.get(name).unwrap_or_else(|error| panic!("{name}: {}", chain(&error))))
}

pub(crate) fn store(keyring: &dyn Keyring, name: &str, bytes: &[u8]) {
    keyring.set(item(name, bytes)).unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
}

/// An error with its sources.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

pub(crate) fn comes_back(member: &impl Member) {
    let keyring = member.open();
    assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
    store(&*keyring, "work", CANARY);
    let read = member.open().get("work").unwrap();
    assert_eq!((read.name.as_str(), bytes_of(&read).as_slice()), ("work", CANARY));
    if member.keeps_labels() {
        assert_eq!(
            (read.label.as_str(), read.description.as_str()),
            ("aws-vault (work)", "a \"description\"")
        );
        assert_eq!(read.trust, Trust::Application);
    }
}

pub(crate) fn listed_replaced_removed(member: &impl Member) {
    let keyring = member.open();
    for name in ["b", "a", "c"] {
        store(&*keyring, name, name.as_bytes());
    }
    assert_eq!(keyring.names().unwrap(), ["a", "b", "c"]);
    store(&*keyring, "b", b"another value");
    assert_eq!(keyring.names().unwrap(), ["a", "b", "c"]);
    assert_eq!(read(&*keyring, "b"), b"another value");
    keyring.remove("b").unwrap();
    assert_eq!(member.open().names().unwrap(), ["a", "c"]);
    assert!(matches!(keyring.get("b"), Err(Error::NotFound { .. })));
    assert_eq!(read(&*keyring, "a"), b"a");
}

pub(crate) fn not_found(member: &impl Member) {
    let keyring = member.open();
    for _ in 0..2 {
        assert!(matches!(keyring.get("gone"), Err(Error::NotFound { .. })));
        assert!(matches!(keyring.remove("gone"), Err(Error::NotFound { .. })));
        // The second time the place is there, and only the entry is not.
        store(&*keyring, "there", b"x");
    }
}

pub(crate) fn bytes(member: &impl Member) {
    let keyring = member.open();
    let all: Vec<u8> = (0..=255).collect();
    let long: Vec<u8> = (0..member.longest()).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let values: [&[u8]; 8] =
        [&all, b"", b"ends with a line end\n", b" spaces ", b"0x41", b"\"quoted\"", b"\0", &long];
    for value in values {
        store(&*keyring, "a", value);
        assert_eq!(read(&*keyring, "a"), value);
    }
    assert_eq!(keyring.names().unwrap(), ["a"]);
    store(&*keyring, "a", b"short");
    assert_eq!(read(&*keyring, "a"), b"short");
    keyring.remove("a").unwrap();
    assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
}

pub(crate) fn odd_names(member: &impl Member) {
    let keyring = member.open();
    let mut expected = BTreeMap::new();
    for name in ODD {
        store(&*keyring, name, name.as_bytes());
        expected.insert(name.to_owned(), name.as_bytes().to_vec());
    }
    assert_eq!(keyring.names().unwrap(), expected.keys().cloned().collect::<Vec<_>>());
    for (name, value) in &expected {
        assert_eq!(&read(&*keyring, name), value);
    }
    for name in ["", ".", "..", "a\nb", "a\0b"] {
        assert!(matches!(keyring.set(item(name, b"x")), Err(Error::Name { .. })), "{name:?}");
        assert!(matches!(keyring.get(name), Err(Error::Name { .. })), "{name:?}");
        assert!(matches!(keyring.remove(name), Err(Error::Name { .. })), "{name:?}");
    }
    for name in expected.keys() {
        keyring.remove(name).unwrap();
    }
    assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
}

pub(crate) fn writers(member: &impl Member) {
    store(&*member.open(), "shared", b"the first");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let keyring = member.open();
                for number in 0..ENTRIES {
                    store(&*keyring, &format!("w{writer}-{number}"), &[writer, number]);
                    store(&*keyring, "shared", &vec![writer; 5000]);
                    let shared = read(&*keyring, "shared");
                    let whole = shared.len() == 5000 && shared.iter().all(|byte| *byte == shared[0]);
                    assert!(whole, "a value that nobody wrote: {} bytes", shared.len());
                }
            });
        }
    });
    let keyring = member.open();
    assert_eq!(keyring.names().unwrap().len(), usize::from(WRITERS * ENTRIES) + 1);
    for writer in 0..WRITERS {
        for number in 0..ENTRIES {
            assert_eq!(read(&*keyring, &format!("w{writer}-{number}")), [writer, number]);
        }
    }
}

pub(crate) fn locked(member: &impl Member) {
    store(&*member.open(), "work", CANARY);
    let Some(keyring) = member.locked() else { return };
    let refused = [
        keyring.set(item("work", b"overwritten")).unwrap_err(),
        keyring.get("work").map(|_| ()).unwrap_err(),
    ];
    for error in refused {
        assert!(!matches!(error, Error::NotFound { .. }), "{error}");
        let said = chain(&error);
        assert!(!said.contains("AKIACANARY"), "{said}");
    }
    drop(keyring);
    assert_eq!(read(&*member.open(), "work"), CANARY);
    assert_eq!(member.open().names().unwrap(), ["work"]);
}

pub(crate) const CANARY: &[u8] =
    br#"{"AccessKeyID":"AKIACANARY0000000001","SecretAccessKey":"canary/secret+key"}"#;

const WRITERS: u8 = 3;
const ENTRIES: u8 = 2;

const ODD: [&str; 16] = [
    "a/b",
    "a",
    "100%",
    "%2F",
    "with space",
    "\u{fc}n\u{ef}c\u{f6}de \u{540d}\u{524d}",
    ".dot",
    "-dash",
    "--vault=x",
    "a:b,c",
    "sts.AssumeRole,cHJvZA,YXJuOmF3czppYW06OjE6bWZhL2E,1893456000",
    "quote\"s and 'others'",
    "back\\slash",
    "dollar$HOME",
    "semi;colon|pipe",
    "oidc:https://example.awsapps.com/start",
];
