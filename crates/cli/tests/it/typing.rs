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
