//! Operations by name: by a program where it is here, else by a request, else refused; with what is recorded of each.
//!
//! The program is a script that prints what it was given: arguments, environment, what it reads, and the file with the credential.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::network_wire::{answer, capability, gateway};
use crate::programs_strings::hostile;
use crate::{has_sandbox, home, write, write_integration};

/// A service with a program.
struct Stage {
    doorward: Doorward,
    upstream: Upstream,
    programs: PathBuf,
}

const SHOW: &str = r#"printf '{"args":['
comma=; for arg in "$@"; do printf '%s"%s"' "$comma" "$(printf '%s' "$arg" | od -An -tx1 -v | tr -d ' \n')"; comma=,; done
printf '],"names":"%s","stdin":"%s","config":"%s","metadata":{"version":"7"}}' "$(env | cut -d= -f1 | sort | tr '\n' ' ')" "$(cat)" "$(cat "$STUBCONFIG" | tr -d '"\n')"
"#;

/// A home with the service, its credential, and a folder of programs.
fn stage(settings: &str) -> Stage {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    let programs = doorward.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    write_integration(
        &doorward,
        &format!(
            r#"name: cluster
title: Cluster
base_url: {}
dangerous_allow_private: true
secrets: {{token: {{title: T}}}}
auth: [{{scheme: bearer, secret: token}}]
limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}
cli:
  program: stubctl
  version: [version]
  environment: {{STUBCONFIG: "{{file:config}}", SERVER: "{{base_url}}"}}
  files: {{config: "token: \"{{secret:token}}\"\n"}}
operations:
  pods.list:
    title: List
    access: read
    risk: low
    match: {{method: GET, path: /json/pods}}
    inputs: {{selector: {{in: query, field: labelSelector}}}}
    evidence: {{version: metadata.version}}
    cli: {{args: [get, pods, "--selector={{selector}}"], evidence: {{version: metadata.version}}}}
  pods.scale:
    title: Scale
    access: write
    risk: medium
    match: {{method: POST, path: /json/scale}}
    body: json
    inputs: {{replicas: {{in: body, type: integer}}}}
    cli: {{args: [scale, "--replicas={{replicas}}"]}}
  words:
    title: Words
    access: read
    risk: low
    http: none
    why: it is a test
    inputs: {{words: {{in: command, type: list, multiline: true}}, labels: {{in: command, type: list, multiline: true}}}}
    cli: {{args: [words, "--label={{labels...}}", "--", "{{words...}}"]}}
"#,
            upstream.url()
        ),
    );
    write(doorward.data().join("settings.toml"), &format!("[operations]\npath = [{programs:?}]\n{settings}"));
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "cluster/token"], upstream.canary()).succeeded();
    Stage { doorward, upstream, programs }
}

impl Stage {
    fn program(&self, lines: &str) {
        testkit::program(self.programs.join("stubctl"), &format!("#!/bin/sh\n{lines}\n"));
    }

    fn run(&self, args: &[&str]) -> testkit::Output {
        let args = [&["op", "run", "--json"], args].concat();
        self.doorward.run(&args, "")
    }

    /// Everything that is recorded of a call.
    fn record(&self, answer: &Value) -> String {
        let id = answer["evidence"].as_str().unwrap();
        self.doorward.run(&["evidence", "show", id, "--json"], "").succeeded()
    }
}

fn unhex(value: &Value) -> Vec<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let one = |text: &Value| {
        String::from_utf8(text.as_str().unwrap().as_bytes().chunks(2).map(byte).collect()).unwrap()
    };
    value.as_array().unwrap().iter().map(one).collect()
}

