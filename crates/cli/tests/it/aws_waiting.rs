//! `doorward aws` where several commands want the home, the profile file or the keyring at once.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::aws::{Fake, Options};
use testkit::{Doorward, Output};

use crate::aws_beside::aws;
use crate::home;

/// A home with the keys of some profiles in a file keyring, and a fake of AWS.
struct Desk {
    doorward: Doorward,
    fake: Fake,
}

impl Desk {
    fn new(profiles: &[&str]) -> Self {
        let desk = Self { doorward: home(), fake: Fake::start(Options::from_json(&json!({}))) };
        crate::write(desk.path("profiles"), "");
        for profile in profiles {
            let _ = desk.doorward.run_command(desk.adds(profile), "").succeeded();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.doorward.folder().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = aws(&self.doorward, &self.fake, words);
        command.env("AWS_REGION", "us-east-1");
        command
    }

    fn adds(&self, profile: &str) -> Command {
        let mut add = self.command(&["add", profile, "--env"]);
        add.env("AWS_ACCESS_KEY_ID", "AKIACANARY0000000001");
        add.env("AWS_SECRET_ACCESS_KEY", "secret-of-AKIACANARY0000000001");
        add
    }

    fn run(&self, words: &[&str]) -> Output {
        self.doorward.run_command(self.command(words), "")
    }

    /// What `exec` gives a program, which says it.
    fn said(&self, profile: &str) -> String {
        self.run(&["exec", profile, "--", "sh", "-c", KEY]).succeeded().trim().to_owned()
    }

    /// The same begun, and not waited for.
    fn begun(&self, profile: &str) -> Child {
        let mut command = self.command(&["exec", profile, "--", "sh", "-c", KEY]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn sessions(&self) -> usize {
        self.fake.calls().iter().filter(|call| call.api == "sts.GetSessionToken").count()
    }

    /// Waits until AWS was asked so often.
    fn asked(&self, times: usize) {
        until(|| self.sessions() >= times);
    }
}

fn until(mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + crate::HANG;
    while !is_so() {
        assert!(Instant::now() < until, "it did not come about");
        std::thread::yield_now();
    }
}

fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// While AWS holds an answer back, whoever does not need it goes on; whoever wants the same gets it.
fn others_go_on(desk: &Desk) {
    let kept = desk.said("quick");
    desk.fake.set(&json!({"hold": ["sts.GetSessionToken"]}));
    let mut first = desk.begun("slow");
    desk.asked(2);
    assert_eq!(desk.said("quick"), kept, "a session that is kept");
    assert_eq!(
        desk.run(&["exec", "-n", "quick", "--", "sh", "-c", KEY]).succeeded().trim(),
        "AKIACANARY0000000001"
    );
    let second = desk.begun("slow");
    // It is where the first one is: it waits for that one, and asks AWS for nothing.
    assert_eq!(desk.said("quick"), kept);
    assert!(first.try_wait().unwrap().is_none(), "the first one did not wait");
    desk.fake.set(&json!({"hold": []}));
    let given = said(first);
    assert_eq!(said(second), given);
    assert_eq!(desk.said("slow"), given, "it is not kept");
    assert_eq!(desk.sessions(), 2, "AWS was asked more than once for one session");
}

#[test]
fn a_call_that_aws_does_not_answer_keeps_no_other_command_waiting() {
    let desk = Desk::new(&["slow", "quick"]);
    others_go_on(&desk);
    let _ = desk.doorward.run(&["evidence", "verify"], "").succeeded();
}

#[test]
fn a_call_that_aws_does_not_answer_keeps_no_other_client_of_a_broker_waiting() {
    let desk = Desk::new(&["slow", "quick"]);
    let running = desk.doorward.start_up(&["--threads", "1"]);
    others_go_on(&desk);
    assert!(running.stop().success());
}

#[test]
fn a_chain_with_a_code_that_is_held_back_sends_the_code_once() {
    let desk = Desk::new(&["source", "quick"]);
    let serial = "arn:aws:iam::111111111111:mfa/source";
    let profiles = format!(
        "[profile source]\nmfa_serial = {serial}\nmfa_process = echo 123456\n[profile quick]\n\
         [profile role]\nsource_profile = source\nrole_arn = arn:aws:iam::111111111111:role/r\nmfa_serial = {serial}\n"
    );
    crate::write(desk.path("profiles"), &profiles);
    desk.fake.set(&json!({"hold": ["sts.GetSessionToken", "sts.AssumeRole"]}));
    let role = desk.begun("role");
    desk.asked(1);
    let _ = desk.run(&["exec", "-n", "quick", "--", "true"]).succeeded();
    desk.fake.set(&json!({"hold": ["sts.AssumeRole"]}));
    until(|| desk.fake.calls().iter().any(|call| call.api == "sts.AssumeRole"));
    let _ = desk.run(&["exec", "-n", "quick", "--", "true"]).succeeded();
    desk.fake.set(&json!({"hold": []}));
    assert!(said(role).starts_with("ASIA"));
    let asked: Vec<String> = desk.fake.calls().iter().map(|call| call.api.clone()).collect();
    assert_eq!(asked, ["sts.GetSessionToken", "sts.AssumeRole"]);
}

#[test]
fn a_rotation_that_waits_for_aws_to_know_the_new_key_lets_others_go_on() {
    let desk = Desk::new(&["turning", "quick"]);
    desk.fake.set(&json!({"fail": {"iam.DeleteAccessKey": {"code": "InvalidClientTokenId", "times": 2}}}));
    let mut rotate = desk.command(&["rotate", "-n", "turning"]);
    let rotate = rotate.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deletions = || desk.fake.calls().iter().filter(|call| call.api == "iam.DeleteAccessKey").count();
    until(|| deletions() > 0);
    let begun = Instant::now();
    let _ = desk.run(&["exec", "-n", "quick", "--", "true"]).succeeded();
    assert!(begun.elapsed() < Duration::from_secs(20), "it waited for the end of the rotation");
    let told = said(rotate);
    assert_eq!(told.matches("Creating a new access key").count(), 1, "{told}");
    assert_eq!(told.matches("Deleting old access key").count(), 1, "{told}");
    assert!(told.ends_with("Finished rotating access key"), "{told}");
    let made = desk.fake.calls().iter().filter(|call| call.api == "iam.CreateAccessKey").count();
    assert_eq!((made, deletions()), (1, 3));
    desk.fake.set(&json!({"fail": {}}));
    assert_ne!(
        desk.run(&["exec", "-n", "turning", "--", "sh", "-c", KEY]).succeeded().trim(),
        "AKIACANARY0000000001"
    );
}

#[test]
fn keys_that_are_added_at_once_all_get_their_section() {
    let desk = Desk::new(&[]);
    let names: Vec<String> = (0..10).map(|number| format!("n{number}")).collect();
    let started = names.iter().map(|name| {
        let mut add = desk.adds(name);
        add.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let started: Vec<Child> = started.collect();
    for child in started {
        assert!(said(child).starts_with("Added credentials to profile"));
    }
    let written = std::fs::read_to_string(desk.path("profiles")).unwrap();
    for name in &names {
        assert_eq!(written.matches(&format!("[profile {name}]")).count(), 1, "{written}");
    }
}

#[test]
fn sessions_of_one_profile_that_end_in_the_same_second_are_both_kept() {
    let desk = Desk::new(&["source"]);
    let profiles = "[profile source]\n[profile role]\nsource_profile = source\n\
                    mfa_serial = arn:aws:iam::111111111111:mfa/source\n";
    crate::write(desk.path("profiles"), profiles);
    let exec = |role: &str, words: &[&str]| {
        let mut command = desk.command(&[&["exec"], words, &["role", "--", "sh", "-c", KEY]].concat());
        command.env("AWS_ROLE_ARN", format!("arn:aws:iam::111111111111:role/{role}"));
        desk.doorward.run_command(command, "").succeeded().trim().to_owned()
    };
    let given = [exec("a", &["-t", "111111"]), exec("b", &["-t", "222222"]), exec("c", &["-t", "333333"])];
    // Without a code: nobody could be asked for one.
    assert_eq!(["a", "b", "c"].map(|role| exec(role, &[])), given);
}

#[test]
fn what_can_not_be_done_is_said_in_the_words_of_aws_vault_through_its_link() {
    let desk = Desk::new(&["alice"]);
    let link = desk.path("aws-vault");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_doorward"), &link).unwrap();
    let run = |words: &[&str], without: &[&str]| {
        let usual = desk.command(&[]);
        let mut command = Command::new(&link);
        command.args(words).env_clear().current_dir(desk.doorward.folder());
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        without.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.stdin(Stdio::null());
        desk.doorward.run_command(command, "").failed_with(1)
    };
    let said = run(&["exec", "alice", "--", "true"], &["AWS_REGION", "AWS_ENDPOINT_URL"]);
    assert!(said.contains("Invalid Configuration: Missing Region"), "{said}");
    let said = run(&["exec", "-n", "alice", "--", "./profiles"], &[]);
    assert!(said.contains("exec: \"./profiles\": permission denied"), "{said}");
}

#[test]
fn a_name_that_is_not_ascii_has_the_file_that_aws_vault_gives_it() {
    let desk = Desk::new(&["pr\u{f6}"]);
    let (theirs, before) = (desk.path("keys").join("pr\u{f6}"), desk.path("keys").join("pr%C3%B6"));
    assert!(theirs.exists());
    assert_eq!(
        desk.run(&["exec", "-n", "pr\u{f6}", "--", "sh", "-c", KEY]).succeeded().trim(),
        "AKIACANARY0000000001"
    );
    // As earlier versions wrote it.
    std::fs::rename(&theirs, &before).unwrap();
    assert_eq!(desk.said("pr\u{f6}"), "ASIAFAKE000000000001");
    let _ = desk.doorward.run_command(desk.adds("pr\u{f6}"), "").succeeded();
    assert!(theirs.exists() && !before.exists(), "it was not taken over");
    let _ = desk.run(&["remove", "pr\u{f6}", "--force"]).succeeded();
    assert!(!theirs.exists());
}

const KEY: &str = "echo $AWS_ACCESS_KEY_ID";
