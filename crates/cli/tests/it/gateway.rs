//! `doorward gateway`: a peer's configuration, run as it stands, and taken over.

use serde_json::Value;
use testkit::{Doorward, Running, Upstream};

use crate::home;
use crate::network_wire::{Reply, gateway};

/// A configuration with one integration, `api`, whose credential is this upstream's.
fn config(upstream: &Upstream, more: &str) -> String {
    format!(
        "integrations:\n  - name: api\n    destination: {}\n    outgoing_auth:\n      - type: token\n        params:\n          \
         secrets: [\"env:API_TOKEN\"]\n          header: Authorization\n          prefix: \"Bearer \"\n{more}",
        upstream.url()
    )
}

/// Writes a configuration into the folder of the test.
fn prepare(doorward: &Doorward, upstream: &Upstream, more: &str) {
    doorward.watch(upstream.canary());
    crate::write(doorward.folder().join("config.yaml"), &config(upstream, more));
}

fn start(doorward: &Doorward, upstream: &Upstream, more: &[&str]) -> Running {
    start_with(doorward, &[("API_TOKEN", upstream.canary())], more)
}

/// The same with these secrets in its environment.
fn start_with(doorward: &Doorward, secrets: &[(&str, &str)], more: &[&str]) -> Running {
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", "config.yaml", "-addr", "127.0.0.1:0"]);
    command.arg("-dangerous-allow-private").args(more).envs(secrets.iter().copied());
    doorward.start(command)
}

/// A capability for everything.
fn capability(doorward: &Doorward) -> String {
    let words = ["capability", "request", "--for", "ada", "--integrations", "api"];
    doorward.run(&words, "").succeeded().trim().to_owned()
}

