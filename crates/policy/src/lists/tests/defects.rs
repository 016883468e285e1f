//! Ways in which lists of this language were known to be got around. Each is a test of its own.

use super::*;

const BOT: &str = "{path: /api/chat.postMessage, methods: {POST: {body: {username: bot}}}}";
const ROOT: &str = "{path: /api/chat.postMessage, methods: {POST: {body: {username: root}}}}";

fn post() -> Sent {
    asks("POST /api/chat.postMessage")
}

#[test]
fn a_list_that_cant_be_read_is_an_error_and_not_an_open_door() {
    assert!(mistake(Side::Allow, "- integration: slack\n  callers: [").starts_with("allowlist.yaml:"));
    assert!(mistake(Side::Allow, "- integration: slack\n  caller: []").contains("`caller` is unknown"));
    let nothing = Lists::new();
    assert_eq!(post().said(&nothing), "silent");
}

#[test]
fn an_entry_without_callers_and_a_misspelt_name_are_errors() {
    let empty = mistake(Side::Allow, "- integration: slack\n  callers: []\n");
    assert!(empty.starts_with("allowlist.yaml:2: `callers` is empty"), "{empty}");
    let text = "- integration: slakc\n  callers: [{rules: [{path: /a, methods: {GET: {}}}]}]\n";
    let error = read(&[(Side::Allow, text)]).unwrap_err();
    assert_eq!(error.to_string(), "allowlist.yaml:1: there is no integration `slakc`");
    assert_eq!(error.hint(), "did you mean `slack`?");
}

#[test]
fn an_empty_file_allows_nothing() {
    for text in ["", "[]", "# nothing\n", "---\n", "null\n"] {
        let lists = read(&[(Side::Allow, text)]).unwrap();
        assert!(lists.is_empty(), "{text:?}");
        assert_eq!(post().said(&lists), "silent");
    }
}

#[test]
fn an_integration_without_an_entry_is_not_open_where_another_has_one() {
    let lists = allow("{path: /**, methods: {POST: {}}}");
    assert_eq!(post().to("github").said(&lists), "no allowlist match");
}

#[test]
fn a_caller_with_an_entry_of_its_own_gets_nothing_from_the_one_for_anybody() {
    let text = "- integration: slack\n  callers:\n  - rules: [{path: /open, methods: {GET: {}}}]\n  \
                - id: ada\n    rules: [{path: /own, methods: {GET: {}}}]\n";
    let lists = read(&[(Side::Allow, text)]).unwrap();
    assert_eq!(asks("GET /own").by("ada").said(&lists), "allowed");
    assert_eq!(asks("GET /open").by("ada").said(&lists), "no allowlist match");
    assert_eq!(asks("GET /open").by("bob").said(&lists), "allowed");
    assert_eq!(asks("GET /own").by("bob").said(&lists), "no allowlist match");
    assert_eq!(asks("GET /open").said(&lists), "allowed");
}

