//! Which rule decides.

use super::*;

const ALL: &str = r#"resources: ["*"], actions: ["*"], identities: ["*"]"#;

/// The two files of the seed's quick start.
const DEFAULT: &str = r#"{"id":"default","name":"Default Policy","description":"","version":"1.0","status":"active",
 "rules":[{"id":"allow-local","name":"","description":"","effect":"allow","resources":["secret:*"],"actions":["*"],"identities":["*"],
           "conditions":[],"priority":10,"metadata":{}}],
 "metadata":{},"created_at":"…","updated_at":"yesterday","created_by":"","updated_by":""}"#;
const RESTRICTIVE: &str = r#"{"id":"restrictive","rules":[
 {"id":"app-read-db","effect":"allow","resources":["secret:/db/*"],"actions":["read"],"identities":["app*"],"priority":100},
 {"id":"deny-sensitive","effect":"deny","resources":["secret:/sensitive/*"],"actions":["*"],"identities":["*"],"priority":200}]}"#;

#[test]
fn nothing_is_allowed_that_no_rule_allows() {
    let set = set(&[RESTRICTIVE]);
    assert!(Ask::of("read", "secret:/db/primary").allowed(&set));
    let denied = Ask::of("read", "secret:/other").decide(&set);
    assert!(denied.allowed.is_none() && denied.applied_rules.is_empty());
    assert_eq!(denied.reasoning, "`read` on `secret:/other` for `app` is denied: no rule allows it");
    assert!(!Ask::of("read", "secret:/db/primary").by("web").allowed(&set));
    assert!(!Ask::of("write", "secret:/db/primary").allowed(&set));
    assert!(!Ask::of("read", "op:/slack/users.list").allowed(&set));
}

#[test]
fn every_action_has_to_be_allowed_by_itself() {
    let set = set(&[RESTRICTIVE]);
    assert!(Ask::of("read,read", "secret:/db/primary").allowed(&set));
    for more in ["read,write", "admin,read", "read,delete", "read,execute", "read,*"] {
        let decision = Ask::of(more, "secret:/db/primary").decide(&set);
        assert!(decision.allowed.is_none(), "{more}");
    }
    let none = Ask { actions: Vec::new(), ..Ask::of("read", "secret:/db/primary") };
    assert!(!none.allowed(&set) && !none.allowed(&Set::built_in_development().unwrap()));
}

