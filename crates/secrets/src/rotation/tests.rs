//! Tests of another data key: whole, broken off at every commit, and under writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::keyring::{Item, Keyring as Entries, Trust};
use model::SecretName;
use store::Embedded;

use super::*;
use crate::stored::{Disclosure, Stored};
use crate::tests::fixture::{CANARY, Fixed, at, canary, home, secret, shown, tenant};
use crate::{Kept, Own, RecoveryKey, drill, rewrap, unseal};

/// A home with secrets of every kind under the keys of one tenant.
struct Stage {
    storage: Arc<Embedded>,
    keyring: Arc<Keyring>,
    recovery: RecoveryKey,
    tenant: TenantName,
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

impl Stage {
    fn new(tenant: &TenantName, secrets: usize) -> Self {
        let (storage, keyring, recovery) = home();
        let keyring = if *tenant == TenantName::local() {
            keyring
        } else {
            keyring.add_tenant(&*storage, tenant, Batch::new()).unwrap()
        };
        let stage = Self { storage, keyring: Arc::new(keyring), recovery, tenant: tenant.clone() };
        let stored = Stored::new(&*stage.storage, &stage.keyring, tenant);
        for number in 0..secrets {
            let disclosure = if number % 2 == 0 { Disclosure::Never } else { Disclosure::Disclosable };
            stored.put(&name(&format!("service/{number:04}")), &canary(), disclosure, at(0)).unwrap();
        }
        stored
            .rotate(
                &name("service/0000"),
                &secret("CANARY-second"),
                std::time::Duration::from_secs(90),
                at(1),
            )
            .unwrap();
        for kept in [Kept::Credentials, Kept::Seeds] {
            let (label, description) = (String::new(), String::new());
            let item = Item {
                name: "dev".to_owned(),
                secret: secret("CANARY-entry"),
                label,
                description,
                trust: Trust::Nobody,
            };
            stage.own(&stage.keyring, kept).set(item).unwrap();
        }
        crate::renewed::tests::put(
            &*stage.storage,
            &stage.keyring,
            tenant,
            "slack/refresh",
            &["CANARY-new", "CANARY-old"],
        );
        stage
    }

    fn own(&self, keyring: &Arc<Keyring>, kept: Kept) -> Own {
        let storage: Arc<dyn Storage> = Arc::<Embedded>::clone(&self.storage);
        Own::new(storage, Arc::clone(keyring), self.tenant.clone(), kept)
    }

    /// Everything reads as it was.
    fn holds(&self, keyring: &Arc<Keyring>, secrets: usize) {
        let stored = Stored::new(&*self.storage, keyring, &self.tenant);
        for number in 0..secrets {
            let opened = stored.open(&name(&format!("service/{number:04}")), at(2)).unwrap();
            let expected = if number == 0 { "CANARY-second" } else { CANARY };
            assert_eq!(shown(&opened.current.1), expected.as_bytes(), "{number}");
            assert_eq!(!opened.before.is_empty(), number == 0);
            let shows = stored.disclose(&name(&format!("service/{number:04}"))).is_ok();
            assert_eq!(shows, number % 2 == 1, "{number}");
        }
        for kept in [Kept::Credentials, Kept::Seeds] {
            assert_eq!(shown(&self.own(keyring, kept).get("dev").unwrap().secret), b"CANARY-entry");
        }
        let kept = crate::renewed::tests::kept(&*self.storage, keyring, &self.tenant, "slack/refresh");
        assert_eq!(kept, [b"CANARY-new".to_vec(), b"CANARY-old".to_vec()]);
        assert!(drill(&*self.storage, &self.recovery).is_ok());
    }