#[test]
fn a_body_whose_kind_is_not_told_once_and_plainly_never_passes_and_never_escapes() {
    let (allow, deny) = (allow(BOT), deny(ROOT));
    let (good, bad) = (r#"{"username":"bot"}"#, r#"{"username":"root"}"#);
    assert_eq!(post().json(good).said(&allow), "allowed");
    assert_eq!(post().json(bad).said(&deny), "denied");
    assert_eq!(post().json(good).said(&deny), "no allowlist match");
    for kind in [
        "text/plain",
        "text/json",
        "application/vnd.api+json",
        "application/jsonp",
        "",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(post().raw(kind, good).said(&allow), "unsupported content type", "{kind}");
        assert_eq!(post().raw(kind, bad).said(&deny), "denied", "{kind}");
    }
    let without = Sent { body: Some(good.into()), ..post() };
    assert_eq!(without.said(&allow), "unsupported content type");
    assert_eq!(without.said(&deny), "denied");
    let twice = post().header("content-type", "text/plain").json(good);
    assert_eq!(twice.said(&allow), "unsupported content type");
    assert_eq!(twice.said(&deny), "denied");
    assert_eq!(post().raw("Application/JSON;charset=UTF-8", good).said(&allow), "allowed");
}

#[test]
fn a_key_that_is_written_twice_never_passes_and_never_escapes() {
    for body in [
        r#"{"username":"root","username":"bot"}"#,
        r#"{"username":"bot","username":"root"}"#,
        r#"{"username":"bot","\u0075sername":"root"}"#,
        r#"{"username":"bot","Username":"root"}"#,
        r#"{"username":"bot","u\u017fername":"root"}"#,
    ] {
        assert_ne!(post().json(body).said(&allow(BOT)), "allowed", "{body}");
        assert_eq!(post().json(body).said(&deny(ROOT)), "denied", "{body}");
    }
    assert_eq!(post().json(r#"{"\u0075sername":"b\u006ft"}"#).said(&allow(BOT)), "allowed");
    assert_eq!(
        post().json(r#"{"username":"b\\u006ft"}"#).said(&allow(BOT)),
        "body field username value mismatch"
    );
}

#[test]
fn a_parameter_that_is_repeated_never_passes_and_never_escapes() {
    let rule = |value: &str| format!("{{path: /s, methods: {{GET: {{query: {{q: [{value}]}}}}}}}}");
    let (allow_good, deny_evil) = (allow(&rule("good")), deny(&rule("evil")));
    assert_eq!(asks("GET /s?q=good&other=1").said(&allow_good), "allowed");
    for query in ["q=evil&q=good", "q=good&q=evil", "q=good&Q=evil", "q=good&q[]=evil", "q=good&%71=evil"] {
        let request = asks(&format!("GET /s?{query}").replace('[', "%5B").replace(']', "%5D"));
        assert_eq!(request.said(&allow_good), "query param q is ambiguous", "{query}");
        assert_eq!(request.said(&deny_evil), "denied", "{query}");
    }
    assert_eq!(asks("GET /s?q=good&q=fine").said(&deny_evil), "no allowlist match");
    for body in
        ["username=root&username=bot", "username=bot&user%6eame=root", "username=bot&username%5B%5D=root"]
    {
        assert_eq!(post().form(body).said(&allow(BOT)), "form field username is ambiguous", "{body}");
        assert_eq!(post().form(body).said(&deny(ROOT)), "denied", "{body}");
    }
    assert_eq!(post().form("username=bot").said(&allow(BOT)), "allowed");
}

#[test]
fn a_name_that_php_reads_as_another_never_passes_and_never_escapes() {
    let rule = |value: &str| format!("{{path: /s, methods: {{GET: {{query: {{user_name: [{value}]}}}}}}}}");
    let (allow_good, deny_evil) = (allow(&rule("good")), deny(&rule("evil")));
    for name in [
        "user.name",
        "user+name",
        "user%20name",
        "+user.name",
        "user[name",
        "User.Name",
        "user.name[]",
        "user.name[a.b]",
    ] {
        let request =
            asks(&format!("GET /s?user_name=good&{name}=evil").replace('[', "%5B").replace(']', "%5D"));
        assert_eq!(request.said(&allow_good), "query param user_name is ambiguous", "{name}");
        assert_eq!(request.said(&deny_evil), "denied", "{name}");
        let form = format!("{name}=evil");
        let rule = |value: &str| {
            format!("{{path: /api/chat.postMessage, methods: {{POST: {{body: {{user_name: {value}}}}}}}}}")
        };
        let (denied, allowed) = (deny(&rule("evil")), allow(&rule("good")));
        assert_eq!(post().form(&form).said(&denied), "denied", "{name}");
        let said = post().form(&format!("user_name=good&{form}")).said(&allowed);
        assert_eq!(said, "form field user_name is ambiguous", "{name}");
    }
    for other in ["user-name", "username", "user__name", "user_name_2"] {
        let request = asks(&format!("GET /s?user_name=good&{other}=evil"));
        assert_eq!(request.said(&allow_good), "allowed", "{other}");
        assert_eq!(request.said(&deny_evil), "no allowlist match", "{other}");
    }
}

#[test]
fn a_query_that_servers_split_differently_is_in_doubt_under_a_rule_about_it() {
    let rule = |value: &str| format!("{{path: /s, methods: {{GET: {{query: {{q: [{value}]}}}}}}}}");
    assert_eq!(asks("GET /s?q=blocked;x=1").said(&deny(&rule("blocked"))), "denied");
    assert_eq!(asks("GET /s?q=good;x=1").said(&allow(&rule("good"))), "the query can be read in two ways");
    assert!("/s?q=blocked%".parse::<Target>().is_err(), "a broken escape gets no further than the door");
    assert_eq!(pairs::split("q=blocked%"), None);
    assert_eq!(post().form("username=root%").said(&deny(ROOT)), "denied");
    assert_eq!(post().form("username=bot;x").said(&allow(BOT)), "invalid form encoding");
}

#[test]
fn what_may_not_be_read_may_not_be_asked_for_by_head() {
    let get = "{path: /secret, methods: {GET: {}}}";
    assert_eq!(asks("HEAD /secret").said(&deny(get)), "denied");
    assert_eq!(asks("HEAD /secret").said(&allow(get)), "no allowlist match");
}

#[test]
fn a_body_that_is_broken_or_unread_never_passes_and_never_escapes() {
    for body in [
        r#"{"username":"bot"} x"#,
        r#"{"username":"bot"}{}"#,
        r#"{"username":"bot",}"#,
        "{'username':'bot'}",
        r#"[{"username":"bot"}]"#,
        r#""bot""#,
        "\u{feff}{\"username\":\"bot\"}",
        "{\"username\":\"bot\"/**/}",
        r#"{"username":"\ud800bot"}"#,
    ] {
        assert_ne!(post().json(body).said(&allow(BOT)), "allowed", "{body}");
        assert_eq!(post().json(body).said(&deny(ROOT)), "denied", "{body}");
    }
    let unread = Sent { body: None, ..post().json("") };
    assert_eq!(unread.said(&allow(BOT)), "the body was not read");
    assert_eq!(unread.said(&deny(ROOT)), "denied");
    let packed = post().json(r#"{"username":"bot"}"#).header("content-encoding", "gzip");
    assert_eq!(packed.said(&allow(BOT)), "the body is compressed");
    assert_eq!(packed.said(&deny(ROOT)), "denied");
    let plain = post().json(r#"{"username":"bot"}"#).header("content-encoding", "Identity");
    assert_eq!(plain.said(&allow(BOT)), "allowed");
    let both = plain.header("content-encoding", "gzip");
    assert_eq!(both.said(&allow(BOT)), "the body is compressed");
}

#[test]
fn an_encoded_slash_is_no_separator_and_what_is_odd_fits_no_wildcard() {
    let rules = allow("{path: /a/*/c, methods: {GET: {}}}, {path: /d/**, methods: {GET: {}}}");
    assert_eq!(asks("GET /a/1/c").said(&rules), "allowed");
    assert_eq!(asks("GET /a/1/c/").said(&rules), "allowed");
    for path in [
        "/a%2f1%2fc",
        "/a%2F1/c",
        "/a/x%2Fy/c",
        "/a/1%3Bx/c",
        "/a/1;x/c",
        "/a//c",
        "/a/%20/c",
        "/a/1/C",
        "/A/1/c",
        "/a/1%00/c",
        "/d/x%2Fy",
        "/d//x",
        "/a/%2525/c",
    ] {
        let Ok(target) = path.parse::<Target>() else { continue };
        let request = Sent { target, ..asks("GET /") };
        assert_eq!(request.said(&rules), "no allowlist match", "{path}");
    }
    assert!("/secret/%2e%2e/a/1/c".parse::<Target>().is_err(), "a dot segment gets no further than the door");
    assert_eq!(asks("GET /%61/1/c").said(&rules), "allowed");
}

#[test]
fn a_rule_that_denies_sees_every_reading_of_a_path() {
    let rules = deny("{path: /admin/*/keys, methods: {GET: {}}}");
    for path in [
        "/admin/1/keys",
        "/ADMIN/1/Keys",
        "/admin%2F1%2Fkeys",
        "/admin/1/keys/",
        "//admin//1/keys",
        "/admin;x/1/keys;y=1",
        "/admin/1/keys%3Bz",
        "/admin/x%252Fy/keys",
        "/%61dmin/1/keys",
        "/admin/1/keys%20",
        "/admin./1/keys",
        "/admin%2e%20./1/keys",
        "/admin+/1/keys",
        "/%EF%BC%A1dmin/1/keys",
        "/ad%E2%80%8Bmin/1/keys",
        "/admin/1/key%C5%BF",
    ] {
        let Ok(target) = path.parse::<Target>() else { continue };
        assert_eq!(Sent { target, ..asks("GET /") }.said(&rules), "denied", "{path}");
    }
    for other in ["/admin/1/users", "/admin.x/1/keys", "/admin/1/keys+x"] {
        assert_eq!(asks(&format!("GET {other}")).said(&rules), "no allowlist match", "{other}");
    }
}

#[test]
fn numbers_are_compared_exactly() {
    let rules = allow("{path: /n, methods: {POST: {body: {id: 9007199254740993}}}}");
    let post = |body: &str| asks("POST /n").json(body);
    assert_eq!(post(r#"{"id": 9007199254740993}"#).said(&rules), "allowed");
    assert_eq!(post(r#"{"id": 9007199254740992}"#).said(&rules), "body field id value mismatch");
    assert_eq!(post(r#"{"id": 9007199254740993.0}"#).said(&rules), "allowed");
    assert_eq!(post(r#"{"id": "9007199254740993"}"#).said(&rules), "body field id value mismatch");
    let rules = deny("{path: /n, methods: {POST: {body: {id: 5}}}}");
    for body in [r#"{"id": 5}"#, r#"{"id": 5.0}"#, r#"{"id": 50e-1}"#, r#"{"id": "5"}"#, r#"{"id": [5]}"#] {
        assert_eq!(post(body).said(&rules), "denied", "{body}");
    }
    assert_eq!(post(r#"{"id": 6}"#).said(&rules), "no allowlist match");
}

#[test]
fn what_belongs_into_the_body_is_in_doubt_where_it_is_in_the_query_too() {
    let request =
        |query: &str| asks(&format!("POST /api/chat.postMessage?{query}")).json(r#"{"username":"bot"}"#);
    assert_eq!(request("username=root").said(&allow(BOT)), "body field username is in the query too");
    assert_eq!(request("username=root").said(&deny(ROOT)), "denied");
    assert_eq!(request("pretty=1").said(&allow(BOT)), "allowed");
}

#[test]
fn a_header_that_is_not_sent_allows_nothing() {
    let rule = "{path: /h, methods: {GET: {headers: {X-Hop: [a], X-Team: [ops]}}}}";
    let request = asks("GET /h").header("X-Team", "ops").header("x-hop", "a");
    assert_eq!(request.said(&allow(rule)), "missing header X-Hop");
    assert_eq!(request.said(&deny(rule)), "denied");
}