#[test]
fn actions_of_one_rule_and_of_another_add_up() {
    let read =
        rule("read", "allow", r#"resources: ["secret:*"], actions: [read], identities: ["*"], priority: 5"#);
    let write = rule(
        "write",
        "allow",
        r#"resources: ["secret:/db/*"], actions: [update], identities: ["*"], priority: 7"#,
    );
    let set = set(&[&read, &write]);
    let decision = Ask::of("read,write", "secret:/db/primary").decide(&set);
    assert!(decision.allowed.is_some(), "{}", decision.reasoning);
    assert_eq!(decision.applied_rules, ["read".into(), "write".into()]);
    assert!(Ask::of("create", "secret:/db/primary").allowed(&set), "`create` and `update` are writes");
    assert!(!Ask::of("read,write", "secret:/web").allowed(&set));
}

#[test]
fn the_highest_priority_decides_over_all_files_and_denying_wins_among_equals() {
    let set_of = |allow: i64, deny: i64| {
        let allow = rule("yes", "allow", &format!("{ALL}, priority: {allow}"));
        let deny = rule("no", "deny", &format!("{ALL}, priority: {deny}"));
        (set(&[&allow, &deny]), set(&[&deny, &allow]))
    };
    for (allow, deny, allowed) in [(1, 2, false), (2, 1, true), (2, 2, false), (-1, -2, true), (0, 0, false)]
    {
        let (one, other) = set_of(allow, deny);
        let ask = Ask::of("read", "secret:/a");
        assert_eq!((ask.allowed(&one), ask.allowed(&other)), (allowed, allowed), "{allow} {deny}");
    }
    let set = set(&[DEFAULT, RESTRICTIVE]);
    let decision = Ask::of("read", "secret:/sensitive/x").decide(&set);
    assert_eq!(decision.applied_rules, ["deny-sensitive".into()]);
    assert_eq!(decision.applied_policies, ["restrictive".into()]);
    assert_eq!(
        decision.reasoning,
        "`read` on `secret:/sensitive/x` for `app` is denied by `restrictive/deny-sensitive` (1.yaml:3, priority 200)"
    );
    assert!(Ask::of("admin", "secret:/web").allowed(&set));
}

#[test]
fn what_is_asked_for_by_a_prefix_has_to_be_allowed_whole() {
    let set = set(&[DEFAULT, RESTRICTIVE]);
    assert!(Ask::of("read", "secret:/db/*").allowed(&set));
    assert!(!Ask::of("read", "secret:/sensitive/*").allowed(&set));
    // These reach into what is denied.
    assert!(!Ask::of("read", "secret:/sens*").allowed(&set));
    assert!(!Ask::of("read", "secret:/*").allowed(&set));
    assert!(!Ask::of("read", "secret:/sensitive/a*").allowed(&set));
    let narrow =
        rule("narrow", "allow", r#"resources: ["secret:/db/p*"], actions: ["*"], identities: ["*"]"#);
    let set = super::set(&[&narrow]);
    assert!(Ask::of("read", "secret:/db/prim*").allowed(&set));
    assert!(!Ask::of("read", "secret:/db/*").allowed(&set));
}

#[test]
fn a_denied_action_is_not_had_through_admin() {
    let all = rule("all", "allow", ALL);
    let no_delete =
        rule("no-delete", "deny", r#"resources: ["*"], actions: [delete], identities: ["*"], priority: 1"#);
    let set = set(&[&all, &no_delete]);
    assert!(Ask::of("read", "secret:/a").allowed(&set));
    for action in ["delete", "admin", "*"] {
        assert!(!Ask::of(action, "secret:/a").allowed(&set), "{action}");
    }
    let no_admin =
        rule("no-admin", "deny", r#"resources: ["*"], actions: [admin], identities: ["*"], priority: 1"#);
    let set = super::set(&[&all, &no_admin]);
    assert!(Ask::of("delete", "secret:/a").allowed(&set));
    assert!(!Ask::of("admin", "secret:/a").allowed(&set));
    let nothing =
        rule("nothing", "deny", r#"resources: ["*"], actions: ["*"], identities: ["*"], priority: 1"#);
    assert!(!Ask::of("read", "secret:/a").allowed(&super::set(&[&all, &nothing])));
}

#[test]
fn no_spelling_leads_past_a_rule_that_denies() {
    let all = rule("all", "allow", ALL);
    let deny = rule(
        "deny",
        "deny",
        r#"resources: ["secret:/db/*", "secret:/Key"], actions: ["*"], identities: ["*"], priority: 1"#,
    );
    let set = set(&[&all, &deny]);
    for resource in [
        "secret:/db/primary",
        "secret:/DB/primary",
        "secret:/Db/x",
        "secret:/%64b/x",
        "secret:/%44B/x",
        "secret:/key",
        "secret:/KEY",
        "secret:/k*",
        "secret:/K*",
    ] {
        assert!(!Ask::of("read", resource).allowed(&set), "{resource}");
    }
    assert!(Ask::of("read", "secret:/database").allowed(&set));
    assert!(Ask::of("read", "secret:/keys").allowed(&set));
    // What allows is exact.
    let allow = rule("allow", "allow", r#"resources: ["secret:/db/*"], actions: ["*"], identities: [app]"#);
    let set = super::set(&[&allow]);
    assert!(!Ask::of("read", "secret:/DB/primary").allowed(&set));
    assert!(!Ask::of("read", "secret:/db/primary").by("App").allowed(&set));
    let nobody =
        rule("nobody", "deny", r#"resources: ["*"], actions: ["*"], identities: [mallory], priority: 1"#);
    let set = super::set(&[&rule("all", "allow", ALL), &nobody]);
    assert!(!Ask::of("read", "secret:/a").by("Mallory").allowed(&set));
}

#[test]
fn an_identity_that_is_no_plain_name_is_denied() {
    let set = Set::built_in_development().unwrap();
    for identity in ["", "*", "app*", "a b", "a\nb", "\u{430}pp", "app\u{200b}", &"a".repeat(257)] {
        let decision = Ask::of("read", "secret:/a").by(identity).decide(&set);
        assert!(decision.allowed.is_none(), "{identity:?}");
    }
    assert!(Ask::of("read", "secret:/a").by("uid:1000").allowed(&set));
}

#[test]
fn an_inactive_policy_says_nothing_and_a_deprecated_one_warns() {
    let inactive = format!("{}status: inactive\n", rule("all", "allow", ALL));
    let set = set(&[&inactive]);
    assert!(!Ask::of("read", "secret:/a").allowed(&set));
    assert_eq!((set.len(), set.rules()), (1, 0));
    assert_eq!(set.warnings(), ["0.yaml:1: the policy `p-all` is inactive; its rules don't hold"]);
    let deprecated = format!("{}status: deprecated\n", rule("all", "allow", ALL));
    let set = super::set(&[&deprecated]);
    assert!(Ask::of("read", "secret:/a").allowed(&set));
    assert!(set.warnings()[0].contains("deprecated"));
}

#[test]
fn the_version_changes_with_every_rule() {
    let version = |priority: i64, hours: &str| {
        let text = format!(
            "{ALL}, priority: {priority}, conditions: [{{type: time, key: hours, operator: in, value: {hours}}}]"
        );
        set(&[&rule("a", "allow", &text)]).version()
    };
    assert_eq!(version(1, "[9]"), version(1, "[9]"));
    assert_ne!(version(1, "[9]"), version(2, "[9]"));
    assert_ne!(version(1, "[9]"), version(1, "[10]"), "what is computed in Rust counts too");
}