    fn reopened(&self) -> Arc<Keyring> {
        Arc::new(unseal(&*self.storage, &Fixed(1)).unwrap())
    }
}

/// A storage that breaks at one commit, before it or behind it, as a process that is killed does.
struct Breaks {
    inner: Arc<Embedded>,
    left: AtomicUsize,
    behind: bool,
}

impl Storage for Breaks {
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        self.inner.get(table, tenant, key)
    }

    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, store::Error> {
        self.inner.scan(table, tenant, prefix, after, limit)
    }

    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, store::Error> {
        self.inner.last(table, tenant)
    }

    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, store::Error> {
        self.inner.tenants(table)
    }

    fn commit(&self, batch: &Batch) -> Result<(), store::Error> {
        let broken = || store::Error::ReadOnly;
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(1) if self.behind => {
                self.inner.commit(batch)?;
                Err(broken())
            }
            Ok(1) | Err(_) => Err(broken()),
            Ok(_) => self.inner.commit(batch),
        }
    }
}

#[test]
fn another_data_key_opens_everything_and_the_one_before_is_gone() {
    for which in [TenantName::local(), tenant("acme_inc")] {
        let stage = Stage::new(&which, 3);
        let before = stage.storage.scan(Table::Versions, &which, b"", None, 100).unwrap();
        let (keyring, rows) = rotate_key(&*stage.storage, &stage.keyring, &which).unwrap();
        // Three secrets, one of them in two versions; two entries; one row of refresh tokens.
        assert_eq!(rows, 7);
        let expected = Rotation { version: 2, older: 0, rows: 7, left: 0 };
        assert_eq!(keyring.rotation(&*stage.storage, &which).unwrap(), expected);
        stage.holds(&Arc::new(keyring), 3);
        stage.holds(&stage.reopened(), 3);
        let after = stage.storage.scan(Table::Versions, &which, b"", None, 100).unwrap();
        assert!(before.iter().zip(&after).all(|(old, new)| old.key == new.key && old.value != new.value));
        let keys = stage.storage.scan(Table::Keys, &which, b"", None, 100).unwrap();
        let names: Vec<String> =
            keys.iter().map(|row| String::from_utf8_lossy(&row.key).into_owned()).collect();
        assert!(!names.iter().any(|name| name.contains("0000001")), "{names:?}");
        let (again, rows) = rotate_key(&*stage.storage, &stage.reopened(), &which).unwrap();
        assert_eq!((again.rotation(&*stage.storage, &which).unwrap().version, rows), (3, 7));
        stage.holds(&stage.reopened(), 3);
    }
}

#[test]
fn a_rotation_that_breaks_at_any_commit_loses_nothing_and_goes_on() {
    let which = tenant("acme_inc");
    let secrets = SLICE + 3;
    let mut broke = 0;
    for behind in [false, true] {
        for at in 1.. {
            let stage = Stage::new(&which, secrets);
            let inner = Arc::clone(&stage.storage);
            let breaks = Breaks { inner, left: AtomicUsize::new(at), behind };
            if rotate_key(&breaks, &stage.keyring, &which).is_ok() {
                break;
            }
            broke += 1;
            let keyring = stage.reopened();
            stage.holds(&keyring, secrets);
            let (keyring, _) = rotate_key(&*stage.storage, &keyring, &which).unwrap();
            let rotation = keyring.rotation(&*stage.storage, &which).unwrap();
            assert_eq!((rotation.older, rotation.left), (0, 0), "{at} {behind}");
            stage.holds(&Arc::new(keyring), secrets);
            stage.holds(&stage.reopened(), secrets);
        }
    }
    assert!(broke >= 2 * 7, "it has at least seven commits: {broke}");
}

