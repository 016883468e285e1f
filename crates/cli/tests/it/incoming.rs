//! Callers without a capability, through the binary: a token that is stored as an imprint only, and a webhook.

use testkit::{Demand, Doorward, Running, Upstream};

use crate::network_wire::gateway;
use crate::{home, write};

const SIGNED: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// A running broker, not in development, with the integration `hooks`.
fn started(doorward: &Doorward, upstream: &Upstream, incoming: &str) -> Running {
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let text = format!(
        "name: hooks\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}, key: {{title: K}}}}\n\
         auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}\n\
         operations:\n  take: {{title: Take, access: write, risk: low, match: {{method: POST, path: /echo}}}}\n\
         incoming:\n  - {incoming}\n",
        upstream.url()
    );
    write(doorward.data().join("integrations/hooks.yaml"), &text);
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "hooks/token"], upstream.canary()).succeeded();
    let rules = "permit (principal, action == Doorward::Action::\"hooks/take\", resource) when { principal.name like \"in.hooks.*\" };";
    write(doorward.folder().join("rules.cedar"), rules);
    let _ = doorward.run(&["policy", "put", "rules", "rules.cedar"], "").succeeded();
    running
}

fn posted(running: &Running, headers: &str, body: &str) -> (u16, String) {
    let request = format!(
        "POST /hooks/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let reply = gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
    (reply.status, reply.refusal().unwrap_or_default())
}

#[test]
fn a_token_of_which_only_an_imprint_is_stored_proves_its_caller() {
    let (doorward, upstream) = (home(), Upstream::demanding(Demand::Bearer(testkit::canary::plant("hooks"))));
    doorward.watch(upstream.canary());
    let scheme = "{scheme: token, header: x-api-key, keys: [{id: billing, secret: key, imprint: true}]}";
    let running = started(&doorward, &upstream, scheme);
    let token = doorward.plant("caller");
    let short = doorward.run(&["secret", "put", "hooks/key", "--imprint"], "CANARY-short").failed_with(2);
    assert!(short.contains("16 bytes"), "{short}");
    let _ = doorward.run(&["secret", "put", "hooks/key", "--imprint"], &token).succeeded();
    assert_eq!(posted(&running, &format!("X-Api-Key: {token}\r\n"), "{}").0, 200);
    assert_eq!(posted(&running, "X-Api-Key: CANARY-wrong\r\n", "{}"), (401, "unauthenticated".to_owned()));
    assert_eq!(posted(&running, "", "{}"), (401, "unauthenticated".to_owned()));
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(upstream.last().header("x-api-key"), None);
    let list = doorward.run(&["--json", "evidence", "list"], "").succeeded();
    assert!(list.contains("in.hooks.billing"), "{list}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_webhook_goes_through_once_and_a_changed_one_never() {
    let (doorward, upstream) = (home(), Upstream::demanding(Demand::Bearer(testkit::canary::plant("hooks"))));
    let running = started(&doorward, &upstream, "{scheme: github_signature, secret: key}");
    let _ = doorward.run(&["secret", "put", "hooks/key"], "It's a Secret to Everybody").succeeded();
    let headers = format!("X-Hub-Signature-256: sha256={SIGNED}\r\nX-GitHub-Delivery: 72d3162e\r\n");
    assert_eq!(posted(&running, &headers, "Hello, World!").0, 200);
    // Not sent again, and its sender is told that it was delivered.
    assert_eq!(posted(&running, &headers, "Hello, World!"), (200, "replayed".to_owned()));
    assert_eq!(posted(&running, &headers, "Hello, World?"), (401, "unauthenticated".to_owned()));
    assert_eq!(upstream.requests().len(), 1);
    assert!(running.stop().success());
}

#[test]
fn a_signature_over_the_target_is_checked_over_what_was_called_byte_for_byte() {
    let (doorward, upstream) = (home(), Upstream::demanding(Demand::Bearer(testkit::canary::plant("hooks"))));
    let scheme = "{scheme: hmac, secret: key, header: x-sig, over: \"{method} {target}.{body}\"}";
    let running = started(&doorward, &upstream, scheme);
    let key = doorward.plant("signing");
    let _ = doorward.run(&["secret", "put", "hooks/key"], &key).succeeded();
    let asked = |target: &str, signed: &str| {
        let over = format!("POST {signed}.x");
        let tag = crypto::to_hex(&crypto::hmac(crypto::HmacHash::Sha256, key.as_bytes(), &[over.as_bytes()]));
        let request = format!(
            "POST /hooks{target} HTTP/1.1\r\nHost: localhost\r\nX-Sig: {tag}\r\nContent-Length: 1\r\n\r\nx"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap().status
    };
    assert_eq!(asked("/echo", "/echo"), 200);
    for target in ["/echo?a=%2fx", "/echo?a=%41", "/echo?a=%c3%bc", "/%65cho"] {
        assert_ne!(asked(target, target), 401, "{target}");
    }
    assert_eq!(asked("/echo?a=%2fx", "/echo?a=%2Fx"), 401, "nobody called that");
    assert_eq!(asked("/%65cho", "/echo"), 401, "nobody called that");
    assert!(running.stop().success());
}

#[test]
fn a_file_that_would_let_anybody_in_by_mistake_stops_the_start() {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let text = "name: hooks\nbase_url: https://app.example.com\nauth: []\nlimits: {connect: 5s, head: 5s, total: 5s, idle: 5s}\n\
                operations:\n  take: {title: Take, access: write, risk: low, match: {method: POST, path: /}}\n\
                incoming:\n  - {scheme: oidc, issuer: \"https://id.example.com\"}\n";
    write(doorward.data().join("integrations/hooks.yaml"), text);
    let said = doorward.run(&["up"], "").failed_with(2);
    assert!(said.contains("hooks.yaml") && said.contains("audience"), "{said}");
}
