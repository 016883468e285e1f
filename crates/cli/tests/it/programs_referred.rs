//! Values that a call names and does not hold: where they come from, who may read them, and that nothing runs with others.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::{home, write, write_integration};

struct Stage {
    doorward: Doorward,
    upstream: Upstream,
    ran: PathBuf,
}

/// A home with Helm, a server of values and a forge. Helm prints the values that it gets and leaves a trace of each run.
fn stage() -> Stage {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    let url = upstream.url();
    let (programs, ran) = (doorward.folder().join("programs"), doorward.folder().join("ran"));
    std::fs::create_dir(&programs).unwrap();
    let script = format!(
        "#!/bin/sh\ntouch {ran:?}\nfor arg; do case $arg in --values=*) ls -l \"${{arg#--values=}}\" >&2; cat \"${{arg#--values=}}\" >&2;; esac; done; echo '{{}}'\n"
    );
    testkit::program(programs.join("helm"), &script);
    let place = format!("base_url: {url}/json\ndangerous_allow_private: true\n");
    let service = "secrets: {token: {title: T}}\nauth: [{scheme: bearer, secret: token}]\n\
                   limits: {connect: 30s, head: 60s, total: 2m, idle: 60s}\n";
    write_integration(&doorward, &format!("name: releases\nextends: helm\n{place}"));
    let read = "operations:\n  values.read:\n    {title: Read, access: read, risk: low, match: {method: GET, path: \"/values/{name}\"}}\n";
    write_integration(
        &doorward,
        &format!(
            "name: files\ntitle: Files\nbase_url: {url}/json/team\ndangerous_allow_private: true\n{service}{read}"
        ),
    );
    write_integration(
        &doorward,
        &format!(
            "name: forge\nextends: github\nbase_url: {url}/json/api/v3\ndangerous_allow_private: true\nauth: [{{scheme: bearer, secret: token}}]\n"
        ),
    );
    write(
        doorward.data().join("settings.toml"),
        &format!("[operations]\npath = [{programs:?}, \"/usr/bin\", \"/bin\"]\nsandbox = \"none\"\n"),
    );
    let _ = doorward.run(&["init"], "").succeeded();
    for name in ["releases", "files", "forge"] {
        let _ = doorward.run(&["secret", "put", &format!("{name}/token")], upstream.canary()).succeeded();
    }
    Stage { doorward, upstream, ran }
}

impl Stage {
    /// What stands behind `https://` for this path of the server.
    fn at(&self, path: &str) -> String {
        format!("{}/json/{path}", self.upstream.url().trim_start_matches("http://"))
    }

    fn upgrade(&self, reference: &str, more: &[&str]) -> testkit::Output {
        let reference = format!("values_ref={reference}");
        let args = ["op", "run", "--json", "releases.release.upgrade", "--input", "release=web", "--input"];
        let args = [&args[..], &["chart=repo/web", "--input", &reference], more].concat();
        self.doorward.run(&args, "")
    }
}

fn digest(values: &Value) -> String {
    crypto::to_hex(&crypto::sha256(&[values.to_string().as_bytes()]))
}

