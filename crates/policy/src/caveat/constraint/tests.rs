//! Tests of the module `constraint`.

use serde_json::json;

use super::*;
use crate::caveat::Asked;
use crate::tests::Ask;

fn caveats(written: &Value) -> Vec<Caveat> {
    of_constraints(written).unwrap_or_else(|error| panic!("{written}: {error}"))
}

fn error(written: &Value) -> String {
    of_constraints(written).map(|found| format!("{found:?}")).unwrap_err().to_string()
}

/// Whether a call at this time, from this address, in this environment keeps all the caveats.
fn kept(written: &Value, time: &str, address: Option<&str>, environment: Option<&'static str>) -> bool {
    let now = time.parse::<Timestamp>().unwrap();
    let address = address.map(|address| address.parse().unwrap());
    let ask = Ask { now: now.millis(), address, environment, ..Ask::default() };
    let (caller, call) = (ask.caller("ada", model::Proof::Kernel), ask.call());
    let asked = Asked { caller: &caller, call: &call, now };
    caveats(written).iter().all(|caveat| caveat.check(&asked).is_ok())
}

fn at(written: &Value, time: &str) -> bool {
    kept(written, time, None, None)
}

#[test]
fn nothing_constrains_nothing() {
    for written in [
        json!(null),
        json!({}),
        json!({"ipAddresses": [], "timeWindow": {}, "environment": {}, "rateLimit": {}, "geography": {}}),
        json!({"ipAddresses": null, "timeWindow": null, "rateLimit": null, "geography": {"countries": []}}),
        json!({"timeWindow": {"hours": [], "daysOfWeek": [], "timezones": ["Europe/Berlin"], "blackoutPeriods": []}}),
        json!({"timeWindow": {"hours": (0..24).collect::<Vec<_>>(), "daysOfWeek": [0, 1, 2, 3, 4, 5, 6]}}),
    ] {
        assert_eq!(caveats(&written), [], "{written}");
    }
}

#[test]
fn addresses_and_networks_are_held() {
    let written = json!({"ipAddresses": ["10.0.0.0/8", "192.168.1.7", "2001:db8::1", "::ffff:172.16.0.1"]});
    let from = |address| kept(&written, "2026-11-25T12:00:00Z", Some(address), None);
    for address in ["10.200.3.4", "192.168.1.7", "2001:db8::1", "172.16.0.1", "::ffff:10.0.0.1"] {
        assert!(from(address), "{address}");
    }
    for address in ["11.0.0.1", "192.168.1.8", "2001:db8::2"] {
        assert!(!from(address), "{address}");
    }
    assert!(!at(&written, "2026-11-25T12:00:00Z"), "no address is none of them");
    assert!(error(&json!({"ipAddresses": ["10.0.0.1/8"]})).contains("network"));
    assert!(error(&json!({"ipAddresses": "10.0.0.1"})).contains("this is a list"));
    assert!(error(&json!({"ipAddresses": [10]})).contains("this is a text"));
}

