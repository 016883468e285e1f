//! Tests of the module `hours`.

use super::*;

fn hours(days: &[Weekday], from: u16, to: u16, zone: &str) -> Hours {
    Hours::new(days, from, to, zone).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn working_hours_follow_the_zone_and_its_summer_time() {
    let berlin = hours(&[Weekday::Wednesday], 9 * 60, 17 * 60, "Europe/Berlin");
    assert_eq!(berlin.contain(at("2026-07-01T07:00:00Z")), Some(true));
    assert_eq!(berlin.contain(at("2026-07-01T06:59:59Z")), Some(false));
    assert_eq!(berlin.contain(at("2026-01-07T07:30:00Z")), Some(false));
    assert_eq!(berlin.contain(at("2026-01-07T08:00:00Z")), Some(true));
    assert_eq!(berlin.contain(at("2026-01-07T16:00:00Z")), Some(false));
    assert_eq!(berlin.contain(at("2026-01-08T12:00:00Z")), Some(false));
}

#[test]
fn hours_past_midnight_belong_to_the_day_on_which_they_began() {
    let night = hours(&[Weekday::Friday], 22 * 60, 6 * 60, "UTC");
    assert_eq!(night.contain(at("2026-01-02T23:00:00Z")), Some(true));
    assert_eq!(night.contain(at("2026-01-03T05:59:00Z")), Some(true));
    assert_eq!(night.contain(at("2026-01-03T22:00:00Z")), Some(false));
    assert_eq!(night.contain(at("2026-01-02T05:00:00Z")), Some(false));
}

#[test]
fn an_unknown_zone_is_refused_when_made_and_when_checked() {
    assert!(Hours::new(&[Weekday::Monday], 0, 60, "Europe/Nowhere").is_err());
    let stored = Hours::of_parts(127, 0, 1440, "Europe/Nowhere").unwrap();
    assert_eq!(stored.contain(at("2026-01-02T23:00:00Z")), None);
}

#[test]
fn equal_times_and_no_days_are_refused() {
    assert!(Hours::new(&[], 0, 60, "UTC").is_err());
    assert!(Hours::new(&[Weekday::Monday], 60, 60, "UTC").is_err());
    for (from, to) in
        [("9:00", "17:00"), ("09:60", "17:00"), ("24:01", "01:00"), ("09:00", "25:00"), ("+1:00", "02:00")]
    {
        let json = format!(r#"{{"days": ["mon"], "from": "{from}", "to": "{to}", "zone": "UTC"}}"#);
        assert!(serde_json::from_str::<Hours>(&json).is_err(), "{json}");
    }
}