#[test]
fn values_are_read_where_the_reference_says_and_both_calls_are_on_record() {
    let stage = stage();
    let values = json!({ "replicas": 3 });
    stage.upstream.answer_with("/team/values/web", 200, values.clone());
    let told =
        stage.upgrade(&format!("https://{}#sha256={}", stage.at("team/values/web"), digest(&values)), &[]);
    let told = told.json();
    assert!(told["stderr"].as_str().unwrap().ends_with(&values.to_string()), "{told}");
    // The file is the program's alone.
    assert!(told["stderr"].as_str().unwrap().starts_with("-rw-------"), "{told}");
    let record = |told: &Value| {
        let id = told["evidence"].as_str().unwrap();
        stage.doorward.run(&["evidence", "show", id, "--json"], "").succeeded()
    };
    let kept = record(&told);
    assert!(kept.contains(&format!("values_sha256={}", digest(&values))), "{kept}");
    let read = kept.split("values_ref_read=").nth(1).unwrap().get(..30).unwrap();
    let read = stage.doorward.run(&["evidence", "show", read, "--json"], "").succeeded();
    assert!(read.contains("values.read") && read.contains("files"), "{read}");

    // The same of a repository, by the API of its forge.
    stage.upstream.answer_with("/api/v3/repos/team/infra/contents/web/values.yaml", 200, values.clone());
    let commit = "0123456789012345678901234567890123456789";
    let host = stage.upstream.url().replace("http://", "");
    let of_git =
        format!("git+https://{host}/team/infra.git//web/values.yaml?ref={commit}#sha256={}", digest(&values));
    let told = stage.upgrade(&of_git, &[]).json();
    assert!(told["stderr"].as_str().unwrap().ends_with(&values.to_string()), "{told}");
    let asked = stage.upstream.last();
    assert_eq!(asked.target, format!("/json/api/v3/repos/team/infra/contents/web/values.yaml?ref={commit}"));
    assert_eq!(asked.header("accept"), Some("application/vnd.github.raw+json"));
    stage.doorward.assert_no_canary();
}

#[test]
fn nothing_runs_with_values_that_are_not_those_that_were_named() {
    let stage = stage();
    let values = json!({ "replicas": 3 });
    stage.upstream.answer_with("/team/values/web", 200, json!({ "replicas": 300 }));
    stage.upstream.answer_with("/team/values/none", 404, json!({}));
    let large = json!("x".repeat(1 << 21));
    stage.upstream.answer_with("/team/values/large", 200, large.clone());
    let refused = |place: &str, values: &Value| {
        let run = stage.upgrade(&format!("{place}#sha256={}", digest(values)), &[]);
        assert!(!run.status.success(), "{place}");
        assert!(!stage.ran.exists(), "{place}");
        run.stdout + &run.stderr
    };
    let other = refused(&format!("https://{}", stage.at("team/values/web")), &values);
    assert!(other.contains("another SHA-256") && !other.contains("300"), "{other}");
    let none = refused(&format!("https://{}", stage.at("team/values/none")), &values);
    assert!(none.contains("it answered 404"), "{none}");
    let much = refused(&format!("https://{}", stage.at("team/values/large")), &large);
    assert!(much.contains("larger than"), "{much}");
    let nowhere = refused("https://files.example.com/values.yaml", &values);
    assert!(nowhere.contains("no integration of the home has"), "{nowhere}");
    let run = stage.upgrade("https://files.example.com/values.yaml", &[]);
    assert!((run.stdout + &run.stderr).contains("#sha256="));
}

#[test]
fn whoever_may_not_read_the_values_gets_no_release_with_them() {
    let stage = stage();
    let values = json!({ "replicas": 3 });
    stage.upstream.answer_with("/team/values/web", 200, values.clone());
    let reference = format!("https://{}#sha256={}", stage.at("team/values/web"), digest(&values));
    let capability = |name: &str, integrations: &str| {
        let file = stage.doorward.folder().join(name).to_str().unwrap().to_owned();
        let args =
            ["capability", "request", "--for", "bot", "--integrations", integrations, "--output", &file];
        let _ = stage.doorward.run(&args, "").succeeded();
        file
    };
    let one = capability("one.cap", "releases");
    let run = stage.upgrade(&reference, &["--capability", &one]);
    let told = run.stdout + &run.stderr;
    assert!(!run.status.success() && told.contains("was not read by `files`"), "{told}");
    assert!(!stage.ran.exists() && stage.upstream.requests().is_empty());
    let both = capability("both.cap", "releases,files");
    let told = stage.upgrade(&reference, &["--capability", &both]).json();
    assert!(told["stderr"].as_str().unwrap().ends_with(&values.to_string()), "{told}");
}
