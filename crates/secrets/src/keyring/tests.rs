//! Tests of setting up, unlocking, drills, rewrapping, recovery, and of changed rows.

use crypto::Cost;
use store::Embedded;

use super::*;
use crate::Passphrase;
use crate::tests::fixture::{Fixed, home, secret, tamper, tenant};

fn local() -> TenantName {
    TenantName::local()
}

fn home_id() -> crate::HomeId {
    crate::HomeId::try_from("07".repeat(16)).unwrap()
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(secret(text)).at(Cost::FLOOR)
}

/// Another recovery key, as whoever keeps it reads it.
fn renewed(storage: &dyn Storage, keyring: &Keyring) -> Result<(Keyring, RecoveryKey), Error> {
    let mut shown = String::new();
    let keyring = renew_recovery::<Error>(storage, keyring, |key| {
        key.show(|text| text.clone_into(&mut shown));
        Ok(())
    })?;
    Ok((keyring, RecoveryKey::read(&shown).unwrap()))
}

#[test]
fn a_recovery_key_that_nobody_got_replaces_none() {
    let (storage, keyring, old) = home();
    let refused = renew_recovery(&*storage, &keyring, |_| {
        Err(Error::Conflict { what: "paper".to_owned(), why: "full" })
    });
    assert!(refused.is_err());
    assert!(drill(&*storage, &old).is_ok());
}

#[test]
fn a_home_opens_with_its_passphrase_and_no_other() {
    let storage = Embedded::in_memory().unwrap();
    assert!(matches!(unseal(&storage, &passphrase("x")).err().unwrap(), Error::NoHome));
    let (_, recovery) =
        init(&storage, &passphrase("correct horse"), &local(), |_| Ok::<_, Error>(())).unwrap();
    assert!(unseal(&storage, &passphrase("correct horse")).is_ok());
    for wrong in ["correct horsf", "correct horse ", "x"] {
        let error = unseal(&storage, &passphrase(wrong)).err().unwrap();
        assert_eq!(error.to_string(), "the home could not be unlocked with this passphrase");
        assert!(error.hint().unwrap().contains("recover"));
    }
    assert_eq!(drill(&storage, &recovery).unwrap().keys(), 1);
}

#[test]
fn the_cost_and_salt_of_a_passphrase_are_authenticated() {
    let storage = Embedded::in_memory().unwrap();
    let _ = init(&storage, &passphrase("correct horse"), &local(), |_| Ok::<_, Error>(())).unwrap();
    let raised = |value: &mut Vec<u8>| {
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains("\"passes\":3"));
        *value = text.replace("\"passes\":3", "\"passes\":4").into_bytes();
    };
    tamper(&storage, Table::Meta, &local(), b"home", raised);
    assert!(matches!(unseal(&storage, &passphrase("correct horse")).err().unwrap(), Error::Unlock(_)));
}

#[test]
fn a_home_is_set_up_once() {
    let (storage, _, _) = home();
    let error = init(&*storage, &Fixed(2), &local(), |_| Ok::<_, Error>(())).err().unwrap();
    assert_eq!(error.to_string(), "`the home` is set up already");
    assert!(unseal(&*storage, &Fixed(1)).is_ok());
}

#[test]
fn a_change_of_any_byte_of_a_wrapper_is_noticed() {
    let (storage, _, recovery) = home();
    for wrapper in [Wrapper::Primary, Wrapper::Recovery] {
        let row = wrapper.row(1);
        let length = storage.get(Table::Keys, &local(), &row).unwrap().unwrap().len();
        for at in 0..length {
            tamper(&*storage, Table::Keys, &local(), &row, |value| value[at] ^= 1);
            let broken = match wrapper {
                Wrapper::Primary => unseal(&*storage, &Fixed(1)).is_err(),
                Wrapper::Recovery => drill(&*storage, &recovery).is_err(),
            };
            assert!(broken, "{wrapper:?} {at}");
            tamper(&*storage, Table::Keys, &local(), &row, |value| value[at] ^= 1);
        }
    }
    assert!(unseal(&*storage, &Fixed(1)).is_ok());
}

#[test]
fn a_drill_fails_without_the_recovery_wrapper_and_with_another_homes() {
    let (storage, _, recovery) = home();
    let (other, _, _) = home();
    let row = Wrapper::Recovery.row(1);
    let foreign = other.get(Table::Keys, &local(), &row).unwrap().unwrap();
    let own = storage.get(Table::Keys, &local(), &row).unwrap().unwrap();
    tamper(&*storage, Table::Keys, &local(), &row, |value| *value = foreign);
    assert!(matches!(drill(&*storage, &recovery).err().unwrap(), Error::Unlock(_)));
    storage.commit(&Batch::new().delete(Table::Keys, &local(), &row)).unwrap();
    assert!(matches!(drill(&*storage, &recovery).err().unwrap(), Error::Damaged(_)));
    storage.commit(&Batch::new().put(Table::Keys, &local(), &row, own)).unwrap();
    assert!(drill(&*storage, &recovery).is_ok());
}

