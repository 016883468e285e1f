//! What rules mean: paths, methods, headers, query, bodies, callers, capabilities.

use super::*;

#[test]
fn wildcards_stand_for_one_segment_and_for_any_number() {
    let rules = allow(
        "{path: /a/*/c, methods: {GET: {}}}, {path: /r/**/issue, methods: {GET: {}}}, {path: /x/**/y/**, methods: {GET: {}}}, {path: /, methods: {GET: {}}}",
    );
    for path in ["/a/b/c", "/r/issue", "/r/1/issue", "/r/1/2/3/issue", "/x/y", "/x/1/y/2/3", "/x/y/y", "/"] {
        assert_eq!(asks(&format!("GET {path}")).said(&rules), "allowed", "{path}");
    }
    for path in ["/a/c", "/a/b/b/c", "/r/1", "/r/1/issues", "/x", "/a"] {
        assert_eq!(asks(&format!("GET {path}")).said(&rules), "no allowlist match", "{path}");
    }
}

#[test]
fn a_literal_may_hold_an_encoded_slash_where_the_rule_says_so() {
    let rules = allow("{path: /projects/group%2Fapp/issues, methods: {GET: {}}}");
    assert_eq!(asks("GET /projects/group%2fapp/issues").said(&rules), "allowed");
    assert_eq!(asks("GET /projects/group/app/issues").said(&rules), "no allowlist match");
}

#[test]
fn the_reason_is_that_of_the_first_rule_of_the_path() {
    let rules = allow(
        "{path: /a, methods: {POST: {headers: {X-Team: [ops]}}}}, {path: /a, methods: {POST: {query: {k: [v]}}}}",
    );
    assert_eq!(asks("POST /a").said(&rules), "missing header X-Team");
    assert_eq!(asks("POST /a").header("x-team", "dev").said(&rules), "missing header X-Team=ops");
    assert_eq!(asks("POST /a?k=v").said(&rules), "allowed");
    let rules = allow("{path: /a, methods: {POST: {query: {k: [v]}}}}");
    assert_eq!(asks("POST /a").said(&rules), "missing query param k");
    assert_eq!(asks("POST /a?k=w").said(&rules), "missing query param k=v");
}

#[test]
fn an_empty_list_of_values_asks_only_that_there_is_one() {
    let rules = allow("{path: /a, methods: {GET: {headers: {X-A: []}, query: {k: []}}}}");
    assert_eq!(asks("GET /a?k=1").header("x-a", "anything").said(&rules), "allowed");
    assert_eq!(asks("GET /a").header("x-a", "anything").said(&rules), "missing query param k");
    assert_eq!(asks("GET /a?k=1").said(&rules), "missing header X-A");
}

#[test]
fn several_wanted_values_are_wanted_all_and_no_other() {
    let rules = allow("{path: /a, methods: {GET: {query: {tag: [a, b]}}}}");
    assert_eq!(asks("GET /a?tag=b&tag=a").said(&rules), "allowed");
    assert_eq!(asks("GET /a?tag=a").said(&rules), "missing query param tag=b");
    assert_eq!(asks("GET /a?tag=a&tag=b&tag=c").said(&rules), "query param tag is ambiguous");
}

