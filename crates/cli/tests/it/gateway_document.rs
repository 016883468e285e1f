//! What the documents of a peer show, as it stands there: addresses of its table, and capabilities beside them.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Doorward, Upstream};

use crate::home;
use crate::network_wire::gateway;

/// All that was printed, when this text is there.
fn printed_with(doorward: &Doorward, text: &str) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let printed = String::from_utf8_lossy(&doorward.printed()).into_owned();
        if printed.contains(text) {
            return printed;
        }
        assert!(Instant::now() < until, "{printed}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn slack_at_the_address_of_the_table_has_its_capabilities() {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    let config = format!(
        "integrations:\n  - name: slack\n    destination: {}/api\n    outgoing_auth:\n      - type: token\n        params: \
         {{secrets: [\"env:SLACK_TOKEN\"], header: Authorization, prefix: \"Bearer \"}}\n",
        upstream.url()
    );
    crate::write(doorward.folder().join("config.yaml"), &config);
    let list = "- integration: slack\n  callers:\n    - id: \"*\"\n      capabilities:\n        - name: post_channels\n          \
                params: {channels: [C1]}\n";
    crate::write(doorward.folder().join("allowlist.yaml"), list);
    let mut command = doorward.command();
    command.args(["--json", "--home"]).arg(doorward.folder().join("home"));
    command.args([
        "gateway",
        "-config",
        "config.yaml",
        "-allowlist",
        "allowlist.yaml",
        "-addr",
        "127.0.0.1:0",
    ]);
    command.args(["-dangerous-allow-private", "-recovery-out", "r"]).env("SLACK_TOKEN", upstream.canary());
    let running = doorward.start(command);
    let post = |path: &str, channel: &str| {
        let body = json!({"channel": channel, "text": "hi"}).to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: slack\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        gateway(&running.gateway_url).unwrap().ask(head.as_bytes()).unwrap()
    };
    let sent = post("/chat.postMessage", "C1");
    assert_eq!(sent.header("x-at-upstream-error").as_deref(), Some("true"), "the upstream has no such route");
    assert_eq!(upstream.last().target, "/api/chat.postMessage");
    assert_eq!(upstream.last().header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
    assert_eq!(post("/chat.postMessage", "C2").status, 403);
    assert_eq!(post("/api/chat.postMessage", "C1").status, 403, "the base path is put in front once");
    assert_eq!(upstream.requests().len(), 1);

    // Its callers are not those of the agent, which has no policy files here.
    running.reload();
    let printed = printed_with(&doorward, "\"event\":\"reloaded\"");
    assert!(!printed.contains("all requests will be denied"), "{printed}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_configuration_that_nobody_named_is_not_served_in_silence() {
    let doorward = home();
    crate::write(doorward.folder().join("config.yaml"), "integrations: []\n");
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-addr", "127.0.0.1:0", "-recovery-out", "r"]);
    let running = doorward.start(command);
    let _ = printed_with(&doorward, "`-config config.yaml` serves it");
    assert!(running.stop().success());
}

#[test]
fn who_has_used_up_a_rate_is_told_whose_it_was() {
    let (doorward, upstream) = (home(), Upstream::start());
    let config = ["in_rate_limit", "out_rate_limit"]
        .map(|key| {
            format!(
                "  - {{name: {}, destination: \"{}\", {key}: 1, rate_limit_window: 1h}}\n",
                &key[..3].replace('_', ""),
                upstream.url()
            )
        })
        .concat();
    crate::write(doorward.folder().join("config.yaml"), &format!("integrations:\n{config}"));
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", "config.yaml", "-allow-all", "-addr", "127.0.0.1:0"]);
    command.args(["-dangerous-allow-private", "-recovery-out", "r"]);
    let running = doorward.start(command);
    for (host, reason, body) in [
        ("in", "caller rate limited", "Too Many Requests: caller 127.0.0.1 exceeded rate limit\n"),
        ("out", "integration rate limited", "Too Many Requests: host out exceeded rate limit\n"),
    ] {
        let ask = || {
            let head = format!("GET /echo HTTP/1.1\r\nhost: {host}\r\n\r\n");
            gateway(&running.gateway_url).unwrap().ask(head.as_bytes()).unwrap()
        };
        assert_ne!(ask().status, 429);
        let refused = ask();
        assert_eq!((refused.status, refused.header("x-at-error-reason").as_deref()), (429, Some(reason)));
        assert_eq!(refused.text(), body);
        assert!(refused.header("retry-after").is_some());
    }
    assert!(running.stop().success());
}