#[test]
fn a_drill_fails_when_the_wrappers_hold_different_keys() {
    let (storage, _, recovery) = home();
    let stranger = DataKey::generate().unwrap();
    let extra = Wrapper::Recovery.extra(&Fixed(1).facts(&home_id()).unwrap());
    let row = recovery.key().wrap(&stranger, &place(&local(), 1), &extra).unwrap();
    let key = Wrapper::Recovery.row(1);
    tamper(&*storage, Table::Keys, &local(), &key, |value| *value = row.as_bytes().to_vec());
    assert!(matches!(drill(&*storage, &recovery).err().unwrap(), Error::Damaged(_)));
}

#[test]
fn one_wrapper_does_not_open_in_the_row_of_the_other() {
    let (storage, _, _) = home();
    let recovery = storage.get(Table::Keys, &local(), &Wrapper::Recovery.row(1)).unwrap().unwrap();
    tamper(&*storage, Table::Keys, &local(), &Wrapper::Primary.row(1), |value| *value = recovery);
    assert!(unseal(&*storage, &Fixed(1)).is_err());
}

#[test]
fn a_new_passphrase_replaces_the_one_before_and_the_paper_stays_good() {
    let (storage, keyring, recovery) = home();
    let keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
    let keyring = rewrap(&*storage, &keyring, &passphrase("another horse")).unwrap();
    assert_eq!(keyring.tenants().count(), 2);
    assert!(unseal(&*storage, &Fixed(1)).is_err());
    assert!(unseal(&*storage, &passphrase("another horse")).is_ok());
    assert_eq!(drill(&*storage, &recovery).unwrap().tenants(), 2);
}

#[test]
fn the_recovery_key_opens_a_home_for_a_new_provider() {
    let (storage, keyring, recovery) = home();
    let before = keyring.house().hashing_key().tag(&[b"x"]);
    let typed = recovery.show(|text| RecoveryKey::read(&text.to_lowercase())).unwrap();
    let recovered = recover(&*storage, &typed, &Fixed(9)).unwrap();
    assert_eq!(recovered.house().hashing_key().tag(&[b"x"]), before);
    assert!(unseal(&*storage, &Fixed(1)).is_err());
    assert!(unseal(&*storage, &Fixed(9)).is_ok());
    let stranger = RecoveryKey::generate().unwrap();
    assert!(matches!(recover(&*storage, &stranger, &Fixed(3)).err().unwrap(), Error::Unlock(_)));
}

#[test]
fn another_paper_replaces_the_one_before_and_serves_new_tenants() {
    let (storage, keyring, old) = home();
    let (keyring, new) = renewed(&*storage, &keyring).unwrap();
    assert!(drill(&*storage, &old).is_err());
    let _keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
    assert_eq!(drill(&*storage, &new).unwrap().tenants(), 2);
    assert!(unseal(&*storage, &Fixed(1)).is_ok());
}

#[test]
fn a_tenant_is_added_once_and_its_keys_are_its_own() {
    let (storage, keyring, recovery) = home();
    let acme = tenant("acme");
    let keyring = keyring.add_tenant(&*storage, &acme, store::Batch::new()).unwrap();
    assert!(matches!(
        keyring.add_tenant(&*storage, &acme, store::Batch::new()).err().unwrap(),
        Error::Conflict { .. }
    ));
    assert_eq!(drill(&*storage, &recovery).unwrap().tenants(), 2);
    for wrapper in [Wrapper::Primary, Wrapper::Recovery] {
        let moved = storage.get(Table::Keys, &local(), &wrapper.row(1)).unwrap().unwrap();
        tamper(&*storage, Table::Keys, &acme, &wrapper.row(1), |value| *value = moved);
    }
    assert!(matches!(unseal(&*storage, &Fixed(1)).err().unwrap(), Error::Damaged(_)));
    assert!(drill(&*storage, &recovery).is_err());
}

fn root(keyring: &Keyring, tenant: &TenantName) -> Result<crypto::Tag, Error> {
    keyring.house().capability_root(tenant).map(|key| key.tag(&[b"x"]))
}

