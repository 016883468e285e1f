//! Tests of the module `value`.

use super::*;

#[test]
fn a_length_of_time_is_numbers_with_units() {
    let known = [
        ("1h", 3_600_000),
        ("1h30m", 5_400_000),
        ("90s", 90_000),
        ("1.5h", 5_400_000),
        (".5m", 30_000),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("1w2d3h4m5s6ms", 788_645_006),
        ("0", 0),
        ("+15m", 900_000),
        ("1000us", 1),
        ("1000\u{b5}s1000\u{3bc}s", 2),
    ];
    for (text, millis) in known {
        assert_eq!(duration(text).unwrap(), Duration::from_millis(millis), "{text}");
    }
}

#[test]
fn a_number_without_unit_is_an_error() {
    assert_eq!(duration("10").unwrap_err().to_string(), "time: missing unit in duration \"10\"");
    assert_eq!(duration("1h30").unwrap_err().to_string(), "time: missing unit in duration \"1h30\"");
}

#[test]
fn an_unknown_unit_is_named() {
    assert_eq!(
        duration("3fortnights").unwrap_err().to_string(),
        "time: unknown unit \"fortnights\" in duration \"3fortnights\""
    );
    assert_eq!(duration("1H").unwrap_err().to_string(), "time: unknown unit \"H\" in duration \"1H\"");
}

#[test]
fn what_is_no_length_of_time_is_refused() {
    for text in ["", "+", "h", "-1h", "1..5h", ".h", "one hour", "99999999999w", "١h"] {
        let error = duration(text).unwrap_err().to_string();
        assert_eq!(error, format!("time: invalid duration \"{text}\""), "{text}");
    }
}

#[test]
fn a_switch_is_read_as_go_reads_it() {
    for text in ["1", "t", "T", "true", "TRUE", "True"] {
        assert!(switch(text).unwrap());
    }
    for text in ["0", "f", "F", "false", "FALSE", "False"] {
        assert!(!switch(text).unwrap());
    }
    for text in ["yes", "no", "on", "", "tRUE"] {
        let error = switch(text).unwrap_err().to_string();
        assert_eq!(error, format!("strconv.ParseBool: parsing \"{text}\": invalid syntax"));
    }
}

#[test]
fn a_word_outside_of_the_list_shows_the_list() {
    assert!(one_of("json", &["env", "json"]).is_ok());
    let error = one_of("yaml", &["env", "export-env", "json", "ini"]).unwrap_err();
    assert_eq!(error.to_string(), "enum value must be one of env,export-env,json,ini, got 'yaml'");
}
