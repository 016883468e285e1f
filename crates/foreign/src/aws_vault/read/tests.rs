//! Tests of the module `read`: the command lines of the acceptance cases, and what each flag becomes.

use super::super::command::ExportFormat;
use super::*;
use crate::kingpin::Stream;

/// Reads words where these variables are set.
fn read_with(text: &[&str], set: &[(&str, &str)]) -> Result<Asked, Error> {
    read_where(text, set, &["terminal", "ykman"])
}

/// The same on a machine where these drivers can ask.
fn read_where(text: &[&str], set: &[(&str, &str)], drivers: &[&str]) -> Result<Asked, Error> {
    let environment =
        |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let world = World {
        environment: &environment,
        profiles: &|| vec!["alpha".to_owned(), "beta".to_owned()],
        prompts: &|| drivers.iter().map(|name| (*name).to_owned()).collect(),
    };
    let words: Vec<OsString> = text.iter().map(OsString::from).collect();
    read(&words, &world)
}

fn asked_with(text: &[&str], set: &[(&str, &str)]) -> Invocation {
    match read_with(text, set) {
        Ok(Asked::Run(invocation)) => *invocation,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn exec(text: &[&str], set: &[(&str, &str)]) -> Exec {
    match asked_with(text, set).command {
        Command::Exec(exec) => *exec,
        other => panic!("{other:?}"),
    }
}

fn line(text: &[&str], set: &[(&str, &str)]) -> String {
    read_with(text, set).err().unwrap_or_else(|| panic!("{text:?}")).line("aws-vault")
}

#[test]
fn usage_errors_of_the_acceptance_cases_have_their_texts() {
    for (case, words, text) in [
        (
            "exec/flags-need-dashdash",
            ["exec", "-n", "p", "sh", "-c", "echo hi"].as_slice(),
            "unknown short flag '-c'",
        ),
        ("rotate/mfa-twice", &["rotate", "-t", "1", "p"], "unknown short flag '-t'"),
        (
            "export/bad-format",
            &["export", "--format", "yaml", "p"],
            "enum value must be one of env,export-env,json,ini, got 'yaml'",
        ),
        (
            "migrate/unknown",
            &["migrate-backend", "--from", "does-not-exist", "--to", "file"],
            "enum value must be one of",
        ),
        ("mfa/bad-driver", &["--prompt", "nope", "list"], "--prompt value must be one of"),
        (
            "mfa/bad-driver",
            &["--prompt", "pass", "list"],
            "--prompt=pass (or AWS_VAULT_PROMPT=pass) has been removed",
        ),
    ] {
        let line = line(words, &[]);
        assert!(line.starts_with("aws-vault: error: ") && line.contains(text), "{case}: {line}");
        assert_eq!(line.ends_with(", try --help"), !text.contains("has been removed"), "{case}: {line}");
    }
}

#[test]
fn a_driver_that_is_not_there_is_refused_with_those_that_are() {
    assert_eq!(
        line(&["list"], &[("AWS_VAULT_PROMPT", "kdialog")]),
        "aws-vault: error: --prompt value must be one of terminal,ykman, got 'kdialog', try --help"
    );
    let set = [("AWS_VAULT_PROMPT", "kdialog")];
    assert_eq!(asked_with(&["--prompt=ykman", "list"], &set).global.prompt.as_deref(), Some("ykman"));
}

#[test]
fn usage_errors_name_what_is_missing() {
    for (words, text) in [
        (["add"].as_slice(), "required argument 'profile' not provided"),
        (&["remove", "-f"], "required argument 'profile' not provided"),
        (&["migrate-backend", "--from=file"], "required flag(s) '--to' not provided"),
        (&["exec", "-d"], "expected argument for flag '-d'"),
        (&["exec", "-d", "3600", "p"], "time: missing unit in duration \"3600\""),
        (&["frobnicate"], "expected command but got \"frobnicate\""),
        (&["clear", "a", "b"], "unexpected b"),
        (&["exec", "--json=maybe"], "strconv.ParseBool: parsing \"maybe\": invalid syntax"),
    ] {
        assert_eq!(line(words, &[]), format!("aws-vault: error: {text}, try --help"), "{words:?}");
    }
    assert_eq!(
        line(&["exec", "p"], &[("AWS_VAULT_STDOUT", "yes")]),
        "aws-vault: error: strconv.ParseBool: parsing \"yes\": invalid syntax, try --help"
    );
}

#[test]
fn exec_has_a_profile_a_command_and_a_session() {
    let words = [
        "exec",
        "prod",
        "-n",
        "-d",
        "1h30m",
        "--region=eu-west-1",
        "-t",
        "123456",
        "--lazy",
        "-s",
        "--",
        "sh",
        "-c",
        "x",
    ];
    let exec = exec(&words, &[]);
    assert_eq!(exec.profile.as_deref(), Some("prod"));
    assert_eq!(exec.command, ["sh", "-c", "x"]);
    assert_eq!(exec.session.duration, Some(Duration::from_secs(5400)));
    assert_eq!(exec.session.region.as_deref(), Some("eu-west-1"));
    assert_eq!(exec.session.mfa_token.as_ref().unwrap().typed(), "123456");
    assert!(exec.session.no_session && exec.lazy && exec.ecs_server && exec.imdsv1 && exec.serves());
    assert!(!exec.json && !exec.ec2_server && !exec.profile_env && !exec.session.stdout);
    assert!(!format!("{exec:?}").contains("123456"));
}

#[test]
fn exec_takes_its_defaults_from_the_environment() {
    let set = [
        ("AWS_PROFILE", "p"),
        ("AWS_VAULT_DURATION", "2h"),
        ("AWS_VAULT_STDOUT", "1"),
        ("AWS_VAULT_PROFILE_ENV", "true"),
    ];
    let found = exec(&["exec", "-n"], &set);
    assert_eq!(found.profile.as_deref(), Some("p"));
    assert!(found.command.is_empty());
    assert_eq!(found.session.duration, Some(Duration::from_secs(7200)));
    assert!(found.session.stdout && found.profile_env);
    let typed = exec(&["exec", "q", "--no-stdout", "--no-profile-env", "-d0"], &set);
    assert_eq!(typed.profile.as_deref(), Some("q"));
    assert_eq!(typed.session.duration, None);
    assert!(!typed.session.stdout && !typed.profile_env);
}

#[test]
fn the_first_word_of_exec_is_the_profile_also_behind_two_hyphens() {
    let found = exec(&["exec", "--", "env"], &[("AWS_PROFILE", "p")]);
    assert_eq!((found.profile.as_deref(), found.command.len()), (Some("env"), 0));
}

#[test]
fn export_has_no_profile_of_the_environment() {
    let Command::Export(export) = asked_with(&["export", "-n"], &[("AWS_PROFILE", "p")]).command else {
        panic!()
    };
    assert_eq!((export.profile, export.format), (None, ExportFormat::Env));
    for (name, format) in [
        ("env", ExportFormat::Env),
        ("export-env", ExportFormat::ExportEnv),
        ("json", ExportFormat::Json),
        ("ini", ExportFormat::Ini),
    ] {
        let Command::Export(export) = asked_with(&["export", "p", "--format", name], &[]).command else {
            panic!()
        };
        assert_eq!(export.format, format);
    }
}

#[test]
fn the_other_commands_have_their_flags() {
    let command = |words: &[&str]| format!("{:?}", asked_with(words, &[]).command);
    assert_eq!(
        command(&["add", "p", "--env", "--no-add-config"]),
        "Add(Add { profile: \"p\", env: true, add_config: false, mfa_seed: false })"
    );
    assert_eq!(
        command(&["add", "p"]),
        "Add(Add { profile: \"p\", env: false, add_config: true, mfa_seed: false })"
    );
    assert_eq!(
        command(&["rm", "-fs", "p"]),
        "Remove(Remove { profile: \"p\", force: true, sessions_only: true, mfa_seed: false })"
    );
    assert_eq!(command(&["ls"]), "List(List { profiles: false, sessions: false, credentials: false })");
    assert_eq!(command(&["clear", "p"]), "Clear(Clear { profile: Some(\"p\") })");
    assert_eq!(command(&["server", "--stop"]), "Proxy(Proxy { stop: true })");
    assert_eq!(command(&["version"]), "Version");
    assert_eq!(
        command(&[
            "migrate-backend",
            "--from=pass",
            "--to=file",
            "--profile=p",
            "--dry-run",
            "--delete-source"
        ]),
        "MigrateBackend(Migrate { from: \"pass\", to: \"file\", profile: Some(\"p\"), dry_run: true, overwrite: \
         false, delete_source: true })"
    );
    let Command::Login(login) =
        asked_with(&["login", "-sa", "--path", "ec2"], &[("AWS_PROFILE", "u")]).command
    else {
        panic!()
    };
    assert_eq!((login.profile.as_deref(), login.path.as_deref()), (Some("u"), Some("ec2")));
    assert!(login.stdout && login.auto_logout && !login.session.stdout);
    let Command::Rotate(rotate) = asked_with(&["rotate", "-n"], &[("AWS_PROFILE", "u")]).command else {
        panic!()
    };
    assert!(rotate.profile.is_none() && rotate.session.no_session);
}

#[test]
fn what_holds_for_every_command_has_its_defaults() {
    let global = asked_with(&["list"], &[]).global;
    assert_eq!(global.manner, Manner::AwsVault);
    assert_eq!((global.backend, global.session_backend, global.prompt), (None, None, None));
    assert_eq!(global.keychain, "aws-vault");
    assert_eq!(global.secret_service_collection, "awsvault");
    assert_eq!(global.file_dir, PathBuf::from("~/.awsvault/keys/"));
    assert_eq!(global.op.timeout, Duration::from_secs(15));
    assert_eq!(global.proton_pass.timeout, Duration::from_secs(30));
    assert!(!global.debug && !global.biometrics);
}

#[test]
fn what_holds_for_every_command_is_read_from_the_environment() {
    let set = [
        ("AWS_VAULT_BACKEND", "file"),
        ("AWS_VAULT_SESSION_BACKEND", "keyctl"),
        ("AWS_VAULT_FILE_DIR", "/keys"),
        ("OP_VAULT_ID", "second"),
        ("AWS_VAULT_OP_TIMEOUT", "0s"),
        ("AWS_VAULT_BIOMETRICS", "t"),
        ("AWS_VAULT_PASS_CMD", "gopass"),
        ("AWS_VAULT_PASS_PREFIX", "aws"),
    ];
    let global = asked_with(&["list", "--debug"], &set).global;
    assert_eq!(global.backend.as_deref(), Some("file"));
    assert_eq!(global.session_backend.as_deref(), Some("keyctl"));
    assert_eq!(global.file_dir, PathBuf::from("/keys"));
    assert_eq!(global.op.vault_id.as_deref(), Some("second"));
    assert_eq!(global.op.timeout, Duration::ZERO);
    assert_eq!(global.pass_cmd, Some(PathBuf::from("gopass")));
    assert_eq!(global.pass_prefix.as_deref(), Some("aws"));
    assert!(global.biometrics && global.debug);
    let both = [("OP_VAULT_ID", "second"), ("AWS_VAULT_OP_VAULT_ID", "first")];
    assert_eq!(asked_with(&["list"], &both).global.op.vault_id.as_deref(), Some("first"));
    let wrong = line(&["list"], &[("AWS_VAULT_SESSION_BACKEND", "nowhere")]);
    assert!(wrong.starts_with("aws-vault: error: enum value must be one of doorward,"), "{wrong}");
}

#[test]
fn servers_refuse_what_they_cannot_grant() {
    for (words, text) in [
        (["exec", "-s", "--ec2-server", "p"].as_slice(), Some("Can't use --ec2-server with --ecs-server")),
        (&["exec", "--ec2-server", "-j", "p"], Some("Can't use --ec2-server with --json")),
        (&["exec", "--ec2-server", "-n", "p"], Some("Can't use --ec2-server with --no-session")),
        (&["exec", "--ecs-server", "-j", "p"], Some("Can't use --ecs-server with --json")),
        (&["exec", "--server", "-n", "p"], Some("Can't use --ecs-server with --no-session")),
        (&["exec", "-n", "-j", "p"], None),
        (&["exec", "-s", "p"], None),
    ] {
        assert_eq!(exec(words, &[]).contradiction(), text, "{words:?}");
    }
}

#[test]
fn a_server_does_not_start_with_a_terminal_that_is_not_there() {
    for (server, flag) in
        [("--ecs-server", "ecs-server"), ("-s", "ecs-server"), ("--ec2-server", "ec2-server")]
    {
        let words = ["--prompt", "terminal", "exec", server, "p"];
        let refused = read_where(&words, &[], &["ykman"]).err().map(|error| error.line("aws-vault"));
        let text = format!(
            "aws-vault: error: exec: Can't use --prompt=terminal with --{flag}. Specify a different prompt driver"
        );
        assert_eq!(refused, Some(text));
        assert!(read_where(&words, &[], &["terminal"]).is_ok());
        assert!(read_where(&["exec", server, "p"], &[], &[]).is_ok());
    }
}

#[test]
fn the_terminal_is_a_driver_although_it_is_not_there() {
    assert!(read_where(&["--prompt", "terminal", "list"], &[], &[]).is_ok());
    let refused = read_where(&["--prompt", "kdialog", "list"], &[], &["ykman"]).err().unwrap();
    assert_eq!(
        refused.line("aws-vault"),
        "aws-vault: error: --prompt value must be one of terminal,ykman, got 'kdialog', try --help"
    );
}

#[test]
fn version_and_completion_are_said_by_the_parser() {
    let said = |words: &[&str]| match read_with(words, &[]) {
        Ok(Asked::Say(saying)) => saying,
        other => panic!("{other:?}"),
    };
    let version = said(&["--version"]);
    assert_eq!((version.to, version.text.split_whitespace().count()), (Stream::Stderr, 1));
    let profiles = said(&["--completion-bash", "exec"]);
    assert_eq!((profiles.to, profiles.text.as_str()), (Stream::Stdout, "alpha\nbeta\n"));
    let commands = said(&["--completion-bash"]).text;
    for name in ["exec\n", "login\n", "list\n"] {
        assert!(commands.contains(name));
    }
    assert!(!commands.contains("proxy"));
    assert!(said(&["help"]).text.contains("migrate-backend"));
}

#[test]
fn every_command_of_the_grammar_is_understood() {
    for command in GRAMMAR.commands.iter().filter(|command| command.name != "help") {
        let mut words = vec![command.name];
        if command.name == "migrate-backend" {
            words.extend(["--from=file", "--to=pass"]);
        }
        words.extend(command.args.iter().filter(|arg| arg.required).map(|_| "p"));
        assert!(matches!(read_with(&words, &[]), Ok(Asked::Run(_))), "{words:?}");
    }
}
