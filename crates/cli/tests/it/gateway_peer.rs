//! `doorward gateway --config`: what callers and collectors of a peer's own programs rely on.

use serde_json::Value;
use testkit::{Demand, Doorward, Running, Upstream};

use crate::gateway_reasons::{start, write_config};
use crate::home;
use crate::network_wire::{Reply, gateway};

pub(crate) fn send(running: &Running, request: &str) -> Reply {
    gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
}

pub(crate) fn told(reply: &Reply) -> (u16, String) {
    (reply.status, reply.header("x-at-error-reason").unwrap_or_default())
}

/// A secret in a file of the test's folder.
fn secret(doorward: &Doorward, name: &str, text: &str) -> String {
    let path = doorward.folder().join(name);
    crate::write(&path, text);
    format!("file:{}", path.display())
}

#[test]
fn a_service_that_repeats_the_password_of_a_pair_does_not_give_it_to_the_caller() {
    let doorward = home();
    let password = doorward.plant("password");
    let upstream = Upstream::demanding(Demand::Basic("AC012345".to_owned(), password.clone()));
    let pair = secret(&doorward, "pair", &format!("AC012345:{password}"));
    let config = format!(
        "  - {{name: phone, destination: \"{}\", outgoing_auth: [{{type: basic, params: {{secrets: [\"{pair}\"]}}}}]}}\n",
        upstream.url()
    );
    let running = start(&doorward, &config);
    upstream.answer_with("/a", 200, serde_json::json!({"user": "AC012345", "password": password}));
    let reply = send(&running, "GET /json/a HTTP/1.1\r\nhost: phone\r\n\r\n");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("AC012345") && reply.text().contains("[masked"), "{}", reply.text());
    assert!(!reply.text().contains(&password));
    let echoed = send(&running, "GET /header-echo HTTP/1.1\r\nhost: phone\r\n\r\n");
    assert!(!String::from_utf8_lossy(&echoed.raw).contains(&password));
    assert!(running.stop().success());
    std::fs::remove_file(doorward.folder().join("pair")).unwrap();
    doorward.assert_no_canary();
}

#[test]
fn names_that_php_reads_as_one_do_not_get_past_a_rule() {
    let (doorward, upstream) = (home(), Upstream::start());
    write_config(&doorward, &format!("  - {{name: api, destination: \"{}\"}}\n", upstream.url()));
    crate::write(
        doorward.folder().join("allow.yaml"),
        "- integration: api\n  callers: [{rules: [{path: /open/echo, methods: {GET: {query: {user_name: [good]}}}}]}]\n",
    );
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", "config.yaml", "-allowlist", "allow.yaml"]);
    command.args(["-addr", "127.0.0.1:0", "-dangerous-allow-private", "-recovery-out", "r"]);
    let running = doorward.start(command);
    let ask = |query: &str| send(&running, &format!("GET /open/echo?{query} HTTP/1.1\r\nhost: api\r\n\r\n"));
    assert_eq!(ask("user_name=good").status, 200);
    for query in [
        "user_name=good&user.name=evil",
        "user_name=good&user%20name=evil",
        "user_name=good&user%5Bname=evil",
    ] {
        let ambiguous = "query param user_name is ambiguous".to_owned();
        assert_eq!(told(&ask(query)), (403, ambiguous), "{query}");
    }
    assert!(running.stop().success());
}

