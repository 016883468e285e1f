//! Breakers, budgets, and what is kept when files are read again.

use std::num::NonZeroU32;
use std::time::Duration;

use catalog::Retries;

use super::*;

fn breaker(failures: u32, rest: Duration) -> Breaker {
    Breaker::new(catalog::Breaker { failures: NonZeroU32::new(failures).unwrap(), rest })
}

fn attempt(breaker: &Breaker, health: Health) {
    breaker.enter().unwrap().told(health);
}

#[test]
fn a_breaker_opens_behind_failures_in_a_row_only() {
    let breaker = breaker(3, Duration::from_secs(3600));
    for health in [Health::Bad, Health::Bad, Health::Good, Health::Bad, Health::Bad] {
        attempt(&breaker, health);
        assert!(!breaker.is_open());
    }
    attempt(&breaker, Health::Bad);
    assert!(breaker.is_open());
    let left = breaker.enter().unwrap_err();
    assert!(left > Duration::from_secs(3500) && left <= Duration::from_secs(3600), "{left:?}");
}

#[test]
fn one_call_tries_behind_the_rest_and_decides() {
    let breaker = breaker(1, Duration::ZERO);
    attempt(&breaker, Health::Bad);
    let probe = breaker.enter().unwrap();
    assert!(breaker.enter().is_err(), "two tried at once");
    probe.told(Health::Bad);
    let probe = breaker.enter().unwrap();
    probe.told(Health::Good);
    assert!(!breaker.is_open());
    let (_one, _two) = (breaker.enter().unwrap(), breaker.enter().unwrap());
}

#[test]
fn a_probe_that_is_never_heard_of_again_is_a_failure() {
    let breaker = breaker(1, Duration::ZERO);
    attempt(&breaker, Health::Bad);
    drop(breaker.enter().unwrap());
    assert!(breaker.is_open());
    breaker.enter().unwrap().told(Health::Good);
    assert!(!breaker.is_open());
}

#[test]
fn calls_that_began_before_it_opened_do_not_close_it() {
    let breaker = breaker(1, Duration::from_secs(60));
    let early = breaker.enter().unwrap();
    attempt(&breaker, Health::Bad);
    early.told(Health::Good);
    assert!(breaker.is_open());
}

#[test]
fn a_budget_is_a_share_of_the_calls_beyond_the_first_few() {
    let retries = Retries { most: NonZeroU32::MIN, percent: NonZeroU32::new(20).unwrap() };
    let budget = Budget::new(retries);
    assert_eq!((0..100).filter(|_| budget.take().is_some()).count(), 10);
    for _ in 0..50 {
        budget.earn();
    }
    assert_eq!((0..100).filter(|_| budget.take().is_some()).count(), 10);
    for _ in 0..1000 {
        budget.earn();
    }
    assert_eq!((0..100).filter(|_| budget.take().is_some()).count(), 10, "no more than ten are saved up");
}

/// A certificate that signed itself, and its key.
fn pair(name: &str) -> Shown {
    let (chain, key) = testkit::certificate::self_signed(name);
    let pem = |text: String| Zeroizing::new(text.into_bytes());
    Shown::of(Some((pem(chain), pem(key))), None).unwrap()
}

#[test]
fn each_certificate_has_a_way_of_its_own_and_the_same_one_keeps_it() {
    let known = Known::new(Arc::new(Connection::default()));
    assert!(known.way(None).unwrap().is_none(), "nothing is special about it");
    let (one, two) = (pair("one"), pair("two"));
    let way = |shown: &Shown| known.way(Some(shown)).unwrap().unwrap();
    let first = way(&one);
    assert!(Arc::ptr_eq(&first, &way(&one)));
    assert!(!Arc::ptr_eq(&first, &way(&two)));
    for nth in 0..MOST_WAYS {
        let _ = way(&pair(&format!("n{nth}")));
    }
    assert!(!Arc::ptr_eq(&first, &way(&one)), "those that were not asked for are forgotten");
}

#[test]
fn a_key_of_another_certificate_is_refused_without_a_word_of_it() {
    let known = Known::new(Arc::new(Connection::default()));
    let (one, two) = (pair("one"), pair("two"));
    let (chain, _) = one.certificate.unwrap();
    let (_, key) = two.certificate.unwrap();
    let mixed = Shown::of(Some((chain, key)), None).unwrap();
    let refusal = known.way(Some(&mixed)).unwrap_err();
    assert_eq!(refusal.code, Code::SecretMissing);
    assert!(!refusal.message.contains("BEGIN"), "{}", refusal.message);
}

#[test]
fn each_password_for_the_proxy_has_a_way_of_its_own_and_the_same_one_keeps_it() {
    let known = Known::new(Arc::new(Connection::default()));
    let way = |pair: &str| {
        let shown = Shown::of(None, Some(Zeroizing::new(pair.as_bytes().to_vec()))).unwrap();
        known.way(Some(&shown)).unwrap().unwrap()
    };
    let first = way("jane:CANARY-one");
    assert!(Arc::ptr_eq(&first, &way("jane:CANARY-one")));
    assert!(!Arc::ptr_eq(&first, &way("jane:CANARY-two")));
    assert!(!format!("{first:?}").contains("CANARY"), "{first:?}");
    assert!(Shown::of(None, None).is_none());
}
