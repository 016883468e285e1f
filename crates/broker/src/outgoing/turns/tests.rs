//! Who serves, and who rests.

use super::*;

fn turn(field: &str) -> Turn {
    Turn { tenant: TenantName::local(), integration: "house".parse().unwrap(), field: field.to_owned() }
}

fn order(turns: &Turns, at: u64) -> Vec<String> {
    let choice = Choice::rotation("a".into(), vec!["b".into(), "c".into()], Duration::from_secs(60));
    let house = "house".parse().unwrap();
    let now = Timestamp::from_millis(at);
    turns.order((&TenantName::local(), &house), &choice, now).into_iter().map(str::to_owned).collect()
}

#[test]
fn calls_are_spread_over_all() {
    let turns = Turns::default();
    let firsts: Vec<String> = (0..6).map(|_| order(&turns, 1_000).remove(0)).collect();
    assert_eq!(firsts, ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn one_that_rests_comes_last_until_its_rest_is_over() {
    let turns = Turns::default();
    turns.rest(turn("a"), Timestamp::from_millis(1_000), Duration::from_secs(60));
    assert!((0..6).all(|_| order(&turns, 2_000).last().is_some_and(|last| last == "a")));
    let firsts: Vec<String> = (0..3).map(|_| order(&turns, 61_000).remove(0)).collect();
    assert!(firsts.contains(&"a".to_owned()), "{firsts:?}");
}

#[test]
fn when_all_rest_the_one_that_is_soonest_back_serves() {
    let turns = Turns::default();
    for (field, seconds) in [("a", 30), ("b", 10), ("c", 20)] {
        turns.rest(turn(field), Timestamp::from_millis(1_000), Duration::from_secs(seconds));
    }
    assert_eq!(order(&turns, 2_000), ["b", "c", "a"]);
}
