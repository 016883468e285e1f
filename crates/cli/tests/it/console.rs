//! The console in a real browser: signed in by the link, every page used and looked at in both themes, at a desk and in a hand.
//! A broken rule of its policy, an error, something that axe finds or a secret in the page fails it. The pictures are kept in
//! `target/console`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::vendor::Login;
use testkit::{Demand, Doorward, Upstream};

use crate::place;
use crate::{home, write, write_integration};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder with playwright and axe, and the browser. `None` when they aren't installed, on a kind of machine for which that is listed.
fn browser() -> Option<(PathBuf, PathBuf)> {
    let folder = place::BROWSER.folder(&root()).unwrap().expect("HOME is set");
    let chromium = PathBuf::from("/usr/bin/chromium");
    if folder.is_dir() && chromium.is_file() {
        return Some((folder, chromium));
    }
    let listed = std::fs::read_to_string(root().join("docs/checks/not-here.toml")).unwrap();
    assert!(
        listed.contains("check = \"sdk-browser\""),
        "chromium, playwright-core or axe-core is not installed: run `cargo xtask setup`"
    );
    crate::skip("sdk-browser", "the browser is not installed");
    None
}

/// An OpenAI that knows one key.
fn openai(key: &str) -> Upstream {
    let upstream = Upstream::demanding(Demand::Bearer(key.to_owned()));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    upstream
}

/// Uses the console; what was found, and in how many milliseconds something could be seen.
fn use_it(modules: &Path, given: &Value) -> Value {
    let mut command = Command::new("node");
    command.arg(root().join("tests/sdk/browser/console.mjs")).current_dir(modules);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(said.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// An identity provider that the console offers, with somebody who may look.
fn sign_in(doorward: &Doorward, file: &str) -> Login {
    let login = Login::start("doorward", file);
    login.person(json!({"sub": "ada-1", "email": "ada@example.com", "groups": ["auditors"]}));
    write(
        doorward.data().join("settings.toml"),
        &format!(
            "[api.sign_in]\nissuer = \"{}\"\nclient_id = \"doorward\"\nclient_secret = \"file:{}\"\ntitle = \"Example\"\n\
             dangerous_allow_private = true\n[api.sign_in.roles]\nauditors = [\"auditor\"]\n",
            login.url(),
            doorward.folder().join("client-secret").display()
        ),
    );
    write(doorward.folder().join("client-secret"), file);
    login
}

#[test]
fn a_person_does_everything_in_the_console_and_no_secret_is_ever_in_the_page() {
    let Some((modules, chromium)) = browser() else { return };
    let secret = |name: &str| format!("{name}{}", testkit::canary::plant("console").replace(['/', '+'], "x"));
    let (good, bad, file) = (secret("sk-"), secret("sk-wrong-"), secret("file-"));
    let upstream = openai(&good);
    let doorward = home();
    for canary in [&good, &bad, &file] {
        doorward.watch(canary);
    }
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let login = sign_in(&doorward, &file);
    let team = doorward.run(&["policy", "template", "team"], "").succeeded();
    write(doorward.folder().join("team.cedar"), &team);
    let _ = doorward.run(&["policy", "put", "house", "team.cedar"], "").succeeded();
    let url = format!("{}/json", upstream.url());
    let _ = doorward
        .run(&["integration", "add", "openai", "--base-url", &url, "--dangerous-allow-private"], "")
        .succeeded();
    write_integration(
        &doorward,
        &format!(
            "name: house\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n  look: {{title: L, access: read, risk: low, match: \
             {{method: GET, path: \"/{{path...}}\"}}}}\n  change: {{title: C, access: write, risk: high, match: {{method: POST, \
             path: \"/{{path...}}\"}}}}\n",
            upstream.url()
        ),
    );
    let mut command = doorward.command();
    command.args(["serve", "--json", "--addr", "127.0.0.1:0"]);
    let running = doorward.start(command);
    let _ = doorward.run(&["secret", "put", "house/token"], &good).succeeded();
    let _ = doorward.run(&["tenant", "create", "acme_inc", "--plan", "scale"], "").succeeded();
    let key = doorward.run(&["key", "create", "--tenant", "acme_inc", "--label", "web"], "").succeeded();
    let asked =
        ["capability", "request", "--for", "ci-bot", "--integrations", "house", "--approval", "writes"];
    write(doorward.folder().join("cap.txt"), doorward.run(&asked, "").succeeded().trim());
    let call = ["op", "run", "house.change", "--input", "path=echo", "--capability", "cap.txt"];
    let waits = doorward.run(&call, "").failed_with(1);
    assert!(waits.contains("approval"), "{waits}");

    let out = root().join("target/console");
    std::fs::create_dir_all(&out).unwrap();
    let link = doorward.run(&["console", "--no-open", "--json"], "").json();
    let base = running.ready["api"].as_str().unwrap();
    let base = base.strip_suffix("/api/v1").unwrap_or(base);
    let said = use_it(
        &modules,
        &json!({
            "modules": modules, "chromium": chromium, "out": out, "base": base, "link": link["url"],
            "login": login.url(), "tenant": "acme_inc", "key": key.trim(), "openai": {"good": good, "bad": bad}, "file": file,
            "secrets": {"the key": good, "the wrong key": bad, "the private key": file, "the API key": key.trim()},
        }),
    );
    assert_eq!(said["findings"], json!([]), "{said:#}");
    assert!(said["shots"].as_u64().is_some_and(|shots| shots >= 60), "{said}");
    println!("something could be seen after {} ms", said["painted"]);
    assert!(running.stop().success());
    // It is the test's own, and stands there for the broker to read.
    std::fs::remove_file(doorward.folder().join("client-secret")).unwrap();
    doorward.assert_no_canary();
}