#[test]
fn objects_and_lists_of_a_body_are_subsets() {
    let rules =
        allow("{path: /a, methods: {POST: {body: {user: {name: ada, admin: false}, tags: [x, {k: 1}]}}}}");
    let good =
        r#"{"user":{"name":"ada","admin":false,"more":1},"tags":["y",{"k":1,"z":2},"x"],"other":null}"#;
    assert_eq!(asks("POST /a").json(good).said(&rules), "allowed");
    let cases = [
        (r#"{"tags":["x",{"k":1}]}"#, "missing body field user"),
        (r#"{"user":"ada","tags":[]}"#, "body field user not object"),
        (r#"{"user":{"admin":false}}"#, "missing body field user.name"),
        (r#"{"user":{"name":"ada","admin":false},"tags":{}}"#, "body field tags not array"),
        (r#"{"user":{"name":"ada","admin":false},"tags":["x"]}"#, "body field tags missing element"),
        (r#"{"user":{"name":"bob","admin":false},"tags":["x"]}"#, "body field user.name value mismatch"),
    ];
    for (body, reason) in cases {
        assert_eq!(asks("POST /a").json(body).said(&rules), reason, "{body}");
    }
}

#[test]
fn a_form_has_the_fields_of_the_same_rule() {
    let rules = allow("{path: /a, methods: {POST: {body: {channel: C1, meta: {kind: x}, n: 5}}}}");
    assert_eq!(asks("POST /a").form("channel=C1&meta%5Bkind%5D=x&n=5&z=1").said(&rules), "allowed");
    assert_eq!(asks("POST /a").form("meta%5Bkind%5D=x&n=5").said(&rules), "missing form field channel");
    assert_eq!(asks("POST /a").form("channel=C2&n=5").said(&rules), "form field channel=C1 not found");
    let rules = allow("{path: /a, methods: {POST: {body: {channel: null}}}}");
    assert_eq!(asks("POST /a").form("channel=").said(&rules), "invalid rule");
    assert_eq!(asks("POST /a").json(r#"{"channel":null}"#).said(&rules), "allowed");
}

#[test]
fn a_denial_wins_over_an_allowance_and_asks_the_entry_for_anybody_as_well() {
    let allows =
        "- integration: slack\n  callers: [{capabilities: [{name: dangerously_allow_full_access}]}]\n";
    let denies = "- integration: slack\n  callers:\n  - rules: [{path: /admin/**, methods: {GET: {}}}]\n  \
                  - id: ada\n    rules: [{path: /own, methods: {GET: {}}}]\n";
    let lists = read(&[(Side::Allow, allows), (Side::Deny, denies)]).unwrap();
    assert_eq!(asks("GET /admin/x").by("ada").said(&lists), "denied");
    assert_eq!(asks("GET /own").by("ada").said(&lists), "denied");
    assert_eq!(asks("GET /own").by("bob").said(&lists), "allowed");
    assert_eq!(asks("DELETE /any%2Fthing//x").by("bob").said(&lists), "allowed");
}

#[test]
fn a_denylist_that_observes_denies_nothing_and_says_what_it_would_have() {
    let allows = "- integration: slack\n  callers: [{rules: [{path: /**, methods: {GET: {}}}]}]\n";
    let denies =
        "- integration: slack\n  mode: observe\n  callers: [{rules: [{path: /a, methods: {GET: {}}}]}]\n";
    let lists = read(&[(Side::Allow, allows), (Side::Deny, denies)]).unwrap();
    let verdict = asks("GET /a").verdict(&lists);
    assert_eq!(
        (verdict.allowed_by(), verdict.observed()),
        (Some("allowlist.yaml:2"), Some("denylist.yaml:3"))
    );
    assert_eq!(asks("GET /b").verdict(&lists).observed(), None);
}

#[test]
fn a_capability_is_a_condition_on_the_operation_and_its_inputs() {
    let text =
        "- integration: slack\n  callers: [{capabilities: [{name: post_as, params: {username: bot}}]}]\n";
    let lists = read(&[(Side::Allow, text)]).unwrap();
    let name = "slack".parse().unwrap();
    let sent = asks("POST /api/chat.postMessage");
    let said = |inputs: Vec<(&'static str, &'static str)>| {
        let call = Ask { integration: "slack", operation: "chat.post", inputs, ..Ask::default() }.call();
        let verdict = lists.check(&sent.request(&name), &call, None);
        verdict.allowed_by().map_or_else(|| verdict.reason().unwrap().to_string(), ToOwned::to_owned)
    };
    assert_eq!(said(vec![("username", "bot"), ("channel", "C1")]), "allowlist.yaml:2");
    assert_eq!(said(vec![("username", "root")]), "body field username value mismatch");
    assert_eq!(said(vec![("channel", "C1")]), "missing body field username");
}

#[test]
fn a_body_is_wanted_only_where_a_rule_could_need_it() {
    let name: IntegrationName = "slack".parse().unwrap();
    let wants = |lists: &Lists, sent: &Sent| lists.wants_body(&sent.request(&name));
    let body = "{path: /a, methods: {POST: {query: {q: [x]}, body: {k: v}}}}";
    assert!(wants(&allow(body), &asks("POST /a?q=x")));
    assert!(!wants(&allow(body), &asks("POST /a")));
    assert!(!wants(&allow(body), &asks("POST /b?q=x")));
    assert!(!wants(&allow(body), &asks("PUT /a?q=x")));
    assert!(wants(&deny(body), &asks("POST /a?q=x")));
    assert!(!wants(&deny(body), &asks("POST /a?q=y")));
    let both = format!("{body}, {{path: /**, methods: {{POST: {{}}}}}}");
    assert!(!wants(&allow(&both), &asks("POST /a?q=x")), "a rule without a body allows it already");
    assert!(!wants(&Lists::new(), &asks("POST /a?q=x")));
}

#[test]
fn a_denial_sees_one_value_for_a_list_of_it_and_a_list_for_its_one_value() {
    let rules = deny("{path: /w, methods: {POST: {body: {roles: [admin]}}}}");
    for body in [r#"{"roles":["admin"]}"#, r#"{"roles":"admin"}"#, r#"{"roles":[["admin"]]}"#] {
        assert_eq!(asks("POST /w").json(body).said(&rules), "denied", "{body}");
    }
    for body in [r#"{"roles":"reader"}"#, r#"{"roles":{"admin":true}}"#, r#"{"roles":null}"#] {
        assert_ne!(asks("POST /w").json(body).said(&rules), "denied", "{body}");
    }
    let both = deny("{path: /w, methods: {POST: {body: {roles: [admin, root]}}}}");
    assert_ne!(asks("POST /w").json(r#"{"roles":"admin"}"#).said(&both), "denied");
    let rules = deny("{path: /w, methods: {POST: {body: {user: {role: admin}}}}}");
    for body in [
        r#"{"user":{"role":"admin"}}"#,
        r#"{"user":[{"role":"admin"}]}"#,
        r#"{"user":[{"role":"x"},{"role":["admin"]}]}"#,
    ] {
        assert_eq!(asks("POST /w").json(body).said(&rules), "denied", "{body}");
    }
    assert_ne!(asks("POST /w").json(r#"{"user":[{"role":"reader"}]}"#).said(&rules), "denied");
    for form in [
        "user[role]=admin",
        "user.role=admin",
        "User.Role=admin",
        "user.role[]=admin",
        "user[0].role=x&user.role=admin",
    ] {
        assert_eq!(asks("POST /w").form(form).said(&rules), "denied", "{form}");
    }
    for form in ["user.role=reader", "users.role=admin", "user_role=admin"] {
        assert_ne!(asks("POST /w").form(form).said(&rules), "denied", "{form}");
    }
}

#[test]
fn what_an_allowance_asks_is_not_found_in_another_reading() {
    let rules = allow("{path: /w, methods: {POST: {body: {roles: [reader]}}}}");
    assert_eq!(asks("POST /w").json(r#"{"roles":"reader"}"#).said(&rules), "body field roles not array");
    let rules = allow("{path: /w, methods: {POST: {body: {user: {role: reader}}}}}");
    assert_eq!(
        asks("POST /w").json(r#"{"user":[{"role":"reader"}]}"#).said(&rules),
        "body field user not object"
    );
    assert_ne!(asks("POST /w").form("user.role=reader").said(&rules), "allowed");
    assert_ne!(asks("POST /w").form("user[role]=reader&user.role=admin").said(&rules), "allowed");
    assert_eq!(asks("POST /w").form("user[role]=reader").said(&rules), "allowed");
    let rules = allow("{path: /h, methods: {GET: {headers: {X-Team: [ops]}}}}");
    assert_eq!(asks("GET /h").header("x-team", "dev, ops").said(&rules), "header X-Team is ambiguous");
}

#[test]
fn a_denial_sees_each_value_of_a_header_line() {
    let rules = deny("{path: /h, methods: {GET: {headers: {X-Bad: [yes1]}}}}");
    for line in ["yes1", "no, yes1", "yes1,no", " no ,yes1, no"] {
        assert_eq!(asks("GET /h").header("x-bad", line).said(&rules), "denied", "{line}");
    }
    for line in ["no", "no, yes12", "yes1x", "no yes1"] {
        assert_ne!(asks("GET /h").header("x-bad", line).said(&rules), "denied", "{line}");
    }
    let whole = deny("{path: /h, methods: {GET: {headers: {X-Bad: ['no, yes1']}}}}");
    assert_eq!(asks("GET /h").header("x-bad", "no, yes1").said(&whole), "denied");
}

#[test]
fn a_form_that_begins_as_json_does_is_in_doubt() {
    let wants = "{path: /p, methods: {POST: {body: {role: user}}}}";
    let json = "{\"role\":\"user\"}";
    let forms = [
        json.to_owned(),
        format!(" \r\n{json}"),
        format!("\u{feff}{json}"),
        format!("[{json}]"),
        format!("%0A%7b{json}"),
    ];
    for form in forms {
        assert_eq!(asks("POST /p").form(&form).said(&deny(wants)), "denied", "{form}");
        assert_ne!(asks("POST /p").form(&form).said(&allow(wants)), "allowed", "{form}");
    }
    assert_ne!(asks("POST /p").form("role=other").said(&deny(wants)), "denied");
    assert_eq!(asks("POST /p").form("role=user").said(&allow(wants)), "allowed");
}

#[test]
fn a_header_that_resembles_an_absent_one_is_in_doubt() {
    let wants = "{path: /h, methods: {GET: {headers: {X-Team: {absent: true}}}}}";
    let asked = || asks("GET /h").header("x_team", "ops");
    assert_eq!(asked().said(&deny(wants)), "denied");
    assert_eq!(asked().said(&allow(wants)), "header X-Team is ambiguous");
    assert_eq!(asks("GET /h").said(&allow(wants)), "allowed");
}