#[test]
fn hours_days_and_zones_are_held() {
    let office = json!({"timeWindow": {"hours": [9, 10, 14], "daysOfWeek": [1, 2, "wed"], "timezones": ["Europe/Berlin"]}});
    // 2026-11-25 is a Wednesday; Berlin is an hour ahead of UTC then.
    assert!(at(&office, "2026-11-25T08:00:00Z"));
    assert!(at(&office, "2026-11-25T13:59:59Z"));
    assert!(!at(&office, "2026-11-25T11:00:00Z"), "12 is not among the hours");
    assert!(!at(&office, "2026-11-26T08:00:00Z"), "Thursday is not among the days");
    // In summer it is two hours ahead.
    assert!(at(&office, "2026-07-01T07:30:00Z"));
    assert!(!at(&office, "2026-07-01T09:30:00Z"));
    let sunday = json!({"timeWindow": {"daysOfWeek": [0]}});
    assert!(at(&sunday, "2026-11-29T00:00:00Z") && !at(&sunday, "2026-11-30T00:00:00Z"));
    assert!(at(&json!({"timeWindow": {"daysOfWeek": [7]}}), "2026-11-29T00:00:00Z"));
    // Two zones have to agree.
    let both = json!({"timeWindow": {"hours": [9], "timezones": ["Europe/Berlin", "UTC"]}});
    assert!(!at(&both, "2026-11-25T08:30:00Z") && !at(&both, "2026-11-25T09:30:00Z"));
    let near = json!({"timeWindow": {"hours": [9, 10], "timezones": ["Europe/Berlin", "UTC"]}});
    assert!(at(&near, "2026-11-25T09:30:00Z"));
    for (written, said) in [
        (json!({"timeWindow": {"hours": [24]}}), "hours are numbers from 0 to 23"),
        (json!({"timeWindow": {"hours": ["9"]}}), "hours are numbers from 0 to 23"),
        (json!({"timeWindow": {"daysOfWeek": [8]}}), "days are words"),
        (json!({"timeWindow": {"daysOfWeek": ["moon"]}}), "days are words"),
        (json!({"timeWindow": {"hours": [9], "timezones": ["Mars/Olympus"]}}), "time zone"),
        (json!({"timeWindow": {"timezones": ["europe/berlin"]}}), "time zone"),
        (json!({"timeWindow": {"hourz": [9]}}), "did you mean `hours`"),
    ] {
        assert!(error(&written).contains(said), "{written}: {}", error(&written));
    }
}

#[test]
fn blackout_periods_are_held() {
    let written = json!({"timeWindow": {"blackoutPeriods": [
        {"start": "2026-12-24T12:00:00Z", "end": "2026-12-27T00:00:00+01:00"},
        {"start": "2026-11-25T00:00:00Z", "end": "2026-11-25T01:00:00Z"},
    ]}});
    for (time, allowed) in [
        ("2026-12-24T11:59:59.999Z", true),
        ("2026-12-24T12:00:00Z", false),
        ("2026-12-26T22:59:59Z", false),
        ("2026-12-26T23:00:00Z", true),
        ("2026-11-25T00:30:00Z", false),
    ] {
        assert_eq!(at(&written, time), allowed, "{time}");
    }
    for (period, said) in [
        (json!({"start": "2026-12-24T12:00:00Z"}), "a `start` and an `end`"),
        (json!({"start": "2026-12-24T12:00:00Z", "end": "2026-12-24T12:00:00Z"}), "an end after the start"),
        (json!({"start": "noon", "end": "2026-12-24T12:00:00Z"}), "RFC 3339"),
        (
            json!({"start": "2026-12-24T12:00:00Z", "end": "2026-12-24T13:00:00Z", "zone": "UTC"}),
            "`zone` is unknown",
        ),
        (json!(["2026-12-24T12:00:00Z"]), "this is an object"),
    ] {
        assert!(error(&json!({"timeWindow": {"blackoutPeriods": [period]}})).contains(said), "{period}");
    }
}

#[test]
fn the_environment_is_held_and_unknown_facts_of_it_are_refused() {
    let written = json!({"environment": {"environment": ["staging", "production"]}});
    let inside = |name| kept(&written, "2026-11-25T12:00:00Z", None, name);
    assert!(inside(Some("production")) && inside(Some("staging")));
    assert!(!inside(Some("test")) && !inside(None));
    assert!(error(&json!({"environment": {"region": "eu"}})).contains("the key `region` is unknown"));
    assert!(error(&json!({"environment": {"environment": ""}})).contains("environment.environment"));
}

