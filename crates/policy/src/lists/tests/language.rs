//! What is refused when a list is read, with its line; and what is accepted.

use super::*;

const RULE: &str = "rules: [{path: /a, methods: {GET: {}}}]";

#[test]
fn every_mistake_names_its_line_and_what_to_write() {
    let cases = [
        ("{}", "1: the file is a list of `{integration, callers}`"),
        ("- integration: slack", "1: the key `callers` is missing"),
        ("- callers: []", "1: the key `integration` is missing"),
        ("- integration: slack\n  callers: {}", "2: `callers` is a list"),
        (
            "- integration: slack\n  callers:\n  - id: x",
            "3: the caller `x` has neither `rules` nor `capabilities`",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: []",
            "3: the caller `*` has neither `rules` nor `capabilities`",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: '', methods: {GET: {}}}]",
            "3: `path` is empty; write `/**` for every path",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {}}]",
            "3: `methods` is empty, so the rule matches nothing",
        ),
        ("- integration: slack\n  callers:\n  - rules: [{path: /a}]", "3: the key `methods` is missing"),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a?b, methods: {GET: {}}}]",
            "3: a path has no `?`",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a/x*, methods: {GET: {}}}]",
            "3: `*` stands for a whole segment",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {GTE: {}}}]",
            "3: the method `GTE` is unknown",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {GET: {header: {}}}}]",
            "3: the key `header` is unknown",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {GET: {headers: {Host: [x]}}}}]",
            "3: `host` is the integration's own",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {GET: {query: {q: [{regex: '('}]}}}}]",
            "3: the value of `regex` is no regular expression",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {POST: {body: {n: 1.00000000000000000001}}}}]",
            "accepted",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {POST: {body: {n: 12345678901234567890123}}}}]",
            "3: `n` has more digits than can be kept",
        ),
        (
            "- integration: slack\n  callers:\n  - rules: [{path: /a, methods: {GET: {}, get: {}}}]",
            "3: the same rule for GET stands at line 3 already",
        ),
        (
            "- integration: slack\n  callers:\n  - capabilities: [{name: post_sa}]",
            "3: the capability of `slack` `post_sa` is unknown",
        ),
        (
            "- integration: slack\n  callers:\n  - capabilities: [{name: post_as}]",
            "3: the parameter `username` is missing",
        ),
        (
            "- integration: slack\n  callers:\n  - capabilities: [{name: dangerously_allow_full_access, params: {x: y}}]",
            "3: `dangerously_allow_full_access` takes no parameters",
        ),
        ("- integration: slack\n  mode: observe\n  callers: []", "2: `mode` stands in a denylist only"),
    ];
    for (text, expected) in cases {
        let said =
            read(&[(Side::Allow, text)]).map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        let expected =
            if expected == "accepted" { expected.to_owned() } else { format!("allowlist.yaml:{expected}") };
        assert!(said.starts_with(&expected), "{text}\nsaid {said}\nnot {expected}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let entry = format!("- integration: slack\n  callers:\n  - {RULE}\n");
    let twice = format!("{entry}{}", entry.replace("slack", "SLACK"));
    assert_eq!(
        mistake(Side::Allow, &twice),
        "allowlist.yaml:4: `slack` has an entry already; write its callers into that one"
    );
    let callers = format!("{entry}  - id: '*'\n    {RULE}\n");
    assert_eq!(mistake(Side::Allow, &callers), "allowlist.yaml:4: the caller `*` has an entry already");
    let key = "- integration: slack\n  integration: github\n";
    assert!(mistake(Side::Allow, key).contains("written twice"), "{}", mistake(Side::Allow, key));
    let both = [(Side::Allow, entry.as_str()), (Side::Allow, entry.as_str())];
    assert!(read(&both).is_err(), "the same integration in two files of one side");
    assert!(read(&[(Side::Allow, &entry), (Side::Deny, &entry)]).is_ok());
}

#[test]
fn a_denylist_has_no_capabilities_and_each_path_and_method_once() {
    let text = "- integration: slack\n  callers:\n  - capabilities: [{name: post_as}]\n";
    assert!(mistake(Side::Deny, text).starts_with("denylist.yaml:3: the key `capabilities` is unknown"));
    let rules = "- integration: slack\n  callers:\n  - rules:\n    - {path: /a, methods: {GET: {query: {a: [x]}}}}\n    \
                 - {path: /a/, methods: {GET: {query: {b: [y]}}}}\n";
    assert_eq!(mistake(Side::Deny, rules), "denylist.yaml:5: the same rule for GET stands at line 4 already");
    assert!(read(&[(Side::Allow, rules)]).is_ok());
}

#[test]
fn json_is_read_as_json_and_names_in_any_case() {
    let text = r#"[{"integration": "Slack", "callers": [{"id": "", "rules": [{"path": "/a", "methods": {"get": {}}}]}]}]"#;
    let json = [File { side: Side::Allow, name: "allowlist.json", text }];
    let lists = Lists::read(&json, &Catalogue).unwrap();
    assert_eq!(asks("GET /a").said(&lists), "allowed");
    assert_eq!(lists.counts(), (1, 1));
    let broken = [File { side: Side::Allow, name: "allowlist.json", text: "[{\"integration\": slack}]" }];
    assert!(Lists::read(&broken, &Catalogue).is_err());
}

#[test]
fn a_verdict_names_the_rule_by_file_and_line() {
    let text = format!("- integration: slack\n  callers:\n  - {RULE}\n");
    let lists = read(&[(Side::Allow, &text)]).unwrap();
    assert_eq!(asks("GET /a").verdict(&lists).allowed_by(), Some("allowlist.yaml:3"));
    let lists = read(&[(Side::Deny, &text)]).unwrap();
    let verdict = asks("GET /a").verdict(&lists);
    assert_eq!(verdict.denied_by(), Some("denylist.yaml:3"));
    assert_eq!(verdict.reason().unwrap().to_string(), "denylist matched caller * GET /a");
}
