//! Operations that are held back: for emergencies only, or disabled until somebody enables them.

use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::network_wire::gateway;
use crate::{home, write, write_integration};

/// A home with two services at one upstream, without their programs.
fn stage() -> (Doorward, Upstream) {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    for path in [
        "/api/v1/namespaces/prod/configmaps/settings",
        "/apis/apps/v1/namespaces/prod/deployments/api",
        "/api/dashboards/uid/prod",
        "/api/annotations",
    ] {
        upstream.answer_with(path, 200, json!({}));
    }
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    write(doorward.data().join("settings.toml"), "[operations]\npath = []\n");
    for name in ["kubernetes", "grafana"] {
        lay(&doorward, &upstream, name, "");
        let _ = doorward.run(&["secret", "put", &format!("{name}/token")], upstream.canary()).succeeded();
    }
    (doorward, upstream)
}

fn lay(doorward: &Doorward, upstream: &Upstream, name: &str, more: &str) {
    let url = upstream.url();
    write_integration(
        doorward,
        &format!(
            "name: {name}\nextends: {name}\nbase_url: {url}/json\ndangerous_allow_private: true\n{more}"
        ),
    );
}

const API: &str = "/kubernetes/apis/apps/v1/namespaces/prod/deployments/api";

const PATCH: [&str; 11] = [
    "op",
    "run",
    "kubernetes.patch.merge",
    "--input",
    "resource=configmaps",
    "--input",
    "namespace=prod",
    "--input",
    "name=settings",
    "--input",
    r#"patch={"data":{"a":"b"}}"#,
];

#[test]
fn an_emergency_takes_a_broken_glass_and_somebody_who_may_break_it() {
    let (doorward, upstream) = stage();
    let refused = doorward.run(&PATCH, "").failed_with(1);
    assert!(refused.contains("only-with-a-broken-glass"), "{refused}");
    assert!(upstream.requests().is_empty());
    let broken = [&PATCH[..], &["--break-glass", "--reason", "the shop is down", "--json"]].concat();
    let done = doorward.run(&broken, "").json();
    assert_eq!(done["status"], 200, "{done}");
    let record = doorward.run(&["evidence", "show", done["evidence"].as_str().unwrap()], "").succeeded();
    assert!(record.contains("the shop is down"), "{record}");

    // Whoever has a capability needs the role as well.
    let held = ["capability", "request", "--for", "agent7", "--integrations", "kubernetes"];
    write(doorward.folder().join("k.cap"), doorward.run(&held, "").succeeded().trim());
    let held = [&broken[..], &["--capability", "k.cap"]].concat();
    let refused = doorward.run(&held, "");
    assert!(!refused.status.success());
    let refused = refused.stdout + &refused.stderr;
    assert!(refused.contains("has not the role `break-glass`"), "{refused}");
    let _ = doorward.run(&["role", "grant", "agent7", "break-glass"], "").succeeded();
    assert_eq!(doorward.run(&held, "").json()["status"], 200);
    let whole = [&PATCH[..], &["--capability", "k.cap"]].concat();
    let refused = doorward.run(&whole, "").failed_with(1);
    assert!(refused.contains("only-with-a-broken-glass"), "{refused}");
    doorward.assert_no_canary();
}

#[test]
fn a_request_at_the_gateway_is_the_same_emergency() {
    let (doorward, upstream) = stage();
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let held = ["capability", "request", "--for", "agent7", "--integrations", "kubernetes"];
    let token = doorward.run(&held, "").succeeded();
    let (token, host) = (token.trim(), running.gateway_url.trim_start_matches("http://"));
    let sent = |line: &str, more: &str| {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/merge-patch+json\r\nContent-Length: 23\r\n{more}\r\n\
             {{\"spec\":{{\"replicas\":0}}}}"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    let ask = |more: &str| sent(&format!("PATCH {API}"), more);
    let reply = ask("");
    assert_eq!(reply.status, 403, "{}", reply.text());
    // However it is written, it may be that to the service.
    for line in ["PATCH {}?pretty=true", "PATCH {}/", "PATCH {}/status", "PUT {}", "DELETE {}/scale"] {
        let reply = sent(&line.replace("{}", API), "");
        assert_eq!(reply.status, 403, "{line}: {}", reply.text());
    }
    assert_eq!(ask("X-Break-Glass: true\r\nX-Break-Glass-Reason: it burns\r\n").status, 403);
    assert!(upstream.requests().is_empty());
    let _ = doorward.run(&["role", "grant", "agent7", "break-glass"], "").succeeded();
    assert_eq!(ask("X-Break-Glass: true\r\nX-Break-Glass-Reason: it burns\r\n").status, 200);
    assert!(running.stop().success());
}

#[test]
fn what_is_disabled_is_done_by_nobody_until_it_is_enabled() {
    let (doorward, upstream) = stage();
    let delete = ["op", "run", "grafana.dashboards.delete", "--input", "dashboard=prod"];
    let refused = doorward.run(&delete, "").failed_with(1);
    assert!(refused.contains("is disabled") && refused.contains("enable: [dashboards.delete]"), "{refused}");
    let broken = [&delete[..], &["--break-glass", "--reason", "now"]].concat();
    assert!(doorward.run(&broken, "").failed_with(1).contains("is disabled"));
    let annotate = ["op", "run", "grafana.annotations.create", "--input", "text=deployed", "--json"];
    let done: Value = doorward.run(&annotate, "").json();
    assert_eq!(done["status"], 200, "{done}");
    let running = doorward.start_up(&[]);
    let host = running.gateway_url.trim_start_matches("http://");
    let token =
        doorward.run(&["capability", "request", "--for", "a", "--integrations", "grafana"], "").succeeded();
    for line in [
        "POST /grafana/api/dashboards/db?x=1",
        "POST /grafana/api/dashboards/import",
        "DELETE /grafana/api/folders/a",
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n\r\n{{}}",
            token.trim()
        );
        let reply = gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
        assert!(reply.status == 403 && reply.text().contains("is disabled"), "{line}: {}", reply.text());
    }
    assert!(running.stop().success());
    lay(&doorward, &upstream, "grafana", "enable: [dashboards.delete]\n");
    let done = doorward.run(&[&delete[..], &["--json"]].concat(), "").json();
    assert_eq!(done["status"], 200, "{done}");
    let save = ["op", "run", "grafana.dashboards.save", "--input", "dashboard={}"];
    assert!(doorward.run(&save, "").failed_with(1).contains("is disabled"));
    lay(&doorward, &upstream, "grafana", "enable: [dashboards.delte]\n");
    let wrong = doorward.run(&delete, "").failed_with(1);
    assert!(wrong.contains("`dashboards.delte` is no operation that is disabled here"), "{wrong}");
}