#[test]
fn who_knows_the_former_key_only_seals_nothing_any_more() {
    let which = tenant("acme_inc");
    let stage = Stage::new(&which, 2);
    let begun = Arc::new(stage.keyring.begin_rotation(&*stage.storage, &which).unwrap());
    let late = Stored::new(&*stage.storage, &stage.keyring, &which);
    let error = late.put(&name("late/one"), &canary(), Disclosure::Never, at(3)).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(late.rotate(&name("service/0001"), &canary(), std::time::Duration::ZERO, at(3)).is_err());
    let (label, description) = (String::new(), String::new());
    let item = Item { name: "dev".to_owned(), secret: canary(), label, description, trust: Trust::Nobody };
    assert!(stage.own(&stage.keyring, Kept::Seeds).set(item).is_err());
    assert!(rewrap(&*stage.storage, &stage.keyring, &Fixed(3)).is_err(), "it would leave the new key out");
    // Whoever knows the new one goes on at every point.
    let now = Stored::new(&*stage.storage, &begun, &which);
    now.put(&name("late/one"), &canary(), Disclosure::Never, at(3)).unwrap();
    let error = begun.end_rotation(&*stage.storage, &which).err().unwrap();
    assert!(error.to_string().contains("only its older data key opens"), "{error}");
    let (ended, _) = rotate_key(&*stage.storage, &begun, &which).unwrap();
    let stored = Stored::new(&*stage.storage, &ended, &which);
    assert_eq!(shown(&stored.open(&name("late/one"), at(4)).unwrap().current.1), CANARY.as_bytes());
}

#[test]
fn a_home_is_rewrapped_and_its_paper_renewed_in_the_middle_of_a_rotation() {
    let which = tenant("acme_inc");
    let stage = Stage::new(&which, 3);
    let begun = stage.keyring.begin_rotation(&*stage.storage, &which).unwrap();
    let (_, next) = begun.seal_anew(&*stage.storage, &which, &Cursor::default(), 2).unwrap();
    assert!(next.is_some());
    let rewrapped = rewrap(&*stage.storage, &begun, &Fixed(5)).unwrap();
    let mut paper = String::new();
    let renewed = crate::renew_recovery::<crate::Error>(&*stage.storage, &rewrapped, |key| {
        key.show(|text| text.clone_into(&mut paper));
        Ok(())
    });
    let (renewed, paper) = (renewed.unwrap(), crate::RecoveryKey::read(&paper).unwrap());
    assert_eq!(renewed.rotating(), std::slice::from_ref(&which));
    let keyring = unseal(&*stage.storage, &Fixed(5)).unwrap();
    let (keyring, _) = rotate_key(&*stage.storage, &keyring, &which).unwrap();
    assert!(keyring.rotating().is_empty());
    assert_eq!(drill(&*stage.storage, &paper).unwrap().keys(), 2);
}

#[test]
fn a_row_that_opens_with_no_key_stops_the_rotation_and_the_former_key_stays() {
    let which = tenant("acme_inc");
    let stage = Stage::new(&which, 2);
    let rows = stage.storage.scan(Table::Versions, &which, b"", None, 100).unwrap();
    let last = rows.last().unwrap();
    crate::tests::fixture::tamper(&*stage.storage, Table::Versions, &which, &last.key, |row| row[60] ^= 1);
    let error = rotate_key(&*stage.storage, &stage.keyring, &which).err().unwrap();
    assert!(matches!(error, Error::Damaged(_)), "{error}");
    let keyring = stage.reopened();
    assert_eq!(keyring.rotating(), std::slice::from_ref(&which));
    let rotation = keyring.rotation(&*stage.storage, &which).unwrap();
    assert!(rotation.older == 1 && rotation.left > 0, "{rotation:?}");
}

#[test]
fn every_place_where_something_is_sealed_is_walked() {
    let which = tenant("acme_inc");
    let stage = Stage::new(&which, 2);
    let mut sealed = 0;
    for table in Table::ALL {
        for row in stage.storage.scan(table, &which, b"", None, 1000).unwrap() {
            // The number of the first data key in front, then the format of the envelope.
            let bare = row.value.starts_with(&[0, 0, 0, 0, 0, 0, 0, 1, 1]);
            let within = String::from_utf8_lossy(&row.value).contains("\"bytes\":\"AAAAAAAAAAEB");
            let house = row.key.starts_with(b"house/");
            sealed += u64::from((bare || within) && !house);
        }
    }
    assert_eq!(sealed, stage.keyring.rotation(&*stage.storage, &which).unwrap().rows);
}
