//! Tests of the module `grant`.

use super::*;
use crate::tests::{grant, grant_id, narrowing};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn what_was_revoked_stays_revoked_whatever_is_loaded_later() {
    let grants = Grants::new();
    grants.put(grant(1, "ada"));
    grants.revoke(grant_id(1), at(5));
    grants.revoke_narrowing(narrowing(7));
    grants.put(grant(1, "ada"));
    grants.replace([grant(1, "ada"), grant(2, "ada")], []);
    assert_eq!(grants.find(grant_id(1)).unwrap().state, GrantState::Revoked { at: at(5) });
    assert_eq!(grants.find(grant_id(2)).unwrap().state, GrantState::Active);
    assert_eq!(grants.first_revoked([narrowing(6), narrowing(7)].into_iter()), Some(narrowing(7)));
}

#[test]
fn a_grant_that_is_no_longer_stored_is_gone() {
    let grants = Grants::new();
    grants.put(grant(1, "ada"));
    grants.replace([grant(2, "ada")], [narrowing(3)]);
    assert!(grants.find(grant_id(1)).is_none());
    assert_eq!(grants.first_revoked([narrowing(3)].into_iter()), Some(narrowing(3)));
}

#[test]
fn a_stored_grant_with_an_unknown_field_or_state_is_refused() {
    let row = serde_json::to_value(grant(1, "ada")).unwrap();
    assert_eq!(serde_json::from_value::<Grant>(row.clone()).unwrap(), grant(1, "ada"));
    let mut more = row.clone();
    more["admin"] = true.into();
    assert!(serde_json::from_value::<Grant>(more).is_err());
    let mut other = row;
    other["state"] = "sleeping".into();
    assert!(serde_json::from_value::<Grant>(other).is_err());
}
