//! Tests of the keys of the house.

use super::*;
use crate::tests::fixture::{Fixed, home, tamper, tenant};

#[test]
fn keys_of_the_house_are_the_same_after_unsealing() {
    let (storage, keyring, _) = home();
    let again = crate::unseal(&*storage, &Fixed(1)).unwrap();
    let local = TenantName::local();
    let tag = |keyring: &Keyring| keyring.house().capability_root(&local).unwrap().tag(&[b"x"]);
    assert_eq!(tag(&keyring), tag(&again));
    let hash = |keyring: &Keyring| keyring.house().hashing_key().tag(&[b"x"]);
    assert_eq!(hash(&keyring), hash(&again));
    let public = keyring.house().evidence_key().unwrap().public();
    assert_eq!(public, again.house().evidence_key().unwrap().public());
    assert_eq!(public, crate::evidence_public_key(&*storage).unwrap());
}

#[test]
fn keys_of_the_house_differ_from_one_another_and_by_tenant() {
    let (storage, keyring, _) = home();
    let keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
    let house = keyring.house();
    let tags = [
        house.capability_root(&TenantName::local()).unwrap().tag(&[b"x"]),
        house.capability_root(&tenant("acme")).unwrap().tag(&[b"x"]),
        house.hashing_key().tag(&[b"x"]),
    ];
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    assert!(house.capability_root(&tenant("nobody")).is_err());
}

#[test]
fn a_key_of_the_house_opens_in_its_own_row_only() {
    let (storage, keyring, _) = home();
    let _keyring = keyring.add_tenant(&*storage, &tenant("acme"), store::Batch::new()).unwrap();
    let local = TenantName::local();
    let swaps = [
        (local.clone(), "house/hashing", local.clone(), "house/capability-root"),
        (tenant("acme"), "house/capability-root", local, "house/capability-root"),
    ];
    for (from, row, to, other) in swaps {
        let moved = storage.get(Table::Keys, &from, row.as_bytes()).unwrap().unwrap();
        let kept = storage.get(Table::Keys, &to, other.as_bytes()).unwrap().unwrap();
        tamper(&*storage, Table::Keys, &to, other.as_bytes(), |value| *value = moved);
        let error = crate::unseal(&*storage, &Fixed(1)).err().unwrap();
        assert!(matches!(error, Error::Damaged(_)), "{error}");
        tamper(&*storage, Table::Keys, &to, other.as_bytes(), |value| *value = kept);
    }
    assert!(crate::unseal(&*storage, &Fixed(1)).is_ok());
}
