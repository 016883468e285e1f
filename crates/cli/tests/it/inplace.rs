//! `config.yaml` and `allowlist.yaml`, edited by the command lines of their own programs.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use testkit::{Doorward, Output};

use crate::{home, write};

/// What people write.
const CONFIG: &str = "# the gateway of the shop\nintegrations:\n  # billing; ask Ada\n  - name: stripe # live\n    destination: https://api.stripe.com\n    rate_limit_window: 1m # as agreed\n    outgoing_auth:\n      - type: token\n        params: {secrets: [\"env:STRIPE\"], header: Authorization, prefix: 'Bearer '}\n";

fn config(doorward: &Doorward, text: &str) -> PathBuf {
    let path = doorward.folder().join("config.yaml");
    write(&path, text);
    path
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Runs the link.
fn run(doorward: &Doorward, words: &[&str]) -> Output {
    let mut command = doorward.command_as("integrations");
    command.args(words);
    doorward.run_command(command, "")
}

#[test]
fn an_integration_is_written_changed_listed_and_taken_out_and_all_else_stays() {
    let doorward = home();
    let path = config(&doorward, CONFIG);
    let words = ["slack", "-file", "config.yaml", "-token", "env:T", "-signing-secret", "env:S"];
    assert_eq!(run(&doorward, &words).succeeded(), "added `slack` in config.yaml\n");
    let once = read(&path);
    assert!(once.starts_with(CONFIG) && once.contains("    destination: https://slack.com/api\n"), "{once}");
    // The flags before the service this time; the same through the long way.
    let again = ["-token", "env:T", "--file=config.yaml", "-signing-secret=env:S", "slack"];
    assert_eq!(run(&doorward, &again).succeeded(), "unchanged `slack` in config.yaml\n");
    let long = [
        "--json",
        "integration",
        "add",
        "slack",
        "--file",
        "config.yaml",
        "--token",
        "env:T",
        "--signing-secret",
        "env:S",
    ];
    assert_eq!(doorward.run(&long, "").json()["status"], "unchanged");
    assert_eq!(read(&path), once);
    let said =
        run(&doorward, &["slack", "-file", "config.yaml", "-token", "env:U", "-signing-secret", "env:S"])
            .failed_with(1);
    assert!(said.contains("already") && said.contains("update slack"), "{said}");
    assert_eq!(read(&path), once);

    let updated = doorward
        .run(&["integration", "update", "stripe", "-file", "config.yaml", "-timeout", "5s", "--json"], "")
        .json();
    assert_eq!(updated["changed"], serde_json::json!(["response_header_timeout"]));
    let listed = run(&doorward, &["list", "-file", "config.yaml", "-json"]).json();
    assert_eq!(listed["integrations"][1]["incoming"], serde_json::json!(["slack_signature"]));
    let _ = run(&doorward, &["delete", "slack", "-file", "config.yaml"]).succeeded();
    let left = read(&path);
    assert_eq!(
        left,
        format!("{CONFIG}    response_header_timeout: 5s\n")
            .replace("response_header_timeout: 5s", "response_header_timeout: \"5s\"")
    );
    assert!(
        run(&doorward, &["delete", "slack", "-file", "config.yaml"])
            .failed_with(1)
            .contains("there is no `slack`")
    );
}

#[test]
fn a_file_that_is_not_there_is_made_and_a_broken_one_never_touched() {
    let doorward = home();
    let path = doorward.folder().join("config.yaml");
    let _ = run(&doorward, &["openai", "-token", "env:T"]).succeeded();
    assert!(read(&path).starts_with("integrations:\n  - name: openai\n"), "{}", read(&path));
    for broken in ["integrations: [\n", "a: 1\na: 2\n", "- x\n", "integrations:\n\t- name: a\n"] {
        write(&path, broken);
        let said = run(&doorward, &["stripe", "-token", "env:T"]).failed_with(1);
        assert!(said.contains("config.yaml"), "{said}");
        assert_eq!(read(&path), broken);
    }
    for words in [["list"].as_slice(), &["delete", "a"], &["list", "-file", "no/where.yaml"]] {
        std::fs::remove_file(&path).ok();
        assert!(run(&doorward, words).failed_with(1).contains("there is no file"), "{words:?}");
    }
    assert!(
        run(&doorward, &["openai", "-token", "env:T", "-file", "no/where.yaml"])
            .failed_with(1)
            .contains("folder")
    );
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let doorward = home();
    let secret = doorward.plant("typed");
    for words in [
        ["openai", "-token", &secret].as_slice(),
        &["openai", &secret],
        &["openai", "-token", &format!("env:{secret}")],
        &["openai", "-tokn", &secret],
        &["update", "openai", "-token", &secret],
    ] {
        let said = run(&doorward, words);
        assert_eq!(said.status.code(), Some(2), "{said:?}");
    }
    assert!(!doorward.folder().join("config.yaml").exists());
    doorward.assert_no_canary();
}

#[test]
fn mistakes_end_with_2_and_help_with_0() {
    let doorward = home();
    for (words, hint) in [
        (["slak"].as_slice(), "did you mean `slack`?"),
        (&["slack", "-tokn", "env:T"], "did you mean `-token`?"),
        (&[], "--help"),
    ] {
        let said = run(&doorward, words).failed_with(2);
        assert!(said.contains(hint), "{said}");
    }
    let json = run(&doorward, &["slak", "--json"]);
    assert_eq!(json.status.code(), Some(2));
    assert!(json.stdout.contains("\"usage\""), "{}", json.stdout);
    for (words, shows) in [
        (["--help"].as_slice(), "notion"),
        (&["ghe", "--help"], "-webhook-secret REFERENCE"),
        (&["update", "--help"], "-idle-conn-timeout"),
    ] {
        assert!(run(&doorward, words).succeeded().contains(shows), "{words:?}");
    }
    assert!(doorward.run(&["allowlist", "--help"], "").succeeded().contains("-capability NAME"));
    let said = run(&doorward, &["telegram", "-token", "env:T"]).failed_with(1);
    assert!(said.contains("goes into the path") && said.contains("doorward integration add"), "{said}");
    let said = run(&doorward, &["aws-credentials"]).failed_with(1);
    assert!(said.contains("Doorward's own affair"), "{said}");
}

#[test]
fn a_block_through_which_programs_call_a_service_wants_no_secret_of_its_webhooks() {
    let doorward = home();
    let _ = run(&doorward, &["slack", "-token", "env:T"]).succeeded();
    let _ = run(&doorward, &["ghe", "-token", "env:T", "-domain", "git.example.com"]).succeeded();
    let written = read(&doorward.folder().join("config.yaml"));
    assert!(written.contains("name: slack") && !written.contains("incoming_auth"), "{written}");
}

#[test]
fn a_link_keeps_leading_to_the_file_which_keeps_its_permissions() {
    let doorward = home();
    let real = doorward.folder().join("real.yaml");
    write(&real, CONFIG);
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.yaml", doorward.folder().join("config.yaml")).unwrap();
    let owner = real.metadata().unwrap().uid();
    let _ = run(&doorward, &["openai", "-token", "env:T"]).succeeded();
    assert!(doorward.folder().join("config.yaml").symlink_metadata().unwrap().is_symlink());
    let facts = real.metadata().unwrap();
    assert_eq!((facts.mode() & 0o777, facts.uid()), (0o640, owner));
    assert!(read(&real).contains("openai"));
    symlink("nowhere.yaml", doorward.folder().join("other.yaml")).unwrap();
    assert!(
        run(&doorward, &["openai", "-token", "env:T", "-file", "other.yaml"])
            .failed_with(1)
            .contains("leads nowhere")
    );
}

#[test]
fn many_at_once_lose_nothing() {
    let doorward = home();
    let path = config(&doorward, CONFIG);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let doorward = &doorward;
            scope.spawn(move || {
                let name = format!("copy-{number}");
                let _ = run(doorward, &["openai", "-name", &name, "-token", "env:T"]).succeeded();
            });
        }
    });
    let text = read(&path);
    assert!(
        text.starts_with(CONFIG) && (0..8).all(|number| text.contains(&format!("name: copy-{number}\n"))),
        "{text}"
    );
}

