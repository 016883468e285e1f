//! What can be typed.

use super::*;

#[test]
fn flags_are_read_and_those_of_the_rounds_reach_the_rounds() {
    let settings =
        Settings::parse(&["--rounds", "2", "--rules", "50", "--idle", "0", "--home", "disk"]).unwrap();
    assert_eq!((settings.rounds.rounds, settings.size.rules, settings.idle), (2, 50, 0));
    assert_eq!(settings.home_label(), "disk");
    assert_eq!(settings.size.integrations, 10_000);
}

#[test]
fn an_unknown_flag_or_value_is_refused() {
    for flags in [
        &["--integration", "3"][..],
        &["--integrations", "1"],
        &["--idle", "many"],
        &["--home", "tape"],
        &["--homes", "shm"],
        &["--rules"],
    ] {
        assert!(Settings::parse(flags).is_err(), "{flags:?}");
    }
}
