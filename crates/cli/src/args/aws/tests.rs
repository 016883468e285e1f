//! Tests of `doorward aws`: what was typed ends in the structs of the flows.

use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};

use super::*;
use crate::args::Global;
use crate::compat::aws_vault::World;
use crate::compat::aws_vault::command::{self as meant, ExportFormat, ImportFrom, Manner};
use crate::failure::{Kind, Outcome};

/// `doorward` with this one command.
#[derive(Debug, Parser)]
#[command(name = "doorward", disable_help_subcommand = true)]
struct Doorward {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Top,
}

#[derive(Debug, Subcommand)]
enum Top {
    /// AWS
    Aws(Aws),
}

fn meaning(line: &[&str], set: &[(&str, &str)]) -> Outcome<meant::Invocation> {
    let environment =
        |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let world =
        World { environment: &environment, profiles: &Vec::new, prompts: &|| vec!["ykman".to_owned()] };
    let words = ["doorward", "aws"].iter().chain(line);
    let Doorward { global, command: Top::Aws(aws) } =
        Doorward::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    aws.meaning(&global, &world)
}

fn command(line: &[&str], set: &[(&str, &str)]) -> meant::Command {
    meaning(line, set).unwrap_or_else(|failure| panic!("{failure}")).command
}

fn exec(line: &[&str], set: &[(&str, &str)]) -> meant::Exec {
    match command(line, set) {
        meant::Command::Exec(exec) => *exec,
        other => panic!("{other:?}"),
    }
}

fn refused(line: &[&str], set: &[(&str, &str)]) -> String {
    let failure = meaning(line, set).err().unwrap_or_else(|| panic!("{line:?}"));
    assert_eq!(failure.kind, Kind::Usage);
    failure.message
}

#[test]
fn the_command_line_is_sound_and_says_what_it_is() {
    Doorward::command().debug_assert();
    fn check(command: &clap::Command) {
        assert!(command.get_about().is_some() || command.get_name() == "doorward", "{}", command.get_name());
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                !help.is_empty() && !help.ends_with('.'),
                "`{}` of `{}`",
                arg.get_id(),
                command.get_name()
            );
        }
        command.get_subcommands().for_each(check);
    }
    check(&Doorward::command());
}

#[test]
fn exec_has_all_wishes() {
    let found = exec(
        &[
            "exec",
            "prod",
            "-d",
            "2h",
            "-t",
            "123456",
            "--region",
            "eu-west-1",
            "--refresh",
            "--no-browser",
            "--device-code",
            "--policy",
            "{}",
            "--policy-arns",
            "arn:a,arn:b",
            "--ec2-server",
            "--imdsv1",
            "--listen",
            "127.0.0.1:0",
            "--",
            "sh",
            "-c",
            "x",
        ],
        &[],
    );
    assert_eq!(found.profile.as_deref(), Some("prod"));
    assert_eq!(found.command, ["sh", "-c", "x"]);
    assert_eq!(found.listen.as_deref(), Some("127.0.0.1:0"));
    assert!(found.ec2_server && found.imdsv1 && !found.ecs_server);
    let session = found.session;
    assert_eq!(session.duration, Some(Duration::from_secs(7200)));
    assert_eq!(session.mfa_token.as_ref().unwrap().typed(), "123456");
    assert!(session.refresh && session.no_browser && session.device_code && !session.no_session);
    assert_eq!(session.policy.document.as_deref(), Some("{}"));
    assert_eq!(session.policy.arns, ["arn:a", "arn:b"]);
    assert!(!format!("{session:?}").contains("123456"));
}

#[test]
fn behind_two_hyphens_stands_the_command_and_the_profile_is_that_of_the_environment() {
    let found = exec(&["exec", "--", "env"], &[("AWS_PROFILE", "p")]);
    assert_eq!(found.profile.as_deref(), Some("p"));
    assert_eq!(found.command, ["env"]);
    assert!(!found.imdsv1);
}

#[test]
fn variables_of_aws_vault_are_defaults_here_too() {
    let set = [
        ("AWS_VAULT_DURATION", "90m"),
        ("AWS_VAULT_STDOUT", "1"),
        ("AWS_VAULT_PROFILE_ENV", "true"),
        ("AWS_VAULT_BACKEND", "pass"),
        ("AWS_VAULT_FILE_DIR", "/keys"),
    ];
    let found = exec(&["exec", "p"], &set);
    assert_eq!(found.session.duration, Some(Duration::from_secs(5400)));
    assert!(found.session.stdout && found.profile_env);
    let global =
        meaning(&["list", "--backend", "file", "--session-backend", "doorward", "-v"], &set).unwrap().global;
    assert_eq!(global.manner, Manner::Doorward);
    assert_eq!(global.backend.as_deref(), Some("file"));
    assert_eq!(global.session_backend.as_deref(), Some("doorward"));
    assert_eq!(global.file_dir, PathBuf::from("/keys"));
    assert!(global.debug);
    let message = refused(&["exec", "p"], &[("AWS_VAULT_STDOUT", "yes")]);
    assert!(message.starts_with("`AWS_VAULT_STDOUT` can't be read"), "{message}");
}

