//! Tests of the module `caveat`.

use model::{Code, Proof};
use serde_json::Value;

use super::*;
use crate::capability::wire::Reader;
use crate::tests::{Ask, Dice, NOON, caveat, rounds};

fn checked(caveat: &Caveat, ask: &Ask) -> Result<(), Code> {
    let (caller, call) = (ask.caller("ada", Proof::Kernel), ask.call());
    let asked = Asked { caller: &caller, call: &call, now: ask.now() };
    caveat.check(&asked).map(|_kept| ()).map_err(|broken| broken.code)
}

fn keeps(json: &str, ask: &Ask) {
    assert_eq!(checked(&caveat(json), ask), Ok(()), "{json} {ask:?}");
}

fn breaks(json: &str, ask: &Ask) {
    assert_eq!(checked(&caveat(json), ask), Err(Code::Denied), "{json} {ask:?}");
}

#[test]
fn each_caveat_about_the_call_allows_and_refuses() {
    let ask = Ask::default();
    keeps(r#"{"integrations": ["slack", "github"]}"#, &ask);
    breaks(r#"{"integrations": ["slack-prod"]}"#, &ask);
    keeps(r#"{"operations": ["slack/chat.*"]}"#, &ask);
    breaks(r#"{"operations": ["slack/users.*", "github/*"]}"#, &ask);
    keeps(r#"{"access": "write"}"#, &ask);
    breaks(r#"{"access": "read"}"#, &ask);
    keeps(r#"{"resources": ["channel:*"]}"#, &ask);
    breaks(r#"{"resources": ["channel:C2"]}"#, &ask);
    keeps(r#"{"hosts": ["slack.com"]}"#, &ask);
    breaks(r#"{"hosts": ["api.github.com"]}"#, &ask);
    keeps(r#"{"methods": ["POST"]}"#, &ask);
    breaks(r#"{"methods": ["GET"]}"#, &ask);
    keeps(r#"{"path_prefix": ["/api"]}"#, &ask);
    breaks(r#"{"path_prefix": ["/api/chat"]}"#, &ask);
    keeps(r#"{"inputs": {"channel": ["C1", "C2"]}}"#, &ask);
    breaks(r#"{"inputs": {"channel": ["C2"]}}"#, &ask);
    breaks(r#"{"inputs": {"channel": ["C1"], "as": ["bot"]}}"#, &ask);
}

#[test]
fn each_caveat_about_the_caller_allows_and_refuses() {
    let ask = Ask::default();
    keeps(r#"{"cidr": ["10.0.0.0/8"]}"#, &ask);
    breaks(r#"{"cidr": ["192.168.0.0/16"]}"#, &ask);
    keeps(r#"{"environment": ["production"]}"#, &ask);
    breaks(r#"{"environment": ["staging"]}"#, &ask);
    keeps(r#"{"purpose": "run-7"}"#, &ask);
    breaks(r#"{"purpose": "run-8"}"#, &ask);
    keeps(r#"{"holder": {"uid": 1000, "cgroup": "/user.slice"}}"#, &ask);
    breaks(r#"{"holder": {"uid": 1000, "cgroup": "/user"}}"#, &ask);
    breaks(r#"{"holder": {"uid": 1001}}"#, &ask);
    breaks(&format!(r#"{{"holder": {{"key": "{}"}}}}"#, "08".repeat(32)), &ask);
}

#[test]
fn time_limits_are_absolute() {
    let noon = model::Timestamp::from_millis(NOON);
    let ask = Ask::default();
    let after = Caveat::NotAfter(noon);
    assert_eq!(checked(&after, &ask), Err(Code::Expired));
    assert_eq!(checked(&after, &Ask { now: NOON - 1, ..ask.clone() }), Ok(()));
    let before = Caveat::NotBefore(noon);
    assert_eq!(checked(&before, &ask), Ok(()));
    assert_eq!(checked(&before, &Ask { now: NOON - 1, ..ask.clone() }), Err(Code::Denied));
    keeps(r#"{"hours": {"days": ["wed"], "from": "12:00", "to": "13:00", "zone": "UTC"}}"#, &ask);
    breaks(r#"{"hours": {"days": ["wed"], "from": "13:00", "to": "14:00", "zone": "UTC"}}"#, &ask);
    breaks(r#"{"hours": {"days": ["tue"], "from": "12:00", "to": "13:00", "zone": "UTC"}}"#, &ask);
}

#[test]
fn facts_that_are_absent_refuse() {
    let bare = Ask {
        request: None,
        address: None,
        environment: None,
        purpose: None,
        uid: None,
        cgroup: None,
        key: None,
        inputs: Vec::new(),
        ..Ask::default()
    };
    for json in [
        r#"{"hosts": ["slack.com"]}"#,
        r#"{"methods": ["POST"]}"#,
        r#"{"path_prefix": ["/"]}"#,
        r#"{"cidr": ["0.0.0.0/0", "::/0"]}"#,
        r#"{"environment": ["production"]}"#,
        r#"{"purpose": "run-7"}"#,
        r#"{"holder": {"uid": 1000}}"#,
        r#"{"holder": {"cgroup": "/user.slice"}}"#,
        r#"{"holder": {"run": "run_01j00000000000000000000000"}}"#,
        r#"{"inputs": {"channel": ["C1"]}}"#,
    ] {
        breaks(json, &bare);
    }
}

#[test]
fn files_with_unknown_kinds_keys_or_empty_lists_are_refused() {
    for json in [
        r#"{"operation": ["slack/*"]}"#,
        r#"{"operations": []}"#,
        r#"{"operations": "slack/*"}"#,
        r#"{"uses": 0}"#,
        r#"{"uses": -1}"#,
        r#"{"rate": {"calls": 0, "per": "1s"}}"#,
        r#"{"rate": {"calls": 1, "per": "60"}}"#,
        r#"{"rate": {"calls": 1, "per": "1500ms"}}"#,
        r#"{"rate": {"calls": 1, "per": "1s", "burst": 3}}"#,
        r#"{"holder": {}}"#,
        r#"{"holder": {"gid": 1}}"#,
        r#"{"holder": {"cgroup": "/"}}"#,
        r#"{"holder": {"cgroup": "/a/../b"}}"#,
        r#"{"approval": "reads"}"#,
        r#"{"inputs": {}}"#,
        r#"{"inputs": {"as": []}}"#,
        r#"{"purpose": ""}"#,
        r#"{"methods": ["get"]}"#,
        r#""integrations""#,
    ] {
        assert!(serde_json::from_str::<Caveat>(json).is_err(), "{json}");
    }
}

#[test]
fn every_caveat_comes_back_from_its_bytes_and_from_its_file_form() {
    for seed in 0..rounds().min(5_000) {
        let made = Dice::new(seed + 1).caveat();
        let mut bytes = Vec::new();
        encode(&made, &mut bytes).unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!(decode(&mut reader).unwrap(), made);
        assert!(reader.rest().is_empty());
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Caveat>(&json).unwrap(), made, "{json}");
        assert!(made.to_string().starts_with(made.kind()));
    }
}

#[test]
fn an_unknown_kind_of_caveat_is_refused() {
    for kind in [0, 22, 23, 255] {
        let error = decode(&mut Reader::new(&[kind, 0, 0])).unwrap_err();
        assert_eq!(error, crate::Error::UnknownCaveat(kind));
    }
}

#[test]
fn lists_in_another_order_or_with_duplicates_are_refused() {
    let swapped = [12, 0, 7, 2, 0, 1, b'b', 0, 1, b'a'];
    let twice = [12, 0, 7, 2, 0, 1, b'a', 0, 1, b'a'];
    let fine = [12, 0, 7, 2, 0, 1, b'a', 0, 1, b'b'];
    assert!(decode(&mut Reader::new(&swapped)).is_err());
    assert!(decode(&mut Reader::new(&twice)).is_err());
    assert!(decode(&mut Reader::new(&fine)).is_ok());
    assert!(decode(&mut Reader::new(&[12, 0, 1, 0])).is_err());
}

/// A second evaluator that knows the file form only, and compares texts.
fn naive(json: &Value, ask: &Ask) -> bool {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let full = format!("{}/{}", ask.integration, ask.operation);
    let glob = |pattern: &String, text: &str| match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    };
    match kind.as_str() {
        "integrations" => strings(value).contains(&ask.integration.to_owned()),
        "operations" => strings(value).iter().any(|p| glob(p, &full)),
        "access" => value == "write" || ask.access == Access::Read,
        "resources" => strings(value).iter().any(|p| glob(p, ask.resource)),
        "hosts" => ask.request.is_some_and(|(_, host, _)| strings(value).contains(&host.to_owned())),
        "methods" => ask.request.is_some_and(|(method, _, _)| strings(value).contains(&method.to_owned())),
        "path_prefix" => ask.request.is_some_and(|(_, _, path)| {
            strings(value).iter().any(|p| p == "/" || path == p || path.starts_with(&format!("{p}/")))
        }),
        "not_before" => ask.now().to_string().as_str() >= value.as_str().unwrap(),
        "not_after" => ask.now().to_string().as_str() < value.as_str().unwrap(),
        "hours" => naive_hours(value, ask.now),
        "window" => strings(&value["zones"]).iter().all(|zone| naive_window(value, zone, ask.now)),
        "blackout" => value.as_array().unwrap().iter().all(|span| {
            let now = ask.now().to_string();
            now.as_str() < span["start"].as_str().unwrap() || now.as_str() >= span["end"].as_str().unwrap()
        }),
        "cidr" => ask.address.is_some_and(|address| {
            strings(value).iter().any(|network| naive_network(network, address.to_canonical()))
        }),
        "environment" => ask.environment.is_some_and(|e| strings(value).contains(&e.to_owned())),
        "purpose" => ask.purpose == value.as_str(),
        "holder" => naive_holder(value, ask),
        "inputs" => value.as_object().unwrap().iter().all(|(name, values)| {
            ask.inputs.iter().any(|(n, v)| n == name && strings(values).contains(&(*v).to_owned()))
        }),
        "rate" | "uses" | "approval" => true,
        other => panic!("{other}"),
    }
}

fn naive_hours(value: &Value, now: u64) -> bool {
    let offset = if value["zone"] == "UTC" { 0 } else { 9 * 3_600_000 };
    let minute = (now + offset) / 60_000;
    // 1970-01-01 was a Thursday.
    let day = |days_back: u64| {
        ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][((minute / 1440 - days_back) % 7) as usize]
    };
    let on = |day: &str| value["days"].as_array().unwrap().iter().any(|d| d == day);
    let clock = |text: &Value| {
        let (h, m) = text.as_str().unwrap().split_once(':').unwrap();
        h.parse::<u64>().unwrap() * 60 + m.parse::<u64>().unwrap()
    };
    let (of_day, from, to) = (minute % 1440, clock(&value["from"]), clock(&value["to"]));
    let today = on(day(0)) && of_day >= from && (from > to || of_day < to);
    today || (from > to && on(day(1)) && of_day < to)
}

fn naive_window(value: &Value, zone: &str, now: u64) -> bool {
    let offset = if zone == "UTC" { 0 } else { 9 * 3_600_000 };
    let hour = (now + offset) / 3_600_000;
    // 1970-01-01 was a Thursday.
    let day = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][(hour / 24 % 7) as usize];
    let some = |key: &str, wanted: Value| {
        let list = value[key].as_array();
        list.is_none_or(|list| list.contains(&wanted))
    };
    some("hours", Value::from(hour % 24)) && some("days", Value::from(day))
}

fn naive_network(network: &str, address: std::net::IpAddr) -> bool {
    let bits = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(four) => format!("4{:032b}", four.to_bits()),
        std::net::IpAddr::V6(six) => format!("6{:0128b}", six.to_bits()),
    };
    let (start, length) = network.split_once('/').unwrap();
    let length: usize = length.parse().unwrap();
    bits(address).starts_with(&bits(start.parse().unwrap())[..=length])
}

fn naive_holder(value: &Value, ask: &Ask) -> bool {
    value.as_object().unwrap().iter().all(|(fact, wanted)| match fact.as_str() {
        "uid" => ask.uid.map(u64::from) == wanted.as_u64(),
        "cgroup" => ask
            .cgroup
            .is_some_and(|path| format!("{path}/").starts_with(&format!("{}/", wanted.as_str().unwrap()))),
        "key" => ask.key.map(|key| crypto::to_hex(&key)).as_deref() == wanted.as_str(),
        other => panic!("{other}"),
    })
}

#[test]
fn two_evaluators_agree_on_every_caveat() {
    let (mut kept, mut broken) = (0_u64, 0_u64);
    for seed in 0..rounds() {
        let mut dice = Dice::new(seed + 77);
        let (made, ask) = (dice.caveat(), dice.ask());
        let json = serde_json::to_value(&made).unwrap();
        let ours = checked(&made, &ask).is_ok();
        assert_eq!(ours, naive(&json, &ask), "seed {seed}: {json} {ask:?}");
        if ours { kept += 1 } else { broken += 1 }
    }
    assert!(
        kept > rounds() / 10 && broken > rounds() / 10,
        "{kept} kept, {broken} broken: the dice are loaded"
    );
}

#[test]
fn what_is_not_wider_is_kept_only_where_its_parent_is() {
    for seed in 0..rounds() {
        let mut dice = Dice::new(seed + 1_000_003);
        let (child, parent) = (dice.caveat(), dice.caveat());
        let same = match (&child, &parent) {
            (Caveat::Window(child), Caveat::Window(parent)) => child.zones() == parent.zones(),
            (child, parent) => child.kind() == parent.kind(),
        };
        // Facts of different names, hours of different zones, and periods are not compared: both apply.
        if !same
            || matches!(child, Caveat::Hours(_) | Caveat::Holder(_) | Caveat::Inputs(_) | Caveat::Blackout(_))
            || wider(&child, &parent).is_some()
        {
            continue;
        }
        for _ in 0..20 {
            let ask = dice.ask();
            let implied = checked(&child, &ask).is_err() || checked(&parent, &ask).is_ok();
            assert!(implied, "seed {seed}: {child} passed as within {parent} for {ask:?}");
        }
    }
}

#[test]
fn wider_caveats_are_named() {
    for (child, parent, named) in [
        (r#"{"operations": ["slack/chat.*"]}"#, r#"{"operations": ["slack/chat.post"]}"#, "slack/chat.*"),
        (r#"{"operations": ["github/*"]}"#, r#"{"integrations": ["slack"]}"#, "github/*"),
        (r#"{"integrations": ["github"]}"#, r#"{"operations": ["slack/*"]}"#, "github"),
        (r#"{"integrations": ["github"]}"#, r#"{"integrations": ["slack"]}"#, "github"),
        (r#"{"access": "write"}"#, r#"{"access": "read"}"#, "access write"),
        (r#"{"resources": ["channel:*"]}"#, r#"{"resources": ["channel:C*"]}"#, "channel:*"),
        (r#"{"hosts": ["a.example"]}"#, r#"{"hosts": ["b.example"]}"#, "a.example"),
        (r#"{"methods": ["POST"]}"#, r#"{"methods": ["GET"]}"#, "POST"),
        (r#"{"path_prefix": ["/apis"]}"#, r#"{"path_prefix": ["/api"]}"#, "/apis"),
        (r#"{"cidr": ["10.0.0.0/8"]}"#, r#"{"cidr": ["10.0.0.0/9"]}"#, "10.0.0.0/8"),
        (r#"{"environment": ["a"]}"#, r#"{"environment": ["b"]}"#, "a"),
        (r#"{"uses": 6}"#, r#"{"uses": 5}"#, "uses 6"),
        (
            r#"{"rate": {"calls": 5, "per": "1s"}}"#,
            r#"{"rate": {"calls": 10, "per": "1m"}}"#,
            "rate 5 per 1s",
        ),
        (r#"{"purpose": "a"}"#, r#"{"purpose": "b"}"#, "purpose a"),
        (r#"{"holder": {"uid": 1}}"#, r#"{"holder": {"uid": 2}}"#, "holder uid 1"),
        (r#"{"approval": "writes"}"#, r#"{"approval": "all"}"#, "approval of writes"),
        (r#"{"inputs": {"as": ["ada"]}}"#, r#"{"inputs": {"as": ["bot"]}}"#, "as=ada"),
        (
            r#"{"not_after": "2026-01-02T00:00:00Z"}"#,
            r#"{"not_after": "2026-01-01T00:00:00Z"}"#,
            "not_after 2026-01-02T00:00:00.000Z",
        ),
    ] {
        assert_eq!(wider(&caveat(child), &caveat(parent)).as_deref(), Some(named));
        assert_eq!(wider(&caveat(parent), &caveat(parent)), None, "{parent} is within itself");
    }
    let hours = |from: &str| {
        caveat(&format!(
            r#"{{"hours": {{"days": ["mon"], "from": "{from}", "to": "17:00", "zone": "UTC"}}}}"#
        ))
    };
    assert!(wider(&hours("08:00"), &hours("09:00")).is_some());
    assert!(wider(&hours("10:00"), &hours("09:00")).is_none());
}

#[test]
fn a_holder_of_a_run_has_one_byte_form_and_is_never_widened() {
    let run = |number: u8| model::RunId::from_bytes([number; 16]);
    let there = |caveat: &Caveat| {
        let mut bytes = Vec::new();
        encode(caveat, &mut bytes).unwrap();
        assert_eq!(decode(&mut Reader::new(&bytes)).unwrap(), *caveat);
        serde_json::from_value::<Caveat>(serde_json::to_value(caveat).unwrap()).unwrap()
    };
    let of_run = Caveat::Holder(HolderIs::of_run(run(1)));
    let and_run = Caveat::Holder(HolderIs::new(Some(1000), Some("/a"), None).unwrap().and_run(run(1)));
    for caveat in [&of_run, &and_run] {
        assert_eq!(there(caveat), *caveat);
    }
    let holder = model::Holder { uid: Some(1000), run: Some(run(1)), ..model::Holder::default() };
    let is = |caveat: &Caveat, holder: &model::Holder| match caveat {
        Caveat::Holder(wanted) => wanted.is(holder),
        _ => false,
    };
    assert!(is(&of_run, &holder) && !is(&and_run, &holder));
    assert!(!is(&of_run, &model::Holder { run: Some(run(2)), ..holder.clone() }));
    assert!(!is(&of_run, &model::Holder { run: None, ..holder }));
    assert!(HolderIs::of_run(run(1)).is_within(&HolderIs::new(Some(1), None, None).unwrap()));
    assert!(!HolderIs::of_run(run(2)).is_within(&HolderIs::of_run(run(1))));
}
