//! Tests of our own store: versions, overlap, forgetting, swapped rows, disclosure.

use std::sync::Arc;

use store::Embedded;

use super::*;
use crate::error::Unfit;
use crate::tests::fixture::{CANARY, at, canary, home, secret, shown, tamper, tenant, texts};

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn local() -> TenantName {
    TenantName::local()
}

struct Case {
    storage: Arc<Embedded>,
    keyring: Keyring,
}

impl Case {
    fn new() -> Self {
        let (storage, keyring, _) = home();
        let keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
        Self { storage, keyring }
    }

    fn of<'a>(&'a self, tenant: &'a TenantName) -> Stored<'a> {
        Stored::new(&*self.storage, &self.keyring, tenant)
    }

    fn ciphertexts(&self) -> Vec<Row> {
        self.storage.scan(Table::Versions, &local(), b"", None, 100).unwrap()
    }
}

fn current(stored: &Stored<'_>, name: &SecretName, now: Timestamp) -> Vec<u8> {
    shown(&stored.open(name, now).unwrap().current.1)
}

#[test]
fn a_stored_secret_opens_with_exactly_its_bytes() {
    let (case, local, slack) = (Case::new(), local(), name("slack/token"));
    let stored = case.of(&local);
    let version = stored.put(&slack, &canary(), Disclosure::Never, at(0)).unwrap();
    assert_eq!(version.n, 1);
    let opened = stored.open(&slack, at(1)).unwrap();
    assert_eq!(shown(&opened.current.1), CANARY.as_bytes());
    assert!(opened.before.is_empty());
    for row in case.ciphertexts() {
        assert!(!row.value.windows(8).any(|window| window == &CANARY.as_bytes()[..8]));
    }
}

#[test]
fn a_name_is_put_once_and_rotated_after_that() {
    let (case, local, slack) = (Case::new(), local(), name("slack/token"));
    let stored = case.of(&local);
    let _ = stored.put(&slack, &canary(), Disclosure::Never, at(0)).unwrap();
    let error = stored.put(&slack, &secret("xoxb-CANARY-2"), Disclosure::Never, at(1)).err().unwrap();
    assert_eq!(error.to_string(), "`slack/token` is stored already; rotate it instead");
    assert_eq!(current(&stored, &slack, at(2)), CANARY.as_bytes());
    let missing = stored.rotate(&name("none"), &canary(), Duration::ZERO, at(1));
    assert!(matches!(missing, Err(Error::Missing(_))));
}

#[test]
fn a_secret_of_100_000_bytes_is_kept_and_comes_back_whole() {
    let (case, local) = (Case::new(), local());
    let stored = case.of(&local);
    for length in [70_000, 100_000] {
        let text: String = (0..length).map(|n| char::from(b'a' + u8::try_from(n % 23).unwrap())).collect();
        let key = name(&format!("document/{length}"));
        stored.put(&key, &secret(&text), Disclosure::Never, at(0)).unwrap();
        assert!(current(&stored, &key, at(1)) == text.as_bytes(), "{length}");
    }
}

#[test]
fn bytes_that_can_be_no_credential_are_refused_and_not_repeated() {
    let (case, local) = (Case::new(), local());
    let stored = case.of(&local);
    let long = "x".repeat(100_001);
    let cases = [
        ("", Unfit::Empty),
        (" \t\r\n      ", Unfit::Blank),
        ("CANARY7\0", Unfit::Nul),
        ("CANARY7", Unfit::Short),
        (&long, Unfit::Long),
    ];
    for (text, expected) in cases {
        let error = stored.put(&name("a"), &secret(text), Disclosure::Never, at(0)).err().unwrap();
        assert!(matches!(&error, Error::Unfit { why, .. } if *why == expected), "{error}");
        assert!(!texts(&error).contains("CANARY"));
    }
    for text in ["CANARY-8", &long[1..]] {
        let _ =
            stored.put(&name(&format!("n{}", text.len())), &secret(text), Disclosure::Never, at(0)).unwrap();
    }
}

