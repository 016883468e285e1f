//! Tests of the module `complete`.

use std::process::Command as Program;

use super::super::tests::{SAMPLE, said};
use super::*;

fn offered(typed: &[&str]) -> Vec<String> {
    let line: Vec<&str> = ["--completion-bash"].iter().chain(typed).copied().collect();
    let saying = said(&line);
    assert_eq!(saying.to, Stream::Stdout);
    saying.text.lines().map(str::to_owned).collect()
}

#[test]
fn first_come_the_commands() {
    for typed in [[].as_slice(), &[""], &["ru"], &["--debug", ""], &["--form", "rich", "co"]] {
        assert_eq!(offered(typed), ["help", "run", "copy"], "{typed:?}");
    }
}

#[test]
fn behind_a_command_come_the_names_for_its_argument() {
    for typed in
        [["run"].as_slice(), &["run", ""], &["r", "al"], &["run", "-n", ""], &["run", "-d", "1h", "a"]]
    {
        assert_eq!(offered(typed), ["alpha", "beta"], "{typed:?}");
    }
    assert!(offered(&["run", "alpha", ""]).is_empty());
    assert_eq!(offered(&["help", ""]), ["help", "run", "copy"]);
}

#[test]
fn flags_and_the_words_of_their_values_are_offered() {
    let flags = offered(&["run", "--"]);
    for flag in ["--help", "--debug", "--form", "--duration", "--quick"] {
        assert!(flags.iter().any(|offer| offer == flag), "{flags:?}");
    }
    assert!(!flags.iter().any(|flag| flag.contains("sauce") || flag.contains("completion")));
    assert_eq!(offered(&["copy", "--from", ""]), ["a", "b"]);
    assert_eq!(offered(&["--form", "ri"]), ["plain", "rich"]);
    assert!(offered(&["run", "--region", ""]).is_empty());
    assert!(offered(&["run", "-d", ""]).is_empty());
}

#[test]
fn behind_the_two_hyphens_nothing_is_ours() {
    assert!(offered(&["run", "alpha", "--", "sh", ""]).is_empty());
}

#[test]
fn names_are_asked_for_only_when_they_are_needed() {
    let never = || -> Vec<String> { panic!("nobody asked") };
    assert!(listed(&SAMPLE, &["run", "--"], &never).len() > 4);
    assert_eq!(listed(&SAMPLE, &[""], &never).len(), 3);
}

#[test]
fn a_name_with_a_line_end_is_not_offered() {
    let names = || vec!["a\nb".to_owned(), "c".to_owned()];
    assert_eq!(offers(&SAMPLE, &["run".into()], &names).text, "c\n");
}

/// What the script for bash fills in, where the program offers `offers`.
fn filled_in(offers: &str, line: &str) -> String {
    let script = format!(
        "{}\nsample() {{ [[ $1 == --completion-bash ]] && printf '%s\\n' {offers}; }}\n{line}\n_sample_complete\nprintf \
         '<%s>' \"${{COMPREPLY[@]}}\"\n",
        bash("sample")
    );
    let shown = Program::new("bash").args(["--norc", "-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

#[test]
fn the_script_for_bash_asks_and_fills_in() {
    let line = "COMP_WORDS=(sample run al); COMP_CWORD=2";
    assert_eq!(filled_in("alpha beta albert", line), "<alpha><albert>");
    assert_eq!(filled_in("alpha", "COMP_WORDS=(sample run -- al); COMP_CWORD=3"), "<>");
}

#[test]
fn the_script_for_bash_runs_nothing_that_stands_in_a_name() {
    let line = "COMP_WORDS=(sample run ''); COMP_CWORD=2";
    assert_eq!(filled_in("'a$(echo ran)' 'b c'", line), "<a\\$\\(echo\\ ran\\)><b\\ c>");
}

#[test]
fn the_scripts_name_the_program() {
    assert!(zsh("aws-vault").starts_with("#compdef aws-vault\n_aws_vault_complete() {\n"));
    assert!(zsh("aws-vault").ends_with("compdef _aws_vault_complete aws-vault\n"));
    assert!(fish("aws-vault").starts_with("function _aws_vault_complete\n"));
    assert!(fish("aws-vault").contains("complete -c aws-vault -f"));
}
