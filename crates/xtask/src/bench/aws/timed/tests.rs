//! The figures of the kernel, and how they are shown.

use super::*;

#[test]
fn the_time_of_children_is_read_behind_the_name_whatever_the_name_is() {
    let stat = "42 (a ) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 1 0 100 0 0\n";
    assert_eq!(children_in(stat), Some(15));
    assert_eq!(children_in("42 (short) S 1"), None);
}

#[test]
fn a_spread_has_least_median_and_most_and_nothing_is_no_figure() {
    assert_eq!(spread(vec![3.0, 9.0, 1.0]).unwrap(), [1.0, 3.0, 9.0]);
    assert!(spread(Vec::new()).is_err());
}

#[test]
fn a_cost_says_nothing_of_memory_that_was_not_measured() {
    let cost = Cost { wall_ms: [1.0, 2.0, 3.0], cpu_ms: 1.5, peak_mib: None };
    assert_eq!(cost.to_string(), "1.0 / 2.0 / 3.0 ms, 1.5 ms CPU");
}
