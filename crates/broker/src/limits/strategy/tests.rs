//! Every strategy over a time of our own.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

const ALL: [Strategy; 4] =
    [Strategy::TokenBucket, Strategy::LeakyBucket, Strategy::FixedWindow, Strategy::SlidingWindow];
const SECOND: u64 = 1_000_000_000;

fn pace(strategy: Strategy, calls: u32, seconds: u64) -> Pace {
    Pace { calls, per: Duration::from_secs(seconds), strategy }
}

fn admitted(pace: &Pace, times: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut state = State::new(pace.strategy, 0);
    times.into_iter().filter(|now| state.take(pace, *now).admitted).collect()
}

#[test]
fn every_strategy_admits_all_calls_at_once_and_then_no_more() {
    for strategy in ALL {
        let pace = pace(strategy, 3, 60);
        let mut state = State::new(strategy, 5);
        let left: Vec<u32> = (0..3).map(|_| state.take(&pace, 5).left).collect();
        assert_eq!(left, [2, 1, 0], "{strategy:?}");
        let refused = state.take(&pace, 5);
        assert!(
            !refused.admitted && refused.wait > 0 && refused.wait <= 60 * SECOND,
            "{strategy:?} {refused:?}"
        );
    }
}

#[test]
fn a_bucket_fills_evenly() {
    for strategy in [Strategy::TokenBucket, Strategy::LeakyBucket] {
        let pace = pace(strategy, 3, 60);
        let times = (0..10).map(|_| 0).chain([19, 20, 21, 39, 40, 60, 61].map(|second| second * SECOND));
        let seconds: Vec<u64> = admitted(&pace, times).iter().map(|time| time / SECOND).collect();
        assert_eq!(seconds, [0, 0, 0, 20, 40, 60], "{strategy:?}");
    }
}

#[test]
fn a_fixed_window_begins_with_a_call_and_lets_twice_the_calls_through_at_its_border() {
    let pace = pace(Strategy::FixedWindow, 2, 10);
    let times = [0, 9, 9, 10, 10, 10, 19, 20].map(|second| second * SECOND);
    let seconds: Vec<u64> = admitted(&pace, times).iter().map(|time| time / SECOND).collect();
    assert_eq!(seconds, [0, 9, 10, 10, 20]);
}

#[test]
fn a_sliding_window_does_not() {
    let pace = pace(Strategy::SlidingWindow, 2, 10);
    let times = [9, 9, 10, 11, 14, 15, 16, 19, 20].map(|second| second * SECOND);
    let seconds: Vec<u64> = admitted(&pace, times).iter().map(|time| time / SECOND).collect();
    assert_eq!(seconds, [9, 9, 15, 20]);
}

#[test]
fn after_a_quiet_window_a_sliding_one_admits_everything_again() {
    let pace = pace(Strategy::SlidingWindow, 3, 2);
    let mut state = State::new(pace.strategy, 0);
    assert!((0..3).all(|_| state.take(&pace, 0).admitted));
    let refused = state.take(&pace, SECOND);
    assert_eq!((refused.admitted, refused.wait), (false, SECOND), "not longer than the window");
    assert_eq!(state.idle_at(&pace), 2 * SECOND);
    assert!((0..3).all(|_| state.take(&pace, 2 * SECOND + SECOND / 2).admitted));
    assert!(!state.take(&pace, 2 * SECOND + SECOND / 2).admitted);
}

#[test]
fn a_rate_of_nothing_refuses_and_the_largest_does_not_overflow() {
    for strategy in ALL {
        assert!(!State::new(strategy, 0).take(&pace(strategy, 0, 1), 0).admitted);
        let most = Pace { calls: u32::MAX, per: Duration::from_secs(u64::MAX / SECOND), strategy };
        let mut state = State::new(strategy, u64::MAX - 10);
        for now in [u64::MAX - 10, u64::MAX] {
            let _ = state.take(&most, now);
        }
    }
}

proptest! {
    #[test]
    fn who_waits_as_told_is_admitted_and_who_comes_a_moment_early_is_not(
        which in 0_usize..4, calls in 1_u32..20, seconds in 1_u64..100, steps in proptest::collection::vec(0_u64..20_000, 1..60),
    ) {
        let pace = pace(ALL[which], calls, seconds);
        let mut state = State::new(pace.strategy, 0);
        let mut now = 0;
        for step in steps {
            now += step * 1_000_003;
            let taken = state.take(&pace, now);
            if !taken.admitted {
                let (mut early, mut then) = (state.clone(), state.clone());
                prop_assert!(then.take(&pace, now + taken.wait).admitted, "{state:?} at {now}: {taken:?}");
                prop_assert!(!early.take(&pace, now + taken.wait - 1).admitted, "{state:?} at {now}: {taken:?}");
            }
        }
    }

    #[test]
    fn never_more_than_the_calls_of_two_windows_fall_into_one(
        which in 0_usize..4, calls in 1_u32..20, steps in proptest::collection::vec(0_u64..3_000, 1..200),
    ) {
        let pace = pace(ALL[which], calls, 10);
        let mut now = 0;
        let times: Vec<u64> = steps.iter().map(|step| { now += step * 1_000_000; now }).collect();
        let admitted = admitted(&pace, times);
        for (at, first) in admitted.iter().enumerate() {
            let within = admitted[at..].iter().take_while(|time| *time - first < 10 * SECOND).count();
            prop_assert!(within <= 2 * usize::try_from(calls).unwrap());
        }
    }

    #[test]
    fn what_is_idle_counts_as_something_new(which in 0_usize..4, calls in 1_u32..20, before in 0_usize..30) {
        let pace = pace(ALL[which], calls, 10);
        let mut state = State::new(pace.strategy, 0);
        for _ in 0..before {
            let _ = state.take(&pace, 3);
        }
        let idle = state.idle_at(&pace).max(3);
        let left = state.take(&pace, idle).left;
        prop_assert_eq!(left, calls - 1);
    }
}

#[test]
fn an_exact_rate_admits_all_at_once_and_never_more_in_any_window() {
    const SECOND: u64 = 1_000_000_000;
    for (calls, per, step) in [(3, 3, 10_000_000), (10, 5, 77_000_000), (5_000, 10, 1_300_000)] {
        let pace = Pace { calls, per: Duration::from_secs(per), strategy: Strategy::Exact };
        let mut state = State::new(pace.strategy, 0);
        let (mut now, mut admitted) = (0, Vec::new());
        while now < 3 * per * SECOND {
            if state.take(&pace, now).admitted {
                admitted.push(now);
            }
            now += step;
        }
        let first = admitted.iter().take_while(|at| **at < u64::from(calls) * step).count();
        assert_eq!(first, usize::try_from(calls).unwrap(), "all at once");
        for (at, from) in admitted.iter().enumerate() {
            let within = admitted[at..].iter().take_while(|to| **to < from + per * SECOND).count();
            assert!(within <= usize::try_from(calls).unwrap(), "{within} from {from}");
        }
        let Taken { admitted: yes, wait, .. } = state.take(&pace, now);
        assert!(yes || state.take(&pace, now + wait).admitted, "it comes back when it was told to");
    }
}
