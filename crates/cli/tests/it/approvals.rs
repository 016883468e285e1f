//! Somebody else's yes, as people and programs ask for it and give it: at the gateway, on the command line, with roles.

use std::time::{Duration, Instant};

use testkit::{Doorward, Running, Upstream};

use crate::network_wire::{Reply, capability, gateway};
use crate::{home, write, write_integration};

/// A home with the integration `house`, whose upstream is this one.
pub(crate) fn started(upstream: &Upstream) -> (Doorward, Running) {
    let doorward = home();
    doorward.watch(upstream.canary());
    write_integration(
        &doorward,
        &format!(
            "name: house\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\n\
             operations:\n  look: {{title: L, access: read, risk: low, match: {{method: GET, path: \"/{{path...}}\"}}}}\n  \
             change: {{title: C, access: write, risk: low, match: {{method: POST, path: \"/{{path...}}\"}}}}\n",
            upstream.url()
        ),
    );
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    (doorward, running)
}

/// A write at the gateway with these headers more.
fn post(running: &Running, path: &str, token: &str, more: &str, body: &str) -> Reply {
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
}

#[test]
fn a_write_waits_at_the_gateway_until_somebody_else_approved_it() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    let token = capability(&running, "&integrations=house&approval=writes");
    let asked = post(&running, "/house/echo", &token, "", "one");
    assert_eq!((asked.status, asked.refusal().as_deref()), (403, Some("approval_required")));
    let id = asked.header("x-doorward-approval").unwrap();
    assert_eq!(asked.json()["approval"], id.as_str());
    assert!(asked.json()["hint"].as_str().unwrap().contains(&id), "{}", asked.text());

    let waiting = doorward.run(&["approval", "list", "--json"], "").json();
    assert_eq!(
        (&waiting["approvals"][0]["id"], &waiting["approvals"][0]["for"]),
        (&id.clone().into(), &"tester".into())
    );
    let shown = doorward.run(&["approval", "show", &id], "").succeeded();
    for part in ["house/change", "/echo", "one", "tester", "pending"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // Whoever asked does not decide: not even with a role that may.
    let _ = doorward.run(&["role", "grant", "tester", "manager"], "").succeeded();
    let own = capability(&running, "&integrations=doorward");
    write(doorward.folder().join("own"), &own);
    let refused = doorward.run(&["approval", "approve", &id, "--as", "own"], "").failed_with(1);
    assert!(refused.contains("somebody else decides"), "{refused}");
    let unwaited = doorward.run(&["approval", "show", &id, "--wait", "1s"], "").failed_with(1);
    assert!(unwaited.contains("nobody decided"), "{unwaited}");

    let said = doorward.run(&["approval", "approve", &id, "--reason", "ticket 7"], "").succeeded();
    assert!(said.contains("once"), "{said}");
    let _ = doorward.run(&["approval", "show", &id, "--wait"], "").succeeded();
    let header = format!("X-Doorward-Approval: {id}\r\n");
    let changed = post(&running, "/house/echo", &token, &header, "onE");
    assert_eq!((changed.status, changed.refusal().as_deref()), (403, Some("denied")));
    assert!(changed.text().contains("changed after the approval"), "{}", changed.text());
    assert_eq!(upstream.requests().len(), 0);
    assert_eq!(post(&running, "/house/echo", &token, &header, "one").status, 200);
    let again = post(&running, "/house/echo", &token, &header, "one");
    assert_eq!((again.status, again.refusal().as_deref()), (409, Some("conflict")));
    // Our own headers went no further.
    let seen = upstream.requests();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].header("x-doorward-approval").is_none());
    let twice = format!("{header}{header}");
    assert_eq!(post(&running, "/house/echo", &token, &twice, "one").status, 400);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn whoever_decides_reads_what_is_sent() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    let token = capability(&running, "&integrations=house&approval=writes");
    let asked = post(&running, "/house/echo", &token, "", "{\"title\": \"\u{202e}gnp \u{200b}x\u{e0041}\"}");
    let id = asked.header("x-doorward-approval").unwrap();
    let shown = doorward.run(&["approval", "show", &id], "").succeeded();
    assert!(shown.contains("\\u{202e}gnp \\u{200b}x\\u{e0041}"), "{shown}");
    // What an answer itself says can't hold such characters.
    let _ = doorward.run(&["approval", "deny", &id, "--reason", "looks \u{202e}fine"], "").failed_with(2);
    let _ = doorward.run(&["approval", "deny", &id, "--reason", "looks odd"], "").succeeded();
    let listed = doorward.run(&["approval", "list", "--state", "all"], "").succeeded();
    assert!(!listed.contains('\u{202e}'), "{listed}");
    assert!(running.stop().success());
}

