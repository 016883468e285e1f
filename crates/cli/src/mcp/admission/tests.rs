//! What is known of tokens at the door: once each, not beyond their end, and not without end.

use http::HeaderValue;
use model::{Code, Refusal, Timestamp};
use serde_json::json;

use super::{Admissions, Exchanged, MOST_FAILURES, Seen};

fn digest(admissions: &Admissions, token: &str) -> crypto::Digest {
    match admissions.look(&HeaderValue::from_str(token).unwrap()) {
        Seen::New(digest) => digest,
        Seen::Known(known) => panic!("{known:?}"),
    }
}

fn given(until: u64) -> Result<Exchanged, Refusal> {
    Exchanged::read(
        json!({ "for": "oidc.1", "until": until, "capabilities": [{ "token": "cap1_x", "grant": "g" }] }),
    )
}

#[test]
fn a_token_is_exchanged_once_and_not_beyond_its_end() {
    let (admissions, clock) = (Admissions::default(), Timestamp::from_millis(1_000_000));
    let good = digest(&admissions, "a.b.c");
    let came = admissions.keep(good, given(clock.millis() + 600_000), clock).unwrap();
    assert_eq!(came, ["cap1_x"]);
    assert!(matches!(admissions.look(&HeaderValue::from_static("a.b.c")), Seen::Known(Ok(_))));
    assert!(matches!(admissions.look(&HeaderValue::from_static("a.b.d")), Seen::New(_)));

    let over = digest(&admissions, "x.y.z");
    admissions.keep(over, given(clock.millis()), clock).unwrap();
    assert!(matches!(admissions.look(&HeaderValue::from_static("x.y.z")), Seen::New(_)), "its time is up");
}

#[test]
fn made_up_tokens_are_not_asked_without_end_and_a_broker_that_is_away_says_nothing_against_one() {
    let (admissions, clock) = (Admissions::default(), Timestamp::from_millis(1_000_000));
    let known = digest(&admissions, "known.b.c");
    admissions.keep(known, given(clock.millis() + 600_000), clock).unwrap();
    let away = digest(&admissions, "away.b.c");
    let refusal = Refusal::new(Code::SourceUnavailable, "the broker does not answer");
    admissions.keep(away, Err(refusal), clock).unwrap_err();
    let _ = digest(&admissions, "away.b.c");
    for number in 0..MOST_FAILURES {
        let token = format!("bad.{number}.c");
        let digest = digest(&admissions, &token);
        admissions.keep(digest, Err(Refusal::new(Code::Unauthenticated, "no")), clock).unwrap_err();
        assert!(matches!(admissions.look(&HeaderValue::from_str(&token).unwrap()), Seen::Known(Err(_))));
    }
    let Seen::Known(Err(refusal)) = admissions.look(&HeaderValue::from_static("new.b.c")) else { panic!() };
    assert_eq!(refusal.code, Code::RateLimited);
    assert!(
        matches!(admissions.look(&HeaderValue::from_static("known.b.c")), Seen::Known(Ok(_))),
        "others go on"
    );
}
