//! Tests of the module `ledger`.

use super::*;
use crate::caveat::HolderIs;
use crate::tests::narrowing;

fn named(n: u8, parent: Option<u8>) -> Named {
    Named {
        id: narrowing(n),
        tenant: model::TenantName::local(),
        principal: "owner".parse().unwrap(),
        identity: "uid:1000".into(),
        parent: parent.map(narrowing),
        holder: HolderIs::new(Some(1000), Some("/user.slice"), None).unwrap(),
        bearer: n == 9,
        caveats: vec![crate::tests::caveat(r#"{"access": "read"}"#)],
        expires: Timestamp::from_millis(5_000),
        uses: 3,
        used: 0,
        state: NamedState::Active,
    }
}

fn ledger(all: &[(u8, Option<u8>)]) -> Ledger {
    let ledger = Ledger::default();
    all.iter().for_each(|(n, parent)| ledger.put(&named(*n, *parent)).unwrap());
    ledger
}

#[test]
fn what_is_put_comes_back_whole() {
    let ledger = ledger(&[(1, None), (2, Some(1)), (9, None)]);
    for one in [named(1, None), named(2, Some(1)), named(9, None)] {
        assert_eq!(ledger.find(one.id), Some(one));
    }
    assert_eq!(ledger.find(narrowing(3)), None);
}

#[test]
fn capabilities_of_one_shape_share_its_bytes() {
    let ledger = ledger(&[(1, None), (2, None)]);
    let rows = ledger.read();
    let shapes: Vec<_> = rows.rows.behind(None).map(|(_, row)| Arc::as_ptr(&row.shape)).collect();
    assert_eq!(shapes[0], shapes[1]);
    assert!(size_of::<([u64; 2], Row)>() <= 56);
}

#[test]
fn a_revocation_takes_the_whole_subtree_and_nothing_beside_it() {
    let ledger = ledger(&[(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1)), (5, None)]);
    let at = Timestamp::from_millis(7_000);
    let mut revoked = ledger.revoke(narrowing(2), at);
    revoked.sort_unstable();
    assert_eq!(revoked, [narrowing(2), narrowing(3)]);
    assert_eq!(ledger.state(narrowing(4)), Some(NamedState::Active));
    assert_eq!(ledger.revoke(narrowing(1), at).len(), 2);
    assert_eq!(ledger.state(narrowing(3)), Some(NamedState::Revoked { at }));
    ledger.put(&named(3, Some(2))).unwrap();
    assert_eq!(ledger.state(narrowing(3)), Some(NamedState::Revoked { at }), "what is loaded later");
    let tally = ledger.tally(Timestamp::from_millis(5_000));
    assert_eq!(tally, Tally { total: 5, active: 0, expired: 1, revoked: 4, forged: 0 });
}

#[test]
fn uses_are_noted_and_given_back() {
    let ledger = ledger(&[(1, None)]);
    ledger.note_use(narrowing(1), Change::Taken);
    ledger.note_use(narrowing(1), Change::Taken);
    ledger.note_use(narrowing(1), Change::GivenBack);
    ledger.note_use(narrowing(2), Change::Taken);
    assert_eq!(ledger.find(narrowing(1)).unwrap().used, 1);
}

#[test]
fn pages_are_in_the_order_of_making() {
    let ledger = ledger(&[(3, None), (1, None), (2, None)]);
    let ids = |after| ledger.page(after, 2).iter().map(|named| named.id).collect::<Vec<_>>();
    assert_eq!(ids(None), [narrowing(1), narrowing(2)]);
    assert_eq!(ids(Some(narrowing(2))), [narrowing(3)]);
    let ended = |at| ledger.ended(Timestamp::from_millis(at), 2);
    assert_eq!((ended(4_999), ended(5_000)), (vec![], vec![narrowing(2), narrowing(3)]));
    ledger.forget(&[narrowing(1)]);
    assert_eq!(ids(None), [narrowing(2), narrowing(3)]);
}
