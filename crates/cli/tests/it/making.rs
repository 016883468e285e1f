//! Homes that are made, or leave nothing behind; and paths that are not UTF-8.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::{Doorward, Output};

use crate::{home, write};

/// Runs the binary with its output redirected by a shell.
fn redirected(doorward: &Doorward, words: &str, how: &str) -> Output {
    let inside = doorward.command();
    let mut command = Command::new("sh");
    command.env_clear().envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(doorward.folder()).args(["-c", &format!("exec \"$0\" {words} {how}")]);
    command.arg(inside.get_program());
    doorward.run_command(command, "")
}

#[test]
fn a_home_whose_recovery_key_nobody_could_read_is_not_made() {
    let doorward = home();
    for words in ["init", "init --json", "up --gateway 127.0.0.1:0", "serve --addr 127.0.0.1:0 --json"] {
        for how in [">/dev/full", ">&-"] {
            let said = redirected(&doorward, words, how).failed_with(1);
            assert!(
                said.contains("recovery key") && said.contains("--recovery-out"),
                "{words} {how}: {said}"
            );
            assert!(!doorward.data().exists(), "{words} {how}");
        }
    }
    let _ = redirected(&doorward, "init --recovery-out recovery.txt", ">&-").succeeded();
    assert!(doorward.folder().join("recovery.txt").metadata().unwrap().len() > 20);
    let said = doorward.run(&["init"], "").failed_with(1);
    assert!(said.contains("already") && said.contains("recovery renew"), "{said}");
    // What can't be printed is said where it can.
    for words in ["status --json", "secret list --format yaml", "aws list"] {
        let said = redirected(&doorward, words, ">/dev/full");
        assert!(!said.status.success() && said.stderr.contains("could not "), "{words}: {said:?}");
    }
}

#[test]
fn an_init_that_fails_leaves_nothing_and_half_a_home_is_none() {
    let doorward = home();
    let open = doorward.folder().join("open-key");
    write(&open, &"0".repeat(64));
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::create_dir(doorward.folder().join("no-file")).unwrap();
    for words in [
        ["--key-file", "open-key"],
        ["--key-file", "no-file"],
        ["--key-provider", "age:age1x?identity=/not/there"],
        ["--key-provider", "transit:transit/home"],
        ["--store", "postgres://nobody@127.0.0.1:1/none?sslmode=disable"],
    ] {
        let said = doorward.run(&[["init"].as_slice(), &words].concat(), "");
        assert!(!said.status.success(), "{words:?}");
        assert!(!doorward.data().exists(), "{words:?} {said:?}");
    }
    assert!(open.exists());
    // What was there before stays, and only that.
    std::fs::create_dir_all(doorward.data()).unwrap();
    write(doorward.data().join("settings.toml"), "# mine\n");
    let _ = doorward.run(&["init", "--key-file", "no-file"], "").failed_with(1);
    let left: Vec<OsString> =
        std::fs::read_dir(doorward.data()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["settings.toml"]);
    // As a killed one leaves it.
    write(doorward.data().join("home.db"), "");
    assert!(doorward.run(&["status", "--json"], "").stdout.contains("no home"));
    let said = doorward.run(&["secret", "list"], "").failed_with(1);
    assert!(said.contains("there is no home") && said.contains("doorward init"), "{said}");
    assert!(!doorward.data().join("evidence").exists());
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "list"], "").succeeded();
}

#[test]
fn paths_that_are_not_utf8_are_shown_as_well_as_they_can_be() {
    let doorward = home();
    let name = |text: &[u8]| doorward.folder().join(OsStr::from_bytes(text));
    let (data, recovery, copy) = (name(b"h\xff"), name(b"r\xff"), name(b"c\xff"));
    let said = |words: &[&OsStr]| {
        let mut command = doorward.command();
        command.arg("--home").arg(&data).args(words);
        doorward.run_command(command, "")
    };
    let text = |text: &'static str| OsStr::new(text);
    let key = name(b"k\xff");
    let refused = said(&[text("init"), text("--key-file"), key.as_os_str()]).failed_with(1);
    assert!(refused.contains("UTF-8"), "{refused}");
    assert!(!data.exists() && !key.exists());
    let made = said(&[text("init"), text("--json"), text("--recovery-out"), recovery.as_os_str()]).json();
    assert!(made["home"].as_str().unwrap().ends_with("h\u{fffd}"), "{made}");
    assert!(made["recovery_file"].as_str().unwrap().ends_with("r\u{fffd}"), "{made}");
    assert!(said(&[text("status"), text("--json")]).stdout.contains("stopped"));
    assert!(said(&[text("status")]).stdout.contains("stopped"));
    assert_eq!(said(&[text("backup"), copy.as_os_str(), text("--json")]).json()["status"], "taken");
    let exported = said(&[text("evidence"), text("export"), text("--out"), name(b"e\xff").as_os_str()]);
    assert!(exported.succeeded().contains("Wrote"));
    let words = ["capability", "request", "--for", "ada", "--integrations", "slack", "--output"];
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let output = name(b"o\xff");
    assert!(said(&[&words[..], &[output.as_os_str()]].concat()).succeeded().contains("It is in"));
    let folder = name(b"i\xff");
    let new = said(&[text("integration"), text("new"), text("notes"), text("--dir"), folder.as_os_str()]);
    assert!(new.succeeded().contains("notes.yaml"));
    let shown = said(&[text("agent"), text("config"), text("--json")]);
    assert!(shown.succeeded().contains("socket_path"));
    let links = name(b"l\xff");
    assert!(said(&[text("compat"), text("install"), links.as_os_str()]).succeeded().contains("aws-vault"));
    let project = name(b"p\xff");
    std::fs::create_dir(&project).unwrap();
    assert!(said(&[text("guard"), text("install"), project.as_os_str()]).succeeded().contains("hook"));
    let mut restore = doorward.command();
    restore.arg("--home").arg(name(b"n\xff")).arg("restore").arg(&copy).arg("--json");
    assert_eq!(doorward.run_command(restore, "").json()["status"], "restored");
    // A broker in it opens its doors, and goes.
    let mut up = doorward.command();
    up.args(["--json", "--home"]).arg(&data).args(["up", "--gateway", "127.0.0.1:0"]);
    assert!(doorward.start(up).stop().success());
    assert!(Path::new(&data).exists());
}
