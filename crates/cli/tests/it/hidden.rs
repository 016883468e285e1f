//! What is not given away: fields of replies that are hidden, inputs that are secrets, the folders of Doorward itself; and output that is
//! too much.

use serde_json::{Value, json};
use testkit::Demand;
use testkit::{Doorward, Running, Upstream};

use crate::network_wire::{call, capability};
use crate::{home, write, write_integration};

const VALUE: &str = "xoxb-CANARY-of-a-kv-value";

/// A home with a Vault without its program, in which `app/db` holds the value.
fn vault() -> (Doorward, Upstream, Running) {
    let shown = Demand::Header("x-vault-token".to_owned(), testkit::canary::plant("vault"));
    let (doorward, upstream) = (home(), Upstream::demanding(shown));
    doorward.watch(upstream.canary());
    write_integration(
        &doorward,
        &format!(
            "name: vault\nextends: vault\nbase_url: {}/json\ndangerous_allow_private: true\n",
            upstream.url()
        ),
    );
    write(doorward.data().join("settings.toml"), "[operations]\npath = []\n");
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "vault/token"], upstream.canary()).succeeded();
    upstream.answer_with(
        "/v1/secret/data/app/db",
        200,
        json!({"data": {"data": {"password": VALUE}, "metadata": {"version": 1}}}),
    );
    (doorward, upstream, running)
}

#[test]
fn a_capability_for_what_hides_a_reply_is_no_key_to_the_whole_reply() {
    let (doorward, upstream, running) = vault();
    let path = "/vault/v1/secret/data/app/db";
    let ask = |method: &str, token: &str| call(&running.gateway_url, method, path, token).unwrap();
    let named = capability(&running, "&operations=vault/kv.read");
    let reads = capability(&running, "&integrations=vault&access=read");
    for token in [&named, &reads] {
        for method in ["GET", "HEAD"] {
            let reply = ask(method, token);
            assert_eq!(reply.status, 403, "{method}: {}", reply.text());
        }
    }
    assert!(upstream.requests().is_empty());
    // By its name it is done, and says what it says it does.
    write(doorward.folder().join("named"), &named);
    let by_name =
        ["op", "run", "vault.kv.read", "--input", "mount=secret", "--input", "path=app/db", "--json"];
    let told = doorward.run(&[&by_name[..], &["--capability", "named"]].concat(), "").json();
    assert_eq!(told["output"]["data"]["data"]["password"], "(hidden)", "{told}");
    assert!(!told.to_string().contains(VALUE));
    // Whoever may send anything may send this.
    let all = capability(&running, "&integrations=vault");
    let reply = ask("GET", &all);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains(VALUE));
    // What a policy says of the operation holds for a request that may be it.
    write(
        doorward.folder().join("no.cedar"),
        "@id(\"nobody-reads\") forbid (principal, action == Doorward::Action::\"vault/kv.read\", resource);",
    );
    let _ = doorward.run(&["policy", "put", "no", "no.cedar"], "").succeeded();
    let reply = ask("GET", &all);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(reply.text().contains("a policy speaks of `vault/kv.read`"), "{}", reply.text());
    assert!(running.stop().success());
}

