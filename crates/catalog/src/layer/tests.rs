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
    assert_eq!((own.limits().total.as_secs(), own.limits().connect.as_secs()), (10, 5));
    assert!(own.operations().contains_key("pins.add") && own.operations().contains_key("chat.post"));
    let slack = catalog.get(&"slack".parse().unwrap()).unwrap();
    assert!(!slack.dangerous_allow_private());
    assert!(catalog.names().iter().any(|name| name.as_str() == "slack-prod"));
}

#[test]
fn built_in_operations_stay_where_they_are_behind_more_or_less_of_a_base_path() {
    for (kind, base_url, operation, path) in [
        ("slack", "https://slack.com/api", "chat.post", "/chat.postMessage"),
        ("slack", "https://slack.com/", "chat.post", "/api/chat.postMessage"),
        ("gitlab", "https://gitlab.com", "projects.list", "/api/v4/projects"),
        ("okta", "https://corp.okta.com/api", "users.show", "/v1/users/{user}"),
        ("monday", "https://api.monday.com", "graphql.run", "/v2"),
        ("monday", "https://api.monday.com/v2/", "graphql.run", "/"),
    ] {
        let text = format!("name: mine\nextends: {kind}\nbase_url: {base_url}\nwhole_paths: true\n");
        let own = load(&[("mine.yaml", &text)]).unwrap().get(&"mine".parse().unwrap()).unwrap();
        let found = own.operations().iter().find(|(name, _)| name.as_str() == operation).unwrap().1;
        assert_eq!(found.paths(), [path], "{base_url}");
        assert_eq!(own.kind().as_str(), kind);
    }
}