#[test]
fn keys_that_are_opened_on_demand_are_those_that_are_there_and_no_others() {
    let (storage, keyring, recovery) = home();
    let storage: Arc<dyn Storage> = storage;
    let (acme, other) = (tenant("acme"), tenant("other"));
    let keyring = keyring.add_tenant(&*storage, &acme, store::Batch::new()).unwrap();
    let keyring = keyring.add_tenant(&*storage, &other, store::Batch::new()).unwrap();
    let opened = unseal_on_demand(&storage, &Fixed(1)).unwrap();
    assert_eq!(opened.tenants().collect::<Vec<_>>(), [local()]);
    assert!(opened.house().opened_root(&acme).is_none());
    assert_eq!(root(&opened, &acme).unwrap(), root(&keyring, &acme).unwrap());
    assert!(opened.house().opened_root(&acme).is_some());
    assert!(matches!(root(&opened, &tenant("nobody")), Err(Error::Damaged(_))));
    // Whatever becomes of it, one that was opened before shares what holds now.
    let next = opened.add_tenant(&*storage, &tenant("new"), store::Batch::new()).unwrap();
    assert!(next.add_tenant(&*storage, &other, store::Batch::new()).is_err());
    let gone = next.erase_tenant(&*storage, &acme, store::Batch::new()).unwrap();
    for keyring in [&opened, &next, &gone] {
        assert!(root(keyring, &acme).is_err());
    }
    // All data keys are wrapped anew, also those that nobody asked for.
    let rewrapped = rewrap(&*storage, &gone, &Fixed(2)).unwrap();
    assert_eq!(rewrapped.tenants().count(), 3);
    assert!(unseal(&*storage, &Fixed(2)).is_ok());
    assert_eq!(drill(&*storage, &recovery).unwrap().tenants(), 3);
    let moved = storage.get(Table::Keys, &local(), &Wrapper::Primary.row(1)).unwrap().unwrap();
    let key = Wrapper::Primary.row(1);
    storage.commit(&store::Batch::new().put(Table::Keys, &other, &key, moved)).unwrap();
    let opened = unseal_on_demand(&storage, &Fixed(2)).unwrap();
    assert!(matches!(root(&opened, &other), Err(Error::Damaged(_))));
    assert!(root(&opened, &tenant("new")).is_ok());
    assert!(unseal_on_demand(&storage, &Fixed(1)).is_err());
}

#[test]
fn a_rotation_that_was_begun_is_known_to_whoever_opens_keys_on_demand() {
    let (storage, keyring, _) = home();
    let storage: Arc<dyn Storage> = storage;
    let acme = tenant("acme");
    let keyring = keyring.add_tenant(&*storage, &acme, store::Batch::new()).unwrap();
    let begun = keyring.begin_rotation(&*storage, &acme).unwrap();
    assert_eq!(unseal_on_demand(&storage, &Fixed(1)).unwrap().rotating(), std::slice::from_ref(&acme));
    let _over = begun.end_rotation(&*storage, &acme).unwrap();
    let opened = unseal_on_demand(&storage, &Fixed(1)).unwrap();
    assert_eq!(opened.tenants().collect::<Vec<_>>(), [local()]);
    let begun = opened.begin_rotation(&*storage, &acme).unwrap();
    // One that is erased meanwhile keeps nobody from opening the home.
    let _gone = begun.erase_tenant(&*storage, &acme, store::Batch::new()).unwrap();
    assert_eq!(unseal_on_demand(&storage, &Fixed(1)).unwrap().tenants().count(), 1);
}

#[test]
fn a_keyring_from_before_a_change_changes_nothing() {
    let changes: [fn(&Embedded, &Keyring); 3] = [
        |storage, keyring| drop(rewrap(storage, keyring, &Fixed(2)).unwrap()),
        |storage, keyring| drop(renewed(storage, keyring).unwrap()),
        |storage, keyring| drop(keyring.add_tenant(storage, &tenant("first"), store::Batch::new()).unwrap()),
    ];
    for change in changes {
        let (storage, stale, _) = home();
        change(&storage, &stale);
        let all = [
            stale.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).err(),
            rewrap(&*storage, &stale, &Fixed(3)).err(),
            renewed(&*storage, &stale).err(),
        ];
        for error in all {
            assert_eq!(error.unwrap().to_string(), "`the keys of the home` changed meanwhile");
        }
    }
}

#[test]
fn a_changed_record_of_the_home_is_noticed() {
    for (from, to) in [("\"tenant\":\"local\"", "\"tenant\":\"acme\""), ("\"format\":1", "\"format\":2")] {
        let (storage, keyring, _) = home();
        let _keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
        tamper(&*storage, Table::Meta, &local(), b"home", |value| {
            let text = String::from_utf8(value.clone()).unwrap();
            assert!(text.contains(from), "{text}");
            *value = text.replace(from, to).into_bytes();
        });
        assert!(matches!(unseal(&*storage, &Fixed(1)).err().unwrap(), Error::Damaged(_)), "{from}");
    }
    let (storage, _, _) = home();
    let (other, _, _) = home();
    let foreign = other.get(Table::Meta, &local(), b"home").unwrap().unwrap();
    tamper(&*storage, Table::Meta, &local(), b"home", |value| *value = foreign);
    assert!(matches!(unseal(&*storage, &Fixed(1)).err().unwrap(), Error::Damaged(_)));
}

#[test]
fn no_key_stands_in_the_clear_in_any_row() {
    let (storage, keyring, recovery) = home();
    let seed = keyring.house().evidence_key().unwrap().expose(|seed| seed.to_vec());
    let paper = recovery.key().expose(|key| key.to_vec());
    for table in Table::ALL {
        for row in storage.scan(table, &local(), b"", None, 1000).unwrap() {
            for key in [&seed, &paper] {
                let hex = crypto::to_hex(key).into_bytes();
                assert!(!row.value.windows(32).any(|window| window == key.as_slice()));
                assert!(!row.value.windows(64).any(|window| window == hex));
            }
        }
    }
}
