//! `keyctl`, with the kernel of this machine.

use keyring::{Error, Keyring, Kind, Settings};

use crate::answers::Answers;
use crate::suite::{CANARY, Member, item, read, store};

/// Keys whose descriptions no other test has.
struct Keys(String);

impl Keys {
    fn new() -> Self {
        let random = crypto::array::<8>().unwrap();
        Self(format!("doorward-test-{}", crypto::to_hex(&random)))
    }
}

impl Member for Keys {
    fn open(&self) -> Box<dyn Keyring> {
        let mut settings = Settings::new("/nowhere".into(), Answers::nobody());
        settings.keyctl.service.clone_from(&self.0);
        keyring::open(Kind::Keyctl, &settings).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        // The kernel knows its user; there is no lock.
        None
    }

    fn longest(&self) -> u32 {
        // All keys of a user who isn't root share 20,000 bytes, unless the machine is set up otherwise.
        let keyring = self.open();
        let fits = keyring.set(item("probe", &vec![1; 64 * 1024])).is_ok();
        let _ = keyring.remove("probe");
        if fits { 64 * 1024 } else { 4 * 1024 }
    }

    fn keeps_labels(&self) -> bool {
        false
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let keyring = self.open();
        for name in keyring.names().unwrap_or_default() {
            let _ = keyring.remove(&name);
        }
    }
}

conformance!(Keys::new());

#[test]
fn keys_of_another_service_are_not_seen() {
    let (one, other) = (Keys::new(), Keys::new());
    store(&*one.open(), "a", CANARY);
    assert!(matches!(other.open().get("a"), Err(Error::NotFound { .. })));
    assert_eq!(other.open().names().unwrap(), Vec::<String>::new());
    assert_eq!(read(&*one.open(), "a"), CANARY);
}

#[test]
fn a_value_that_no_quota_holds_is_refused() {
    let keys = Keys::new();
    store(&*keys.open(), "a", b"old");
    let refused = keys.open().set(item("a", &vec![1; 2 * 1024 * 1024]));
    assert!(matches!(refused, Err(Error::TooLong { .. })));
    assert_eq!(read(&*keys.open(), "a"), b"old");
}
