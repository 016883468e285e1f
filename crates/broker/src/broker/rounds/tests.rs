//! When a credential is due.

use std::collections::BTreeMap;

use serde_json::Map;

use super::*;

fn row(seed: u8, status: Status) -> CredentialRow {
    let at = Timestamp::from_millis(1_000_000_000);
    CredentialRow {
        id: model::CredentialId::new(at, [seed; 10]),
        provider: "OPENAI".to_owned(),
        kind: "API_KEY".to_owned(),
        secret: format!("credentials/openai/{seed}").parse().unwrap(),
        name: "n".to_owned(),
        status,
        created: at,
        expires: at.after(DAY * 90),
        validated: None,
        error: None,
        tried: Some(at),
        facts: BTreeMap::new(),
        metadata: Map::new(),
        by: "owner".parse().unwrap(),
        fingerprint: "00000000".to_owned(),
        ends: None,
        gone: false,
    }
}

#[test]
fn a_credential_is_due_a_day_after_it_was_tried_and_no_two_at_once() {
    let often = Often::default();
    let tried = Timestamp::from_millis(1_000_000_000);
    let due: Vec<Duration> =
        (0..50).map(|seed| often.due(&row(seed, Status::Valid)).unwrap().since(tried)).collect();
    assert!(due.iter().all(|after| (DAY..=DAY + DAY / 5).contains(after)), "{due:?}");
    let spread = due.iter().max().unwrap().saturating_sub(*due.iter().min().unwrap());
    assert!(spread > DAY / 10, "they are spread over hours: {spread:?}");
    assert_eq!(
        often.due(&row(1, Status::Valid)),
        often.due(&row(1, Status::Invalid)),
        "the same after a restart"
    );
}

#[test]
fn one_that_waits_is_tried_sooner_and_never_means_never() {
    let tried = Timestamp::from_millis(1_000_000_000);
    let often = Often::default();
    let pending = often.due(&row(1, Status::Pending)).unwrap().since(tried);
    assert!(pending >= DAY / 96 && pending <= DAY / 80, "{pending:?}");
    let never = Often { validate: None, pending: None, ..often };
    assert_eq!(never.due(&row(1, Status::Valid)), None);
    assert_eq!(never.due(&row(1, Status::Pending)), None);
}

#[test]
fn a_round_takes_a_quarter_of_the_shortest_time() {
    let quick = Often { validate: Some(SHORTEST), ..Often::default() };
    assert_eq!((quick.round(), quick.rest()), (SHORTEST, SHORTEST));
    let usual = Often::default();
    assert_eq!(usual.round(), Duration::from_secs(225));
    assert!(usual.rest() <= MOST_REST && usual.rest() >= SHORTEST);
}
