//! What is carried once, what may come again, and what is forgotten.

use std::time::Duration;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn hooks() -> IntegrationName {
    "hooks".parse().unwrap()
}

fn key(n: u32) -> Key {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&n.to_be_bytes());
    key
}

#[test]
fn a_delivery_is_carried_once_within_its_time() {
    let all = Arc::<Deliveries>::default();
    let begin = |n, now: u64| all.begin(&hooks(), key(n), at(now), at(now + 60));
    let one = begin(1, 0).unwrap();
    assert_eq!(begin(1, 1).unwrap_err().code, Code::Replayed, "it is under way");
    one.carried();
    drop(one);
    assert_eq!(begin(1, 59).unwrap_err().code, Code::Replayed);
    drop(begin(1, 60).unwrap());
    drop(begin(1, 61).unwrap());
    drop(all.begin(&"other".parse().unwrap(), key(1), at(1), at(61)).unwrap());
}

#[test]
fn one_that_failed_may_come_again() {
    let all = Arc::<Deliveries>::default();
    drop(all.begin(&hooks(), key(1), at(0), at(60)).unwrap());
    all.begin(&hooks(), key(1), at(1), at(61)).unwrap().carried();
    assert!(all.begin(&hooks(), key(1), at(2), at(62)).is_err());
}

#[test]
fn what_is_remembered_has_a_bound() {
    let all = Arc::<Deliveries>::default();
    let most = u32::try_from(MOST).unwrap();
    for n in 0..most + 10 {
        all.begin(&hooks(), key(n), at(0), at(60)).unwrap().carried();
    }
    let kept = all.0.lock().unwrap()[&hooks()].seen.len();
    assert!(kept <= MOST, "{kept}");
    assert!(all.begin(&hooks(), key(most + 9), at(1), at(61)).is_err(), "the youngest are remembered");
    all.tidy(at(0).after(Duration::from_secs(60)));
    assert!(all.0.lock().unwrap().is_empty());
}