#[test]
fn rates_are_held_and_rounded_so_that_never_more_is_allowed() {
    let rates = |written: &Value| -> Vec<(u32, u32)> {
        let rate = |caveat: &Caveat| match caveat {
            Caveat::Rate(rate) => (rate.calls().get(), rate.seconds().get()),
            other => panic!("{other}"),
        };
        caveats(&json!({ "rateLimit": written })).iter().map(rate).collect()
    };
    assert_eq!(rates(&json!({"requestsPerSecond": 10})), [(10, 1)]);
    assert_eq!(rates(&json!({"requestsPerSecond": 10, "burst": 20})), [(20, 2)]);
    assert_eq!(rates(&json!({"requestsPerSecond": 10, "burst": 25})), [(25, 3)]);
    assert_eq!(rates(&json!({"requestsPerSecond": 10, "burst": 3})), [(3, 1)]);
    assert_eq!(rates(&json!({"requestsPerSecond": 0.5})), [(1, 2)]);
    assert_eq!(rates(&json!({"requestsPerSecond": 2.5})), [(2, 1)]);
    assert_eq!(
        rates(&json!({"requestsPerSecond": 10, "burst": 20, "windowDuration": "1m"})),
        [(20, 2), (600, 60)]
    );
    assert_eq!(
        rates(&json!({"requestsPerSecond": 10, "windowDuration": 60})),
        [(10, 1), (600, 60)],
        "seconds, as programs of the peer write them"
    );
    assert_eq!(rates(&json!({"requestsPerSecond": 10, "burst": 0, "windowDuration": 0})), [(10, 1)]);
    for (written, said) in [
        (json!({"burst": 5}), "`requestsPerSecond` is missing"),
        (json!({"requestsPerSecond": 0}), "a number above 0"),
        (json!({"requestsPerSecond": -1}), "a number above 0"),
        (json!({"requestsPerSecond": "10"}), "a number above 0"),
        (json!({"requestsPerSecond": 1, "windowDuration": 60_000_000_000_u64}), "whole seconds"),
        (json!({"requestsPerSecond": 1, "windowDuration": 1.5}), "seconds, or a duration"),
        (json!({"requestsPerSecond": 1, "burst": 1.5}), "a whole number from 1"),
        (json!({"requestsPerSecond": 1, "windowDuration": "60"}), "duration"),
        (json!({"requestsPerSecond": 1, "windowDuration": "1500ms"}), "whole seconds"),
        (json!({"requestsPerSecond": 0.001, "windowDuration": "60s"}), "no call fits"),
        (json!({"requestsPerSecond": 1, "brust": 2}), "did you mean `burst`"),
    ] {
        assert!(error(&json!({"rateLimit": written})).contains(said), "{written}");
    }
}

#[test]
fn what_can_not_be_held_is_refused() {
    let said = error(&json!({"geography": {"countries": ["DE"]}}));
    assert_eq!(
        said,
        "constraint `geography`: can't be held, since Doorward has no data about where an address is; use `ipAddresses`"
    );
    assert!(error(&json!({"ipAdresses": ["10.0.0.1"]})).contains("did you mean `ipAddresses`"));
    assert_eq!(
        caveats(&json!({"ip_addresses": ["10.0.0.1"]})),
        caveats(&json!({"ipAddresses": ["10.0.0.1"]}))
    );
    let twice = json!({"ip_addresses": ["10.0.0.1"], "ipAddresses": ["10.0.0.2"]});
    assert!(error(&twice).contains("the key `ipAddresses` is written twice"));
    assert!(error(&json!(["10.0.0.1"])).contains("this is an object"));
    let many: Vec<String> = (0..65).map(|at| format!("10.0.0.{at}")).collect();
    assert!(error(&json!({ "ipAddresses": many })).contains("1 to 64 entries"));
}

#[test]
fn constraints_come_back_from_their_caveats() {
    for written in [
        json!({}),
        json!({"ipAddresses": ["10.0.0.0/8", "192.168.1.7/32"]}),
        json!({"environment": {"environment": "production"}}),
        json!({"rateLimit": {"requestsPerSecond": 10.0, "burst": 20}}),
        json!({"rateLimit": {"requestsPerSecond": 10.0, "burst": 20, "windowDuration": 60}}),
        json!({"timeWindow": {"hours": [9, 10], "daysOfWeek": [1, 2, 0], "timezones": ["Europe/Berlin"]}}),
        json!({"timeWindow": {"blackoutPeriods": [{"start": "2026-12-24T12:00:00.000Z", "end": "2026-12-27T00:00:00.000Z"}]}}),
    ] {
        assert_eq!(to_constraints(&caveats(&written)), written);
        assert_eq!(caveats(&to_constraints(&caveats(&written))), caveats(&written));
    }
}
