//! Tokens, against `clients/conformance/tokens.json`: what the broker reads, refuses, narrows and checks.

mod replay;

use doorward_client::token::{Block, Caveat, Facts, Holder, Token};
use serde_json::{Value, json};

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let bytes: Vec<u8> =
        (0..N).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

fn each(name: &str) -> Vec<Value> {
    replay::read("tokens.json")[name].as_array().unwrap().clone()
}

#[test]
fn every_token_is_read_as_the_broker_reads_it() {
    for case in each("read") {
        let token = Token::parse(text(&case, "token")).unwrap();
        let written = |block: &Block| {
            let caveats: Vec<Value> = block.caveats.iter().map(Caveat::to_json).collect();
            json!({ "narrowing": block.narrowing, "caveats": caveats })
        };
        let blocks: Vec<Value> = token.blocks().iter().map(written).collect();
        assert_eq!((token.tenant(), token.grant()), (text(&case, "tenant"), text(&case, "grant")));
        assert_eq!(json!(blocks), case["blocks"]);
    }
}

#[test]
fn what_is_not_canonical_is_refused() {
    for case in each("refuse") {
        assert!(Token::parse(text(&case, "token")).is_err(), "{}", text(&case, "why"));
    }
}

#[test]
fn a_narrowing_is_the_brokers_to_the_byte_or_is_refused_as_wider() {
    for case in each("narrow") {
        let parent = Token::parse(text(&case, "token")).unwrap();
        let caveats: Result<Vec<Caveat>, _> =
            case["caveats"].as_array().unwrap().iter().map(Caveat::of_json).collect();
        let child = caveats.and_then(|caveats| parent.narrow_as(hex(text(&case, "id")), &caveats));
        match child {
            Ok(child) => assert_eq!(child.expose(str::to_owned), text(&case, "text"), "{case}"),
            Err(error) => {
                let expected = case["error"].as_str().unwrap_or_else(|| panic!("{case}: {error}"));
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
    }
}

/// The zones of the script at the times of the script.
fn offset(zone: &str, millis: u64) -> Option<i32> {
    let summer = millis < 1_790_000_000_000;
    match zone {
        "Europe/Berlin" => Some(if summer { 120 } else { 60 }),
        "Asia/Tokyo" => Some(540),
        _ => None,
    }
}

fn facts(written: &Value) -> Facts {
    let fact = |key: &str| written[key].as_str().map(str::to_owned);
    // Times are read by a caveat, since nothing else of the library reads them in public.
    let now = text(written, "now").parse::<String>().unwrap();
    let now = Caveat::of_json(&json!({ "not_after": now })).unwrap();
    Facts {
        now: Some(millis(&now)),
        integration: fact("integration"),
        operation: fact("operation"),
        access: fact("access"),
        resource: fact("resource"),
        host: fact("host"),
        method: fact("method"),
        path: fact("path"),
        address: fact("address").map(|text| text.parse().unwrap()),
        environment: fact("environment"),
        purpose: fact("purpose"),
        holder: Holder {
            uid: written["uid"].as_u64().map(|uid| u32::try_from(uid).unwrap()),
            cgroup: fact("cgroup"),
            key: fact("key").map(|text| hex(&text)),
            run: None,
        },
        inputs: serde_json::from_value(written["inputs"].clone()).unwrap(),
        secrets: serde_json::from_value(written["secrets"].clone()).unwrap(),
        offset: Some(offset),
    }
}

/// Finds the time by asking from when on the caveat is broken.
fn millis(end: &Caveat) -> u64 {
    let (mut low, mut high) = (0, 253_402_300_799_999);
    while low < high {
        let middle = low + (high - low) / 2;
        let broken = end.broken(&Facts { now: Some(middle), ..Facts::default() }).is_some();
        if broken { high = middle } else { low = middle + 1 }
    }
    low
}

#[test]
fn a_call_keeps_and_breaks_caveats_as_at_the_broker() {
    for case in each("check") {
        let token = Token::parse(text(&case, "token")).unwrap();
        let broken = token.check(&facts(&case["facts"])).err().map(|broken| broken.kind);
        assert_eq!(broken, case["broken"].as_str(), "{case}");
    }
}

#[test]
fn hours_of_a_zone_that_is_not_known_are_broken() {
    let caveat = Caveat::hours(&["mon"], "14:00", "15:00", "Europe/Berlin").unwrap();
    let now = Some(1_780_315_200_000);
    assert!(caveat.broken(&Facts { now, ..Facts::default() }).is_some());
    assert!(caveat.broken(&Facts { now, offset: Some(offset), ..Facts::default() }).is_none());
}

#[test]
fn a_token_is_not_shown_and_fresh_narrowings_differ() {
    let text = text(&each("read")[0], "token").to_owned();
    let token = Token::parse(&text).unwrap();
    assert!(!format!("{token:?}").contains(&text[text.len() - 30..text.len() - 8]));
    let once = [Caveat::uses(1).unwrap()];
    let narrowed = || token.narrow(&once).unwrap().expose(str::to_owned);
    assert_ne!(narrowed(), narrowed());
}
