//! What somebody who runs a gateway sees of it: the admin door, and names of requests on both sides.

use testkit::Upstream;

use crate::network_wire::{answer, call, capability, gateway};
use crate::{home, write_integration};

#[test]
fn the_admin_door_shows_health_numbers_and_state_and_the_gateway_shows_none_of_them() {
    let doorward = home();
    write_integration(&doorward, "name: hub\nextends: github\ntls: {insecure_skip_verify: true}\n");
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let admin = running.ready["admin"].as_str().unwrap().to_owned();
    let ask = |url: &str, path: &str| call(url, "GET", path, "").unwrap();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&admin, path).status, 200, "{path}");
        assert_eq!(ask(&running.gateway_url, &format!("/_doorward{path}")).status, 404, "{path}");
    }
    for name in ["doorward_sealed 0", "doorward_tunnels 0", "doorward_retries_total 0"] {
        let numbers = ask(&admin, "/metrics").text();
        assert!(numbers.contains(name), "{name} in {numbers}");
    }
    let state = ask(&admin, "/status").json();
    assert_eq!((state["state"].as_str(), state["ready"].as_bool()), (Some("unsealed"), Some(true)));
    assert!(
        state["warnings"].to_string().contains("`hub` does not check the upstream's certificate"),
        "{state}"
    );
    assert_eq!(ask(&admin, "/hub/user").status, 404);
    answer(&running, "broker.seal", b"");
    let ready = ask(&admin, "/readyz");
    assert_eq!((ready.status, ready.text().trim()), (503, "sealed"));
    assert_eq!(ask(&admin, "/healthz").status, 200);
    assert_eq!(ask(&admin, "/status").json()["ready"], false);
    assert!(running.stop().success());
}

#[test]
fn a_request_keeps_its_name_and_its_trace_on_the_whole_way() {
    let upstream = Upstream::start();
    let doorward = home();
    doorward.watch(upstream.canary());
    write_integration(
        &doorward,
        &format!(
            "name: house\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}\n\
             operations:\n  look: {{title: L, access: read, risk: low, match: {{method: GET, path: \"/{{rest...}}\"}}}}\n",
            upstream.url()
        ),
    );
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    let token = capability(&running, "&integrations=house");
    let host = running.gateway_url.trim_start_matches("http://");
    let ask = |more: &str| {
        let request = format!(
            "GET /house/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let reply = ask(&format!("X-Request-Id: build-7/42\r\ntraceparent: {trace}\r\n"));
    assert_eq!((reply.status, reply.header("x-request-id").as_deref()), (200, Some("build-7/42")));
    let sent = upstream.requests().pop().unwrap();
    assert_eq!(
        (&sent.headers["x-request-id"], &sent.headers["traceparent"]),
        (&"build-7/42".parse().unwrap(), &trace.parse().unwrap())
    );
    let shown = format!("evidence.show?id={}", reply.evidence().unwrap());
    let mut record = answer(&running, &shown, b"").to_string();
    // The outcome of a read is on the disk with the next group.
    for _ in 0..2_400 {
        if record.contains("\"kind\":\"outcome\"") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        record = answer(&running, &shown, b"").to_string();
    }
    assert!(record.contains("build-7/42") && record.contains("4bf92f3577b34da6a3ce929d0e0e4736"), "{record}");
    let reply = ask("X-Request-Id: <script>\r\n");
    assert_eq!((reply.status, reply.header("x-request-id")), (200, None));
    assert!(!upstream.requests().pop().unwrap().headers.contains_key("x-request-id"));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