#[track_caller]
fn ask(running: &Running, target: &str, headers: &[(&str, &str)]) -> Reply {
    let mut head = format!("GET {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    gateway(&running.gateway_url).unwrap().ask(format!("{head}\r\n").as_bytes()).unwrap()
}

#[track_caller]
fn told(reply: &Reply) -> (u16, String, String) {
    assert_eq!(reply.header("x-at-upstream-error").as_deref(), Some("false"), "{}", reply.text());
    (reply.status, reply.header("x-at-error-reason").unwrap_or_default(), reply.text())
}

fn wait_until(doorward: &Doorward, text: &str) {
    let until = std::time::Instant::now() + crate::HANG;
    while !String::from_utf8_lossy(&doorward.printed()).contains(text) {
        assert!(std::time::Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_first_start_in_an_empty_home_serves_a_peers_configuration() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(&doorward, &upstream, "  - {name: my_service, destination: \"https://my.example.com\"}\n");
    let running = start(&doorward, &upstream, &["--recovery-out", "recovery.txt"]);
    assert_eq!(running.ready["peer"]["integrations"], 2);
    let token = format!("Bearer {}", capability(&doorward));
    let authorised = ("authorization", token.as_str());
    for (target, headers) in [
        ("/echo?x=1", vec![("host", "api"), authorised]),
        ("/echo?x=1", vec![("host", "API:8080"), authorised]),
        ("/echo?x=1", vec![("host", "gateway.svc.example:80"), ("x-at-int", "Api"), authorised]),
        // What a container or a service of a cluster is called by.
        ("/echo?x=1", vec![("host", "authtranslator:8080"), ("x-at-int", "api"), authorised]),
        ("/echo?x=1", vec![("host", "auth_translator"), ("x-at-int", "api"), authorised]),
        ("/api/echo?x=1", vec![("host", "localhost"), authorised]),
    ] {
        let reply = ask(&running, target, &headers);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-at-upstream-error"), None);
        let arrived = upstream.last();
        assert_eq!(arrived.target, "/echo?x=1");
        assert_eq!(arrived.header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
        for name in ["x-at-int", "x-at-destination", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] {
            assert_eq!(arrived.header(name), None, "{name}");
        }
    }
    let two = ask(&running, "/echo", &[("host", "my_service"), ("x-at-int", "api"), authorised]);
    assert_eq!(told(&two).0, 400, "two integrations");
    let failed = ask(&running, "/status/503", &[("host", "api"), authorised]);
    assert_eq!((failed.status, failed.header("x-at-upstream-error").as_deref()), (503, Some("true")));
    let missing = ask(&running, "/echo", &[("host", "nobody"), authorised]);
    assert_eq!(
        told(&missing),
        (404, "integration not found".to_owned(), "integration for host nobody not found\n".to_owned())
    );
    let foreign = ask(&running, "/echo", &[("host", "evil.example.com"), authorised]);
    assert_eq!(told(&foreign).0, 404);
    let nobody = ask(&running, "/echo", &[("host", "api"), ("authorization", "Bearer cap1_forged")]);
    assert_eq!(told(&nobody).0, 401);
    assert_eq!(told(&nobody).2, "Unauthorized: authentication failed for integration api\n");
    let health = ask(&running, "/_at_internal/healthz", &[("host", "localhost")]);
    assert_eq!((health.status, health.text()), (200, String::new()));
    assert!(health.header("x-last-reload").is_some());
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn the_header_that_names_an_integration_can_be_switched_off_or_bound_to_a_host() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(&doorward, &upstream, "");
    let running = start(&doorward, &upstream, &["-disable_x_at_int", "--recovery-out", "r"]);
    let token = format!("Bearer {}", capability(&doorward));
    let authorised = ("authorization", token.as_str());
    assert_eq!(ask(&running, "/echo", &[("host", "other"), ("x-at-int", "api"), authorised]).status, 404);
    assert!(running.stop().success());
    let running = start(&doorward, &upstream, &["-x_at_int_host", "authtranslator"]);
    let named = [("host", "authtranslator:8080"), ("x-at-int", "api"), authorised];
    assert_eq!(ask(&running, "/echo", &named).status, 200);
    assert_eq!(ask(&running, "/echo", &[("host", "other"), ("x-at-int", "api"), authorised]).status, 404);
    assert!(running.stop().success());
    let running = start(&doorward, &upstream, &["-x_at_int_host", "Front.Example.com"]);
    assert_eq!(
        ask(&running, "/echo", &[("host", "other.example.com"), ("x-at-int", "api"), authorised]).status,
        404
    );
    assert_eq!(
        ask(&running, "/echo", &[("host", "front.example.com:80"), ("x-at-int", "api"), authorised]).status,
        200
    );
    assert!(running.stop().success());
}

#[test]
fn what_is_wrong_with_the_configuration_stops_the_start_before_a_home_is_made() {
    let doorward = home();
    for (text, said) in [
        ("integrations:\n  - {name: a}\n", "config.yaml:2: the key `destination` is missing"),
        (
            "integrations:\n  - {name: a, destination: \"https://a.test\", destinatoin: x}\n",
            "did you mean `destination`",
        ),
        (
            "integrations:\n  - {name: a, destination: \"http://a.test\"}\n",
            "config.yaml:2: `destination` is plain http",
        ),
        ("integrations: [\n", "config.yaml:"),
    ] {
        crate::write(doorward.folder().join("config.yaml"), text);
        let stderr =
            doorward.run(&["gateway", "--config", "config.yaml", "--addr", "127.0.0.1:0"], "").failed_with(1);
        assert!(stderr.contains(said) && stderr.contains("gateway-migration.md"), "{stderr}");
    }
    let missing = doorward.run(&["gateway", "-config", "nothing.yaml"], "").failed_with(1);
    assert!(missing.contains("could not read `nothing.yaml`"), "{missing}");
    for flags in [
        &["-enable-http3"][..],
        &["-metrics-pass", "x"],
        &["-config", "a", "-addr", "nowhere"],
        &["-config-url", "http://config.example/c.yaml"],
        &["-config-url", "https://user:pass@config.example/c.yaml"],
        &["-allowlist", "allowlist.yaml"],
        &["-watch=perhaps"],
        &["-log-level", "LOUD"],
    ] {
        let words: Vec<&str> = ["gateway"].into_iter().chain(flags.iter().copied()).collect();
        let _ = doorward.run(&words, "").failed_with(2);
    }
    assert!(doorward.run(&["gateway", "-version"], "").succeeded().starts_with("doorward "));
}

#[test]
fn a_changed_file_counts_and_a_broken_one_changes_nothing() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(&doorward, &upstream, "");
    let running = start(&doorward, &upstream, &["-watch", "--recovery-out", "r"]);
    let token = format!("Bearer {}", capability(&doorward));
    let authorised = ("authorization", token.as_str());
    crate::write(doorward.folder().join("unrelated.log"), "nothing of ours");
    prepare(&doorward, &upstream, "  - name: [broken\n");
    wait_until(&doorward, "What was in force stays in force");
    assert_eq!(ask(&running, "/echo", &[("host", "api"), authorised]).status, 200);
    let status = doorward.run(&["status", "--json"], "").json();
    assert!(status["warnings"].to_string().contains("config.yaml:"), "{status}");
    prepare(&doorward, &upstream, "  - {name: more_of_it, destination: \"https://more.example.com\"}\n");
    wait_until(&doorward, "\"event\":\"reloaded\"");
    let listed = doorward.run(&["integration", "list", "--json"], "").json();
    let names: Vec<&str> =
        listed["integrations"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"more-of-it"), "{names:?}");
    let counters = ask(&running, "/_at_internal/metrics", &[("host", "localhost")]).text();
    assert!(counters.contains("doorward_reload_total{result=\"failed\"} 1"), "{counters}");
    assert!(
        counters.contains("doorward_reload_total{result=\"done\"} 1")
            && counters.contains("doorward_reload_ok 1")
    );
    // The same by a signal, over a link that is swapped as a cluster does it.
    std::fs::create_dir(doorward.folder().join("next")).unwrap();
    let text = std::fs::read_to_string(doorward.folder().join("config.yaml")).unwrap();
    crate::write(doorward.folder().join("next/config.yaml"), &text.replace("more_of_it", "linked"));
    let swapped = doorward.folder().join("swapped");
    std::os::unix::fs::symlink("next/config.yaml", &swapped).unwrap();
    std::fs::rename(&swapped, doorward.folder().join("config.yaml")).unwrap();
    running.reload();
    let until = std::time::Instant::now() + crate::HANG;
    while !doorward.run(&["integration", "list"], "").succeeded().contains("linked") {
        assert!(std::time::Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
    }
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_destination_with_a_star_goes_where_the_call_says_and_nowhere_else() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(&doorward, &upstream, "  - {name: wide, destination: \"https://*.internal.invalid\"}\n");
    let running = start(&doorward, &upstream, &["--recovery-out", "r"]);
    let words = ["capability", "request", "--for", "ada", "--integrations", "wide"];
    let token = format!("Bearer {}", doorward.run(&words, "").succeeded().trim());
    let call = |destination: Option<&str>| {
        let mut headers = vec![("host", "wide"), ("authorization", token.as_str())];
        headers.extend(destination.map(|destination| ("x-at-destination", destination)));
        told(&ask(&running, "/x", &headers))
    };
    for (destination, text) in [
        (None, "Bad Request: missing X-AT-Destination header\n"),
        (Some("https://evil.test"), "Bad Request: invalid X-AT-Destination header: host not permitted\n"),
        (
            Some("http://a.internal.invalid"),
            "Bad Request: invalid X-AT-Destination header: unexpected scheme\n",
        ),
        (
            Some("https://u@a.internal.invalid"),
            "Bad Request: invalid X-AT-Destination header: user info not allowed\n",
        ),
        (
            Some("https://a.internal.invalid:1"),
            "Bad Request: invalid X-AT-Destination header: unexpected port\n",
        ),
        (
            Some("https://*.internal.invalid"),
            "Bad Request: invalid X-AT-Destination header: wildcard not allowed\n",
        ),
    ] {
        assert_eq!(call(destination), (400, "invalid destination".to_owned(), text.to_owned()));
    }
    // One that may be named is dialled, and no such host exists; a machine whose resolver is away takes its time to say so.
    let (status, reason, _) = call(Some("https://a.internal.invalid"));
    assert!(
        matches!((status, reason.as_str()), (502, "upstream unreachable") | (504, "upstream timeout")),
        "{status} {reason}"
    );
    assert!(running.stop().success());
}

#[test]
fn rules_and_incoming_tokens_decide_as_they_stand() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(
        &doorward,
        &upstream,
        "    incoming_auth:\n      - {type: token, params: {secrets: [\"env:CALLER\"], header: X-Key}}\n",
    );
    let (folder, caller) = (doorward.folder(), doorward.plant("caller"));
    crate::write(
        folder.join("allowlist.yaml"),
        "- integration: API\n  callers:\n    - id: \"*\"\n      rules:\n        - {path: /echo, methods: {GET: {query: {a: [\"1\"]}}}}\n        - {path: /open/**, methods: {GET: {}}}\n",
    );
    crate::write(
        folder.join("denylist.yaml"),
        "- integration: api\n  callers:\n    - rules: [{path: /open/secret, methods: {GET: {}}}]\n",
    );
    // Both lists are found under their usual names.
    let secrets = [("API_TOKEN", upstream.canary()), ("CALLER", caller.as_str())];
    let running = start_with(&doorward, &secrets, &["--recovery-out", "r"]);
    assert_eq!(running.ready["peer"]["rules"].as_array().unwrap().len(), 2);
    let call = |target: &str, key: &str| ask(&running, target, &[("host", "api"), ("x-key", key)]);
    let allowed = call("/echo?a=1", &caller);
    assert_eq!((allowed.status, allowed.header("x-at-upstream-error")), (200, None), "{}", allowed.text());
    assert_eq!(upstream.last().header("x-key"), None);
    for (target, key, status, reason) in [
        ("/echo?a=1", "wrong", 401, "authentication failed"),
        ("/echo?a=1", "", 401, "authentication failed"),
        ("/echo?a=2", &*caller, 403, "missing query param a=1"),
        ("/json/x", &*caller, 403, "no allowlist match"),
        ("/open/secret", &*caller, 403, "denylist matched caller * GET /open/secret"),
    ] {
        let (found, why, body) = told(&call(target, key));
        assert_eq!((found, why.as_str()), (status, reason), "{target} {body}");
        assert!(status == 401 || body == format!("Forbidden: {reason}\n"), "{body}");
    }
    assert!(running.stop().success());
    for (name, text) in
        [("allowlist.yaml", "- {integration: apj, callers: []}\n"), ("denylist.yaml", "- {integration: [\n")]
    {
        let path = folder.join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        crate::write(&path, text);
        let words =
            ["gateway", "--config", "config.yaml", "--addr", "127.0.0.1:0", "--dangerous-allow-private"];
        let said = doorward.run(&words, "").failed_with(1);
        assert!(said.contains(&format!("{name}:")), "{said}");
        crate::write(&path, &before);
    }
    doorward.assert_no_canary();
}

#[test]
fn without_a_rule_nothing_is_allowed_unless_everything_is() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(&doorward, &upstream, "");
    let running = start(&doorward, &upstream, &["--recovery-out", "r"]);
    assert!(running.ready["peer"]["warnings"].to_string().contains("there is no allowlist"));
    let refused = ask(&running, "/echo", &[("host", "api")]);
    assert_eq!(
        told(&refused),
        (403, "no allowlist match".to_owned(), "Forbidden: no allowlist match\n".to_owned())
    );
    assert!(running.stop().success());
    let running = start(&doorward, &upstream, &["-allow-all"]);
    assert!(running.ready["peer"]["warnings"].to_string().contains("--allow-all"));
    for method in ["GET", "POST", "DELETE"] {
        let request = format!("{method} /echo HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\n\r\n");
        let reply = gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{method} {}", reply.text());
    }
    assert!(running.stop().success());
    let missing =
        ["gateway", "-config", "config.yaml", "-allowlist", "gone.yaml", "-dangerous-allow-private"];
    assert!(doorward.run(&missing, "").failed_with(1).contains("could not read `gone.yaml`"));
    let both = ["gateway", "-config", "config.yaml", "-allowlist", "gone.yaml", "-allow-all"];
    let _ = doorward.run(&both, "").failed_with(2);
    doorward.assert_no_canary();
}

#[test]
#[expect(clippy::too_many_lines, reason = "one home from its import to its last call")]
fn an_imported_home_serves_what_the_configuration_served() {
    let (doorward, upstream) = (home(), Upstream::start());
    prepare(
        &doorward,
        &upstream,
        "  - {name: my_service, destination: \"https://my.example.com/base?v=1\"}\n",
    );
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    crate::write(
        doorward.folder().join("allow.yaml"),
        "- integration: my_service\n  callers: [{id: \"*\", rules: [{path: /x, methods: {GET: {}}}]}]\n\
         - integration: api\n  callers: [{id: \"*\", rules: [{path: /echo, methods: {GET: {}}}]}]\n",
    );
    let import = |flags: &[&str]| {
        let mut words = vec![
            "--json",
            "import",
            "authtranslator",
            "config.yaml",
            "allow.yaml",
            "--dangerous-allow-private",
        ];
        words.extend(flags);
        doorward.run(&words, "")
    };
    let planned = import(&["--dry-run"]).json();
    assert_eq!(
        (&planned["written"], &planned["integrations"][0]["becomes"]),
        (&Value::from(false), &Value::from("new"))
    );
    assert!(!doorward.data().join("integrations/api.yaml").exists());
    let done = import(&[]).json();
    assert_eq!(done["integrations"][1]["name"], "my-service");
    assert_eq!((&done["lists"][0]["list"], &done["rules"]), (&Value::from("allowlist"), &Value::from(2)));
    assert!(doorward.data().join("lists/allowlist.yaml").exists());
    let again = import(&[]).json();
    assert_eq!(again["integrations"][0]["becomes"], "unchanged");
    let text = std::fs::read_to_string(doorward.data().join("integrations/api.yaml")).unwrap();
    crate::write(doorward.data().join("integrations/api.yaml"), &format!("{text}# mine\n"));
    let refused = import(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.contains("--overwrite"), "{refused:?}");
    let _ = import(&["--overwrite"]).json();
    let left: Vec<_> = std::fs::read_dir(doorward.data().join("integrations"))
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");

    let mut command = doorward.command();
    command.args(["--json", "gateway", "--addr", "127.0.0.1:0"]).env("API_TOKEN", upstream.canary());
    let running = doorward.start(command);
    let reply = ask(&running, "/echo", &[("host", "api")]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let other = ask(&running, "/json/x", &[("host", "api")]);
    assert_eq!(told(&other).1, "no allowlist match");
    let aliased = ask(&running, "/y", &[("host", "my_service")]);
    assert_eq!(told(&aliased).1, "no allowlist match");
    assert!(running.stop().success());

    crate::write(doorward.folder().join("config.yaml"), "integrations:\n  - {name: a, destination: x}\n");
    let wrong = import(&[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(wrong.stdout.contains("config.yaml:2"), "{wrong:?}");
    doorward.assert_no_canary();
}
