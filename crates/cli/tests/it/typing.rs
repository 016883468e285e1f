//! What is typed and piped: secrets stay out of arguments and output, mistakes get a hint.

use crate::home;

#[test]
fn a_secret_as_an_argument_is_refused_without_repeating_it() {
    let doorward = home();
    let canary = doorward.plant("argument");
    let flag = format!("--value={canary}");
    let short = format!("-x{canary}");
    for words in [
        vec!["secret", "put", "slack/token", &canary],
        vec!["secret", "put", "slack/token", "--value", &canary],
        vec!["secret", "put", "slack/token", &flag],
        vec!["secret", "put", "slack/token", &short],
        vec!["secret", "put", &canary],
        vec!["secret", "rotate", "slack/token", &canary],
        vec!["secret", "put", "slack/token", &canary, "--json"],
        vec!["--json", "secret", "put", &canary],
    ] {
        let output = doorward.run(&words, "");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("never an argument"), "{said}");
    }
    doorward.assert_no_canary();
}

#[test]
fn nothing_that_was_typed_in_the_wrong_place_is_repeated() {
    let doorward = home();
    let canary = doorward.plant("stray");
    let recovery = format!("DWR1-{canary}");
    doorward.watch(&recovery);
    let (long, short) = (format!("--{canary}"), format!("-q{canary}"));
    for words in [
        vec!["unseal", &canary],
        vec!["init", &canary],
        vec!["recovery", "drill", &recovery, "more"],
        vec!["recovery", "renew", &recovery],
        vec!["key-provider", "change", "passphrase", &canary],
        vec!["integration", "setup", "openai", "acme", &canary],
        vec!["aws", "add", "p", &canary],
        vec!["aws", "exec", "p", &canary],
        vec!["capability", "show", &canary],
        vec!["approval", "show", &canary],
        vec!["--format", &canary, "status"],
        vec!["status", &long],
        vec!["status", &short],
        vec![&canary],
        vec!["capability", &canary],
    ] {
        for json in [false, true] {
            let mut words = words.clone();
            words.extend(json.then_some("--json"));
            let output = doorward.run(&words, "");
            assert_ne!(output.status.code(), Some(0), "{words:?}");
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(!said.contains(&canary), "{words:?}: {said}");
        }
    }
    let said = doorward.run(&["unseal", &canary], "").failed_with(2);
    assert!(said.contains("word 2, not shown"), "{said}");
    // What is near to a known word is still told.
    let said = doorward.run(&["status", "--jsno"], "").failed_with(2);
    assert!(said.contains("'--jsno'") && said.contains("'--json'"), "{said}");
    let said = doorward.run(&["capabilty", "list"], "").failed_with(2);
    assert!(said.contains("'capability'"), "{said}");
    doorward.assert_no_canary();
}

#[test]
fn removing_a_policy_asks_first() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let text = "forbid (principal, action == Doorward::Action::\"slack/chat.post\", resource);";
    let _ = doorward.run(&["policy", "put", "one", "-"], text).succeeded();
    let said = doorward.run(&["policy", "forget", "one"], "").failed_with(2);
    assert!(said.contains("--yes"), "{said}");
    let _ = doorward.run(&["policy", "forget", "one", "--yes"], "").succeeded();
}

#[test]
fn a_capability_where_its_file_is_meant_is_not_repeated() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let canary = format!("cap1_{}", doorward.plant("bearer"));
    for words in [
        vec!["run", "--capability", &canary, "--", "true"],
        vec!["mcp", "--capability-file", &canary],
        vec![
            "op",
            "run",
            "github.repo.show",
            "--input",
            "owner=a",
            "--input",
            "repo=b",
            "--capability",
            &canary,
        ],
        vec!["approval", "list", "--as", &canary],
    ] {
        let said = doorward.run(&words, "").failed_with(2);
        assert!(said.contains("a file is wanted"), "{words:?}: {said}");
    }
    let mut command = doorward.command();
    command.args(["run", "--json", "--", "true"]).env("CAPABILITY_FILE", &canary);
    let said = doorward.run_command(command, "");
    assert_eq!(said.status.code(), Some(2), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("a file is wanted"), "{}{}", said.stdout, said.stderr);
    doorward.assert_no_canary();
}

#[test]
fn one_line_end_of_a_piped_secret_is_not_part_of_it() {
    let doorward = home();
    let upstream = testkit::Upstream::start();
    doorward.watch(upstream.canary());
    let running = crate::session::with_upstream(&doorward, &upstream);
    let piped = format!("{}\n", upstream.canary());
    let _ = doorward.run(&["secret", "put", "echo/token"], &piped).succeeded();
    let capability = crate::session::capability(&doorward, &[]);
    let said = crate::session::used(&doorward, &capability, "GET", "/open/echo");
    assert_eq!(said["status"], 200, "{said}");
    assert_eq!(upstream.last().header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn an_unknown_key_in_the_settings_names_the_nearest_one() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    crate::write(doorward.data().join("settings.toml"), "theads = 2\n");
    let said = doorward.run(&["up"], "").failed_with(2);
    assert!(said.contains("settings.toml:1: unknown field `theads`"), "{said}");
    assert!(said.contains("hint: did you mean `threads`?"), "{said}");
}

#[test]
fn an_empty_secret_is_refused() {
    let doorward = home();
    let _ = doorward.run(&["init"], "").succeeded();
    let said = doorward.run(&["secret", "put", "slack/token"], "\n").failed_with(1);
    assert!(said.contains("it is empty"), "{said}");
}

#[test]
fn help_is_data_and_a_mistake_is_talk() {
    let doorward = home();
    let help = doorward.run(&["--help"], "").succeeded();
    for word in ["demo", "secret", "capability", "evidence", "--home", "--json"] {
        assert!(help.contains(word), "no `{word}` in {help}");
    }
    assert!(!help.contains("generate"), "{help}");
    let said = doorward.run(&["secert"], "").failed_with(2);
    assert!(said.contains("secret"), "{said}");
    let output = doorward.run(&["secert", "--json"], "");
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["error"]["code"], "usage");
    assert!(document["error"]["hint"].as_str().unwrap().contains("'secret'"), "{document}");
    let output = doorward.run(&["capability", "request", "--json"], "");
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(document["error"]["message"].as_str().unwrap().contains("--for"), "{document}");
    let said = doorward.run(&["secret", "put"], "").failed_with(2);
    assert!(said.contains("the name of the secret is missing"), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let doorward = home();
    let mut shell = std::process::Command::new("/bin/sh");
    let binary = doorward.command().get_program().to_owned();
    shell.arg("-c").arg(format!("{} completions bash | head -c 10; exit 0", binary.to_str().unwrap()));
    let output = doorward.run_command(shell, "");
    assert!(output.stderr.is_empty(), "{}", output.stderr);
}
