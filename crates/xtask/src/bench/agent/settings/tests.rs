//! Which flags are understood.

use super::*;

#[test]
fn flags_are_read_and_unknown_ones_refused() {
    let settings = Settings::parse(&["--rounds", "2", "--live", "0", "--home", "shm"]).unwrap();
    assert_eq!((settings.rounds, settings.seconds, settings.live, settings.memory), (2, 3, 0, true));
    for flags in [["--rounds", "0"], ["--live", "-1"], ["--home", "tmp"], ["--fast", "1"]] {
        assert!(Settings::parse(&flags).is_err(), "{flags:?}");
    }
    assert!(Settings::parse(&["--rounds"]).is_err());
}
