//! Tests of the module `grammar`: the tables against the reference.

use super::*;
use crate::kingpin::Kind;
use crate::kingpin::tests::is_sound;

fn flag(command: &str, long: &str) -> &'static Flag {
    let command = GRAMMAR.command(command).unwrap();
    GRAMMAR.flags(Some(command)).find(|flag| flag.long == long).unwrap_or_else(|| panic!("--{long}"))
}

#[test]
fn the_grammar_is_sound() {
    is_sound(&GRAMMAR);
}

#[test]
fn every_command_is_there_with_its_aliases() {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let all = [
        "help",
        "add",
        "remove",
        "migrate-backend",
        "list",
        "rotate",
        "exec",
        "export",
        "clear",
        "login",
        "proxy",
        "version",
    ];
    assert_eq!(names, all);
    for (alias, name) in [("rm", "remove"), ("ls", "list"), ("server", "proxy")] {
        assert_eq!(GRAMMAR.command(alias).unwrap().name, name);
    }
    let hidden: Vec<&str> =
        COMMANDS.iter().filter(|command| command.hidden).map(|command| command.name).collect();
    assert_eq!(hidden, ["proxy"]);
}

#[test]
fn every_flag_of_the_reference_is_there() {
    let reference = [
        ("add", "env add-config"),
        ("remove", "force sessions-only"),
        ("migrate-backend", "from to profile dry-run overwrite delete-source"),
        ("list", "profiles sessions credentials"),
        ("rotate", "no-session"),
        (
            "exec",
            "duration no-session region mfa-token json server ec2-server ecs-server lazy stdout profile-env",
        ),
        ("export", "duration no-session region mfa-token format stdout"),
        ("clear", ""),
        ("login", "duration no-session mfa-token region path stdout auto-logout"),
        ("proxy", "stop"),
        ("version", ""),
    ];
    for (name, flags) in reference {
        let there: Vec<&str> = GRAMMAR.command(name).unwrap().flags.iter().map(|flag| flag.long).collect();
        assert_eq!(there, flags.split_whitespace().collect::<Vec<_>>(), "{name}");
    }
    let global: Vec<&str> = GLOBAL.iter().map(|flag| flag.long).collect();
    let reference = "debug backend prompt keychain secret-service-collection pass-dir pass-cmd pass-prefix file-dir op-timeout \
                     op-vault-id op-item-title-prefix op-item-tag op-connect-host op-desktop-account-id \
                     proton-pass-share-id proton-pass-item-title-prefix proton-pass-api-base proton-pass-timeout biometrics";
    assert_eq!(global, reference.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn letters_mean_what_they_mean_there() {
    for (command, letters) in [
        ("exec", "d:duration n:no-session t:mfa-token j:json s:server"),
        ("export", "d:duration n:no-session t:mfa-token"),
        ("login", "d:duration n:no-session t:mfa-token s:stdout a:auto-logout"),
        ("remove", "f:force s:sessions-only"),
        ("rotate", "n:no-session"),
    ] {
        let there = GRAMMAR.command(command).unwrap().flags.iter();
        let there: Vec<String> =
            there.filter_map(|flag| flag.short.map(|letter| format!("{letter}:{}", flag.long))).collect();
        assert_eq!(there.join(" "), letters, "{command}");
    }
    assert!(flag("exec", "json").hidden && flag("remove", "sessions-only").hidden);
}

#[test]
fn variables_and_defaults_are_those_of_the_reference() {
    for (command, long, env, default) in [
        ("list", "backend", "AWS_VAULT_BACKEND", None),
        ("list", "prompt", "AWS_VAULT_PROMPT", None),
        ("list", "keychain", "AWS_VAULT_KEYCHAIN_NAME", Some("aws-vault")),
        ("list", "secret-service-collection", "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME", Some("awsvault")),
        ("list", "pass-dir", "AWS_VAULT_PASS_PASSWORD_STORE_DIR", None),
        ("list", "pass-cmd", "AWS_VAULT_PASS_CMD", None),
        ("list", "pass-prefix", "AWS_VAULT_PASS_PREFIX", None),
        ("list", "file-dir", "AWS_VAULT_FILE_DIR", Some("~/.awsvault/keys/")),
        ("list", "op-timeout", "AWS_VAULT_OP_TIMEOUT", Some("15s")),
        ("list", "op-vault-id", "AWS_VAULT_OP_VAULT_ID OP_VAULT_ID", None),
        ("list", "op-item-title-prefix", "AWS_VAULT_OP_ITEM_TITLE_PREFIX", Some("aws-vault")),
        ("list", "op-item-tag", "AWS_VAULT_OP_ITEM_TAG", Some("aws-vault")),
        ("list", "op-connect-host", "AWS_VAULT_OP_CONNECT_HOST OP_CONNECT_HOST", None),
        ("list", "op-desktop-account-id", "AWS_VAULT_OP_DESKTOP_ACCOUNT_ID OP_DESKTOP_ACCOUNT_ID", None),
        ("list", "proton-pass-share-id", "AWS_VAULT_PROTON_PASS_SHARE_ID", None),
        (
            "list",
            "proton-pass-item-title-prefix",
            "AWS_VAULT_PROTON_PASS_ITEM_TITLE_PREFIX",
            Some("aws-vault"),
        ),
        ("list", "proton-pass-api-base", "AWS_VAULT_PROTON_PASS_API_BASE PROTON_PASS_API_BASE", None),
        ("list", "proton-pass-timeout", "AWS_VAULT_PROTON_PASS_TIMEOUT", Some("30s")),
        ("list", "biometrics", "AWS_VAULT_BIOMETRICS", None),
        ("exec", "duration", "AWS_VAULT_DURATION", None),
        ("exec", "stdout", "AWS_VAULT_STDOUT", None),
        ("exec", "profile-env", "AWS_VAULT_PROFILE_ENV", None),
        ("export", "format", "", Some("env")),
        ("login", "auto-logout", "AWS_VAULT_AUTO_LOGOUT", None),
        ("add", "add-config", "", Some("true")),
    ] {
        let flag = flag(command, long);
        assert_eq!(flag.env.join(" "), env, "--{long}");
        assert_eq!(flag.default, default, "--{long}");
    }
    assert!(flag("migrate-backend", "from").required && flag("migrate-backend", "to").required);
    assert_eq!(flag("export", "format").kind, Kind::OneOf(&["env", "export-env", "json", "ini"]));
}

#[test]
fn the_profile_of_exec_and_login_may_come_from_the_environment_and_no_other() {
    for command in COMMANDS {
        let profile = command.args.iter().find(|arg| arg.name == "profile");
        let env = profile.and_then(|arg| arg.env);
        assert_eq!(env.is_some(), matches!(command.name, "exec" | "login"), "{}", command.name);
        let required = profile.is_some_and(|arg| arg.required);
        assert_eq!(required, matches!(command.name, "add" | "remove"), "{}", command.name);
    }
}

#[test]
fn the_backends_are_those_of_both_lists() {
    for name in [
        "keychain",
        "wincred",
        "secret-service",
        "kwallet",
        "pass",
        "file",
        "op-connect",
        "op-service-account",
    ] {
        assert!(BACKENDS.contains(&name), "{name}");
    }
    for name in ["winhello", "keyctl", "passage", "op", "op-desktop", "proton-pass"] {
        assert!(BACKENDS.contains(&name), "{name}");
    }
}
