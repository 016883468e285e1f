//! The examples of the vendors' documents, and headers of other forms.

use crypto::jws::hmac_signed;

use super::*;

#[test]
fn the_example_of_slack_fits() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let tag = hex(b"a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503").unwrap();
    let parts: [&[u8]; 5] = [b"v0", b":", b"1531420618", b":", body.as_bytes()];
    assert!(hmac_signed(Hash::Sha256, b"8f742231b10e8888abcd99yyyzzz85a5", &parts, &tag).is_ok());
}

#[test]
fn a_header_of_stripe_has_one_time_and_signatures_of_the_live_scheme() {
    let written = "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39";
    let (time, tags) = stripe(written).unwrap();
    assert_eq!((time, tags.len(), tags[0].len()), ("1492774577", 1, 32));
    let many = format!("t=1{}", ",v1=00".repeat(9));
    for wrong in ["", "t=1", "v1=00", "t=1,v1=zz", "t=1,v1=0", "t=1,t=2,v1=00", "t=1,v0=00", "t", &many] {
        assert!(stripe(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_event_is_known_by_the_id_that_is_signed_with_it() {
    let slack = |body: &str| event(body.as_bytes(), "event_id", None);
    assert_eq!(slack(r#"{"event_id": "Ev1"}"#), Some(b"Ev1".to_vec()));
    for none in
        ["", "payload=1", "{}", r#"{"event_id": ""}"#, r#"{"event_id": 7}"#, r#"[{"event_id": "Ev1"}]"#]
    {
        assert_eq!(slack(none), None, "{none}");
    }
    let stripe = |body: &str| event(body.as_bytes(), "id", Some("event"));
    assert_eq!(stripe(r#"{"id": "evt_1", "object": "event"}"#), Some(b"evt_1".to_vec()));
    assert_eq!(stripe(r#"{"id": "evt_1", "object": "charge"}"#), None);
    assert_eq!(stripe(r#"{"id": "evt_1"}"#), None);
}

#[test]
fn a_signature_may_be_written_in_capitals_and_in_no_other_way() {
    assert_eq!(hex(b"0AfF").unwrap(), [0x0a, 0xff]);
    for wrong in [&b"0"[..], b"0x00", b"zz", b" 00", b"\xff\xff"] {
        assert!(hex(wrong).is_err(), "{wrong:?}");
    }
    assert!(base64(b"AAA").is_err() && base64(b"AA=A").is_err() && base64(b"AAA=").is_ok());
}
