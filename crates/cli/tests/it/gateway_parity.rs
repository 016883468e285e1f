//! `doorward gateway --config`: a team that comes with a peer's files loses nothing that its service documents, and is told what holds.

use testkit::{Doorward, Running, Upstream};

use crate::gateway_peer::{send, told as reason};
use crate::gateway_reasons::{printed_with, write_config};
use crate::home;
use crate::tenant_rounds::eventually;

fn run(doorward: &Doorward, more: &[&str], environment: &[(&str, &str)]) -> Running {
    let mut command = doorward.command();
    command.args(["--json", "gateway", "-config", "config.yaml", "-addr", "127.0.0.1:0"]);
    command.arg("-dangerous-allow-private").args(more);
    if !doorward.folder().join("r").exists() {
        command.args(["-recovery-out", "r"]);
    }
    command.envs(environment.iter().copied());
    doorward.start(command)
}

/// An integration with the credential that the service wants, in a file with white space around it.
fn entry(doorward: &Doorward, name: &str, upstream: &Upstream) -> String {
    let path = doorward.folder().join("secret");
    crate::write(&path, &format!(" {} \n\n", upstream.canary()));
    format!(
        "  - {{name: {name}, destination: \"{}\", outgoing_auth: [{{type: token, params: {{secrets: [\"file:{}\"], header: \
         Authorization, prefix: \"Bearer \"}}}}]}}\n",
        upstream.url(),
        path.display()
    )
}

