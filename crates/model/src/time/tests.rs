//! Tests of the module `time`.

use super::*;

#[test]
fn times_are_shown_and_read_as_rfc_3339() {
    let time: Timestamp = "2026-11-22T09:00:00.250Z".parse().unwrap();
    assert_eq!(time.to_string(), "2026-11-22T09:00:00.250Z");
    assert_eq!("2026-11-22T10:00:00.25+01:00".parse::<Timestamp>().unwrap(), time);
}

#[test]
fn durations_need_a_unit() {
    assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5_400));
    assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
    for wrong in ["", "15", "m", "15 m", "-1s", "0s", "1w", "99999999d", "1h30"] {
        assert!(parse_duration(wrong).is_err(), "{wrong}");
    }
}
