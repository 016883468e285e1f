//! Decisions that are kept.

use super::*;

const ANY: &str = r#"resources: ["*"], actions: ["*"], identities: ["*"]"#;

#[test]
fn a_decision_that_read_nothing_else_is_given_again() {
    let set = set(&[&rule("all", "allow", ANY)]);
    let ask = Ask::of("read", "secret:/a");
    let (first, second) = (ask.decide(&set), ask.decide(&set));
    assert_eq!((first.cache_hit, second.cache_hit), (false, true));
    assert_eq!(first.reasoning, second.reasoning);
    assert_eq!(first.applied_rules, second.applied_rules);
    assert!(second.allowed.is_some());
    for other in [Ask::of("write", "secret:/a"), Ask::of("read", "secret:/b"), ask.by("web")] {
        assert!(!other.decide(&set).cache_hit, "{other:?}");
    }
    assert_eq!(set.cache(), CacheCounts { hits: 1, misses: 4, not_kept: 0, entries: 4, size: 1000 });
}

#[test]
fn a_decision_that_read_time_or_facts_is_made_afresh() {
    for condition in [
        "type: time, key: hours, operator: in, value: [12]",
        "type: time, key: timestamp, operator: gt, value: 5",
        "type: ip, operator: ne, value: 10.0.0.1",
        "type: environment, key: region, operator: eq, value: eu",
        "type: identity, key: uid, operator: regex, value: '^1$'",
    ] {
        let set = set(&[&rule("all", "allow", &format!("{ANY}, conditions: [{{{condition}}}]"))]);
        let ask = Ask::of("read", "secret:/a");
        assert!(!ask.decide(&set).cache_hit && !ask.decide(&set).cache_hit, "{condition}");
        let counts = set.cache();
        assert_eq!((counts.hits, counts.misses, counts.not_kept, counts.entries), (0, 2, 2, 0));
    }
    let same = "type: identity, operator: eq, value: app";
    let set = set(&[&rule("all", "allow", &format!("{ANY}, conditions: [{{{same}}}]"))]);
    let ask = Ask::of("read", "secret:/a");
    assert!(!ask.decide(&set).cache_hit && ask.decide(&set).cache_hit);
}

#[test]
fn a_night_rule_is_not_outlived_by_what_was_allowed_by_day() {
    let night = "conditions: [{type: time, key: hours, operator: in, value: ['22:00-06:00']}], priority: 1";
    let set = set(&[&rule("all", "allow", ANY), &rule("night", "deny", &format!("{ANY}, {night}"))]);
    let day = Ask::of("read", "secret:/a");
    assert!(day.allowed(&set));
    assert!(!Ask { now: NOON + 11 * 3_600_000, ..day }.allowed(&set));
}

#[test]
fn what_is_kept_ends_is_bounded_and_can_be_off() {
    let limits = |size, seconds| CacheLimits { size, ttl: Duration::from_secs(seconds) };
    let ask = Ask::of("read", "secret:/a");
    let short = set(&[&rule("all", "allow", ANY)]).with_cache(limits(10, 60));
    assert!(!ask.decide(&short).cache_hit);
    assert!(Ask { now: NOON + 59_999, ..ask.clone() }.decide(&short).cache_hit);
    assert!(!Ask { now: NOON + 60_000, ..ask.clone() }.decide(&short).cache_hit);
    assert!(!ask.decide(&short).cache_hit, "the clock was turned back");
    let small = set(&[&rule("all", "allow", ANY)]).with_cache(limits(3, 60));
    for name in 0..50 {
        let _ = Ask::of("read", &format!("secret:/{name}")).decide(&small);
        assert!(small.cache().entries <= 3);
    }
    let off = set(&[&rule("all", "allow", ANY)]).with_cache(limits(0, 60));
    assert!(!ask.decide(&off).cache_hit && !ask.decide(&off).cache_hit);
    assert_eq!(off.cache(), CacheCounts { hits: 0, misses: 2, not_kept: 0, entries: 0, size: 0 });
}

#[test]
fn a_new_set_keeps_nothing_of_the_former_one_but_its_counts() {
    let former =
        set(&[&rule("all", "allow", ANY)]).with_cache(CacheLimits { size: 7, ttl: Duration::from_secs(9) });
    let ask = Ask::of("read", "secret:/a");
    assert!(ask.allowed(&former) && ask.decide(&former).cache_hit);
    let next = set(&[&rule("none", "deny", ANY)]).after(&former);
    assert!(!ask.allowed(&next));
    assert_eq!(next.cache(), CacheCounts { hits: 1, misses: 2, not_kept: 0, entries: 1, size: 7 });
}
