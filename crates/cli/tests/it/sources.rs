//! Secrets that are not in our own store: a service whose credential is in a Vault, and a peer's file that holds one.

use std::time::{Duration, Instant};

use testkit::vendor::Vault;
use testkit::{Doorward, Upstream};

use crate::network_wire::{answer, call, capability, gateway};
use crate::{home, write, write_integration};

fn wait_until(doorward: &Doorward, text: &str) {
    let until = Instant::now() + crate::HANG;
    while !String::from_utf8_lossy(&doorward.printed()).contains(text) {
        assert!(Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn notes(url: &str) -> String {
    format!(
        "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token, default: \"vault:secret/data/notes#token\"}}\n\
         auth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n"
    )
}

#[test]
fn a_service_uses_a_secret_of_a_vault_and_one_that_can_not_be_read_is_said_by_its_name() {
    let (doorward, upstream, vault) = (home(), Upstream::start(), Vault::start());
    doorward.watch(upstream.canary());
    doorward.watch("CANARY-secret-id");
    vault.admit("approle", "role-1", "CANARY-secret-id");
    write_integration(&doorward, &notes(&upstream.url()));
    let sources = format!(
        "[vault]\naddress = \"{}\"\nauth = {{ method = \"approle\", role = \"role-1\", secret = \"store:vault/id\" }}\n",
        vault.url()
    );
    write(doorward.data().join("sources.toml"), &sources);
    let running = doorward.start_up(&[]);
    wait_until(&doorward, "there is no secret at `store:vault/id`");
    let _ = answer(&running, "secret.put?name=vault/id", b"CANARY-secret-id");
    let token = capability(&running, "");
    let missing = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
    assert_eq!(
        (missing.status, missing.refusal().as_deref()),
        (503, Some("secret_missing")),
        "{}",
        missing.text()
    );
    let checked = doorward.run(&["doctor"], "");
    assert!(!checked.status.success());
    assert!(
        checked.stdout.contains("there is no secret at `vault:secret/data/notes#token`"),
        "{}",
        checked.stdout
    );

    vault.put("secret", "notes", &serde_json::json!({ "token": upstream.canary(), "n": 1 }));
    for _ in 0..20 {
        let reply = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let reads = || vault.calls().iter().filter(|call| call.path.ends_with("/data/notes")).count();
    let before = reads();
    assert_eq!(call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap().status, 200);
    assert_eq!(reads(), before, "it is kept for a while");
    let checked = doorward.run(&["doctor"], "");
    assert!(checked.stdout.contains("`notes` finds `vault:secret/data/notes#token`"), "{}", checked.stdout);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn both_fields_of_a_lease_that_is_not_renewed_come_from_one_lease() {
    let (doorward, upstream, vault) = (home(), Upstream::start(), Vault::start());
    vault.admit("approle", "role-1", "CANARY-secret-id");
    let pair = serde_json::json!({ "username": "CANARY-user-{n}", "password": "CANARY-pass-{n}" });
    let lease = testkit::vendor::Lease { seconds: 3600, renewable: true };
    vault.put_plain("database/creds/app", &pair, Some(lease));
    vault.renew_no_lease(403, "permission denied");
    let text = notes(&upstream.url())
        .replace(
            "  token: {title: Token, default: \"vault:secret/data/notes#token\"}",
            "  u: {title: U, default: \"vault:database/creds/app#username\"}\n  p: {title: P, default: \"vault:database/creds/app#password\"}",
        )
        .replace("{scheme: bearer, secret: token}", "{scheme: basic, username_secret: u, password_secret: p}");
    write_integration(&doorward, &text);
    let sources = format!(
        "refresh = \"1s\"\n[vault]\naddress = \"{}\"\nauth = {{ method = \"approle\", role = \"role-1\", secret = \"store:vault/id\" }}\n",
        vault.url()
    );
    write(doorward.data().join("sources.toml"), &sources);
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=vault/id", b"CANARY-secret-id");
    let token = capability(&running, "");
    let asked = || vault.calls().iter().filter(|call| call.path.ends_with("/renew")).count();
    // The first that it made is the token of the sign-in.
    let first = format!("Basic {}", crypto::to_base64(b"CANARY-user-2:CANARY-pass-2"));
    let until = Instant::now() + crate::HANG;
    while asked() == 0 {
        assert!(Instant::now() < until, "the lease was never to be renewed");
        let _ = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
        assert_eq!(upstream.last().header("authorization"), Some(&*first), "of the first lease, both");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(vault.calls().iter().filter(|call| call.path.ends_with("/creds/app")).count(), 1);
    assert!(running.stop().success());
}

#[test]
fn a_file_of_sources_that_is_wrong_is_refused_with_its_line_and_before_anything_starts() {
    let doorward = home();
    doorward.watch("hvs.CANARY-pasted");
    write_integration(&doorward, &notes("http://127.0.0.1:1"));
    let file = doorward.data().join("sources.toml");
    write(&file, "[vault]\nauth = { method = \"token\", token = \"hvs.CANARY-pasted\" }\n");
    let said = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(2);
    assert!(said.contains("sources.toml:2"), "{said}");
    write(&file, "[vault]\nadress = \"x\"\n");
    let said = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(2);
    assert!(said.contains("did you mean `address`?"), "{said}");
    write(&file, "");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let said = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(1);
    assert!(said.contains("chmod go-w"), "{said}");
    doorward.assert_no_canary();
}

#[test]
fn a_secret_that_stands_in_a_peers_file_is_used_with_a_warning_and_never_shown() {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    let config = format!(
        "integrations:\n  - name: api\n    destination: {}\n    outgoing_auth:\n      - type: token\n        params:\n          \
         secrets: [\"dangerousLiteral:{}\"]\n          header: Authorization\n          prefix: \"Bearer \"\n",
        upstream.url(),
        upstream.canary()
    );
    // Outside of what is searched for canaries: the file is where the secret is.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    write(&file, &config);
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", file.to_str().unwrap(), "-addr", "127.0.0.1:0"]);
    command.args(["-dangerous-allow-private", "--recovery-out", "recovery.txt"]);
    let running = doorward.start(command);
    let warnings = running.ready["peer"]["warnings"].to_string();
    assert!(warnings.contains("in the clear"), "{warnings}");
    let words = ["capability", "request", "--for", "ada", "--integrations", "api"];
    let token = doorward.run(&words, "").succeeded().trim().to_owned();
    let head = format!("GET /echo HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\r\n");
    let reply = gateway(&running.gateway_url).unwrap().ask(head.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(upstream.last().accepted);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
