//! The counters as they are collected.

use model::Retry;

use super::*;

const SOON: Duration = Duration::from_millis(2);

#[test]
fn what_is_counted_is_told_under_the_names_of_the_other_gateway() {
    let numbers = Numbers::default();
    assert_eq!(numbers.text(), "");
    numbers.replied(Some("slack"), StatusCode::OK, SOON);
    numbers.replied(Some("slack"), StatusCode::OK, Duration::from_secs(60));
    let refused = |code, message: &str| Refusal::new(code, message).retry(Retry::No);
    let denied = refused(Code::Denied, "x");
    numbers.refused(Some("slack"), (StatusCode::FORBIDDEN, &denied), SOON);
    let unproven = refused(Code::Unauthenticated, "x");
    numbers.refused(Some("slack"), (StatusCode::UNAUTHORIZED, &unproven), SOON);
    numbers.refused(None, (StatusCode::NOT_FOUND, &refused(Code::NotFound, "x")), SOON);
    let text = numbers.text();
    for line in [
        "# TYPE authtranslator_requests counter\n",
        "authtranslator_requests_total{integration=\"slack\"} 4\n",
        "authtranslator_requests_total{integration=\"unknown\"} 1\n",
        "authtranslator_upstream_responses_total{integration=\"slack\",code=\"200\"} 2\n",
        "authtranslator_auth_failures_total{integration=\"slack\"} 1\n",
        "authtranslator_rate_limit_events_total{integration=\"slack\"} 0\n",
        "authtranslator_internal_responses_total{integration=\"slack\",code=\"403\",reason=\"no_allowlist_match\"} 1\n",
        "authtranslator_internal_responses_total{integration=\"unknown\",code=\"404\",reason=\"integration_not_found\"} 1\n",
        "authtranslator_end_to_end_duration_seconds_bucket{integration=\"slack\",le=\"0.0025\"} 3\n",
        "authtranslator_end_to_end_duration_seconds_bucket{integration=\"slack\",le=\"1.0\"} 3\n",
        "authtranslator_end_to_end_duration_seconds_bucket{integration=\"slack\",le=\"+Inf\"} 4\n",
        "authtranslator_end_to_end_duration_seconds_count{integration=\"slack\"} 4\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn reasons_are_those_of_the_other_gateway() {
    let of = |code, message: &str, why: Option<&str>| {
        let refusal = Refusal::new(code, message);
        reason(&Refusal { reason: why.map(Into::into), ..refusal })
    };
    for (code, message, why, word) in [
        (Code::Denied, "x", Some("denylist matched caller * GET /a"), "denylist_match"),
        (Code::Denied, "x", Some("no allowlist match"), "no_allowlist_match"),
        (Code::Denied, "x", Some("missing header X"), "constraint_failure"),
        (Code::RateLimited, "x", None, "caller_rate_limited"),
        (Code::BadRequest, "invalid destination: missing", None, "invalid_destination"),
        (Code::SecretMissing, "x", None, "outgoing_auth_failure"),
        (Code::UpstreamTimeout, "x", None, "upstream_timeout"),
    ] {
        assert_eq!(of(code, message, why), word);
    }
}
