//! Who waits, for how long, and who does not.

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn an_address_that_fails_too_often_waits_at_this_integration_only() {
    let (strangers, house, other) =
        (Strangers::default(), "house".parse().unwrap(), "other".parse().unwrap());
    for _ in 0..MOST {
        assert_eq!(strangers.waits(ip("192.0.2.1"), &house, at(0)), None);
        strangers.failed(ip("192.0.2.1"), &house, at(0));
    }
    assert_eq!(strangers.waits(ip("192.0.2.1"), &house, at(20)), Some(Duration::from_secs(40)));
    assert_eq!(strangers.waits(ip("192.0.2.2"), &house, at(20)), None);
    assert_eq!(strangers.waits(ip("192.0.2.1"), &other, at(20)), None);
    assert_eq!(strangers.waits(None, &house, at(20)), None);
    assert_eq!(strangers.waits(ip("192.0.2.1"), &house, at(60)), None);
    strangers.failed(ip("192.0.2.1"), &house, at(60));
    assert_eq!(strangers.waits(ip("192.0.2.1"), &house, at(60)), None, "counted anew");
    strangers.tidy(at(120));
    assert!(strangers.0.lock().unwrap().is_empty());
}

#[test]
fn the_addresses_of_one_subscriber_count_together() {
    assert_eq!(network("2001:db8:1:2:3::4".parse().unwrap()), network("2001:db8:1:2:9::9".parse().unwrap()));
    assert_ne!(network("2001:db8:1:2::1".parse().unwrap()), network("2001:db8:1:3::1".parse().unwrap()));
    assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), network("192.0.2.1".parse().unwrap()));
}
