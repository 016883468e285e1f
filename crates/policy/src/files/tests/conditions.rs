//! Every type, every operator, negated and not, known and unknown.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Holds,
    Fails,
    /// A rule that allows doesn't match, and one that denies does.
    Unknown,
}
use Said::{Fails, Holds, Unknown};

/// What a condition says, as seen by a rule that allows and by one that denies.
fn said(condition: &str, ask: &Ask) -> Said {
    // Not everybody: what runs a program is nobody by that alone.
    let all = r#"resources: ["*"], actions: ["*"], identities: ["a*"]"#;
    let conditions = format!("{all}, conditions: [{{{condition}}}]");
    let allows = ask.allowed(&set(&[&rule("allow", "allow", &conditions)]));
    let lowest = rule("all", "allow", &format!("{all}, priority: -1"));
    let denies = !ask.allowed(&set(&[&rule("deny", "deny", &conditions), &lowest]));
    match (allows, denies) {
        (true, true) => Holds,
        (false, false) => Fails,
        (false, true) => Unknown,
        (true, false) => panic!("`{condition}` allows, and doesn't deny"),
    }
}

/// The condition, and the same one negated.
fn both(condition: &str, ask: &Ask, expected: Said) {
    let negated = match expected {
        Holds => Fails,
        Fails => Holds,
        Unknown => Unknown,
    };
    assert_eq!(said(condition, ask), expected, "{condition}");
    assert_eq!(said(&format!("{condition}, negate: true"), ask), negated, "{condition}, negated");
}

fn from(address: &str) -> Ask {
    let mut ask = Ask::of("read", "secret:/db/primary");
    ask.facts.address = Some(address.parse().unwrap());
    ask
}

/// A local time in UTC.
fn at(time: &str) -> Ask {
    Ask { now: time.parse::<Timestamp>().unwrap().millis(), ..Ask::of("read", "secret:/db/primary") }
}

#[test]
fn addresses_are_compared_as_addresses() {
    for (condition, address, expected) in [
        ("operator: eq, value: 10.1.2.3", "10.1.2.3", Holds),
        ("operator: eq, value: 10.1.2.3", "10.1.2.4", Fails),
        ("operator: eq, value: 10.0.0.0/8", "10.9.9.9", Holds),
        ("operator: ne, value: 10.0.0.0/8", "10.9.9.9", Fails),
        ("operator: ne, value: 10.0.0.0/8", "11.9.9.9", Holds),
        ("operator: in, value: [10.0.0.0/8, 192.168.1.1]", "192.168.1.1", Holds),
        ("operator: in, value: [10.0.0.0/8, 192.168.1.1]", "::ffff:10.0.0.1", Holds),
        ("operator: in, value: [10.0.0.0/8, '2001:db8::/32']", "2001:db8::1", Holds),
        ("operator: in, value: [10.0.0.0/8]", "2001:db8::1", Fails),
        ("operator: not_in, value: [10.0.0.0/8]", "10.0.0.1", Fails),
        ("operator: not_in, value: [10.0.0.0/8]", "1.1.1.1", Holds),
        ("operator: contains, value: 10.0.0.0/8", "10.1.1.1", Holds),
        ("operator: contains, value: 10.0.0.0/8", "110.1.1.1", Fails),
        ("operator: regex, value: '^10\\.1\\..*$'", "10.1.9.9", Holds),
        ("operator: regex, value: '^10\\.1\\..*$'", "110.1.9.9", Fails),
        ("operator: gt, value: 10.0.0.5", "10.0.0.6", Holds),
        ("operator: gt, value: 10.0.0.5", "10.0.0.5", Fails),
        ("operator: gt, value: 9.0.0.0", "10.0.0.5", Holds),
        ("operator: lt, value: 10.0.0.5", "10.0.0.4", Holds),
        ("operator: lt, value: 10.0.0.5", "2001:db8::1", Unknown),
    ] {
        both(&format!("type: ip, {condition}"), &from(address), expected);
    }
    let socket = Ask::of("read", "secret:/db/primary");
    for operator in [
        "eq, value: 10.0.0.0/8",
        "ne, value: 10.0.0.0/8",
        "not_in, value: [10.0.0.0/8]",
        "gt, value: 1.1.1.1",
        "regex, value: '.*'",
    ] {
        both(&format!("type: ip, key: source_ip, operator: {operator}"), &socket, Unknown);
    }
}