#[test]
fn a_secret_among_the_inputs_is_shown_to_nobody() {
    let (doorward, upstream, running) = vault();
    let canary = testkit::canary::plant("input");
    doorward.watch(&canary);
    let data = json!({ "password": canary }).to_string();
    let input = format!("data={data}");
    let write_it = [
        "op",
        "run",
        "vault.kv.write",
        "--json",
        "--input",
        "mount=secret",
        "--input",
        "path=app/new",
        "--input",
        &input,
    ];
    let dry = doorward.run(&[&write_it[..], &["--dry-run"]].concat(), "").succeeded();
    assert!(dry.contains("[hidden]") && dry.contains("sha256:"), "{dry}");

    upstream.answer_with(
        "/v1/secret/data/app/new",
        200,
        json!({"data": {"version": 2}, "echo": [format!("it was {canary}")]}),
    );
    let token = capability(&running, "&integrations=vault&approval=writes");
    write(doorward.folder().join("held"), &token);
    let held = [&write_it[..], &["--capability", "held"]].concat();
    let asked = doorward.run(&held, "");
    assert!(!asked.status.success());
    let waiting = doorward.run(&["approval", "list", "--json"], "").json();
    let id = waiting["approvals"][0]["id"].as_str().unwrap().to_owned();
    for args in [&["approval", "show", &id][..], &["approval", "show", &id, "--json"]] {
        let shown = doorward.run(args, "").succeeded();
        assert!(shown.contains("[hidden]") && shown.contains("sha256:"), "{shown}");
    }
    let _ = doorward.run(&["approval", "approve", &id], "").succeeded();
    let told: Value = doorward.run(&[&held[..], &["--approval", &id]].concat(), "").json();
    assert_eq!((&told["status"], &told["evidence_fields"]["version"]), (&json!(200), &json!("2")), "{told}");
    // The service got it, and what it said of it is masked.
    let sent = String::from_utf8(upstream.last().body.to_vec()).unwrap();
    assert!(sent.contains(&canary), "{sent}");

    // A request at the gateway that is this write shows as little.
    let body = json!({ "data": { "password": canary } }).to_string();
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!(
        "POST /vault/v1/secret/data/app/new HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = crate::network_wire::gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
    assert_eq!(reply.refusal().as_deref(), Some("approval_required"), "{}", reply.text());
    let id = reply.header("x-doorward-approval").unwrap();
    let shown = doorward.run(&["approval", "show", &id], "").succeeded();
    assert!(shown.contains("[hidden]"), "{shown}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

/// A home with a program that does what `lines` say, in a folder of the caller's where one is given.
fn stub(lines: &str, folders: &[&std::path::Path]) -> Doorward {
    let doorward = home();
    let programs = doorward.folder().join("programs");
    std::fs::create_dir(&programs).unwrap();
    testkit::program(programs.join("stubctl"), &format!("#!/bin/sh\n{lines}\n"));
    write_integration(
        &doorward,
        "name: stub\ntitle: Stub\nbase_url: https://stub.example.com\nsecrets: {token: {title: T}}\n\
         auth: [{scheme: bearer, secret: token}]\nlimits: {connect: 30s, head: 60s, total: 2m, idle: 60s}\n\
         cli: {program: stubctl, environment: {CONFIG: \"{file:config}\"}, files: {config: \"{secret:token}\"}}\n\
         operations:\n  work: {title: W, access: read, risk: low, http: none, why: w, inputs: {repository: {}}, cli: {args: [work], output: text, folder: \"{repository}\"}}\n  \
         show: {title: S, access: read, risk: low, http: none, why: w, cli: {args: [show], evidence: {id: id}}}\n  \
         change: {title: C, access: write, risk: low, http: none, why: w, cli: {args: [change], evidence: {id: id}}}\n",
    );
    let settings = format!(
        "[operations]\npath = [{programs:?}, \"/usr/bin\", \"/bin\"]\nsandbox = \"none\"\nfolders = {folders:?}\n"
    );
    write(doorward.data().join("settings.toml"), &settings);
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "stub/token"], testkit::canary::plant("stub")).succeeded();
    doorward
}

#[test]
fn no_program_works_in_the_home_of_doorward_or_around_it() {
    let doorward = stub("pwd", &[]);
    let root = doorward.folder().to_owned();
    let programs = root.join("programs");
    let settings = format!(
        "[operations]\npath = [{programs:?}, \"/usr/bin\", \"/bin\"]\nsandbox = \"none\"\nfolders = [{root:?}]\n"
    );
    write(doorward.data().join("settings.toml"), &settings);
    let work = root.join("work");
    std::fs::create_dir(&work).unwrap();
    let link = root.join("link");
    std::os::unix::fs::symlink(doorward.data(), &link).unwrap();
    let run = |folder: &std::path::Path| {
        let input = format!("repository={}", folder.display());
        doorward.run(&["op", "run", "--json", "stub.work", "--input", &input], "")
    };
    for closed in [doorward.data(), doorward.data().join("integrations"), root, link] {
        let refused = run(&closed);
        assert!(!refused.status.success(), "{}", closed.display());
        let told = refused.stdout + &refused.stderr;
        assert!(told.contains("files of Doorward itself"), "{told}");
    }
    let told = run(&work).json();
    assert!(told["output"].as_str().unwrap().contains("work"), "{told}");
}

#[test]
fn output_that_is_too_much_is_cut_and_the_outcome_stays_what_it_is() {
    let doorward =
        stub("printf '{\"id\":\"7\",\"all\":\"'; head -c 6000000 /dev/zero | tr '\\0' x; printf '\"}'", &[]);
    for operation in ["stub.show", "stub.change"] {
        let told = doorward.run(&["op", "run", "--json", operation], "").json();
        assert_eq!(
            (&told["cut"], &told["exit"], &told["output"]),
            (&json!(true), &json!(0), &Value::Null),
            "{operation}"
        );
        assert_eq!(told["printed"], json!(6_000_019), "{operation}");
        let id = told["evidence"].as_str().unwrap();
        let record = doorward.run(&["evidence", "show", id, "--json"], "").succeeded();
        assert!(record.contains("\"done\"") && record.contains("exit=0"), "{record}");
        assert!(!record.contains("id=7"), "{record}");
    }
}
