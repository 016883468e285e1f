//! Links under whose names the program speaks the command line of another.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use testkit::{Doorward, Output};

use crate::home;

/// Runs the binary with nothing on its `PATH`: a program of one of the names may be on that of the machine.
#[track_caller]
fn run(doorward: &Doorward, words: &[&str]) -> Output {
    let mut command = doorward.command();
    command.args(words).env("PATH", doorward.folder().join("nowhere"));
    doorward.run_command(command, "")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|list| list.map(|one| one.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn links_are_made_listed_used_and_taken_away() {
    let doorward = home();
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("a/bin");
    let shown = bin.to_str().unwrap();
    let made = run(&doorward, &["compat", "install", shown, "--json"]).json();
    assert_eq!(names(&bin), ["allowlist", "assistantctl", "aws-vault", "integrations", "vault"]);
    let states = |document: &serde_json::Value| -> Vec<String> {
        let rows = document["links"].as_array().unwrap();
        rows.iter().map(|row| format!("{} {}", row["name"], row["state"]).replace('"', "")).collect()
    };
    assert_eq!(
        states(&made),
        ["vault made", "aws-vault made", "assistantctl made", "integrations made", "allowlist made"]
    );
    assert!(made["notes"][0].as_str().unwrap().contains("is not on PATH"), "{made}");
    let again = run(&doorward, &["compat", "install", shown, "--json"]).json();
    assert_eq!(states(&again)[1], "aws-vault there already");
    let version = Command::new(bin.join("aws-vault")).arg("version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"v"), "{version:?}");
    let listed = run(&doorward, &["compat", "list", shown, "--json"]).json();
    assert_eq!(states(&listed)[1], "aws-vault link to this program");
    let taken = run(&doorward, &["compat", "remove", shown, "--name", "aws-vault"]).succeeded();
    assert!(taken.contains("taken away"), "{taken}");
    assert_eq!(names(&bin), ["allowlist", "assistantctl", "integrations", "vault"]);
}

#[test]
fn a_part_of_a_command_line_that_is_not_there_refuses_and_says_how_to_get_rid_of_the_link() {
    let doorward = home();
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().to_str().unwrap();
    let _ = run(&doorward, &["compat", "install", shown]).succeeded();
    let rows = run(&doorward, &["compat", "list", shown, "--json"]).json();
    let parts = rows["links"].as_array().unwrap().iter().filter(|row| row["speaks"] != true);
    let parts: Vec<_> = parts.map(|row| (row["name"].as_str(), row["speaks"].as_str())).collect();
    assert_eq!(parts, [(Some("assistantctl"), Some("in part"))]);
    let said = Command::new(folder.path().join("assistantctl")).args(["plan", "list"]).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains("speaks `assistantctl llm auth` only") && text.contains("compat remove"), "{text}");
}

#[test]
fn what_is_not_our_link_is_left_alone_and_then_nothing_is_made() {
    let doorward = home();
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().to_str().unwrap();
    crate::write(folder.path().join("aws-vault"), "somebody's");
    let said = run(&doorward, &["compat", "install", shown]).failed_with(1);
    assert!(said.contains("aws-vault` is a file that is no link") && said.contains("--name"), "{said}");
    assert_eq!(names(folder.path()), ["aws-vault"]);
    let removed = run(&doorward, &["compat", "remove", shown]).succeeded();
    assert!(removed.contains("left alone"), "{removed}");
    assert_eq!(std::fs::read(folder.path().join("aws-vault")).unwrap(), b"somebody's");
    std::fs::remove_file(folder.path().join("aws-vault")).unwrap();
    symlink("/bin/sh", folder.path().join("aws-vault")).unwrap();
    let said = run(&doorward, &["compat", "install", shown]).failed_with(1);
    assert!(said.contains("a link to `/bin/sh`"), "{said}");
    let said = run(&doorward, &["compat", "install", shown, "--name", "aws-valt"]).failed_with(2);
    assert!(said.contains("knows no peer `aws-valt`") && said.contains("`aws-vault`"), "{said}");
}

#[test]
fn a_link_to_a_place_where_the_program_was_is_mended() {
    let doorward = home();
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().to_str().unwrap();
    symlink("/opt/former/doorward", folder.path().join("aws-vault")).unwrap();
    let _ = run(&doorward, &["compat", "install", shown, "--name", "aws-vault"]).succeeded();
    let version = Command::new(folder.path().join("aws-vault")).arg("version").output().unwrap();
    assert!(version.status.success(), "{version:?}");
}

#[test]
fn a_link_that_could_not_do_everything_does_not_hide_a_program_of_its_name() {
    let doorward = home();
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shown = folder.path().to_str().unwrap();
    symlink("/bin/sh", other.path().join("assistantctl")).unwrap();
    symlink("/bin/sh", other.path().join("aws-vault")).unwrap();
    let install = |first: &Path, then: &Path, more: &[&str]| {
        let mut command = doorward.command();
        command.args(["compat", "install", shown, "--json"]).args(more);
        command.env("PATH", format!("{}:{}", first.display(), then.display()));
        doorward.run_command(command, "").json()
    };
    let made = install(other.path(), folder.path(), &[]);
    let left = made["links"].as_array().unwrap().iter().find(|row| row["name"] == "assistantctl").unwrap();
    assert!(left["state"].as_str().unwrap().starts_with("left out"), "{made}");
    let note = made["notes"].to_string();
    assert!(note.contains("`aws-vault` runs `") && note.contains("comes before"), "{made}");
    let asked = install(folder.path(), other.path(), &["--name", "assistantctl"]);
    assert_eq!(
        (&asked["links"][0]["state"], asked["notes"].as_array().unwrap().len()),
        (&"made".into(), 0),
        "{asked}"
    );
}
