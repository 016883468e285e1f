//! Durations are read as Go reads them.

use super::*;

#[test]
fn durations_are_those_of_go() {
    for (text, nanos) in [
        ("0", 0),
        ("500ms", 500_000_000),
        ("1m30s", 90_000_000_000),
        ("1.5h", 5_400_000_000_000),
        (".5s", 500_000_000),
        ("10µs", 10_000),
    ] {
        assert_eq!(duration(text), Some(nanos), "{text}");
    }
    for text in ["", "5", "-1s", "1 s", "s", ".s", "1d", "1s5", "1..5s", "99999999999h"] {
        assert_eq!(duration(text), None, "{text}");
    }
}
