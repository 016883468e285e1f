//! Times and empty payloads.

use super::*;

#[test]
fn a_time_is_spoken_in_hours_minutes_and_seconds() {
    for (seconds, spoken_as) in [(0, "0s"), (59, "59s"), (60, "1m0s"), (3599, "59m59s"), (9930, "2h45m30s")] {
        assert_eq!(spoken(Duration::from_secs(seconds)), spoken_as);
    }
}

#[test]
fn a_message_that_takes_nothing_refuses_something_and_names_it() {
    assert!(nothing("{}").is_ok());
    let refusal = nothing(r#"{"verbose":"CANARY"}"#).unwrap_err();
    assert!(refusal.message.contains("`verbose`") && !refusal.message.contains("CANARY"), "{refusal:?}");
}