#[test]
fn whole_paths_are_below_an_address_of_the_users_own() {
    let one = |more: &str| {
        problem(&[("mine.yaml", &format!("name: mine\nextends: slack\nwhole_paths: true\n{more}"))])
    };
    assert!(one("").contains("below a `base_url` of your own"), "{}", one(""));
    for elsewhere in
        ["https://slack.com/v2", "https://slack.com/ap", "https://slack.com/api/chat.postMessage"]
    {
        let said = one(&format!("base_url: {elsewhere}\n"));
        assert!(said.contains("is not below the path of `base_url`"), "{said}");
    }
    let alone = "name: mine\nwhole_paths: true\nbase_url: https://a.test\nauth: []\nlimits: {connect: 5s, head: 5s, total: 5s, idle: 5s}";
    assert!(problem(&[("mine.yaml", alone)]).contains("for files that extend"));
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

fn written(name: &str, text: &str) -> crate::Written {
    crate::Written { name: name.parse().unwrap(), text: text.into(), file: "peer.yaml".into(), line: 7 }
}

#[test]
fn what_is_in_no_folder_is_laid_over_what_is_in_one() {
    let folder = folder(&[("slack.yaml", "name: slack\nextends: slack\nlimits: {total: 10s}\n")]);
    let over = [written("slack", "name: slack\nextends: slack\nlimits: {total: 20s}\n")];
    let catalog = Catalog::layered(Some(folder.path()), &over, &[]).unwrap();
    assert_eq!(catalog.get(&"slack".parse().unwrap()).unwrap().limits().total.as_secs(), 20);
    assert_ne!(catalog.layer_digest(), Catalog::load(Some(folder.path())).unwrap().layer_digest());
}

#[test]
fn an_error_names_the_place_that_a_text_was_translated_from() {
    for text in ["name: a\nextend: slack\n", "name: a\nextends: nothing\n", "name: a\n"] {
        let problem = Catalog::layered(None, &[written("a", text)], &[]).unwrap_err().to_string();
        assert!(problem.starts_with("peer.yaml:7: "), "{problem}");
    }
}

#[test]
fn a_text_that_did_not_change_is_not_read_again() {
    let (one, other) = (written("a", "name: a\nextends: slack\n"), written("b", "name: b\nextends: slack\n"));
    let former = Catalog::layered(None, &[one.clone(), other], &[]).unwrap();
    let changed = written("b", "name: b\nextends: slack\nlimits: {total: 9s}\n");
    let now = Catalog::layered(None, &[one, changed], &[&former]).unwrap();
    let same = |name: &str| {
        let name = name.parse().unwrap();
        std::sync::Arc::ptr_eq(&former.get(&name).unwrap(), &now.get(&name).unwrap())
    };
    assert!(same("a") && !same("b"));
    assert!(Catalog::layered(None, &[], &[&former]).unwrap().get(&"a".parse().unwrap()).is_err());
}

#[test]
fn authorities_are_read_again_with_a_text_that_did_not_change() {
    let (folder, other) = (
        folder(&[("ca.pem", "-----BEGIN CERTIFICATE-----\none\n")]),
        folder(&[("ca.pem", "-----BEGIN CERTIFICATE-----\nother\n")]),
    );
    let bundle = folder.path().join("ca.pem");
    let text = format!(
        "name: a\nbase_url: https://a.example\ntls: {{ca: {}}}\nsecrets: {{token: {{title: T}}}}\nauth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 5s, head: 5s, total: 9s, idle: 5s}}\n",
        bundle.display()
    );
    let layered = |former: &[&Catalog]| Catalog::layered(None, &[written("a", &text)], former);
    let authorities = |catalog: &Catalog| {
        let found = catalog.get(&"a".parse().unwrap()).unwrap();
        found.connection().unwrap().authorities.clone().unwrap()
    };
    let former = layered(&[]).unwrap();
    fs::rename(other.path().join("ca.pem"), &bundle).unwrap();
    let now = layered(&[&former]).unwrap();
    assert!(authorities(&former).contains("one") && authorities(&now).contains("other"));
    assert_ne!(former.layer_digest(), now.layer_digest());
    fs::remove_file(&bundle).unwrap();
    assert!(layered(&[&now]).unwrap_err().to_string().contains("could not read"));
}

#[test]
fn an_alias_leads_to_one_integration_and_could_be_no_name() {
    let aliased = |name: &str, alias: &str| {
        written(name, &format!("name: {name}\nextends: slack\naliases: [\"{alias}\"]\n"))
    };
    let catalog = Catalog::layered(None, &[aliased("a", "my_a"), aliased("b", "b.test")], &[]).unwrap();
    assert_eq!(catalog.aliased("my_a").unwrap().as_str(), "a");
    assert_eq!(catalog.aliased("b.test").unwrap().as_str(), "b");
    assert!(catalog.aliased("MY_A").is_none() && catalog.aliased("a").is_none() && catalog.has_aliases());
    let problem = |written: &[crate::Written]| Catalog::layered(None, written, &[]).unwrap_err().to_string();
    assert!(problem(&[aliased("a", "x_y"), aliased("b", "x_y")]).contains("both go by the name `x_y`"));
    for alias in ["slack", "other", "My_A", "", "a b", "x/y"] {
        let problem = problem(&[aliased("a", alias)]);
        assert!(problem.starts_with("peer.yaml:7: an alias"), "{alias}: {problem}");
    }
}

#[test]
fn a_query_that_is_always_there_comes_first_and_is_not_overridden() {
    use model::{EvidenceId, Method, Target};
    let text = "name: a\nbase_url: https://a.test/base\nquery: \"v=1&w=%2F\"\nauth: []\n\
                limits: {connect: 1s, head: 1s, total: 1s, idle: 1s}\n";
    let catalog = Catalog::layered(None, &[written("a", text)], &[]).unwrap();
    let integration = catalog.get(&"a".parse().unwrap()).unwrap();
    let sent = |target: &str| {
        let target: Target = target.parse().unwrap();
        let asked =
            crate::Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
        integration
            .call(EvidenceId::from_bytes([0; 16]), &asked)
            .map(|call| call.request().unwrap().2.to_string())
    };
    assert_eq!(sent("/x").unwrap(), "/base/x?v=1&w=%2F");
    assert_eq!(sent("/x?").unwrap(), "/base/x?v=1&w=%2F");
    assert_eq!(sent("/x?y=2").unwrap(), "/base/x?v=1&w=%2F&y=2");
    for target in ["/x?v=2", "/x?V=2", "/x?y=1&%76=2"] {
        assert!(sent(target).unwrap_err().message.contains("is always the one of `a`"), "{target}");
    }
    for query in ["", "a;b", "a b", "=x", "a=1#b", "a=%zz"] {
        let text = text.replace("v=1&w=%2F", query);
        assert!(written("a", &text).check().is_err(), "{query}");
    }
}

#[test]
fn a_program_that_is_not_told_the_address_is_not_run_for_another_one() {
    let own = |name: &str, extends: &str, more: &str| {
        let text = format!("name: {name}\nextends: {extends}\n{more}\n");
        let catalog = load(&[(&format!("{name}.yaml"), &text)]).unwrap();
        catalog.get(&name.parse().unwrap()).unwrap()
    };
    let ghe = own("ghe", "github", "base_url: https://ghe.example.com/api/v3");
    assert!(ghe.program().is_none() && ghe.operations().values().all(|one| one.cli().is_none()));
    let same = own("work", "github", "title: Work");
    assert!(same.program().is_some() && same.operations()["pulls.create"].cli().is_some());
    let told =
        "base_url: https://ghe.example.com/api/v3\ncli: {program: gh, environment: {GH_HOST: \"{host}\"}}";
    let told = own("ghe-told", "github", told);
    assert!(told.program().is_some() && told.operations()["pulls.create"].cli().is_some());
    for (kind, url, told) in [
        ("argocd", "https://argo.example.com", true),
        ("argocd", "https://argo.example.com/", true),
        ("argocd", "https://example.com/argo", false),
        ("gitlab", "https://gitlab.example.com/api/v4", true),
        ("gitlab", "https://example.com/gitlab/api/v4", false),
        ("kubernetes", "https://example.com/clusters/one", true),
    ] {
        let moved = own("moved", kind, &format!("base_url: {url}"));
        assert_eq!(moved.program().is_some(), told, "{kind} at {url}");
        assert_eq!(moved.operations().values().any(|one| one.cli().is_some()), told, "{kind} at {url}");
        let plain = url.replace("https", "http");
        let plain = own("plain", kind, &format!("base_url: {plain}\ndangerous_allow_private: true"));
        assert_eq!(plain.program().is_some(), kind == "kubernetes", "{kind} without TLS");
    }
    let cluster = own("cluster", "kubernetes", "base_url: https://cluster.example.com");
    assert!(cluster.program().is_some() && cluster.operations()["get"].cli().is_some());
}

#[test]
fn a_file_of_the_folder_that_says_the_same_is_not_compiled_again() {
    let text = "name: slack\nextends: slack\nlimits: {total: 10s}\n";
    let folder = folder(&[("slack.yaml", text), ("github.yaml", "name: github\nextends: github\n")]);
    let load = |former: &[&Catalog]| Catalog::layered(Some(folder.path()), &[], former).unwrap();
    let get = |catalog: &Catalog, name: &str| catalog.get(&name.parse().unwrap()).unwrap();
    let first = load(&[]);
    let second = load(&[&Catalog::builtin(), &first]);
    assert!(std::sync::Arc::ptr_eq(&get(&first, "slack"), &get(&second, "slack")));

    #[expect(clippy::disallowed_methods, reason = "a folder of the test's own")]
    fs::write(folder.path().join("slack.yaml"), text.replace("10s", "20s")).unwrap();
    let third = load(&[&second]);
    assert!(!std::sync::Arc::ptr_eq(&get(&second, "slack"), &get(&third, "slack")));
    assert!(std::sync::Arc::ptr_eq(&get(&second, "github"), &get(&third, "github")));
    assert_eq!(get(&third, "slack").limits().total.as_secs(), 20);
}

#[test]
fn whether_there_is_an_integration_is_known_without_reading_it() {
    let catalog = Catalog::layered(None, &[written("own", "name: own\nextends: slack\n")], &[]).unwrap();
    for (name, there) in [("own", true), ("slack", true), ("doorward", true), ("nobody", false)] {
        assert_eq!(catalog.has(&name.parse().unwrap()), there, "{name}");
    }
}