#[test]
fn a_program_that_is_here_does_the_operation_and_no_request_is_sent() {
    if !has_sandbox("programs") {
        return;
    }
    let stage = stage("");
    stage.program(SHOW);
    let done = stage.run(&["cluster.pods.list", "--input", "selector=app in (a,b)"]).json();
    assert_eq!((done["used"].as_str(), done["exit"].as_u64()), (Some("cli"), Some(0)), "{done}");
    assert_eq!(unhex(&done["output"]["args"]), ["get", "pods", "--selector=app in (a,b)"]);
    assert_eq!(done["evidence_fields"]["version"], "7");
    // What it read of its file is the credential, which is masked in what it printed.
    let config = done["output"]["config"].as_str().unwrap();
    assert!(config.starts_with("token: ") && config.len() == 7 + stage.upstream.canary().len(), "{config}");
    let names: Vec<&str> = done["output"]["names"].as_str().unwrap().split_whitespace().collect();
    for name in ["DOORWARD_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "USER", "SSH_AUTH_SOCK"] {
        assert!(!names.contains(&name), "{names:?}");
    }
    assert!(names.contains(&"STUBCONFIG") && names.contains(&"HTTPS_PROXY"), "{names:?}");
    assert!(stage.upstream.requests().is_empty());
    let record = stage.record(&done);
    for part in
        ["used=cli", "argv_sha256=", "program_sha256=", "/stubctl\"", "sandbox=", "exit=0", "version=7"]
    {
        assert!(record.contains(part), "{part} in {record}");
    }
    assert!(!record.contains("app in"), "{record}");
    stage.doorward.assert_no_canary();
}

#[test]
fn without_the_program_a_request_is_sent_and_without_a_request_it_is_refused() {
    let stage = stage("");
    stage.upstream.answer_with("/pods", 200, json!({ "metadata": { "version": "9" } }));
    let done = stage.run(&["cluster.pods.list", "--input", "selector=a=b"]).json();
    assert_eq!((done["used"].as_str(), done["status"].as_u64()), (Some("http"), Some(200)), "{done}");
    assert_eq!(
        (&done["output"]["metadata"]["version"], &done["evidence_fields"]["version"]),
        (&json!("9"), &json!("9"))
    );
    let sent = stage.upstream.last();
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("GET", "/json/pods?labelSelector=a%3Db"));
    let refused = stage.run(&["cluster.words", "--input", "words=x"]).failed_with(1);
    let all = String::from_utf8_lossy(&stage.doorward.printed()).into_owned();
    assert!(all.contains("cli not available: `stubctl` is not on the path"), "{refused}{all}");
    assert!(all.contains("it is a test"), "{all}");
    stage.doorward.assert_no_canary();
}

#[test]
fn a_program_that_failed_is_not_followed_by_a_request() {
    if !has_sandbox("programs") {
        return;
    }
    let stage = stage("");
    stage.program("echo 'could not do it' >&2; echo '{\"partly\": true}'; exit 3");
    let run = stage.run(&["cluster.pods.scale", "--input", "replicas=3"]);
    assert_eq!(run.status.code(), Some(1));
    let done: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (done["exit"].as_u64(), done["status_of_operation"].as_str()),
        (Some(3), Some("failed")),
        "{done}"
    );
    assert!(done["stderr"].as_str().unwrap().contains("could not do it"));
    assert!(stage.upstream.requests().is_empty());
    assert!(stage.record(&done).contains("failed"));
}

#[test]
fn a_status_that_means_no_is_a_failure_in_answer_exit_and_evidence() {
    let stage = stage("");
    for status in [401, 403, 404, 429, 500] {
        stage.upstream.answer_with("/pods", status, json!({ "message": "no" }));
        let run = stage.run(&["cluster.pods.list"]);
        assert_eq!(run.status.code(), Some(1), "{status}");
        let done: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (done["status"].as_u64(), &done["output"]["message"]),
            (Some(status.into()), &json!("no"))
        );
        let record = stage.record(&done);
        assert!(record.contains("failed") && !record.contains("\"done\""), "{record}");
    }
}

#[test]
fn hostile_strings_are_arguments_and_nothing_else() {
    if !has_sandbox("programs") {
        return;
    }
    let stage = stage("");
    stage.program(SHOW);
    let strings = hostile();
    assert!(strings.len() >= 500, "{}", strings.len());
    let running = stage.doorward.start_up(&[]);
    for part in strings.chunks(120) {
        let body = json!({ "inputs": { "words": part, "labels": part } });
        let path = stage.doorward.folder().join("body.json");
        write(&path, &body.to_string());
        let list = json!(part).to_string();
        let words = format!("words={list}");
        let labels = format!("labels={list}");
        let done = stage.run(&["cluster.words", "--input", &words, "--input", &labels]).json();
        let mut expected = vec!["words".to_owned()];
        expected.extend(part.iter().map(|one| format!("--label={one}")));
        expected.push("--".to_owned());
        expected.extend(part.iter().cloned());
        assert_eq!(unhex(&done["output"]["args"]), expected);
    }
    assert!(running.stop().success());
    assert!(!std::path::Path::new("/tmp/doorward-injected").exists());
}

