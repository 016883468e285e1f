//! Counters come and go, and never pile up.

use std::time::Duration;

use catalog::Strategy;
use model::QuickHash;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn pace(strategy: Strategy) -> Pace {
    Pace { calls: 3, per: Duration::from_secs(10), strategy }
}

#[test]
fn names_are_counted_apart_and_paces_too() {
    let counters: Counters<u32, QuickHash> = Counters::new(1_000);
    let (slow, window) = (pace(Strategy::TokenBucket), pace(Strategy::FixedWindow));
    for key in 0..100 {
        for pace in [slow, window] {
            let admitted = (0..4).filter(|_| counters.take(key, pace, 0).admitted).count();
            assert_eq!(admitted, 3);
        }
    }
    assert_eq!(counters.len(), 200);
}

#[test]
fn what_knows_nothing_any_more_is_forgotten_and_nothing_else() {
    let counters: Counters<u32, QuickHash> = Counters::new(1_000);
    for strategy in
        [Strategy::TokenBucket, Strategy::LeakyBucket, Strategy::FixedWindow, Strategy::SlidingWindow]
    {
        let _ = counters.take(1, pace(strategy), 0);
    }
    let _ = counters.take(2, pace(Strategy::FixedWindow), 19 * SECOND);
    counters.tidy(20 * SECOND);
    assert_eq!(counters.len(), 1);
}

#[test]
fn a_flood_of_names_stays_within_the_bound_and_its_victim_is_no_name_in_heavy_use() {
    let counters: Counters<u32, QuickHash> = Counters::new(6_400);
    let pace = pace(Strategy::TokenBucket);
    for _ in 0..3 {
        assert!(counters.take(0, pace, 0).admitted);
    }
    for key in 1..100_000 {
        let _ = counters.take(key, pace, 0);
    }
    assert!(counters.len() <= 6_400, "{}", counters.len());
    assert!(!counters.take(0, pace, 1).admitted, "what is used up was kept: others are whole again sooner");
}
