//! `doorward aws` over a home that a running broker has open. What each subcommand does there is in the cases of
//! `tests/aws_vault`; here is what differs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use testkit::aws::{Fake, Options};
use testkit::{Doorward, Output};

use crate::home;

/// A home with the key of the profile `alice` in a file keyring, and a fake of AWS.
struct Desk {
    doorward: Doorward,
    fake: Fake,
}

/// `doorward aws` with a keyring of files, whose calls go to the fake.
pub(crate) fn aws(doorward: &Doorward, fake: &Fake, words: &[&str]) -> Command {
    let path = |name: &str| doorward.folder().join(name);
    let mut command = doorward.command();
    command.arg("aws").args(words);
    command.env("AWS_CONFIG_FILE", path("profiles")).env("AWS_ENDPOINT_URL", fake.url());
    command.env("AWS_VAULT_BACKEND", "file").env("AWS_VAULT_FILE_DIR", path("keys"));
    command.env("AWS_VAULT_FILE_PASSPHRASE", "pass phrase");
    command
}

impl Desk {
    fn new() -> Self {
        let desk = Self { doorward: home(), fake: Fake::start(Options::from_json(&json!({}))) };
        crate::write(desk.path("profiles"), "[profile alice]\nregion = us-east-1\n");
        let mut add = desk.command(&["add", "alice", "--env", "--no-add-config"]);
        add.env("AWS_ACCESS_KEY_ID", "AKIACANARY0000000001");
        add.env("AWS_SECRET_ACCESS_KEY", "secret-of-AKIACANARY0000000001");
        desk.doorward.watch("secret-of-AKIACANARY0000000001");
        let _ = desk.doorward.run_command(add, "").succeeded();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.doorward.folder().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        aws(&self.doorward, &self.fake, words)
    }

    fn run(&self, words: &[&str]) -> Output {
        self.doorward.run_command(self.command(words), "")
    }

    /// Door and result of each record of an operation, the oldest first.
    fn evidence(&self, operation: &str) -> Vec<(String, String)> {
        let listed =
            self.doorward.run(&["evidence", "list", "--integration", "aws-credentials", "--json"], "");
        let listed = listed.json();
        let text = |one: &Value, member: &str| one[member].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<_> = listed["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["operation"] == operation)
            .map(|one| (text(one, "door"), text(one, "result")))
            .collect();
        found.reverse();
        found
    }
}

#[test]
fn a_session_comes_from_a_running_broker_and_is_on_record_as_its_owners() {
    let desk = Desk::new();
    let running = desk.doorward.start_up(&["--threads", "1"]);
    let said = desk.run(&["exec", "alice", "--", "sh", "-c", "echo $AWS_ACCESS_KEY_ID"]).succeeded();
    assert_eq!(said.trim(), "ASIAFAKE000000000001");
    // Kept in the keyring of the person, so that it is there without the broker as well.
    assert!(running.stop().success());
    let said = desk.run(&["exec", "alice", "--", "sh", "-c", "echo $AWS_ACCESS_KEY_ID"]).succeeded();
    assert_eq!(said.trim(), "ASIAFAKE000000000001");
    let expected = [("socket", "done"), ("cli", "done")].map(|(door, end)| (door.to_owned(), end.to_owned()));
    assert_eq!(desk.evidence("session.get"), expected);
    desk.doorward.assert_no_canary();
}

#[test]
fn a_wrong_passphrase_is_told_by_the_command_and_loses_nothing() {
    let desk = Desk::new();
    let running = desk.doorward.start_up(&["--threads", "1"]);
    let mut wrong = desk.command(&["exec", "alice", "--", "true"]);
    wrong.env("AWS_VAULT_FILE_PASSPHRASE", "another");
    let said = desk.doorward.run_command(wrong, "").failed_with(1);
    assert!(said.contains("the keyring `file` stays locked"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    let _ = desk.run(&["exec", "alice", "--", "true"]).succeeded();
    assert!(running.stop().success());
}

#[test]
fn a_sealed_broker_refuses_and_says_what_to_type() {
    let desk = Desk::new();
    let running = desk.doorward.start_up(&["--threads", "1"]);
    let _ = desk.doorward.run(&["seal"], "").succeeded();
    let said = desk.run(&["exec", "alice", "--", "true"]).failed_with(1);
    assert!(said.contains("the broker is sealed") && said.contains("`doorward unseal`"), "{said}");
    assert!(desk.fake.calls().is_empty(), "AWS was asked");
    let _ = desk.doorward.run(&["unseal"], "").succeeded();
    let _ = desk.run(&["exec", "alice", "--", "true"]).succeeded();
    assert!(running.stop().success());
}

#[test]
fn a_metadata_server_goes_on_when_a_broker_comes_and_goes() {
    let desk = Desk::new();
    let script = "ask() { curl -sS -H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\" \
                  \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" >\"said$1\"; : >\"done$1\"; }\n\
                  ask 1; until [ -e go2 ]; do sleep 0.02; done; ask 2; until [ -e go3 ]; do sleep 0.02; done; ask 3";
    let mut server = desk.command(&["exec", "alice", "--ecs-server", "--", "sh", "-c", script]);
    let mut server = server.stdin(Stdio::null()).spawn().unwrap();
    appears(&desk.path("done1"));
    let running = desk.doorward.start_up(&["--threads", "1"]);
    crate::write(desk.path("go2"), "");
    appears(&desk.path("done2"));
    assert!(running.stop().success());
    crate::write(desk.path("go3"), "");
    assert!(server.wait().unwrap().success());
    for turn in 1..=3 {
        let said = std::fs::read_to_string(desk.path(&format!("said{turn}"))).unwrap();
        let said: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{turn}: {error}: {said}"));
        assert_eq!(said["AccessKeyId"], "ASIAFAKE000000000001");
    }
    let expected = ["metadata", "socket", "metadata"].map(|door| (door.to_owned(), "done".to_owned()));
    assert_eq!(desk.evidence("metadata.answer"), expected);
}

/// Waits until a file is there.
fn appears(path: &Path) {
    let until = Instant::now() + crate::HANG;
    while !path.exists() {
        assert!(Instant::now() < until, "{} did not appear", path.display());
        std::thread::yield_now();
    }
}
