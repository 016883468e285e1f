//! Homes and brokers: made once, run once, unlocked, drained, recovered.

use crate::{home, write};

#[test]
fn a_home_is_made_once_and_its_recovery_key_is_shown_once() {
    let doorward = home();
    let shown = doorward.run(&["init"], "").succeeded();
    assert!(shown.starts_with("DWR1-"), "{shown}");
    assert_eq!(shown.lines().count(), 1);
    let said = doorward.run(&["init"], "").failed_with(1);
    assert!(said.contains("already") && said.contains("hint:"), "{said}");
    let drilled = doorward.run(&["recovery", "drill", "--json"], &shown).json();
    assert_eq!(drilled["status"], "proven");
    let wrong = shown.replace("DWR1-", "DWR1-0");
    assert_eq!(doorward.run(&["recovery", "drill"], wrong).status.code(), Some(1));
}

#[test]
fn no_home_is_made_whose_recovery_key_nobody_gets() {
    let doorward = home();
    let said = doorward.run(&["init", "--recovery-out", "no/such/folder/key"], "").failed_with(1);
    assert!(said.contains("no/such/folder/key") && !doorward.data().exists(), "{said}");
    crate::write(doorward.folder().join("key.txt"), "of another home");
    for words in [&["init", "--recovery-out", "key.txt"][..], &["up", "--recovery-out", "key.txt"]] {
        let said = doorward.run(words, "").failed_with(1);
        assert!(said.contains("there is a file `key.txt` already") && !doorward.data().exists(), "{said}");
    }
    assert_eq!(std::fs::read_to_string(doorward.folder().join("key.txt")).unwrap(), "of another home");
    let _ = doorward.run(&["init", "--recovery-out", "fresh.txt"], "").succeeded();
    let _ = doorward.run(&["recovery", "drill", "--recovery-file", "fresh.txt"], "").succeeded();
    let _ = doorward.run(&["init", "--recovery-out", "again.txt"], "").failed_with(1);
    assert!(!doorward.folder().join("again.txt").exists(), "nothing is left of what was not made");
}

#[test]
fn two_brokers_do_not_share_a_home() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let said = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(1);
    assert!(said.contains("another process has") && said.contains("doorward status"), "{said}");
    assert!(running.stop().success());
}

#[test]
fn a_taken_port_says_how_to_get_another() {
    let (first, second) = (home(), home());
    let running = first.start_up(&[]);
    let address = running.gateway_url.strip_prefix("http://").unwrap();
    let said = second.run(&["up", "--gateway", address], "").failed_with(1);
    assert!(said.contains("--gateway 127.0.0.1:0"), "{said}");
    assert!(running.stop().success());
}

#[test]
fn a_stopped_broker_leaves_no_socket_and_says_so() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let socket = running.socket.clone();
    assert!(socket.exists());
    assert!(running.stop().success());
    assert!(!socket.exists());
    let status = doorward.run(&["status", "--json"], "");
    assert_eq!(status.status.code(), Some(1));
    assert!(status.stdout.contains("stopped"), "{}", status.stdout);
}

#[test]
fn a_broker_that_was_killed_starts_again() {
    let doorward = home();
    let _ = doorward.start_up(&[]).kill9();
    let running = doorward.start_up(&[]);
    let verified = doorward.run(&["evidence", "verify", "--json"], "").json();
    assert_eq!(verified["verified"], true);
    assert!(running.stop().success());
}

