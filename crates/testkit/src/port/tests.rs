//! Which ports are given.

use super::*;

#[test]
fn what_the_system_picks_from_is_left_alone_where_there_is_room() {
    assert_eq!(beside((32_768, 60_999)), 10_000..32_768);
    assert_eq!(beside((1_024, 60_999)), 61_000..65_000);
    assert_eq!(beside((1_024, 65_535)), 10_000..65_000);
}

#[test]
fn no_port_is_given_twice_and_none_that_somebody_has() {
    let ports: Vec<u16> = (0..50).map(|_| port()).collect();
    let mut once = ports.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ports.len());
    let ours = beside(picked());
    assert!(ports.iter().all(|port| ours.contains(port)), "{ports:?} are not all of {ours:?}");
}