#[test]
fn hours_are_those_of_the_clock_in_the_time_zone() {
    for (condition, time, expected) in [
        ("operator: in, value: [9, 10]", "2026-11-25T09:00:00Z", Holds),
        ("operator: in, value: [9, 10]", "2026-11-25T10:59:59Z", Holds),
        ("operator: in, value: [9, 10]", "2026-11-25T11:00:00Z", Fails),
        ("operator: not_in, value: [9, 10]", "2026-11-25T11:00:00Z", Holds),
        ("operator: eq, value: 0", "2026-11-25T00:30:00Z", Holds),
        ("operator: ne, value: 0", "2026-11-25T00:30:00Z", Fails),
        ("operator: in, value: ['09:15-17:30']", "2026-11-25T09:14:59Z", Fails),
        ("operator: in, value: ['09:15-17:30']", "2026-11-25T17:29:59Z", Holds),
        ("operator: in, value: ['22:00-06:00']", "2026-11-25T05:59:00Z", Holds),
        ("operator: in, value: ['22:00-06:00']", "2026-11-25T06:00:00Z", Fails),
        ("operator: in, value: ['22:00-24:00']", "2026-11-25T23:59:59Z", Holds),
        ("operator: eq, value: '09:15'", "2026-11-25T09:15:59Z", Holds),
        ("operator: eq, value: '09:15'", "2026-11-25T09:16:00Z", Fails),
        ("operator: gt, value: 9", "2026-11-25T09:59:00Z", Fails),
        ("operator: gt, value: 9", "2026-11-25T10:00:00Z", Holds),
        ("operator: lt, value: 9", "2026-11-25T08:59:59Z", Holds),
        ("operator: lt, value: 9", "2026-11-25T09:00:00Z", Fails),
        ("operator: gt, value: '09:30'", "2026-11-25T09:31:00Z", Holds),
        ("operator: gt, value: '09:30'", "2026-11-25T09:30:59Z", Fails),
        ("operator: regex, value: '^1[0-2]:.*$'", "2026-11-25T12:59:00Z", Holds),
        ("operator: regex, value: '^1[0-2]:.*$'", "2026-11-25T13:00:00Z", Fails),
        ("operator: contains, value: ':30'", "2026-11-25T13:30:00Z", Holds),
        // One hour later in winter, two in summer.
        ("operator: in, value: [9], timezone: Europe/Berlin", "2026-11-25T08:30:00Z", Holds),
        ("operator: in, value: [9], timezone: Europe/Berlin", "2026-07-01T07:30:00Z", Holds),
        ("operator: in, value: [9], timezone: Europe/Berlin", "2026-07-01T08:30:00Z", Fails),
        ("operator: eq, value: 14, timezone: Asia/Kolkata", "2026-11-25T08:30:00Z", Holds),
    ] {
        both(&format!("type: time, key: hours, {condition}"), &at(time), expected);
    }
}

#[test]
fn days_and_dates_are_those_of_the_calendar_in_the_time_zone() {
    for (condition, time, expected) in [
        ("key: days, operator: in, value: [mon, wednesday]", "2026-11-25T12:00:00Z", Holds),
        ("key: days, operator: in, value: [mon-fri]", "2026-11-28T12:00:00Z", Fails),
        ("key: daysOfWeek, operator: in, value: [0, 3]", "2026-11-25T12:00:00Z", Holds),
        ("key: days, operator: eq, value: 7", "2026-11-29T12:00:00Z", Holds),
        ("key: days, operator: eq, value: 0", "2026-11-29T12:00:00Z", Holds),
        ("key: days, operator: eq, value: 6", "2026-11-29T12:00:00Z", Fails),
        ("key: days, operator: in, value: [fri-mon]", "2026-11-29T12:00:00Z", Holds),
        ("key: days, operator: ne, value: sun", "2026-11-29T12:00:00Z", Fails),
        ("key: days, operator: not_in, value: [sat, sun]", "2026-11-25T12:00:00Z", Holds),
        ("key: days, operator: gt, value: fri", "2026-11-29T12:00:00Z", Holds),
        ("key: days, operator: lt, value: sat", "2026-11-29T12:00:00Z", Fails),
        ("key: days, operator: regex, value: '^s.*$'", "2026-11-29T12:00:00Z", Holds),
        ("key: days, operator: contains, value: nesd", "2026-11-25T12:00:00Z", Holds),
        // Already Thursday in Auckland.
        ("key: days, operator: eq, value: thu, timezone: Pacific/Auckland", "2026-11-25T12:00:00Z", Holds),
        ("key: date, operator: eq, value: '2026-11-25'", "2026-11-25T23:59:59Z", Holds),
        ("key: date, operator: eq, value: '2026-11-26', timezone: Asia/Tokyo", "2026-11-25T23:59:59Z", Holds),
        ("key: date, operator: in, value: ['2026-12-24/2027-01-02']", "2027-01-02T23:00:00Z", Holds),
        ("key: date, operator: in, value: ['2026-12-24/2027-01-02']", "2027-01-03T00:00:00Z", Fails),
        ("key: date, operator: not_in, value: ['2026-12-24/2027-01-02']", "2026-12-25T00:00:00Z", Fails),
        ("key: date, operator: ne, value: '2026-11-25'", "2026-11-24T00:00:00Z", Holds),
        ("key: date, operator: gt, value: '2026-11-25'", "2026-11-25T12:00:00Z", Fails),
        ("key: date, operator: gt, value: '2026-11-24'", "2026-11-25T12:00:00Z", Holds),
        ("key: date, operator: lt, value: '2026-11-26'", "2026-11-25T12:00:00Z", Holds),
        ("key: date, operator: regex, value: '^2026-1[12]-.*$'", "2026-11-25T12:00:00Z", Holds),
        ("key: date, operator: contains, value: ['-12-', '-11-']", "2026-11-25T12:00:00Z", Holds),
    ] {
        both(&format!("type: time, {condition}"), &at(time), expected);
    }
}