#[test]
fn after_a_rotation_the_version_before_is_usable_until_its_overlap_ends() {
    let (case, local, slack) = (Case::new(), local(), name("slack/token"));
    let stored = case.of(&local);
    let _ = stored.put(&slack, &secret("xoxb-CANARY-1"), Disclosure::Never, at(0)).unwrap();
    let version = stored.rotate(&slack, &secret("xoxb-CANARY-2"), Duration::from_secs(60), at(10)).unwrap();
    assert_eq!(version.n, 2);
    let mut opened = stored.open(&slack, at(69)).unwrap();
    assert_eq!(shown(&opened.current.1), b"xoxb-CANARY-2");
    let (before, bytes) = opened.before.pop().unwrap();
    assert_eq!((before.n, before.expires, shown(&bytes)), (1, Some(at(70)), b"xoxb-CANARY-1".to_vec()));
    assert_eq!(stored.describe(&slack, at(69)).unwrap().state, State::Retiring);
    assert!(stored.open(&slack, at(70)).unwrap().before.is_empty());
    assert_eq!(stored.describe(&slack, at(70)).unwrap().state, State::Active);
    let _ = stored.rotate(&slack, &secret("xoxb-CANARY-3"), Duration::from_secs(60), at(80)).unwrap();
    assert_eq!(case.ciphertexts().len(), 2);
}

#[test]
fn without_overlap_the_version_before_is_gone_at_once() {
    let (case, local, slack) = (Case::new(), local(), name("slack/token"));
    let stored = case.of(&local);
    let _ = stored.put(&slack, &secret("xoxb-CANARY-1"), Disclosure::Never, at(0)).unwrap();
    let _ = stored.rotate(&slack, &secret("xoxb-CANARY-2"), Duration::ZERO, at(10)).unwrap();
    assert!(stored.open(&slack, at(10)).unwrap().before.is_empty());
    assert_eq!(case.ciphertexts().len(), 1);
}

#[test]
fn a_forgotten_secret_leaves_no_ciphertext_and_no_number_to_use_again() {
    let (case, local, slack) = (Case::new(), local(), name("slack/token"));
    let stored = case.of(&local);
    let _ = stored.put(&slack, &canary(), Disclosure::Never, at(0)).unwrap();
    let _ = stored.put(&name("slack/token2"), &canary(), Disclosure::Never, at(0)).unwrap();
    let _ = stored.rotate(&slack, &canary(), Duration::from_secs(9), at(1)).unwrap();
    stored.forget(&slack, at(2)).unwrap();
    assert_eq!(case.ciphertexts().len(), 1);
    assert!(matches!(stored.open(&slack, at(2)).err().unwrap(), Error::Missing(_)));
    assert!(matches!(stored.forget(&slack, at(3)).err().unwrap(), Error::Missing(_)));
    let listed = stored.describe(&slack, at(3)).unwrap();
    assert_eq!((listed.state, listed.current, listed.versions.len()), (State::Forgotten, 2, 0));
    let again = stored.put(&slack, &canary(), Disclosure::Never, at(4)).unwrap();
    assert_eq!(again.n, 3);
}

#[test]
fn a_ciphertext_of_another_secret_version_or_tenant_does_not_open() {
    let (case, local, acme) = (Case::new(), local(), tenant("acme"));
    let (a, b) = (name("a"), name("b"));
    for (tenant, name) in [(&local, &a), (&local, &b), (&acme, &a)] {
        let _ = case.of(tenant).put(name, &canary(), Disclosure::Never, at(0)).unwrap();
    }
    let _ = case.of(&local).rotate(&b, &canary(), Duration::from_secs(99), at(0)).unwrap();
    let own = case.storage.get(Table::Versions, &local, &row(&a, 1)).unwrap().unwrap();
    for (tenant, key) in [(&local, row(&b, 1)), (&local, row(&b, 2)), (&acme, row(&a, 1))] {
        let foreign = case.storage.get(Table::Versions, tenant, &key).unwrap().unwrap();
        tamper(&*case.storage, Table::Versions, &local, &row(&a, 1), |value| *value = foreign);
        let error = case.of(&local).open(&a, at(1)).err().unwrap();
        assert!(matches!(error, Error::Damaged(_)), "{error}");
        assert!(!texts(&error).contains("CANARY"));
    }
    tamper(&*case.storage, Table::Versions, &local, &row(&a, 1), |value| *value = own);
    assert!(case.of(&local).open(&a, at(1)).is_ok());
}

#[test]
fn a_record_of_another_name_or_with_unknown_fields_is_refused() {
    let (case, local, a, b) = (Case::new(), local(), name("a"), name("b"));
    for name in [&a, &b] {
        let _ = case.of(&local).put(name, &canary(), Disclosure::Never, at(0)).unwrap();
    }
    let own = case.storage.get(Table::Secrets, &local, b"a").unwrap().unwrap();
    let foreign = case.storage.get(Table::Secrets, &local, b"b").unwrap().unwrap();
    tamper(&*case.storage, Table::Secrets, &local, b"a", |value| *value = foreign);
    assert!(matches!(case.of(&local).open(&a, at(1)).err().unwrap(), Error::Damaged(_)));
    assert!(case.of(&local).list(at(1)).is_err());
    let text = String::from_utf8(own).unwrap().replacen('{', "{\"extra\":1,", 1);
    tamper(&*case.storage, Table::Secrets, &local, b"a", |value| *value = text.into_bytes());
    assert!(matches!(case.of(&local).describe(&a, at(1)).err().unwrap(), Error::Damaged(_)));
}

