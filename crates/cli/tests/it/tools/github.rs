//! `gh` itself, and requests, on a server of GitHub Enterprise that is written from the vendor's documents; TLS before it is nginx.

use std::process::Command;

use serde_json::{Value, json};
use testkit::vendor::GitHub;
use testkit::{Doorward, port};

use super::{Started, Watch, done, has, op, record, settings};
use crate::{has_sandbox, home, write, write_integration};

const NAME: &str = "tools-github";
const COMMIT: &str = "aa218f56b14c9653891f9e74264a383fa43fefbd";
const OF: [(&str, &str); 2] = [("owner", "acme"), ("repo", "shop")];

/// TLS before a server, with a certificate that signs itself. The port, and where the certificate is.
pub(super) fn secured(doorward: &Doorward, url: &str) -> (Started, u16, String) {
    let at = doorward.folder().join("nginx");
    std::fs::create_dir_all(at.join("logs")).unwrap();
    let (certificate, key) = testkit::certificate::self_signed("127.0.0.1");
    write(at.join("certificate.pem"), &certificate);
    write(at.join("key.pem"), &key);
    let port = port();
    let here = at.display();
    write(
        at.join("nginx.conf"),
        &format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/logs/error.log;\nevents {{}}\nhttp {{ access_log off;\n\
             client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c; uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {here}/certificate.pem; ssl_certificate_key {here}/key.pem;\n\
             location / {{ proxy_pass {url}; proxy_set_header Host $http_host; }} }} }}\n"
        ),
    );
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&at).arg("-c").arg(at.join("nginx.conf"));
    let mut nginx = Started::new(doorward.folder(), "nginx", command);
    nginx.until("nginx", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (nginx, port, at.join("certificate.pem").display().to_string())
}

/// A server of one's own is told to the program by a file of one's own, as the guide shows it.
fn own(port: u16, ca: &str) -> String {
    format!(
        r#"name: hub
extends: github
base_url: https://127.0.0.1:{port}/api/v3
dangerous_allow_private: true
tls: {{ca: {ca}}}
cli:
  program: gh
  version: [--version]
  environment: {{GH_HOST: "{{host}}", GH_CONFIG_DIR: "{{files}}", GH_PROMPT_DISABLED: "1", GH_NO_UPDATE_NOTIFIER: "1", NO_COLOR: "1", HOME: "{{folder}}", SSL_CERT_FILE: "{{ca}}"}}
  files:
    config.yml: |
      version: "1"
    hosts.yml: |
      "{{host}}":
        oauth_token: "{{credential}}"
        user: doorward
        users:
          doorward:
            oauth_token: "{{credential}}"
"#
    )
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&OF[..], more].concat()
}

/// From a branch to what was merged; what each step left in the evidence is what the server knows.
#[track_caller]
fn story(doorward: &Doorward, vendor: &GitHub, used: &str, branch: &str) {
    let did = |name: &str, inputs: &[(&str, &str)]| -> Value {
        let told = done(doorward, name, &with(inputs));
        assert_eq!(told["used"], used, "{told}");
        let kept = record(doorward, &told);
        for (field, value) in told["evidence_fields"].as_object().unwrap() {
            let line = format!("{field}={}", value.as_str().unwrap());
            assert!(kept.contains(&line), "{line} in {kept}");
        }
        told["evidence_fields"].clone()
    };
    let main = vendor.branch("acme/shop", "main").unwrap();
    assert_eq!(did("hub.branches.show", &[("ref", "heads/main")])["commit"], main);
    let reference = format!("refs/heads/{branch}");
    let fields = did("hub.branches.create", &[("ref", &reference), ("sha", &main)]);
    assert_eq!((&fields["ref"], &fields["commit"]), (&json!(reference), &json!(main)));

    let change = [
        ("path", "docs/a b.md"),
        ("branch", branch),
        ("message", "fix(api): it's $(id)"),
        ("content", "aGk="),
    ];
    let fields = did("hub.contents.write", &change);
    let commit = vendor.branch("acme/shop", branch).unwrap();
    assert_ne!(commit, main);
    assert_eq!(fields["commit"], commit);
    assert_eq!(fields["url"], format!("https://github.example/acme/shop/commit/{commit}"));

    let pull = [("head", branch), ("base", "main"), ("title", "Fix: \"it\" `now`"), ("body", "one\ntwo")];
    let fields = did("hub.pulls.create", &pull);
    let number = if used == "cli" { 7 } else { 8 };
    let kept = vendor.pull("acme/shop", number).unwrap();
    assert_eq!(
        (&kept["title"], &kept["body"].as_str().unwrap().trim()),
        (&json!("Fix: \"it\" `now`"), &"one\ntwo")
    );
    assert_eq!((&fields["url"], &fields["commit"]), (&kept["html_url"], &kept["head"]["sha"]));

    let number = number.to_string();
    let fields = did("hub.pulls.show", &[("number", &number)]);
    assert_eq!((&fields["url"], &fields["commit"]), (&kept["html_url"], &kept["head"]["sha"]));
    let fields = did("hub.pulls.list", &[("state", "open")]);
    assert!(fields["pulls"].as_str().unwrap().contains(kept["html_url"].as_str().unwrap()));
    assert!(fields["commits"].as_str().unwrap().contains(&commit));
    let fields = did("hub.statuses.create", &[("sha", &commit), ("state", "success"), ("context", "ops")]);
    assert_eq!(fields["url"], format!("https://github.example/api/v3/repos/acme/shop/statuses/{commit}"));

    // Only where nothing was pushed in between.
    let (told, was_done) = op(doorward, "hub.pulls.merge", &with(&[("number", &number), ("sha", &main)]));
    assert!(!was_done && told.to_string().contains("Head branch was modified"), "{told}");
    let fields = did("hub.pulls.merge", &[("number", &number), ("method", "squash"), ("sha", &commit)]);
    assert_eq!(fields["commit"], vendor.branch("acme/shop", "main").unwrap());
    assert_eq!(fields["merged"], "true");
    assert_eq!(
        vendor.pull("acme/shop", number.parse().unwrap()).unwrap()["merge_commit_sha"],
        fields["commit"]
    );

    // Once more: the branch is there already. Nothing is tried in another way.
    let before = vendor.calls().len();
    let (told, was_done) = op(doorward, "hub.branches.create", &with(&[("ref", &reference), ("sha", &main)]));
    assert!(!was_done && told.to_string().contains("Reference already exists"), "{told}");
    assert_eq!(vendor.calls().len(), before + 1);
}