#[test]
fn points_in_time_are_compared_to_the_second() {
    for (condition, time, expected) in [
        ("operator: gt, value: '2026-11-25T12:00:00Z'", "2026-11-25T12:00:00.999Z", Fails),
        ("operator: gt, value: '2026-11-25T12:00:00Z'", "2026-11-25T12:00:01Z", Holds),
        ("operator: lt, value: '2026-11-25T13:00:00+01:00'", "2026-11-25T11:59:59.999Z", Holds),
        ("operator: lt, value: '2026-11-25T13:00:00+01:00'", "2026-11-25T12:00:00Z", Fails),
        ("operator: gt, value: 1795608000", "2026-11-25T12:00:01Z", Holds),
        ("operator: eq, value: '2026-11-25T12:00:00Z'", "2026-11-25T12:00:00.500Z", Holds),
        ("operator: ne, value: 1795608000", "2026-11-25T12:00:00.500Z", Fails),
        ("operator: in, value: ['2026-11-25T12:00:00Z/2026-11-25T13:00:00Z']", "2026-11-25T12:59:59Z", Holds),
        ("operator: in, value: ['2026-11-25T12:00:00Z/2026-11-25T13:00:00Z']", "2026-11-25T13:00:00Z", Fails),
        (
            "operator: not_in, value: ['2026-11-25T12:00:00Z/2026-11-25T13:00:00Z']",
            "2026-11-25T13:00:00Z",
            Holds,
        ),
        ("operator: regex, value: '^2026-11-25T.*Z$'", "2026-11-25T13:00:00Z", Holds),
        ("operator: contains, value: 'T13:'", "2026-11-25T13:00:00Z", Holds),
    ] {
        both(&format!("type: time, key: timestamp, {condition}"), &at(time), expected);
    }
}

#[test]
fn facts_of_the_environment_and_the_process_hold_fail_or_are_unknown() {
    let mut ask = Ask::of("read", "secret:/db/primary");
    let facts = [("environment", "production"), ("region", "eu-west-1"), ("replicas", "12")];
    ask.facts.environment = facts.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    ask.facts.process = BTreeMap::from([
        (ProcessFact::Uid, "1000".to_owned()),
        (ProcessFact::Unit, "billing.service".to_owned()),
    ]);
    for (condition, expected) in [
        ("type: environment, key: environment, operator: eq, value: production", Holds),
        ("type: environment, key: environment, operator: ne, value: production", Fails),
        ("type: environment, key: region, operator: eq, value: 'eu-*'", Holds),
        ("type: environment, key: region, operator: in, value: [us-east-1, 'eu-*']", Holds),
        ("type: environment, key: region, operator: not_in, value: [us-east-1]", Holds),
        ("type: environment, key: region, operator: regex, value: '^eu-[a-z]+-\\d$'", Holds),
        ("type: environment, key: region, operator: regex, value: '^eu-west$'", Fails),
        ("type: environment, key: region, operator: regex, value: '^us|west-1$'", Fails),
        ("type: environment, key: region, operator: contains, value: west", Holds),
        ("type: environment, key: region, operator: gt, value: eu", Holds),
        ("type: environment, key: region, operator: gt, value: 3", Unknown),
        ("type: environment, key: replicas, operator: gt, value: 3", Holds),
        ("type: environment, key: replicas, operator: lt, value: 3", Fails),
        ("type: environment, key: replicas, operator: eq, value: 12", Holds),
        ("type: environment, key: zone, operator: eq, value: a", Unknown),
        ("type: environment, key: zone, operator: ne, value: a", Unknown),
        ("type: environment, key: zone, operator: not_in, value: [a]", Unknown),
        ("type: environment, key: zone, operator: regex, value: '^a$'", Unknown),
        ("type: environment, key: zone, operator: contains, value: a", Unknown),
        ("type: environment, key: zone, operator: lt, value: a", Unknown),
        ("type: identity, key: uid, operator: eq, value: 1000", Holds),
        ("type: identity, key: uid, operator: lt, value: 1000", Fails),
        ("type: identity, key: gid, operator: eq, value: 1000", Unknown),
        ("type: identity, key: unit, operator: eq, value: billing.service", Holds),
        ("type: identity, key: exe, operator: ne, value: /bin/sh", Unknown),
        ("type: identity, operator: eq, value: app", Holds),
        ("type: identity, operator: in, value: [web, 'ap*']", Holds),
        ("type: identity, operator: ne, value: app", Fails),
        ("type: identity, operator: not_in, value: [web]", Holds),
        ("type: identity, operator: regex, value: '^a.p$'", Holds),
        ("type: identity, operator: contains, value: [x, pp]", Holds),
        ("type: identity, operator: gt, value: apo", Holds),
        ("type: identity, operator: lt, value: apo", Fails),
    ] {
        both(condition, &ask, expected);
    }
}

