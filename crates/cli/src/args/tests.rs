//! What was typed is read as it was meant.

use clap::{CommandFactory, Parser};

use super::*;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_flag_says_what_it_is() {
    fn check(command: &clap::Command) {
        assert!(command.get_about().is_some(), "`{}` says nothing", command.get_name());
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "`{}` of `{}` says nothing", arg.get_id(), command.get_name());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn no_help_ends_with_a_full_stop() {
    fn check(command: &clap::Command) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.ends_with('.'), "`{}` of `{}`: {help}", arg.get_id(), command.get_name());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn what_stands_behind_the_name_of_a_secret_is_kept_apart() {
    let cli = Cli::try_parse_from(["doorward", "secret", "put", "slack/token", "xoxb-CANARY"]).unwrap();
    let Command::Secret(secret::Secret::Put(put)) = cli.command else { panic!("{cli:?}") };
    assert_eq!(put.rest, ["xoxb-CANARY"]);
}

#[test]
fn json_is_the_same_as_format_json() {
    for words in [["doorward", "--json", "status"].as_slice(), &["doorward", "status", "--format", "json"]] {
        assert_eq!(Cli::try_parse_from(words).unwrap().global.printing(), Format::Json);
    }
    assert_eq!(Cli::try_parse_from(["doorward", "status"]).unwrap().global.printing(), Format::Table);
}
