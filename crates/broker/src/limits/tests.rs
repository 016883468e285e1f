//! Tests of the counters.

use super::*;

fn key(name: &str) -> Counted {
    Counted::Integration(TenantName::local(), name.parse().unwrap())
}

#[test]
fn the_call_beyond_the_rate_is_told_how_long_to_wait() {
    let limits = Limits::default();
    let pace = Pace { calls: 3, per: Duration::from_secs(3_600) };
    for _ in 0..3 {
        let _within = limits.count([(key("slack"), pace)].into_iter()).unwrap();
    }
    let wait = limits.count([(key("slack"), pace)].into_iter()).unwrap_err();
    assert!(wait > Duration::from_secs(60) && wait <= Duration::from_secs(1_200), "{wait:?}");
    let _other = limits.count([(key("github"), pace)].into_iter()).unwrap();
}

#[test]
fn a_rate_of_zero_refuses() {
    let pace = Pace { calls: 0, per: Duration::from_secs(1) };
    assert!(Limits::default().count([(key("slack"), pace)].into_iter()).is_err());
}

#[test]
fn paces_and_counters_that_are_full_again_are_forgotten() {
    let limits = Limits::default();
    for calls in 1..=100 {
        let pace = Pace { calls, per: Duration::from_micros(200) };
        let _within = limits.count([(key("slack"), pace)].into_iter()).unwrap();
    }
    let slow = Pace { calls: 3, per: Duration::from_secs(3_600) };
    let _within = limits.count([(key("slack"), slow)].into_iter()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    limits.tidy();
    let kept: Vec<Pace> = limits.proven.limiters.read().unwrap().keys().copied().collect();
    assert_eq!(kept, [slow], "what still counts stays, and nothing else");
}