#[test]
fn an_argument_that_would_be_an_option_is_refused() {
    let stage = stage("");
    stage.program(SHOW);
    write_integration(
        &stage.doorward,
        &format!(
            "name: bare\nextends: cluster\nbase_url: {}\ndangerous_allow_private: true\n",
            stage.upstream.url()
        ),
    );
    for replicas in ["--all", "-1 --all", "1; id", "$(id)"] {
        let input = format!("replicas={replicas}");
        let _ = stage.run(&["cluster.pods.scale", "--input", &input]).failed_with(1);
    }
    assert!(stage.upstream.requests().is_empty());
}

#[test]
fn our_own_link_of_the_programs_name_is_not_the_program() {
    if !has_sandbox("programs") {
        return;
    }
    let stage = stage("");
    let links = stage.doorward.folder().join("links");
    fs::create_dir(&links).unwrap();
    symlink(env!("CARGO_BIN_EXE_doorward"), links.join("stubctl")).unwrap();
    let path = format!("[operations]\npath = [{links:?}, {:?}]\n", stage.programs);
    write(stage.doorward.data().join("settings.toml"), &path);
    stage.upstream.answer_with("/pods", 200, json!({}));
    assert_eq!(stage.run(&["cluster.pods.list"]).json()["used"], "http");
    stage.program(SHOW);
    assert_eq!(stage.run(&["cluster.pods.list"]).json()["used"], "cli");
}

#[test]
fn no_sandbox_is_a_word_of_the_settings_and_of_the_record() {
    let stage = stage("sandbox = \"none\"\n");
    stage.program(SHOW);
    let done = stage.run(&["cluster.pods.list"]).json();
    assert_eq!(done["sandbox"], "none");
    assert!(stage.record(&done).contains("sandbox=none"));
    write(stage.doorward.data().join("settings.toml"), "[operations]\nsandbox = \"off\"\n");
    let _ = stage.run(&["cluster.pods.list"]).failed_with(2);
}

#[test]
fn a_dry_run_shows_everything_and_does_nothing() {
    let stage = stage("");
    stage.program("touch \"$HOME/x\"; exit 9");
    let shown = stage.run(&["cluster.pods.list", "--input", "selector=a b", "--dry-run"]).json();
    assert_eq!(shown["would_use"], "cli");
    assert_eq!(shown["cli"]["args"], json!(["get", "pods", "--selector=a b"]));
    assert_eq!(shown["cli"]["files"]["config"], "token: \"{secret:token}\"\n");
    assert_eq!(shown["request"]["url"], format!("{}/json/pods?labelSelector=a%20b", stage.upstream.url()));
    assert_eq!(shown["policy"]["answer"], "allow");
    assert!(stage.upstream.requests().is_empty());
    stage.doorward.assert_no_canary();
}

#[test]
fn a_dry_run_shows_what_the_request_would_be_and_names_the_group_that_a_resource_is_in() {
    let stage = stage("");
    write_integration(
        &stage.doorward,
        &format!(
            "name: kube\nextends: kubernetes\nbase_url: {}\ndangerous_allow_private: true\n",
            stage.upstream.url()
        ),
    );
    let place = ["--input", "namespace=prod", "--input", "resource=deployments", "--input", "name=api"];
    let run =
        |operation: &str, more: &[&str]| stage.run(&[&[operation, "--dry-run"], &place[..], more].concat());
    // A request needs the time of a restart, which is that of the call.
    let shown = run("kube.rollout.restart", &[]).json();
    assert!(
        shown["would_use"] == "http" && shown["request"]["body"].as_str().unwrap().contains("[the time"),
        "{shown}"
    );
    let url = format!("{}/apis/apps/v1/namespaces/prod/deployments/api", stage.upstream.url());
    assert_eq!(run("kube.get", &[]).json()["request"]["url"], url);
    assert_eq!(run("kube.patch.merge", &["--input", "patch={}"]).json()["request"]["url"], url);
    assert!(stage.upstream.requests().is_empty());
}