#[test]
fn json_stays_json() {
    let doorward = home();
    let path = config(
        &doorward,
        "{\n  \"integrations\": [\n    {\"name\": \"a\", \"destination\": \"https://a\"}\n  ]\n}\n",
    );
    let _ = run(&doorward, &["openai", "-token", "env:T"]).succeeded();
    let value: serde_json::Value = serde_json::from_str(&read(&path)).unwrap();
    assert_eq!(value["integrations"][1]["outgoing_auth"][0]["params"]["prefix"], "Bearer ");
}

#[test]
fn capabilities_are_granted_and_taken_back_without_opening_anything() {
    let doorward = home();
    let path = doorward.folder().join("allowlist.yaml");
    let grant = |command, more: &[&str]| {
        let words =
            ["allowlist", command, "-integration", "slack", "-caller", "bot", "-capability", "post_as"];
        doorward.run(&[&words[..], more].concat(), "")
    };
    assert!(grant("add", &["-params", "username=bot"]).succeeded().starts_with("added"));
    let once = read(&path);
    assert_eq!(grant("add", &["-params", "username=bot", "--json"]).json()["status"], "unchanged");
    assert_eq!(read(&path), once);
    let listed = doorward.run(&["--json", "allowlist", "list"], "").json();
    assert_eq!(listed["grants"][0]["params"]["username"], "bot");
    assert!(grant("add", &["-params", "user=bot"]).failed_with(2).contains("it takes `username`"));
    let said = grant("remove", &[]).succeeded();
    assert!(said.contains("an entry that allows nothing is left"), "{said}");
    let left = read(&path);
    assert!(
        left.contains("id: bot") && left.contains("/nothing-is-allowed") && !left.contains("post_as"),
        "{left}"
    );
    let _ = grant("remove", &[]).failed_with(1);
}

