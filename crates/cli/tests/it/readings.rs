//! Requests that a service may read in another way than the one that was looked at, through the binary.

use testkit::Upstream;

use crate::network_wire::{Reply, capability, gateway};
use crate::{home, write, write_integration};

const HOUSE: &str = "dangerous_allow_private: true\nsecrets: {token: {title: T}}\n\
    auth: [{scheme: bearer, secret: token}]\nlimits: {connect: 60s, head: 60s, total: 2m, idle: 60s}\n\
    operations:\n  make: {title: Make, access: write, risk: low, match: {method: POST, path: /echo}}\n";

#[test]
fn a_form_or_a_query_that_asks_for_another_method_is_refused_and_nothing_is_sent() {
    let (upstream, doorward) = (Upstream::start(), home());
    doorward.watch(upstream.canary());
    write_integration(&doorward, &format!("name: house\nbase_url: {}\n{HOUSE}", upstream.url()));
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    let token = capability(&running, "&integrations=house");
    let host = running.gateway_url.trim_start_matches("http://");
    let post = |target: &str, kind: &str, body: &str| -> Reply {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let request = format!(
            "POST /house{target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    let form = "application/x-www-form-urlencoded";
    for (target, kind, body) in [
        ("/echo", form, "a=1&_method=DELETE"),
        ("/echo", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "%5fmethod=put"),
        ("/echo?_method=DELETE", form, "a=1"),
        ("/echo?x=1&%5Fmethod=DELETE", "application/json", "{}"),
    ] {
        let reply = post(target, kind, body);
        assert_eq!((reply.status, reply.refusal().as_deref()), (400, Some("bad_request")), "{target} {body}");
        assert!(reply.text().contains("another method than POST"), "{}", reply.text());
    }
    assert_eq!(upstream.requests().len(), 0);
    for (kind, body) in [
        (form, "a=_method&payment_method=card"),
        (form, "_method=POST"),
        ("application/json", r#"{"_method":"PUT"}"#),
    ] {
        assert_eq!(post("/echo", kind, body).status, 200, "{body}");
        assert_eq!(upstream.last().body, body.as_bytes());
    }
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_header_with_underscores_does_not_allow_what_one_with_dashes_would() {
    let (upstream, doorward) = (Upstream::start(), home());
    doorward.watch(upstream.canary());
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let incoming = "incoming:\n  - {scheme: token, header: x-caller, keys: [{id: billing, secret: key}]}\n";
    let file = HOUSE.replace("{token: {title: T}}", "{token: {title: T}, key: {title: K}}");
    write_integration(&doorward, &format!("name: house\nbase_url: {}\n{file}{incoming}", upstream.url()));
    std::fs::create_dir_all(doorward.data().join("lists")).unwrap();
    write(
        doorward.data().join("lists/allowlist.yaml"),
        "- integration: house\n  callers: [{id: billing, rules: [{path: /echo, methods: {POST: {headers: {X-Team: [blue]}, body: {a: 1}}}}]}]\n",
    );
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    let key = doorward.plant("key");
    let _ = doorward.run(&["secret", "put", "house/key"], &key).succeeded();
    let host = running.gateway_url.trim_start_matches("http://");
    let status = |headers: &str| {
        let request = format!(
            "POST /house/echo HTTP/1.1\r\nHost: {host}\r\nX-Caller: {key}\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: 7\r\n\r\n{{\"a\":1}}"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap().status
    };
    assert_eq!(status("X-Team: blue\r\n"), 200);
    assert_eq!(status("x_team: blue\r\n"), 403);
    assert_eq!(status("X-Team: blue\r\nx_team: red\r\n"), 403);
    assert_eq!(status(""), 403);
    assert_eq!(status("X-Team: blue\r\nContent-Encoding: identity\r\n"), 200);
    assert_eq!(status("X-Team: blue\r\nContent-Encoding: gzip\r\n"), 400);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn json_that_is_sent_as_a_form_and_a_header_that_resembles_an_absent_one_are_caught() {
    let (upstream, doorward) = (Upstream::start(), home());
    doorward.watch(upstream.canary());
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let file = HOUSE;
    write_integration(
        &doorward,
        &format!("name: house\nbase_url: {}\nanonymous: true\n{file}", upstream.url()),
    );
    std::fs::create_dir_all(doorward.data().join("lists")).unwrap();
    write(
        doorward.data().join("lists/allowlist.yaml"),
        "- integration: house\n  callers: [{rules: [{path: /echo, methods: {POST: {}, PUT: {headers: {X-Team: {absent: true}}}}}]}]\n",
    );
    write(
        doorward.data().join("lists/denylist.yaml"),
        "- integration: house\n  callers: [{rules: [{path: /echo, methods: {POST: {body: {role: user}}}}]}]\n",
    );
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    let host = running.gateway_url.trim_start_matches("http://");
    let status = |method: &str, headers: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{method} /house/echo HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap().status
    };
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(status("POST", form, "role=other"), 200);
    for json in [
        "{\"role\":\"user\"}",
        " \r\n{\"role\":\"user\"}",
        "\u{feff}{\"role\":\"user\"}",
        "[{\"role\":\"user\"}]",
        "%7B%22role%22:%22user%22%7D",
        "+%7b\"role\":\"user\"}",
        "role=user",
    ] {
        assert_eq!(status("POST", form, json), 403, "{json}");
    }
    assert_eq!(status("PUT", "", ""), 200);
    assert_eq!(status("PUT", "X-Team: ops\r\n", ""), 403);
    assert_eq!(status("PUT", "X_Team: ops\r\n", ""), 403);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
