//! Times there and back.

use super::*;

#[test]
fn times_are_read_as_they_are_shown() {
    for (text, millis) in [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999),
        ("2030-01-01T00:00:00.000Z", 1_893_456_000_000),
        ("9999-12-31T23:59:59.999Z", LAST),
    ] {
        assert_eq!(read(text), Some(millis), "{text}");
        assert_eq!(shown(millis), text);
    }
    assert_eq!(shown(u64::MAX), "9999-12-31T23:59:59.999Z");
    assert_eq!(read("2030-01-01T02:30:00+02:30"), Some(1_893_456_000_000));
    assert_eq!(read("2029-12-31T19:00:00.5-05:00"), Some(1_893_456_000_500));
    for day in 0..200_000 {
        assert_eq!(read(&shown(day * DAY + 1)), Some(day * DAY + 1));
    }
}

#[test]
fn what_is_no_time_is_not_read() {
    for text in [
        "",
        "tomorrow",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "1969-12-31T23:59:59Z",
        "2026-01-01T00:00:00+2:00",
        "2026-01-01T00:00:00+aa:00",
        "2026-01-0éT00:00:00Z",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn the_day_of_the_week_is_known() {
    assert_eq!(weekday(0), 3);
    assert_eq!(weekday(20_605), 0, "the first of June 2026 is a Monday");
}