#[test]
fn only_a_disclosable_secret_is_disclosed_and_the_record_alone_can_not_make_it_one() {
    let (case, local, never, may) = (Case::new(), local(), name("never"), name("may"));
    let stored = case.of(&local);
    let _ = stored.put(&never, &canary(), Disclosure::Never, at(0)).unwrap();
    let _ = stored.put(&may, &canary(), Disclosure::Disclosable, at(0)).unwrap();
    assert_eq!(shown(&stored.disclose(&may).unwrap()), CANARY.as_bytes());
    assert!(stored.open(&may, at(1)).is_ok());
    let refused = stored.disclose(&never).err().unwrap();
    assert!(matches!(refused, Error::NotLent { why: NotLent::NotDisclosable, .. }));
    tamper(&*case.storage, Table::Secrets, &local, b"never", |value| {
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains("\"disclosure\":\"never\""));
        *value = text.replace("\"disclosure\":\"never\"", "\"disclosure\":\"disclosable\"").into_bytes();
    });
    assert!(matches!(stored.disclose(&never).err().unwrap(), Error::Damaged(_)));
}

#[test]
fn a_list_has_names_and_versions_and_no_bytes() {
    let (case, local) = (Case::new(), local());
    let stored = case.of(&local);
    for text in ["b/two", "a/one"] {
        let _ = stored.put(&name(text), &canary(), Disclosure::Never, at(0)).unwrap();
    }
    let listed = stored.list(at(1)).unwrap();
    let names: Vec<&str> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["a/one", "b/two"]);
    assert!(!format!("{listed:?} {}", serde_json::to_string(&listed).unwrap()).contains("CANARY"));
    assert!(case.of(&tenant("acme")).list(at(1)).unwrap().is_empty());
}

#[test]
fn a_change_that_met_another_change_is_refused() {
    let (case, local, a) = (Case::new(), local(), name("a"));
    let stored = case.of(&local);
    let _ = stored.put(&a, &canary(), Disclosure::Never, at(0)).unwrap();
    let (entry, old) = stored.active(&a).unwrap();
    let _ = stored.rotate(&a, &canary(), Duration::ZERO, at(1)).unwrap();
    let error = stored.write(Batch::new(), &entry, Some(old)).err().unwrap();
    assert_eq!(error.to_string(), "`a` changed meanwhile");
}

#[test]
fn the_steps_of_a_new_secret_store_it_and_are_a_conflict_where_it_is_there_or_the_data_key_is_another_one() {
    let (case, acme) = (Case::new(), tenant("acme"));
    let (stored, key) = (case.of(&acme), name("credentials/openai/1"));
    let batch = stored.steps(&key, &canary(), Disclosure::Never, at(0)).unwrap();
    assert!(
        case.storage.get(Table::Versions, &acme, &row(&key, 1)).unwrap().is_none(),
        "nothing was written yet"
    );
    case.storage.commit(&batch).unwrap();
    assert_eq!(current(&stored, &key, at(1)), CANARY.as_bytes());
    let again = stored.steps(&key, &secret("another-CANARY"), Disclosure::Never, at(2)).unwrap();
    assert!(matches!(case.storage.commit(&again), Err(store::Error::Conflict)));
    assert_eq!(current(&stored, &key, at(3)), CANARY.as_bytes());
    let unfit = stored.steps(&name("x"), &secret("short"), Disclosure::Never, at(0));
    assert!(matches!(unfit, Err(Error::Unfit { .. })));

    // Sealed before a rotation of the data key began, committed behind it.
    let late = stored.steps(&name("late"), &canary(), Disclosure::Never, at(4)).unwrap();
    let rotated = case.keyring.begin_rotation(&*case.storage, &acme).unwrap();
    assert!(matches!(case.storage.commit(&late), Err(store::Error::Conflict)));
    let stored = Stored::new(&*case.storage, &rotated, &acme);
    case.storage.commit(&stored.steps(&name("late"), &canary(), Disclosure::Never, at(5)).unwrap()).unwrap();
    assert_eq!(current(&stored, &name("late"), at(6)), CANARY.as_bytes());
}