#[test]
fn a_ready_made_capability_takes_the_optional_parameters_that_its_service_documents() {
    let (doorward, upstream) = (home(), Upstream::start());
    let names = ["asana", "jira", "okta", "twilio", "zendesk"];
    write_config(&doorward, &names.map(|name| entry(&doorward, name, &upstream)).concat());
    let capability = |name: &str, capability: &str| {
        format!(
            "- {{integration: {name}, callers: [{{id: \"*\", capabilities: [{{name: {capability}}}]}}]}}\n"
        )
    };
    let capabilities = ["add_comment", "create_task", "deactivate_user", "send_sms", "update_ticket"];
    let lists: String = names.iter().zip(capabilities).map(|(name, word)| capability(name, word)).collect();
    crate::write(doorward.folder().join("allowlist.yaml"), &lists);
    let running = run(&doorward, &[], &[]);
    let ask = |name: &str, line: &str, kind: &str, body: &str| {
        send(
            &running,
            &format!(
                "{line} HTTP/1.1\r\nhost: {name}\r\ncontent-type: application/{kind}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        )
    };
    let issue = r#"{"fields": {"project": {"key": "P"}}}"#;
    let form = "x-www-form-urlencoded";
    for (name, line, kind, body) in [
        (
            "asana",
            "POST /api/1.0/tasks/1/stories?opt_fields=text",
            "json",
            r#"{"data": {"html_text": "<body>x</body>"}}"#,
        ),
        ("jira", "POST /rest/api/3/issue?updateHistory=true", "json", issue),
        ("jira", "POST /rest/api/2/issue", "json", issue),
        ("okta", "POST /api/v1/users/1/lifecycle/deactivate", "json", "{}"),
        ("twilio", "POST /2010-04-01/Accounts/A/Messages.json", form, "To=1&MediaUrl=a&MediaUrl=b"),
        ("zendesk", "PUT /api/v2/tickets/7.json", "json", r#"{"ticket": {"status": "open"}}"#),
    ] {
        let before = upstream.requests().len();
        let reply = ask(name, line, kind, body);
        assert_eq!(upstream.requests().len(), before + 1, "{line}: {}", reply.text());
        let seen = upstream.last();
        assert!(seen.accepted && seen.target.ends_with(line.split(' ').nth(1).unwrap()), "{seen:?}");
        assert_eq!(seen.body, body, "{line}");
    }
    let before = upstream.requests().len();
    let strange = ask("jira", "POST /rest/api/3/issue?strange=1", "json", issue);
    let told = "query parameter strange is not known to issues.create";
    assert_eq!(reason(&strange), (403, told.to_owned()));
    let other = ask("jira", "PUT /rest/api/3/issue/P-1?strange=1", "json", "{}");
    assert_eq!(reason(&other), (403, "no allowlist match".to_owned()), "no capability is about it");
    let twice = ask("twilio", "POST /2010-04-01/Accounts/A/Messages.json", form, "To=1&To=2");
    assert_eq!(twice.status, 400, "{}", twice.text());
    assert_eq!(upstream.requests().len(), before);
    assert!(running.stop().success());
}

#[test]
fn a_list_that_appears_later_holds_and_stays_in_force_when_it_is_gone() {
    let (doorward, upstream) = (home(), Upstream::start());
    write_config(&doorward, &entry(&doorward, "api", &upstream));
    let rule = "- {integration: api, callers: [{id: \"*\", rules: [{path: /PATH, methods: {GET: {}}}]}]}\n";
    crate::write(doorward.folder().join("allowlist.yaml"), &rule.replace("PATH", "**"));
    let running = run(&doorward, &[], &[]);
    let ask = || reason(&send(&running, "GET /echo HTTP/1.1\r\nhost: api\r\n\r\n")).0;
    assert_eq!(ask(), 200);
    let denylist = doorward.folder().join("denylist.yaml");
    crate::write(&denylist, &rule.replace("PATH", "echo"));
    running.reload();
    let _ = printed_with(&doorward, "\"event\":\"reloaded\"");
    assert_eq!(ask(), 403);
    std::fs::remove_file(&denylist).unwrap();
    running.reload();
    let printed = printed_with(&doorward, "What was in force stays in force");
    assert!(printed.contains("denylist.yaml"), "{printed}");
    assert_eq!(ask(), 403);
    assert!(running.stop().success());
}

#[test]
fn a_file_that_is_gone_and_comes_back_as_it_was_is_noticed_both_times() {
    let (doorward, upstream) = (home(), Upstream::start());
    write_config(&doorward, &entry(&doorward, "api", &upstream));
    crate::write(
        doorward.folder().join("deny.yaml"),
        "- {integration: api, callers: [{id: \"*\", rules: [{path: /x, methods: {GET: {}}}]}]}\n",
    );
    let running = run(&doorward, &["-allow-all", "-watch", "-denylist", "deny.yaml"], &[]);
    let place = |name: &str| doorward.folder().join(name);
    std::fs::rename(place("deny.yaml"), place("away")).unwrap();
    let _ = printed_with(&doorward, "What was in force stays in force");
    let shown = |line: &str| {
        let request = "GET /_at_internal/metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
        send(&running, request).text().contains(line)
    };
    assert!(shown("doorward_reload_ok 0"));
    // Also by hand, and then it is put back as it was.
    running.reload();
    std::fs::rename(place("away"), place("deny.yaml")).unwrap();
    eventually("what was put back is read", || shown("doorward_reload_ok 1"));
    assert!(running.stop().success());
}

#[test]
fn a_managed_identity_is_asked_where_the_environment_says() {
    let (doorward, upstream) = (home(), Upstream::start());
    write_config(
        &doorward,
        &format!(
            "  - {{name: api, destination: \"{}\", outgoing_auth: [{{type: azure_managed_identity, params: {{resource: \
             \"https://vault.azure.net\"}}}}]}}\n",
            upstream.url()
        ),
    );
    let endpoint = format!("{}/open/identity", upstream.url());
    for (place, secret, header, version) in [
        ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "x-identity-header", "2019-08-01"),
        ("MSI_ENDPOINT", "MSI_SECRET", "secret", "2017-09-01"),
    ] {
        let before = upstream.requests().len();
        let running =
            run(&doorward, &["-allow-all"], &[(place, &endpoint), (secret, "a-header-of-the-platform")]);
        let reply = send(&running, "GET /echo HTTP/1.1\r\nhost: api\r\n\r\n");
        assert_eq!(reply.status, 503, "{}", reply.text());
        let asked = upstream.requests()[before].clone();
        assert!(asked.target.contains("/identity?") && asked.target.contains(version), "{asked:?}");
        assert_eq!(asked.header(header), Some("a-header-of-the-platform"));
        assert!(running.stop().success());
    }
}

#[test]
fn the_advice_for_a_secret_in_the_file_itself_can_be_followed() {
    let doorward = home();
    let with = |secret: &str| {
        write_config(
            &doorward,
            &format!(
                "  - {{name: api, destination: \"https://api.example.com\", outgoing_auth: [{{type: find_replace, params: \
                 {{find_secret: \"{secret}\", replace_secret: \"env:REAL\"}}}}]}}\n"
            ),
        );
    };
    let _ = doorward.run(&["init"], "").succeeded();
    let import = || doorward.run(&["import", "authtranslator", "config.yaml"], "");
    with("dangerousLiteral:PLACEHOLDER");
    let refused = import().failed_with(1);
    assert!(refused.contains("secret put api/placeholder"), "{refused}");
    assert!(refused.contains("`store:api/placeholder`"), "{refused}");
    let _ = doorward.run(&["secret", "put", "api/placeholder"], "PLACEHOLDER").succeeded();
    with("store:api/placeholder");
    let _ = import().succeeded();
}

#[test]
fn what_was_typed_is_named_in_what_is_said_about_it() {
    let doorward = home();
    let unknown = doorward.run(&["gateway", "-bogus"], "").failed_with(2);
    assert!(unknown.contains("'--bogus'"), "{unknown}");
    let redis = doorward.run(&["gateway", "-redis-addr", "redis://:pw@127.0.0.1:6379"], "").failed_with(2);
    assert!(redis.contains("`redis = ") && redis.contains("`password = "), "{redis}");
    write_config(
        &doorward,
        &format!("  - {{name: {}, destination: \"https://a.example.com\"}}\n", "a".repeat(300)),
    );
    let long = doorward.run(&["import", "authtranslator", "config.yaml", "--dry-run"], "");
    assert!(long.stderr.contains("at most 255 characters"), "{long:?}");
}

#[test]
fn a_body_that_stalls_is_given_up_when_its_time_is_over() {
    let (doorward, upstream) = (home(), Upstream::start());
    write_config(&doorward, &entry(&doorward, "api", &upstream));
    let running = run(&doorward, &["-allow-all", "-read-timeout", "1s"], &[]);
    let reply = send(&running, "POST /echo HTTP/1.1\r\nhost: api\r\ncontent-length: 100\r\n\r\nabc");
    assert!(reply.status >= 400, "{}", reply.text());
    assert_eq!(send(&running, "GET /echo HTTP/1.1\r\nhost: api\r\n\r\n").status, 200);
    assert!(running.stop().success());
}
