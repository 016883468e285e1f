//! Folders of files on a disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const RULES: &str =
    "rules:\n  - {id: r, effect: allow, resources: ['*'], actions: [read], identities: ['*']}\n";

#[expect(clippy::disallowed_methods, reason = "files of a test")]
fn put(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn refused(folder: &Path) -> String {
    Set::load(folder).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn json_and_yaml_of_a_folder_are_read_and_the_rest_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &format!("id: a\n{RULES}"));
    put(folder.path(), "b.yml", "id: b\nrules: []\n");
    put(folder.path(), "c.JSON", r#"{"id": "c", "rules": []}"#);
    put(folder.path(), ".hidden.json", "not JSON");
    put(folder.path(), "README.md", "# Policies");
    put(folder.path(), "a.yaml~", "id: old");
    fs::create_dir(folder.path().join("folder.json")).unwrap();
    let set = Set::load(folder.path()).unwrap();
    assert_eq!((set.len(), set.rules()), (3, 1));
    assert!(matches!(set.warnings(), [said] if said.contains("folder.json: policies in a folder")));
    assert!(Ask::of("read", "secret:/a").allowed(&set));
}

#[test]
fn one_bad_file_refuses_the_folder_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &format!("id: a\n{RULES}"));
    put(folder.path(), "b.json", "{\"id\": \"b\",\n \"rulez\": []}");
    let said = refused(folder.path());
    assert!(said.contains("b.json:2: the key `rulez` is unknown"), "{said}");
    put(folder.path(), "b.json", "{\"id\": \"a\", \"rules\": []}");
    let said = refused(folder.path());
    assert!(said.contains("b.json:1: the id `a` is taken by the policy at"), "{said}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_and_an_empty_one_denies() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused(&folder.path().join("missing")).starts_with("could not read `"));
    let set = Set::load(folder.path()).unwrap();
    assert!(set.is_empty() && !Ask::of("read", "secret:/a").allowed(&set));
}

#[test]
fn what_others_may_write_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &format!("id: a\n{RULES}"));
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(folder.path().join("a.yaml"), fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            refused(folder.path()).ends_with("a.yaml` is not read, because others may write it"),
            "{mode:o}"
        );
    }
    fs::set_permissions(folder.path().join("a.yaml"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Set::load(folder.path()).is_ok());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(folder.path()).ends_with("is not read, because others may write it"));
}

#[test]
fn links_lead_to_files_of_the_same_folder_or_are_refused() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(other.path(), "b.yaml", &format!("id: b\n{RULES}"));
    // As in a volume of Kubernetes: `a.yaml` leads to `..data/a.yaml`, and `..data` to a folder with a date.
    fs::create_dir(folder.path().join("..2026_11_29")).unwrap();
    put(&folder.path().join("..2026_11_29"), "a.yaml", &format!("id: a\n{RULES}"));
    symlink("..2026_11_29", folder.path().join("..data")).unwrap();
    symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
    assert_eq!(Set::load(folder.path()).unwrap().len(), 1);
    symlink(other.path().join("b.yaml"), folder.path().join("b.yaml")).unwrap();
    assert!(refused(folder.path()).contains("it is a link that leads out of its folder"));
    fs::remove_file(folder.path().join("b.yaml")).unwrap();
    symlink("nowhere", folder.path().join("b.yaml")).unwrap();
    assert!(refused(folder.path()).starts_with("could not read `"));
}

#[test]
fn what_is_no_plain_text_of_a_sane_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &format!("id: a\n{RULES}# {}\n", "x".repeat(1 << 20)));
    assert!(refused(folder.path()).ends_with("it is larger than 1 MiB"));
    put(folder.path(), "a.yaml", "");
    #[expect(clippy::disallowed_methods, reason = "a file of a test")]
    fs::write(folder.path().join("a.yaml"), b"id: \xff\n").unwrap();
    assert!(refused(folder.path()).ends_with("it is not UTF-8 text"));
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("a.yaml")).status().unwrap();
    assert!(pipe.success());
    assert!(refused(folder.path()).ends_with("it is not a plain file"));
}

#[test]
fn rules_and_files_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let rule = |at: usize| {
        format!("  - {{id: r{at}, effect: allow, resources: ['*'], actions: [read], identities: ['*']}}\n")
    };
    let rules: String = (0..1001).map(rule).collect();
    put(folder.path(), "a.yaml", &format!("id: a\nrules:\n{rules}"));
    assert!(refused(folder.path()).contains("a file holds at most 1000 rules"));
    let many: Vec<String> = (0..257).map(|at| format!("'secret:/{at}'")).collect();
    put(
        folder.path(),
        "a.yaml",
        &format!(
            "id: a\nrules:\n  - {{id: r, effect: allow, resources: [{}], actions: [read], identities: ['*']}}\n",
            many.join(", ")
        ),
    );
    assert!(refused(folder.path()).contains("`resources` has more than 256 entries"));
    let most: Vec<String> = (0..256).map(|at| format!("'secret:/{at}/*'")).collect();
    put(
        folder.path(),
        "a.yaml",
        &format!(
            "id: a\nrules:\n  - {{id: r, effect: allow, resources: [{}], actions: [read], identities: ['*']}}\n",
            most.join(", ")
        ),
    );
    assert!(Ask::of("read", "secret:/255/x").allowed(&Set::load(folder.path()).unwrap()));
}

/// The deepest rule that can be written. Test threads have the 2 MiB of stack that a thread of the agent has.
#[test]
fn the_largest_rule_compiles_and_decides() {
    let many: Vec<String> = (0..256).map(|at| format!("'{at}*'")).collect();
    let condition = format!(
        "{{type: environment, key: a, operator: not_in, value: [{}], negate: true}}",
        many.join(", ")
    );
    // One of them is as wide as can be; the depth of the whole is what matters.
    let narrow = "{type: environment, key: a, operator: ne, value: 'x*'}".to_owned();
    let conditions = std::iter::once(condition).chain(std::iter::repeat_n(narrow, 31));
    let conditions = conditions.collect::<Vec<_>>().join(", ");
    for effect in ["allow", "deny"] {
        let rest = format!("resources: ['*'], actions: ['*'], identities: ['*'], conditions: [{conditions}]");
        let set = set(&[
            &rule("large", effect, &rest),
            &rule("all", "allow", "resources: ['*'], actions: ['*'], identities: ['*'], priority: -1"),
        ]);
        let mut ask = Ask::of("read", "secret:/a");
        drop(ask.facts.environment.insert("a".to_owned(), "255b".to_owned()));
        let decision = ask.decide(&set);
        assert_eq!(decision.allowed.is_some(), effect == "allow", "{}", decision.reasoning);
        assert_eq!(decision.applied_rules, ["large".into()]);
    }
}
