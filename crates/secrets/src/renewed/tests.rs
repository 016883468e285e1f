//! One claim at a time, and no token is ever lost: killed before, between and behind the writes.

use std::sync::Arc;

use store::Embedded;

use super::*;
use crate::tests::fixture::{at, home, secret, shown};

struct Home {
    storage: Arc<Embedded>,
    keyring: Keyring,
    spot: Spot,
}

impl Home {
    fn new() -> Self {
        let (storage, keyring, _) = home();
        Self { storage, keyring, spot: spot("seed-1") }
    }

    fn renewals(&self) -> Renewals<'_> {
        Renewals { storage: &*self.storage, keyring: &self.keyring, at: &self.spot }
    }

    fn claim(&self, seconds: u64) -> Result<Claim, Error> {
        self.renewals().claim(secret("CANARY-refresh-0"), format!("holder-{seconds}"), at(seconds))
    }

    fn settle(&self, claim: &Claim, used: Option<&str>, renewed: Option<&str>) {
        let (used, renewed) = (used.map(secret), renewed.map(secret));
        self.renewals().settle((claim.epoch, &claim.holder), used.as_ref(), renewed.as_ref()).unwrap();
    }
}

/// Keeps tokens at a place, for tests of what happens to all rows of a tenant.
pub(crate) fn put(
    storage: &dyn Storage,
    keyring: &Keyring,
    tenant: &TenantName,
    place: &str,
    tokens: &[&str],
) {
    let at = Spot { tenant: tenant.clone(), key: format!("{PREFIX}{place}"), seed: "seed-1".to_owned() };
    let renewals = Renewals { storage, keyring, at: &at };
    let sealed =
        |(n, token): (usize, &&str)| renewals.seal(&secret(token), u64::try_from(n).unwrap()).unwrap();
    let tokens = tokens.iter().enumerate().map(sealed).collect();
    let kept = Kept { epoch: 7, seed: at.seed.clone(), tokens, ..Kept::default() };
    renewals.write(&kept, None).unwrap();
}

/// The tokens that are kept at a place.
pub(crate) fn kept(
    storage: &dyn Storage,
    keyring: &Keyring,
    tenant: &TenantName,
    place: &str,
) -> Vec<Vec<u8>> {
    let at = Spot { tenant: tenant.clone(), key: format!("{PREFIX}{place}"), seed: "seed-1".to_owned() };
    let renewals = Renewals { storage, keyring, at: &at };
    let (kept, _) = renewals.read().unwrap();
    kept.tokens.iter().map(|sealed| shown(&renewals.open(sealed).unwrap())).collect()
}

fn spot(seed: &str) -> Spot {
    Spot {
        tenant: TenantName::local(),
        key: "outgoing/refresh/house/refresh".to_owned(),
        seed: seed.to_owned(),
    }
}

fn tokens(claim: &Claim) -> Vec<String> {
    claim.tokens.iter().map(|token| String::from_utf8(shown(token)).unwrap()).collect()
}

#[test]
fn the_newest_is_tried_first_and_the_one_before_is_kept() {
    let home = Home::new();
    let first = home.claim(0).unwrap();
    assert_eq!(tokens(&first), ["CANARY-refresh-0"]);
    home.settle(&first, Some("CANARY-refresh-0"), Some("CANARY-refresh-1"));
    let second = home.claim(1).unwrap();
    assert_eq!(tokens(&second), ["CANARY-refresh-1", "CANARY-refresh-0"]);
    home.settle(&second, Some("CANARY-refresh-1"), Some("CANARY-refresh-2"));
    assert_eq!(tokens(&home.claim(2).unwrap()), ["CANARY-refresh-2", "CANARY-refresh-1"]);
}

#[test]
fn nobody_else_claims_until_it_is_given_back_or_has_ended() {
    let home = Home::new();
    let first = home.claim(0).unwrap();
    assert!(matches!(home.claim(59), Err(Error::Conflict { .. })));
    home.settle(&first, None, None);
    let _killed = home.claim(59).unwrap();
    assert!(home.claim(60).is_err());
    assert_eq!(tokens(&home.claim(59 + 60).unwrap()), ["CANARY-refresh-0"]);
}

#[test]
fn a_claim_that_was_lost_loses_no_token() {
    let home = Home::new();
    let slow = home.claim(0).unwrap();
    let quick = home.claim(61).unwrap();
    home.settle(&quick, Some("CANARY-refresh-0"), Some("CANARY-refresh-quick"));
    home.settle(&slow, Some("CANARY-refresh-0"), Some("CANARY-refresh-slow"));
    assert_eq!(tokens(&home.claim(62).unwrap()), ["CANARY-refresh-slow", "CANARY-refresh-quick"]);
}

#[test]
fn a_lost_claim_without_a_token_changes_nothing_for_the_one_that_has_it() {
    let home = Home::new();
    let slow = home.claim(0).unwrap();
    let _quick = home.claim(61).unwrap();
    home.settle(&slow, None, None);
    assert!(home.claim(62).is_err(), "the claim of the other still holds");
}

#[test]
fn a_token_that_the_user_stored_anew_begins_anew() {
    let mut home = Home::new();
    let first = home.claim(0).unwrap();
    home.settle(&first, Some("CANARY-refresh-0"), Some("CANARY-refresh-1"));
    home.spot = spot("seed-2");
    assert_eq!(tokens(&home.claim(1).unwrap()), ["CANARY-refresh-0"]);
}

#[test]
fn what_is_kept_is_sealed_for_its_row() {
    let home = Home::new();
    let first = home.claim(0).unwrap();
    home.settle(&first, Some("CANARY-refresh-0"), Some("CANARY-refresh-1"));
    let row = home.storage.get(Table::Meta, &TenantName::local(), home.spot.key.as_bytes()).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row).contains("CANARY"));
    let moved = Spot { key: "outgoing/refresh/other/refresh".to_owned(), ..home.spot.clone() };
    let batch = Batch::new().put(Table::Meta, &TenantName::local(), moved.key.as_bytes(), row);
    home.storage.commit(&batch).unwrap();
    let other = Renewals { at: &moved, ..home.renewals() };
    assert!(other.claim(secret("CANARY-refresh-0"), "x".to_owned(), at(1)).is_err());
}