#[test]
fn conditions_on_the_resource_are_unknown_where_several_are_asked_for() {
    let one = Ask::of("read", "secret:/db/primary");
    let all = Ask::of("read", "secret:/db/*");
    for (condition, expected) in [
        ("operator: eq, value: 'secret:/db/primary'", Holds),
        ("operator: eq, value: 'secret:/%64b/primary'", Holds),
        ("operator: in, value: ['log:*', 'secret:/db/*']", Holds),
        ("operator: ne, value: 'secret:/db/*'", Fails),
        ("operator: not_in, value: ['secret:/web/*']", Holds),
        ("operator: regex, value: '^secret:/db/.*$'", Holds),
        ("operator: contains, value: prim", Holds),
        ("operator: gt, value: 'secret:/a'", Holds),
        ("key: path, operator: eq, value: db/primary", Holds),
        ("key: path, operator: lt, value: a", Fails),
    ] {
        both(&format!("type: resource, {condition}"), &one, expected);
        both(&format!("type: resource, {condition}"), &all, Unknown);
    }
    both("type: resource, key: type, operator: eq, value: secret", &all, Holds);
    both("type: resource, key: type, operator: in, value: [log, op]", &all, Fails);
}

#[test]
fn conditions_on_the_action_know_that_admin_is_all_of_them() {
    for (condition, action, expected) in [
        ("operator: eq, value: read", "read", Holds),
        ("operator: eq, value: update", "write", Holds),
        ("operator: eq, value: read", "write", Fails),
        ("operator: eq, value: read", "admin", Unknown),
        ("operator: ne, value: delete", "admin", Unknown),
        ("operator: ne, value: delete", "read", Holds),
        ("operator: in, value: [read, execute]", "execute", Holds),
        ("operator: not_in, value: [read, execute]", "execute", Fails),
        ("operator: in, value: [admin]", "admin", Holds),
        ("operator: in, value: [admin]", "read", Fails),
        ("operator: eq, value: '*'", "read", Holds),
        ("operator: regex, value: '^(read|write)$'", "write", Holds),
        ("operator: regex, value: '^(read|write)$'", "admin", Unknown),
        ("operator: contains, value: rit", "write", Holds),
        ("operator: gt, value: m", "read", Holds),
        ("operator: lt, value: m", "read", Fails),
    ] {
        both(&format!("type: action, {condition}"), &Ask::of(action, "secret:/a"), expected);
    }
}

#[test]
fn all_conditions_of_a_rule_have_to_hold() {
    let conditions = "conditions: [{type: time, key: hours, operator: in, value: [12]}, {type: ip, operator: eq, value: 10.0.0.0/8}]";
    let text = format!(r#"resources: ["*"], actions: ["*"], identities: ["*"], {conditions}"#);
    let set = set(&[&rule("both", "allow", &text)]);
    let decision = from("10.1.1.1").decide(&set);
    assert!(decision.allowed.is_some());
    assert_eq!(decision.conditions, ["time hours in 12", "ip eq `10.0.0.0/8`"]);
    assert!(!from("11.1.1.1").allowed(&set));
    assert!(!Ask { now: NOON + 3_600_000, ..from("10.1.1.1") }.allowed(&set));
}