#[test]
fn gh_itself_opens_and_merges_a_pull_request_and_so_do_requests() {
    if !has("gh", NAME) || !has("nginx", NAME) || !has_sandbox(NAME) {
        return;
    }
    let doorward = home();
    let token = doorward.plant("gh");
    let vendor = GitHub::start();
    vendor.repository(&token, "acme/shop", ("main", COMMIT));
    let (_nginx, port, ca) = secured(&doorward, &vendor.url());
    settings(&doorward, &["/usr/bin".as_ref()], &[]);
    write_integration(&doorward, &own(port, &ca));
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "hub/token"], &token).succeeded();
    let watch = Watch::for_secrets(&[&token]);
    story(&doorward, &vendor, "cli", "fix-1");
    settings(&doorward, &[], &[]);
    story(&doorward, &vendor, "http", "fix-2");

    // Whoever the server does not know is told so, and it is a failure.
    settings(&doorward, &["/usr/bin".as_ref()], &[]);
    let wrong = doorward.plant("gh-wrong");
    let _ = doorward.run(&["secret", "rotate", "hub/token"], &wrong).succeeded();
    let (told, was_done) = op(&doorward, "hub.branches.show", &with(&[("ref", "heads/main")]));
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("Bad credentials"), "{told}");
    watch.saw_nothing();
    doorward.assert_no_canary();
}

#[test]
fn the_token_of_an_app_is_of_use_for_one_repository_and_what_the_operation_needs() {
    if !has("gh", NAME) || !has("nginx", NAME) || !has_sandbox(NAME) {
        return;
    }
    let doorward = home();
    let vendor = GitHub::start();
    vendor.repository("unused-by-the-app", "acme/shop", ("main", COMMIT));
    vendor.repository("unused-by-the-app", "acme/other", ("main", COMMIT));
    let key = vendor.app("4711");
    // A line of the key, and what each token begins with.
    doorward.watch(key.lines().nth(2).unwrap());
    doorward.watch("ghs_CANARY0000000000");
    let (_nginx, port, ca) = secured(&doorward, &vendor.url());
    let app = "secrets: {private_key: {title: Key of the app}}\n\
               auth: [{scheme: github_app, app_id: \"4711\", installation_id: \"1\", key: private_key}]\n";
    write_integration(&doorward, &format!("{}{app}", own(port, &ca)));
    settings(&doorward, &["/usr/bin".as_ref()], &[]);
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "hub/private_key"], &key).succeeded();
    let asked = || -> Vec<Value> {
        let calls = vendor.calls().into_iter();
        calls.filter(|call| call.path.ends_with("/access_tokens")).map(|call| call.json()).collect()
    };

    for (path, used) in [("/usr/bin", "cli"), ("/nowhere", "http")] {
        settings(&doorward, &[path.as_ref()], &[]);
        let told = done(&doorward, "hub.branches.show", &with(&[("ref", "heads/main")]));
        assert_eq!((&told["used"], &told["evidence_fields"]["commit"]), (&json!(used), &json!(COMMIT)));
        let narrowed = json!({ "repositories": ["shop"], "permissions": { "contents": "read" } });
        assert_eq!(asked().last(), Some(&narrowed));
        assert!(record(&doorward, &told).contains("minted=github_app "));
        let state = [("sha", COMMIT), ("state", "success"), ("context", used)];
        let _ = done(&doorward, "hub.statuses.create", &with(&state));
        let narrowed = json!({ "repositories": ["shop"], "permissions": { "statuses": "write" } });
        assert_eq!(asked().last(), Some(&narrowed));
    }
    // What the app was not granted is not asked for with less.
    let refused =
        doorward.run(&["op", "run", "hub.runs.list", "--input", "owner=acme", "--input", "repo=shop"], "");
    let refused = refused.failed_with(1);
    assert!(refused.contains("refused with 422"), "{refused}");
    doorward.assert_no_canary();
}