#[test]
fn an_approval_whose_call_was_killed_on_its_way_is_used() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    let token = capability(&running, "&integrations=house&approval=writes");
    let asked = post(&running, "/house/slow/30000", &token, "", "x");
    let id = asked.header("x-doorward-approval").unwrap();
    let _ = doorward.run(&["approval", "approve", &id], "").succeeded();
    let (url, written) = (running.gateway_url.clone(), format!("X-Doorward-Approval: {id}\r\n"));
    let host = url.trim_start_matches("http://").to_owned();
    let request = format!(
        "POST /house/slow/30000 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{written}Content-Length: 1\r\n\r\nx"
    );
    let calling = std::thread::spawn(move || gateway(&url).unwrap().ask(request.as_bytes()));
    let began = Instant::now();
    while upstream.requests().is_empty() {
        assert!(began.elapsed() < crate::HANG, "the call never came through");
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = running.kill9();
    assert!(calling.join().unwrap().is_err());
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let again = post(&running, "/house/slow/30000", &token, &written, "x");
    assert_eq!((again.status, again.refusal().as_deref()), (409, Some("conflict")));
    assert_eq!(upstream.requests().len(), 1);
    assert!(running.stop().success());
}

#[test]
fn breaking_the_glass_takes_both_headers_the_role_and_an_approval() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    // A role that no policy speaks of gives nothing, and whoever gives it is told.
    let granted = |role: &str| doorward.run(&["role", "grant", "ada", role], "").stderr;
    let warned = granted("approver");
    assert!(warned.contains("no policy in force speaks of the role `approver`"), "{warned}");
    assert!(!granted("manager").contains("warning"));
    let team = doorward.run(&["policy", "template", "team"], "").succeeded();
    let _ = doorward.run(&["policy", "put", "team", "-"], team).succeeded();
    assert!(!granted("approver").contains("warning"));
    let _ = doorward.run(&["role", "grant", "tester", "operator"], "").succeeded();
    let token = capability(&running, "&integrations=house");
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let delete = |more: &str| {
        let request = format!(
            "DELETE /house/echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    let broken = "X-Break-Glass: true\r\nX-Break-Glass-Reason: the site is down\r\n";
    let refused = delete("");
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("team-no-high-risk"), "{}", refused.text());
    assert_eq!(delete("X-Break-Glass: true\r\n").status, 400);
    assert_eq!(delete(broken).refusal().as_deref(), Some("denied"));
    let _ = doorward.run(&["role", "grant", "tester", "break-glass"], "").succeeded();
    assert_eq!(delete("").refusal().as_deref(), Some("denied"));
    let asked = delete(broken);
    assert_eq!(asked.refusal().as_deref(), Some("approval_required"), "{}", asked.text());
    let id = asked.header("x-doorward-approval").unwrap();
    let shown = doorward.run(&["approval", "show", &id], "").succeeded();
    assert!(shown.contains("the site is down"), "{shown}");
    let _ = doorward.run(&["approval", "approve", &id], "").succeeded();
    let done = delete(broken);
    assert_eq!(done.status, 200, "{}", done.text());
    let record = doorward.run(&["evidence", "show", &done.evidence().unwrap(), "--json"], "").json();
    assert!(record.to_string().contains("break-glass: the site is down"), "{record}");
    assert!(upstream.requests().iter().all(|seen| seen.header("x-break-glass").is_none()));
    assert!(running.stop().success());
}

