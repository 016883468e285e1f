//! What a process counts.

use catalog::Strategy;

use super::*;

fn key(name: &str) -> Counted {
    Counted::Integration(TenantName::local(), name.parse().unwrap())
}

fn pace(calls: u32) -> Pace {
    Pace { calls, per: Duration::from_secs(3_600), strategy: Strategy::TokenBucket }
}

#[test]
fn the_call_beyond_the_rate_is_told_how_long_to_wait() {
    let limits = Limits::default();
    for left in [2, 1, 0] {
        let within = limits.count([(key("slack"), pace(3))].into_iter()).unwrap();
        assert_eq!(within.tightest().unwrap().left, left);
    }
    let quota = limits.count([(key("slack"), pace(3))].into_iter()).unwrap_err();
    assert!(quota.reset > Duration::from_secs(60) && quota.reset <= Duration::from_secs(1_200), "{quota:?}");
    let _other = limits.count([(key("github"), pace(3))].into_iter()).unwrap();
}

#[test]
fn of_several_rates_the_tightest_is_told() {
    let limits = Limits::default();
    let caller = Counted::Caller(TenantName::local(), "ada".parse().unwrap(), "slack".parse().unwrap());
    let within = limits.count([(caller, pace(2)), (key("slack"), pace(9))].into_iter()).unwrap();
    assert_eq!((within.tightest().unwrap().policy, within.tightest().unwrap().left), ("caller", 1));
    assert!(limits.count(std::iter::empty()).unwrap().tightest().is_none());
}

#[test]
fn a_rate_of_zero_refuses() {
    assert!(Limits::default().count([(key("slack"), pace(0))].into_iter()).is_err());
}