#[test]
fn stores_are_checked_by_the_same_grammar() {
    let global =
        meaning(&["list", "--op-timeout=20s", "--pass-dir=--odd", "--biometrics", "--prompt=ykman"], &[]);
    let global = global.unwrap().global;
    assert_eq!(global.op.timeout, Duration::from_secs(20));
    assert_eq!(global.pass_dir, Some(PathBuf::from("--odd")));
    assert_eq!(global.prompt.as_deref(), Some("ykman"));
    assert!(global.biometrics);
    assert_eq!(
        refused(&["list", "--prompt=nope"], &[]),
        "--prompt value must be one of terminal,ykman, got 'nope'"
    );
    assert_eq!(refused(&["list", "--op-timeout=20"], &[]), "time: missing unit in duration \"20\"");
}

#[test]
fn flags_without_what_they_belong_to_are_refused() {
    assert_eq!(refused(&["exec", "p", "--lazy"], &[]), "`--lazy` is for a server");
    assert_eq!(refused(&["exec", "p", "--listen", "127.0.0.1:1"], &[]), "`--listen` is for a server");
    assert_eq!(refused(&["exec", "p", "--imdsv1"], &[]), "`--imdsv1` is for the EC2 server");
    assert_eq!(refused(&["configure", "p"], &[]), "there is nothing to configure");
    assert_eq!(refused(&["import", "csv"], &[]), "which CSV file is meant");
    assert_eq!(refused(&["import", "aws-vault", "file"], &[]), "the keyring of aws-vault is no file");
    assert_eq!(
        refused(&["export", "p", "--as", "ini", "--json"], &[]),
        "`--json` and `--as` say different forms"
    );
}

#[test]
fn export_has_a_form() {
    let form = |line: &[&str]| match command(line, &[("AWS_PROFILE", "p")]) {
        meant::Command::Export(export) => {
            assert_eq!(export.profile, None);
            export.format
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(form(&["export"]), ExportFormat::Env);
    assert_eq!(form(&["export", "--json"]), ExportFormat::Json);
    assert_eq!(form(&["export", "--format=json", "--as=json"]), ExportFormat::Json);
    assert_eq!(form(&["export", "--as", "export-env"]), ExportFormat::ExportEnv);
    assert_eq!(form(&["export", "--as", "ini"]), ExportFormat::Ini);
}

#[test]
fn import_and_configure_are_read() {
    let line =
        ["import", "credentials-file", "--profile", "a", "--profile", "b", "--overwrite", "--delete-source"];
    let meant::Command::Import(import) = command(&line, &[]) else { panic!() };
    assert_eq!(import.from, ImportFrom::CredentialsFile(None));
    assert_eq!(import.profiles, ["a", "b"]);
    assert!(import.overwrite && import.delete_source && !import.dry_run);
    let meant::Command::Configure(configure) = command(
        &["configure", "p", "region=eu-west-1", "sso_start_url = https://x/start#/", "--unset", "output"],
        &[],
    ) else {
        panic!()
    };
    let set = [("region", "eu-west-1"), ("sso_start_url", "https://x/start#/")];
    assert_eq!(configure.set, set.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(configure.unset, ["output"]);
    for wrong in ["region", "a b=c", "=x", "a=b\n[c]"] {
        assert!(Doorward::try_parse_from(["doorward", "aws", "configure", "p", wrong]).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_other_commands_are_the_same_as_those_of_aws_vault() {
    let shown = |line: &[&str]| format!("{:?}", command(line, &[]));
    assert_eq!(
        shown(&["add", "p", "--env", "--no-add-config"]),
        "Add(Add { profile: \"p\", env: true, add_config: false, mfa_seed: false })"
    );
    assert_eq!(
        shown(&["rm", "p", "--yes"]),
        "Remove(Remove { profile: \"p\", force: true, sessions_only: false, mfa_seed: false })"
    );
    assert_eq!(
        shown(&["ls", "--sessions"]),
        "List(List { profiles: false, sessions: true, credentials: false })"
    );
    assert_eq!(shown(&["clear"]), "Clear(Clear { profile: None })");
    assert_eq!(shown(&["proxy", "--stop"]), "Proxy(Proxy { stop: true })");
    assert_eq!(
        shown(&["migrate-backend", "--from", "pass", "--to", "file", "--dry-run"]),
        "MigrateBackend(Migrate { from: \"pass\", to: \"file\", profile: None, dry_run: true, overwrite: false, \
         delete_source: false })"
    );
    let meant::Command::Login(login) = command(&["login", "-sa"], &[("AWS_PROFILE", "u")]) else { panic!() };
    assert!(login.stdout && login.auto_logout && login.profile.as_deref() == Some("u"));
    let meant::Command::Rotate(rotate) = command(&["rotate", "p", "-t", "123456"], &[]) else { panic!() };
    assert!(rotate.session.mfa_token.is_some());
}
