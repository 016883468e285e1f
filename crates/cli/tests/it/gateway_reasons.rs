//! `doorward gateway --config`: what whoever runs it is told when a call or a reload fails.

use testkit::{Doorward, Running, Upstream};

use crate::home;
use crate::network_wire::{Reply, gateway};

/// Serves this configuration to everybody.
pub(crate) fn start(doorward: &Doorward, config: &str) -> Running {
    write_config(doorward, config);
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", "config.yaml", "-allow-all", "-addr", "127.0.0.1:0"]);
    command.args(["-dangerous-allow-private", "-recovery-out", "r"]);
    doorward.start(command)
}

pub(crate) fn write_config(doorward: &Doorward, integrations: &str) {
    crate::write(doorward.folder().join("config.yaml"), &format!("integrations:\n{integrations}"));
}

fn entry(name: &str, destination: &str, secret: &str) -> String {
    format!(
        "  - name: {name}\n    destination: \"{destination}\"\n    outgoing_auth: [{{type: token, params: {{secrets: \
         [\"{secret}\"], header: Authorization, prefix: \"Bearer \"}}}}]\n"
    )
}

fn ask(running: &Running, host: &str) -> Reply {
    let head = format!("GET /echo HTTP/1.1\r\nhost: {host}\r\n\r\n");
    gateway(&running.gateway_url).unwrap().ask(head.as_bytes()).unwrap()
}

pub(crate) fn printed_with(doorward: &Doorward, text: &str) -> String {
    let until = std::time::Instant::now() + crate::HANG;
    loop {
        let printed = String::from_utf8_lossy(&doorward.printed()).into_owned();
        if printed.contains(text) {
            return printed;
        }
        assert!(std::time::Instant::now() < until, "no `{text}` in {printed}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn why_a_service_was_not_reached_stands_in_the_log_and_not_in_the_reply() {
    let (doorward, upstream) = (home(), Upstream::start());
    // Nothing there speaks TLS.
    let config =
        format!("  - {{name: dead, destination: \"{}\"}}\n", upstream.url().replace("http:", "https:"));
    let running = start(&doorward, &config);
    let refused = ask(&running, "dead");
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert!(!refused.text().contains("TLS"), "{}", refused.text());
    let printed = printed_with(&doorward, "not performed");
    assert!(printed.contains("could not agree on TLS"), "{printed}");
    assert!(running.stop().success());
}

#[test]
fn a_reload_refuses_a_secret_that_a_start_refuses_and_names_one_that_is_missing() {
    let (doorward, upstream) = (home(), Upstream::start());
    let (good, short) = (doorward.folder().join("good"), doorward.folder().join("short"));
    crate::write(&good, upstream.canary());
    crate::write(&short, "abc");
    let with = |path: &std::path::Path| entry("api", &upstream.url(), &format!("file:{}", path.display()));
    let running = start(&doorward, &with(&good));
    assert_eq!(ask(&running, "api").status, 200);
    write_config(&doorward, &with(&short));
    running.reload();
    let printed = printed_with(&doorward, "What was in force stays in force");
    assert!(!printed.contains("\"event\":\"reloaded\""), "{printed}");
    let _ = printed_with(&doorward, "could not use the secret");
    assert_eq!(ask(&running, "api").status, 200, "what was in force stays in force");
    assert_eq!(upstream.last().header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
    let status = doorward.run(&["status", "--json"], "").json();
    assert!(status["warnings"].to_string().contains("secret"), "{status}");
    // Nothing takes its secret away from an integration that has it; what is new may get its secret later.
    write_config(&doorward, &with(&doorward.folder().join("nowhere")));
    running.reload();
    let _ = printed_with(&doorward, "could not read the secret `token` of `api`, which has its secrets now");
    assert_eq!(ask(&running, "api").status, 200, "what was in force stays in force");
    let missing = entry("more", &upstream.url(), "env:NOBODY_SET_THIS");
    write_config(&doorward, &format!("{}{missing}", with(&good)));
    running.reload();
    let _ = printed_with(&doorward, "\"event\":\"reloaded\"");
    let printed = printed_with(&doorward, "a secret can't be read");
    assert!(printed.contains("NOBODY_SET_THIS"), "{printed}");
    assert!(!String::from_utf8_lossy(&doorward.printed()).contains(upstream.canary()));
    assert!(running.stop().success());
}

#[test]
fn a_home_refuses_in_a_reload_what_it_refuses_at_its_start() {
    let (doorward, upstream) = (home(), Upstream::start());
    let secret = doorward.folder().join("secret");
    crate::write(&secret, upstream.canary());
    let written = |title: &str| {
        let text = format!(
            "name: notes\ntitle: {title}\ndocs: https://example.com/docs\nbase_url: {}\ndangerous_allow_private: true\n\
             secrets:\n  token: 'file:{}'\nauth:\n  - {{scheme: bearer, secret: token}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations: {{}}\n",
            upstream.url(),
            secret.display()
        );
        crate::write_integration(&doorward, &text);
    };
    written("Notes");
    let running = doorward.start_up(&[]);
    written("Other notes");
    crate::write(&secret, "abc");
    running.reload();
    let _ = printed_with(&doorward, "What was in force stays in force");
    let _ = printed_with(&doorward, "could not use the secret `token` of `notes`");
    let shown = || doorward.run(&["integration", "show", "notes", "--json"], "").json().to_string();
    assert!(!shown().contains("Other notes"), "{}", shown());
    crate::write(&secret, upstream.canary());
    running.reload();
    let _ = printed_with(&doorward, "\"event\":\"reloaded\"");
    assert!(shown().contains("Other notes"), "{}", shown());
    assert!(running.stop().success());
}