const PLAN: &str = "summary: Change ${what}
parameters: {what: {about: what is changed}}
on_failure: rollback
steps:
  - {id: first, operation: house/change, inputs: {path: \"json/${what}\"}, rollback: {operation: house/change, inputs: {path: json/undo}}}
  - {id: slow, operation: house/change, inputs: {path: slow/20000}}
  - {id: look, operation: house/look, inputs: {path: json/look}, stage: verify, expect: {json: {ok: true}}}
";

/// A capability of an operator in a file, for the services and for plans.
fn operator(doorward: &Doorward, running: &Running, name: &str) {
    let _ = doorward.run(&["role", "grant", name, "manager"], "").succeeded();
    let answer = crate::network_wire::answer(running, &format!("capability.request?for={name}"), b"");
    write(doorward.folder().join(name), answer["token"].as_str().unwrap());
}

#[test]
fn a_playbook_is_proposed_approved_killed_in_the_middle_and_gone_on_with() {
    let upstream = Upstream::start();
    for path in ["/tea", "/undo", "/look"] {
        upstream.answer_with(path, 200, serde_json::json!({ "ok": true }));
    }
    let (doorward, running) = started(&upstream);
    operator(&doorward, &running, "bob");
    write(doorward.folder().join("plan.yaml"), PLAN);
    let missing = doorward.run(&["plan", "check", "plan.yaml"], "").failed_with(2);
    assert!(missing.contains("--param what=VALUE"), "{missing}");
    let written = ["plan.yaml", "--param", "what=tea", "--as", "bob"];
    let proposed = doorward.run(&[&["plan", "create", "--json"], &written[..]].concat(), "").json();
    let id = proposed["id"].as_str().unwrap().to_owned();
    let early = doorward.run(&["plan", "run", &id, "--as", "bob"], "").failed_with(1);
    assert!(early.contains("is not approved"), "{early}");
    let own = doorward.run(&["plan", "approve", &id, "--as", "bob"], "").failed_with(1);
    assert!(own.contains("somebody else decides"), "{own}");
    let approved = doorward.run(&["plan", "approve", &id, "--reason", "ticket 8"], "");
    assert!(approved.stderr.contains("json/tea"), "{approved:?}");
    let _ = approved.succeeded();
    let other = ["plan", "run", &id, "plan.yaml", "--param", "what=coffee", "--as", "bob"];
    let tampered = doorward.run(&other, "").failed_with(1);
    assert!(tampered.contains("plan modified after approval"), "{tampered}");
    assert_eq!(upstream.requests().len(), 0);

    let mut command = doorward.command();
    command.args(["plan", "run", &id, "plan.yaml", "--param", "what=tea", "--as", "bob"]);
    let mut child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while upstream.requests().len() < 2 {
        assert!(began.elapsed() < crate::HANG, "the second step never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = running.kill9();
    assert!(!child.wait().unwrap().success());
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let again = doorward.run(&["plan", "run", &id, "--as", "bob"], "").failed_with(1);
    assert!(again.contains("plan resume"), "{again}");
    // Nobody knows what came of the write that was under way, so it is not repeated.
    let asked = doorward.run(&["plan", "resume", &id, "--as", "bob", "--json"], "");
    let asked: serde_json::Value = serde_json::from_str(&asked.stdout).unwrap();
    assert_eq!(
        (asked["state"].as_str(), asked["steps"][1]["state"].as_str()),
        (Some("asking"), Some("unknown")),
        "{asked}"
    );
    assert_eq!(upstream.requests().len(), 2);
    let said = ["plan", "resume", &id, "--step", "slow", "--outcome", "done", "--as", "bob"];
    let ended = doorward.run(&said, "").succeeded();
    assert!(ended.contains("is succeeded"), "{ended}");
    let seen: Vec<String> = upstream.requests().iter().map(|seen| seen.target.clone()).collect();
    assert_eq!(seen, ["/json/tea", "/slow/20000", "/json/look"]);
    let twice = doorward.run(&["plan", "run", &id, "--as", "bob"], "").failed_with(1);
    assert!(twice.contains("runs once"), "{twice}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn an_operation_by_name_says_its_approval_and_breaks_the_glass_on_the_command_line() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    let token = capability(&running, "&integrations=house&approval=writes");
    write(doorward.folder().join("token"), &token);
    let run = |more: &[&str]| {
        let words = ["op", "run", "house.change", "--input", "path=echo", "--capability", "token"];
        doorward.run(&[&words[..], more].concat(), "")
    };
    let _ = run(&[]).failed_with(1);
    let waiting = doorward.run(&["approval", "list", "--json"], "").json();
    let id = waiting["approvals"][0]["id"].as_str().unwrap().to_owned();
    let early = run(&["--approval", &id]).failed_with(1);
    assert!(early.contains(&id), "{early}");
    assert_eq!(upstream.requests().len(), 0);
    let _ = doorward.run(&["approval", "approve", &id], "").succeeded();
    let _ = run(&["--approval", &id]).succeeded();
    let _ = run(&["--approval", &id]).failed_with(1);
    assert_eq!(upstream.requests().len(), 1, "once");
    let alone = run(&["--break-glass"]).failed_with(2);
    assert!(alone.contains("--reason"), "{alone}");
    let _ = doorward.run(&["role", "grant", "tester", "break-glass"], "").succeeded();
    let _ = run(&["--break-glass", "--reason", "pager 7"]).failed_with(1);
    let waiting = doorward.run(&["approval", "list", "--json"], "").json();
    let id = waiting["approvals"][0]["id"].as_str().unwrap();
    let shown = doorward.run(&["approval", "show", id], "").succeeded();
    assert!(shown.contains("pager 7"), "{shown}");
    assert!(running.stop().success());
}

#[test]
fn a_tool_routers_words_do_an_operation_at_the_gateway() {
    let upstream = Upstream::start();
    let (doorward, running) = started(&upstream);
    let token = capability(&running, "&integrations=house");
    let execute =
        |body: &str| post(&running, "/v1/tools:execute", &token, "Content-Type: application/json\r\n", body);
    let done = execute(
        r#"{"Tool": "house", "Action": "look", "Input": {"path": "echo"}, "ToolCallID": "tool_7", "Context": {"tenant_id": "t"}}"#,
    );
    assert_eq!(done.status, 200, "{}", done.text());
    let said = done.json();
    assert_eq!((&said["tool_call_id"], &said["Used"]), (&"tool_7".into(), &"api".into()), "{said}");
    let output = crypto::from_base64(said["Output"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&output).contains("/echo"), "{said}");
    let named = execute(
        r#"{"tool": "house", "action": "look", "input": {"path": "echo"}, "execution_id": "exec_1"}"#,
    );
    assert_eq!(named.json()["tool_call_id"], format!("tool_{}", named.json()["evidence"].as_str().unwrap()));
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        (r#"{"tool": "house"}"#, 400),
        (r#"{"tool": "house", "Tool": "house", "action": "look"}"#, 400),
        (r#"{"tool": "house", "action": "look", "inputs": {}}"#, 400),
        (r#"{"tool": "house", "action": "look", "input": []}"#, 400),
        (r#"{"tool": "house", "action": "look", "input": {"path": "echo", "path": "echo"}}"#, 400),
        (r#"{"tool": "kubectl", "action": "scale", "input": {"name": "x"}}"#, 403),
        (r#"{"tool": "doorward", "action": "secret.list"}"#, 404),
        (r#"{"tool": "rm -rf", "action": "/"}"#, 400),
    ] {
        let said = execute(body);
        let fits = said.status == status || (status == 403 && [400, 404].contains(&said.status));
        assert!(fits, "{body}: {} {}", said.status, said.text());
    }
    for (body, words) in [
        (r#"{"tool": "kubectl", "action": "nope"}"#, "unsupported action: nope"),
        (r#"{"tool": "house", "action": "nope"}"#, "unsupported action: nope"),
        (r#"{"tool": "nope", "action": "look"}"#, "unknown tool"),
        (r#"{"tool": "house", "action": "look"}"#, "path required"),
    ] {
        let said = execute(body);
        assert_eq!(
            (said.status, said.json()["detail"].as_str()),
            (400, Some(words)),
            "{body}: {}",
            said.text()
        );
    }
    for (body, status) in [("[]", 400), ("[{\"path\": \"echo\"}]", 400), ("\"\"", 400)] {
        let json = "Content-Type: application/json\r\n";
        let said = post(&running, "/v1/operations/house/look?path=echo", &token, json, body);
        assert_eq!(said.status, status, "{body}: {}", said.text());
    }
    let nobody = post(&running, "/v1/tools:execute", "nothing", "", r#"{"tool": "house", "action": "look"}"#);
    assert_eq!(nobody.status, 401, "{}", nobody.text());
    let asked = upstream.requests().len();
    assert_eq!(asked, 2, "nothing else was sent");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_tool_router_sees_its_tools_at_the_gateway() {
    let upstream = Upstream::start();
    let (_doorward, running) = started(&upstream);
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!("GET /v1/tools HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let listed = gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap().json();
    let tools = listed["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 16);
    let of = |name: &str| tools.iter().find(|tool| tool["Name"] == name).unwrap();
    assert_eq!((&of("kubectl")["CLI"], &of("kubectl")["SupportsAPI"]), (&"kubectl".into(), &true.into()));
    assert_eq!((&of("git")["CLI"], &of("git")["SupportsAPI"]), (&"git".into(), &false.into()));
    assert_eq!((&of("prometheus")["CLI"], &of("prometheus")["SupportsAPI"]), (&"".into(), &true.into()));
    let asked = |line: &str| {
        let request =
            format!("{line} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    assert_eq!(asked("GET /tools").json(), listed, "the short path");
    for (path, nothing) in [("/v1/resources", "resources"), ("/v1/prompts", "prompts")] {
        assert_eq!(asked(&format!("GET {path}")).json(), serde_json::json!({ nothing: [] }));
    }
    for (line, status) in [
        ("GET /v1/tools/logs?tool_call_id=tool_1", 501),
        ("POST /v1/resources:resolve", 501),
        ("POST /v1/tools/logs", 405),
        ("GET /v1/resources:resolve", 405),
        ("GET /execute", 405),
    ] {
        assert_eq!(asked(line).status, status, "{line}");
    }
    // It is a call as any other: an empty body is refused, not looked for elsewhere.
    assert_eq!(asked("POST /execute").status, asked("POST /v1/tools:execute").status);
    assert!(running.stop().success());
}