#[test]
fn the_link_of_the_allowlist_speaks_as_its_program_does() {
    let doorward = home();
    let said = |words: &[&str]| {
        let mut command = doorward.command_as("allowlist");
        command.args(words);
        doorward.run_command(command, "")
    };
    let grant = ["-integration", "slack", "-caller", "bot", "-capability", "post_as"];
    let added = said(&[&["-file", "al.yaml", "add"][..], &grant, &["-params", "username=bot"]].concat());
    assert!(added.succeeded().starts_with("added"));
    let own = said(&[
        "-file",
        "own.yaml",
        "add",
        "-integration",
        "nosuch",
        "-caller",
        "bot",
        "-capability",
        "post_as",
    ]);
    assert!(own.stderr.contains("`nosuch` is no service that is built in"), "{own:?}");
    assert!(said(&["-file", "al.yaml", "list"]).succeeded().contains("post_as"));
    let _ = said(&["add", "-file", "al.yaml", "-integration", "slack"]).failed_with(2);
    assert!(said(&[&["remove", "-file", "al.yaml"][..], &grant].concat()).succeeded().starts_with("removed"));
}

#[test]
fn flags_of_every_command_are_taken_in_all_their_forms_and_what_is_not_understood_is_an_error() {
    let doorward = home();
    let path = doorward.folder().join("allowlist.yaml");
    let grant = ["-integration", "slack", "-caller", "bot", "-capability", "post_as"];
    let line = |front: &[&str], command, behind: &[&str]| {
        doorward.run(&[front, &["allowlist", command], &grant[..], behind].concat(), "")
    };
    let params = ["-params", "username=bot"];
    for (front, behind) in [
        (["--home=h"].as_slice(), [].as_slice()),
        (&["-vv", "--format=json"], &[]),
        (&["--log=text", "--home", "h"], &["--json"]),
        (&["--verbose"], &["--home", "h", "-v", "--format=table"]),
    ] {
        assert!(
            line(front, "add", &[&params[..], behind].concat()).succeeded().contains("added"),
            "{front:?}"
        );
        assert!(line(front, "remove", behind).succeeded().contains("removed"), "{front:?}");
        assert!(!read(&path).contains("post_as"), "{front:?}");
    }
    let config = config(&doorward, CONFIG);
    for (seconds, words) in [
        ("8s", ["--home=h", "integration", "-v", "update"].as_slice()),
        ("9s", &["integration", "--json", "update"]),
    ] {
        let _ = doorward.run(&[words, &["stripe", "--timeout", seconds]].concat(), "").succeeded();
        assert!(read(&config).contains(seconds), "{words:?}");
    }
    let before = read(&config);
    for words in [
        ["--json=true", "integration", "delete", "stripe"].as_slice(),
        &["--format=xml", "integration", "delete", "stripe"],
        &["--home=a", "integration", "delete", "stripe", "--home=b"],
        &["integration", "delete", "stripe", "--hom", "b"],
        &["--home"],
        &["--log"],
        &["--json", "--home"],
        &["--home", "x", "--home"],
    ] {
        let said = doorward.run(words, "");
        assert_eq!(said.status.code(), Some(2), "{words:?} {said:?}");
    }
    assert_eq!(read(&config), before);
}
