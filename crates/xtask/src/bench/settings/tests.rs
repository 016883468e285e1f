//! Flags, good and bad.

use super::*;

#[test]
fn flags_override_the_usual_settings() {
    let settings =
        Settings::parse(&["--rounds", "5", "--bodies", "1024", "--homes", "disk", "--unpinned"]).unwrap();
    assert_eq!((settings.rounds, settings.seconds, settings.bodies), (5, 8, vec![1024]));
    assert_eq!(settings.homes, [Place::Disk]);
    assert!(Settings::parse(&["--homes", "none"]).unwrap().homes.is_empty());
    assert_eq!(Settings::parse(&[]).unwrap().homes, [Place::Shm, Place::Disk]);
}

#[test]
fn a_flag_that_is_unknown_or_out_of_range_is_refused() {
    for flags in [
        &["--round", "3"][..],
        &["--rounds"],
        &["--rounds", "0"],
        &["--homes", "tape"],
        &["--bodies", "1024,"],
    ] {
        assert!(Settings::parse(flags).is_err(), "{flags:?}");
    }
}
