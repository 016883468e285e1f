//! Tests of the clock.

use super::*;

#[test]
fn the_clock_never_goes_back() {
    let clock = SystemClock::default();
    let ahead = clock.now().millis() + 60_000;
    clock.0.store(ahead, Ordering::Relaxed);
    assert_eq!(clock.now().millis(), ahead, "the system's clock was set back by a minute");
}
