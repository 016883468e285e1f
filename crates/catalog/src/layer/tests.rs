//! The user's own files, laid over the built-in ones.

use std::fs;

use super::*;
use crate::Catalog;

#[expect(clippy::disallowed_methods, reason = "a folder of the test's own")]
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(files: &[(&str, &str)]) -> Result<Catalog, Error> {
    Catalog::load(Some(folder(files).path()))
}

fn problem(files: &[(&str, &str)]) -> String {
    load(files).unwrap_err().to_string()
}

#[test]
fn a_file_changes_a_built_in_integration() {
    let text = "
name: slack-prod
extends: slack
base_url: http://127.0.0.1:9000
dangerous_allow_private: true
tls_insecure_skip_verify: true
secrets: {token: env:SLACK_TOKEN}
limits: {total: 10s}
operations:
  pins.add: {title: Pin, access: write, risk: low, match: {method: POST, path: /api/pins.add}}
";
    let catalog = load(&[("slack-prod.yaml", text), (".swap.yaml", "::"), ("notes.txt", "x")]).unwrap();
    let own = catalog.get(&"slack-prod".parse().unwrap()).unwrap();
    assert_eq!((own.name().as_str(), own.kind().as_str()), ("slack-prod", "slack"));
    assert_eq!(own.hosts(), ["127.0.0.1"]);
    assert!(own.dangerous_allow_private() && own.tls_insecure_skip_verify());
    assert_eq!(own.secrets()["token"].reference.as_str(), "env:SLACK_TOKEN");
    assert_eq!(own.secrets()["token"].prefixes, ["xoxb-", "xoxp-"]);
    assert_eq!(own.secrets()["signing_secret"].reference.as_str(), "store:slack-prod/signing_secret");
    assert_eq!((own.limits().total.as_secs(), own.limits().connect.as_secs()), (10, 5));
    assert!(own.operations().contains_key("pins.add") && own.operations().contains_key("chat.post"));
    let slack = catalog.get(&"slack".parse().unwrap()).unwrap();
    assert!(!slack.dangerous_allow_private());
    assert!(catalog.names().iter().any(|name| name.as_str() == "slack-prod"));
}

#[test]
fn other_auth_schemes_bring_their_own_secrets() {
    let text = "
name: mine
extends: openai
auth: [{scheme: basic, username_secret: user, password_secret: pass}]
secrets: {user: env:U, pass: {title: P}}
";
    let own = load(&[("mine.yaml", text)]).unwrap().get(&"mine".parse().unwrap()).unwrap();
    assert_eq!(own.secrets().keys().collect::<Vec<_>>(), ["pass", "user"]);
}

#[test]
fn one_bad_file_is_an_error_for_all() {
    let bad =
        [("github.yaml", "name: github\nextends: github\n"), ("slack.yaml", "name: slack\nextend: slack\n")];
    let problem = problem(&bad);
    assert!(
        problem.contains("slack.yaml:2: the key `extend` is unknown; did you mean `extends`"),
        "{problem}"
    );
}

#[test]
fn names_files_and_bases_have_to_agree() {
    assert!(problem(&[("a.yaml", "name: b\nextends: slack\n")]).contains("is called `b.yaml`"));
    assert!(problem(&[("a.yml", "name: a\nextends: slack\n")]).contains("ends with `.yaml`"));
    assert!(problem(&[("a.yaml", "name: a\nextends: slak\n")]).contains("did you mean `slack`"));
    assert!(problem(&[("a.yaml", "name: a\nextends: doorward\n")]).contains("cannot be changed"));
    assert!(problem(&[("doorward.yaml", "name: doorward\nextends: slack\n")]).contains("cannot be changed"));
    assert!(problem(&[("a.yaml", "name: a\nextends: slack\ninternal: true\n")]).contains("Doorward's own"));
}

#[test]
fn what_is_built_in_cannot_be_made_milder() {
    let text = "
name: a
extends: slack
operations:
  chat.post: {title: Post, access: read, risk: low, match: {method: POST, path: /api/other}}
";
    assert!(problem(&[("a.yaml", text)]).contains("operation `chat.post` is built in"));
    let text = text.replace("chat.post:", "chat.peek:").replace("/api/other", "/api/chat.postMessage");
    assert!(problem(&[("a.yaml", &text)]).contains("could match the same request"));
}

#[test]
fn a_misspelled_secret_is_found() {
    let text = "name: a\nextends: slack\nsecrets: {tokn: env:SLACK_TOKEN}\n";
    assert!(problem(&[("a.yaml", text)]).contains("nothing uses the secret `tokn`; did you mean `token`"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = folder(&[]);
    let missing = folder.path().join("missing");
    assert!(matches!(Catalog::load(Some(&missing)), Err(Error::Read { .. })));
    assert!(Catalog::load(Some(folder.path())).is_ok());
    assert!(Catalog::load(None).is_ok());
}