#[test]
fn a_dry_run_with_a_capability_is_about_its_holder() {
    let stage = stage("");
    let file = stage.doorward.folder().join("reads.cap");
    let path = file.to_str().unwrap();
    let made = "capability request --for bot --integrations cluster --access read --uses 3 --json --output";
    let made: Vec<&str> = made.split(' ').chain([path]).collect();
    let made = stage.doorward.run(&made, "").json();
    let dry = |more: &[&str]| {
        stage.run(&[&["cluster.pods.scale", "--input", "replicas=2", "--dry-run"], more].concat()).json()
    };
    assert!(dry(&[])["capability"].is_null());
    let shown = dry(&["--capability", path]);
    assert_eq!(
        (&shown["capability"]["for"], &shown["capability"]["state"]),
        (&json!("bot"), &json!("active"))
    );
    assert!(shown["capability"]["caveats"].to_string().contains("read"), "{shown}");
    assert_ne!(shown["policy"], dry(&[])["policy"], "it is not about the owner");
    // What its caveats say about the call is said, and about what nothing can be said yet.
    assert_eq!(shown["policy"]["answer"], "deny", "{shown}");
    assert!(shown["capability"]["broken"][0].as_str().unwrap().contains("read"), "{shown}");
    assert!(shown["capability"]["not_evaluated"][0].as_str().unwrap().contains('3'), "{shown}");
    let grant = made["grant"].as_str().unwrap_or_else(|| panic!("{made}"));
    let _ = stage.doorward.run(&["capability", "revoke", grant], "").succeeded();
    let shown = dry(&["--capability", path]);
    assert_eq!(
        (&shown["policy"]["answer"], &shown["policy"]["reason"]),
        (&json!("deny"), &json!("the capability is revoked"))
    );
}

#[test]
fn the_gateway_performs_operations_with_a_capability_and_none_without() {
    if !has_sandbox("programs") {
        return;
    }
    let stage = stage("");
    stage.program(SHOW);
    let running = stage.doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let token = capability(&running, "&integrations=cluster&access=read");
    let host = running.gateway_url.trim_start_matches("http://");
    let ask = |operation: &str, more: &str, body: &str| {
        let request = format!(
            "POST /v1/operations/cluster/{operation} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let reply = ask("pods.list", &bearer, r#"{"inputs": {"selector": "a"}}"#);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json();
    assert_eq!(told["answer"]["used"], "cli");
    assert_eq!(unhex(&told["answer"]["output"]["args"]), ["get", "pods", "--selector=a"]);
    assert_eq!(ask("pods.list", "", "").status, 401);
    assert_eq!(ask("pods.scale", &bearer, r#"{"inputs": {"replicas": 1}}"#).status, 403);
    assert_eq!(ask("pods.list", &bearer, r#"{"inputs": {"selector": "a", "selector": "b"}}"#).status, 400);
    assert_eq!(ask("pods.gone", &bearer, "").status, 400);
    stage.program("exit 1");
    assert_eq!(ask("pods.list", &bearer, "").status, 502);
    let listed = answer(&running, "evidence.list", b"").to_string();
    assert!(listed.contains("pods.list"), "{listed}");
    assert!(running.stop().success());
    stage.doorward.assert_no_canary();
}

#[test]
fn operations_of_a_service_without_an_address_are_shown_with_what_has_to_be_written() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let listed = doorward.run(&["op", "list", "kubernetes"], "");
    assert!(
        listed.stderr.contains("extends: kubernetes\n    domain: kubernetes.example.com"),
        "{}",
        listed.stderr
    );
    assert!(listed.succeeded().contains("kubernetes.rollout.restart"));
    let shown = doorward.run(&["op", "show", "kubernetes.scale", "--json"], "").json();
    assert_eq!((&shown["access"], &shown["cli"]["program"]), (&json!("write"), &json!("kubectl")));
    let all = doorward.run(&["op", "list", "--access", "read", "--json"], "").json();
    assert!(all["operations"].as_array().unwrap().len() > 100);
    // To perform one it has to be known where.
    let refused = doorward.run(&["op", "run", "kubernetes.version.show"], "").failed_with(1);
    assert!(refused.contains("needs your own domain"), "{refused}");
    let refused = doorward.run(&["op", "show", "kubernetes.scales"], "").failed_with(1);
    assert!(refused.contains("did you mean `kubernetes.scale`?"), "{refused}");
}