#[test]
fn an_extension_of_a_chunk_is_ignored_and_does_not_go_on() {
    let (doorward, upstream) = (home(), Upstream::start());
    let running = start(&doorward, &format!("  - {{name: api, destination: \"{}\"}}\n", upstream.url()));
    let head = "POST /open/echo HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n";
    let reply = send(&running, &format!("{head}2;a=b;c=\"d;e\"\r\nhi\r\n0;last\r\n\r\n"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(&*upstream.last().body, b"hi");
    assert!(running.stop().success());
}

#[test]
fn a_method_that_is_none_is_refused_in_the_peers_words() {
    let doorward = home();
    let running = start(&doorward, "  - {name: my_api, destination: \"https://api.example.com\"}\n");
    let reply = send(&running, "PROPFIND / HTTP/1.1\r\nhost: my_api\r\n\r\n");
    assert_eq!(told(&reply), (405, "method not allowed".to_owned()), "{}", reply.text());
    assert_eq!(reply.header("x-at-upstream-error").as_deref(), Some("false"));
    assert!(reply.header("content-type").unwrap().starts_with("text/plain"));
    assert!(reply.text().starts_with("Method Not Allowed: "), "{}", reply.text());
    assert!(reply.header("allow").unwrap().contains("DELETE"));
    assert!(running.stop().success());
}

#[test]
fn collectors_find_the_counters_of_the_peer_under_its_names() {
    let (doorward, upstream) = (home(), Upstream::start());
    let token = secret(&doorward, "caller", "a-token-of-a-caller");
    let running = start(
        &doorward,
        &format!(
            "  - {{name: my_api, destination: \"{}\", incoming_auth: [{{type: token, params: {{secrets: [\"{token}\"], header: X-Key}}}}]}}\n",
            upstream.url()
        ),
    );
    let ask = |host: &str, path: &str, key: &str| {
        send(&running, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nx-key: {key}\r\n\r\n"))
    };
    assert_eq!(ask("my_api", "/open/echo", "a-token-of-a-caller").status, 200);
    let unproven = ask("my_api", "/open/echo", "another");
    assert_eq!(unproven.status, 401);
    assert!(unproven.text().contains("for integration my_api"), "{}", unproven.text());
    assert_eq!(ask("nobody-here", "/", "x").status, 404);
    let shown = ask("127.0.0.1", "/_at_internal/metrics", "x").text();
    for line in [
        "authtranslator_requests_total{integration=\"my_api\"} 2\n",
        "authtranslator_requests_total{integration=\"unknown\"} 1\n",
        "authtranslator_upstream_responses_total{integration=\"my_api\",code=\"200\"} 1\n",
        "authtranslator_auth_failures_total{integration=\"my_api\"} 1\n",
        "authtranslator_internal_responses_total{integration=\"my_api\",code=\"401\",reason=\"incoming_auth_failure\"} 1\n",
        "authtranslator_end_to_end_duration_seconds_count{integration=\"my_api\"} 2\n",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
    assert!(shown.contains("doorward_calls_total") && !shown.contains("nobody"), "{shown}");
    assert!(shown.ends_with("# EOF\n"), "{shown}");
    assert!(running.stop().success());
}

#[test]
fn a_dry_run_says_of_each_entry_what_became_of_it() {
    let doorward = home();
    write_config(
        &doorward,
        "  - {name: a, destination: x}\n  - {name: api, destination: \"https://api.example.com\"}\n  - {name: b, destination: \
         \"https://b.example.com\", outgoing_auth: [{type: token, params: {header: X, secrets: [\"dangerousLiteral:abcdefgh\"]}}]}\n",
    );
    let wrong = doorward.run(&["--json", "import", "authtranslator", "config.yaml", "--dry-run"], "");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let rows = serde_json::from_str::<Value>(&wrong.stdout).unwrap()["integrations"].take();
    let said = |row: usize| (rows[row]["becomes"].to_string(), rows[row]["problem"].to_string());
    assert!(said(0).1.contains("config.yaml:2") && said(2).1.contains("secret put b/token"), "{rows}");
    assert_eq!(said(1), ("\"new\"".to_owned(), "null".to_owned()), "{rows}");
    assert!(!wrong.stdout.contains("abcdefgh"));
    let people = doorward.run(&["import", "authtranslator", "config.yaml", "--dry-run"], "");
    assert!(people.stdout.contains("not taken") && people.stderr.contains("not taken: `a`"), "{people:?}");
}