#[test]
fn a_passphrase_opens_its_home_and_no_other_does() {
    let doorward = home();
    let passphrase = doorward.plant("passphrase");
    let _ =
        doorward.run(&["init", "--passphrase", "--recovery-out", "recovery.txt"], &passphrase).succeeded();
    let running = doorward.start_up(&[]);
    assert_eq!(running.ready["sealed"], true);
    let said = doorward.run(&["unseal"], "something else").failed_with(1);
    assert!(said.contains("could not be unlocked"), "{said}");
    let _ = doorward.run(&["unseal"], format!("{passphrase}\n")).succeeded();
    let _ = doorward.run(&["secret", "list"], "").succeeded();
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_lost_passphrase_is_replaced_with_the_recovery_key() {
    let doorward = home();
    let _ =
        doorward.run(&["init", "--passphrase", "--recovery-out", "recovery.txt"], "lost CANARY").succeeded();
    let words = ["recovery", "restore", "--recovery-file", "recovery.txt", "--key-file", "fresh.key"];
    let _ = doorward.run(&words, "").succeeded();
    let _ = doorward.run(&["secret", "list"], "").succeeded();
    let renewed = doorward.run(&["recovery", "renew"], "").succeeded();
    assert_eq!(
        doorward.run(&["recovery", "drill", "--recovery-file", "recovery.txt"], "").status.code(),
        Some(1)
    );
    let _ = doorward.run(&["recovery", "drill"], renewed).succeeded();
}

#[test]
fn a_recovery_key_that_nobody_got_replaces_none_and_no_file_is_written_over() {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let renew = |file: &str| doorward.run(&["recovery", "renew", "--recovery-out", file], "").failed_with(1);
    let _ = renew("no/such/folder");
    assert!(renew("recovery.txt").contains("there is a file `recovery.txt` already"));
    let mut full = doorward.command();
    full.args(["recovery", "renew"])
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert!(!full.status().unwrap().success());
    let drill = ["recovery", "drill", "--recovery-file", "recovery.txt"];
    let _ = doorward.run(&drill, "").succeeded();
    let _ = doorward.run(&["recovery", "renew", "--recovery-out", "second.txt"], "").succeeded();
    assert_eq!(doorward.run(&drill, "").status.code(), Some(1));
}

#[test]
fn a_policy_about_what_is_gone_can_be_forgotten() {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    for name in ["mine", "yours"] {
        let text = format!("name: {name}\nextends: slack\n");
        crate::write_integration(&doorward, &text);
        let policy = format!("forbid (principal, action == Doorward::Action::\"{name}/unknown\", resource);");
        crate::write(doorward.folder().join("p.cedar"), &policy);
        let _ = doorward.run(&["policy", "put", name, "p.cedar"], "").succeeded();
    }
    for name in ["mine", "yours"] {
        std::fs::remove_file(doorward.data().join(format!("integrations/{name}.yaml"))).unwrap();
    }
    let refused = doorward.run(&["secret", "list"], "").failed_with(2);
    assert!(refused.contains("doorward policy forget NAME"), "{refused}");
    let told = doorward.run(&["doctor"], "");
    assert!(!told.status.success() && told.stdout.contains("the policies can't be read"), "{}", told.stdout);
    assert!(doorward.run(&["policy", "list"], "").succeeded().contains("mine"));
    for name in ["mine", "yours"] {
        let _ = doorward.run(&["policy", "forget", name, "--yes"], "").succeeded();
    }
    let _ = doorward.run(&["secret", "list"], "").succeeded();
}

#[test]
fn without_a_broker_commands_work_on_the_home_and_leave_evidence() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let canary = doorward.plant("stored");
    let _ = doorward.run(&["secret", "put", "slack/token"], &canary).succeeded();
    let again = doorward.run(&["secret", "put", "slack/token"], &canary).failed_with(1);
    assert!(again.contains("evidence: evd_"), "{again}");
    let listed = doorward.run(&["secret", "list"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");
    let _ = doorward
        .run(&["secret", "rotate", "slack/token", "--overlap", "10m"], doorward.plant("next"))
        .succeeded();
    assert_eq!(doorward.run(&["secret", "forget", "slack/token"], "").status.code(), Some(2));
    let _ = doorward.run(&["secret", "forget", "slack/token", "--yes"], "").succeeded();
    let evidence = doorward.run(&["evidence", "list"], "").succeeded();
    for operation in ["secret.put", "secret.rotate", "secret.forget", "secret.list"] {
        assert!(evidence.contains(operation), "no `{operation}` in {evidence}");
    }
    doorward.assert_no_canary();
}

#[test]
fn development_mode_is_refused_where_others_could_reach_it() {
    let doorward = home();
    let said = doorward.run(&["up", "--development", "--gateway", "0.0.0.0:0"], "").failed_with(2);
    assert!(said.contains("development mode"), "{said}");
    assert!(!doorward.data().exists(), "a home was made");
}

#[test]
fn a_doctor_finds_nothing_wrong_in_a_new_home_and_a_key_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let fine = doorward.run(&["doctor", "--thorough", "--json"], "").json();
    assert_eq!(fine["ok"], true, "{fine}");
    std::fs::set_permissions(doorward.data().join("key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = doorward.run(&["doctor"], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(said.stdout.contains("chmod"), "{}", said.stdout);
}

#[test]
fn a_doctor_says_what_would_stop_the_next_start() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    for folder in ["lists", "policies"] {
        std::fs::create_dir(doorward.data().join(folder)).unwrap();
    }
    for (file, text) in [
        ("lists/allowlist.yaml", "- integration: slakc\n  callers: []\n"),
        ("providers.yaml", "foo: bar\n"),
        ("agent.yaml", "mod: x\n"),
        ("policies/a.yaml", "x: 1\n"),
        ("sources.toml", "[nope]\n"),
    ] {
        let path = doorward.data().join(file);
        write(&path, text);
        let doctor = doorward.run(&["doctor"], "");
        assert_eq!(doctor.status.code(), Some(1), "{file}: {}", doctor.stdout);
        let name = path.file_name().unwrap().to_str().unwrap();
        let said: Vec<&str> = doctor.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
        assert!(matches!(said[..], [one] if one.contains(name) && !one.contains("key provider")), "{said:?}");
        assert!(!doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").status.success(), "{file}");
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(doorward.run(&["doctor", "--json"], "").json()["ok"], true);
}

#[test]
fn a_folder_with_other_things_in_it_is_not_made_into_a_home() {
    use std::os::unix::fs::PermissionsExt;
    let doorward = home();
    let folder = doorward.folder().join("busy");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    crate::write(folder.join("thesis.txt"), "years of work");
    let said = doorward.run(&["--home", "busy", "init"], "").failed_with(1);
    assert!(said.contains("thesis.txt"), "{said}");
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o755);
}
