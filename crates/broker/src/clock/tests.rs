//! Tests of the clock.

use super::*;

const DAY: u64 = 86_400_000;

#[test]
fn the_clock_never_goes_back() {
    let keeper = Keeper::default();
    assert_eq!(keeper.at(DAY, || 0), DAY);
    assert_eq!(keeper.at(DAY + 500, || 500), DAY + 500);
    // Set back by an hour: the time goes on from where it was.
    assert_eq!(keeper.at(DAY - 3_600_000, || 1_000), DAY + 1_000);
    assert_eq!(keeper.at(DAY - 3_600_000 + 4_000, || 5_000), DAY + 5_000);
    // And to the beginning of time.
    assert_eq!(keeper.at(0, || 5_000), DAY + 5_000);
}

#[test]
fn a_jump_that_is_mended_soon_leaves_nothing_behind() {
    let keeper = Keeper::default();
    assert_eq!(keeper.at(DAY, || 0), DAY);
    assert_eq!(keeper.at(366 * DAY, || 1_000), 366 * DAY, "capabilities end early meanwhile");
    assert_eq!(keeper.at(366 * DAY + 20_000, || 21_000), 366 * DAY + 20_000);
    assert_eq!(keeper.at(DAY + 22_000, || 22_000), DAY + 22_000);
    // Set back to before it jumped, it has not gone back.
    assert_eq!(keeper.at(DAY, || 23_000), DAY + 23_000);
}

#[test]
fn a_jump_that_lasts_is_the_time() {
    let keeper = Keeper::default();
    assert_eq!(keeper.at(DAY, || 0), DAY);
    for seconds in 1..=61 {
        assert_eq!(keeper.at(9 * DAY + seconds * 1_000, || seconds * 1_000), 9 * DAY + seconds * 1_000);
    }
    // A minute later what is over stays over.
    assert_eq!(keeper.at(DAY + 62_000, || 62_000), 9 * DAY + 62_000);
}

#[test]
fn another_jump_waits_anew_and_a_long_silence_is_none() {
    let keeper = Keeper::default();
    assert_eq!(keeper.at(DAY, || 0), DAY);
    assert_eq!(keeper.at(2 * DAY, || DAY), 2 * DAY, "nobody asked for a day");
    assert_eq!(keeper.at(9 * DAY, || DAY + 1_000), 9 * DAY);
    assert_eq!(keeper.at(5 * DAY, || DAY + 59_000), 5 * DAY, "less far than before: another jump");
    assert_eq!(keeper.at(5 * DAY + 4_000, || DAY + 63_000), 5 * DAY + 4_000);
    assert_eq!(keeper.at(2 * DAY + 64_000, || DAY + 64_000), 2 * DAY + 64_000);
}

#[test]
fn the_system_is_asked() {
    let clock = SystemClock::default();
    let first = clock.now();
    assert!(first.millis() > 20_000 * DAY && clock.now() >= first);
}
