//! Which value wins, and what is refused.

use std::collections::BTreeMap;

use super::*;
use crate::args::broker::Up;

fn home(text: &str) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    if !text.is_empty() {
        ::store::files::replace(&folder.path().join("settings.toml"), text.as_bytes(), 0o600).unwrap();
    }
    let home = Home::at(folder.path().to_owned(), None);
    (folder, home)
}

fn loaded(file: &str, variables: &[(&str, &str)], typed: &Up) -> Outcome<Settings> {
    let variables: BTreeMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let (_folder, home) = home(file);
    Settings::load(&home, typed, &|name| variables.get(name).cloned())
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default() {
    let file = "gateway = \"127.0.0.1:1\"\n";
    let variables = [("DOORWARD_GATEWAY", "127.0.0.1:2")];
    let typed = Up { gateway: Some("127.0.0.1:3".parse().unwrap()), ..Up::default() };
    let gateway = |file, variables: &[_], typed: &Up| {
        let setting = loaded(file, variables, typed).unwrap().gateway;
        (setting.value.port(), setting.origin)
    };
    assert_eq!(gateway(file, &variables, &typed), (3, Origin::Flag));
    assert_eq!(gateway(file, &variables, &Up::default()), (2, Origin::Environment("DOORWARD_GATEWAY")));
    assert_eq!(gateway(file, &[], &Up::default()), (1, Origin::File));
    assert_eq!(gateway("", &[], &Up::default()), (8080, Origin::Default));
}

#[test]
fn a_list_in_the_environment_is_separated_by_commas() {
    let settings = loaded("", &[("DOORWARD_DOMAINS", "a.example, b.example")], &Up::default()).unwrap();
    assert_eq!(settings.domains.value, ["a.example", "b.example"]);
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest_one_and_the_line() {
    let failure = loaded("threads = 2\ngatway = \"127.0.0.1:1\"\n", &[], &Up::default()).unwrap_err();
    assert!(failure.message.contains("settings.toml:2: unknown field `gatway`"), "{}", failure.message);
    assert_eq!(failure.hint.as_deref(), Some("did you mean `gateway`?"));
    assert_eq!(failure.exit_status(), 2);
}

#[test]
fn development_mode_stays_on_loopback() {
    let typed = Up { development: true, gateway: Some("0.0.0.0:8080".parse().unwrap()), ..Up::default() };
    let failure = loaded("", &[], &typed).unwrap_err();
    assert!(failure.message.contains("can't listen on `0.0.0.0:8080`"), "{}", failure.message);
    let failure =
        loaded("development = true\n", &[("DOORWARD_GATEWAY", "[::]:8080")], &Up::default()).unwrap_err();
    assert!(failure.message.contains("DOORWARD_GATEWAY"), "{}", failure.message);
}

#[test]
fn a_variable_that_is_not_what_it_should_be_is_an_error_without_its_value() {
    let failure = loaded("", &[("DOORWARD_THREADS", "xoxb-CANARY")], &Up::default()).unwrap_err();
    assert_eq!(failure.message, "`DOORWARD_THREADS` is not what it should be");
}

#[test]
fn half_a_certificate_is_an_error() {
    assert!(loaded("", &[("DOORWARD_TLS_CERT", "/cert")], &Up::default()).is_err());
    assert!(loaded("tls = { cert = \"/cert\" }\n", &[], &Up::default()).is_err());
    let settings = loaded("tls = { cert = \"/cert\", key = \"/key\" }\n", &[], &Up::default()).unwrap();
    assert_eq!(settings.tls.value, Some(Tls { cert: "/cert".into(), key: "/key".into() }));
}

#[test]
fn certificates_of_callers_are_asked_for_over_tls_only() {
    let tls = "tls = { cert = \"/c\", key = \"/k\", client_ca = \"/ca\" }\n";
    let settings = loaded(tls, &[], &Up::default()).unwrap();
    assert_eq!(settings.client_ca.value.as_deref(), Some(std::path::Path::new("/ca")));
    assert_eq!(settings.client_auth.value, ClientAuth::Required);
    for variables in [("DOORWARD_TLS_CLIENT_CA", "/ca"), ("DOORWARD_TLS_CLIENT_AUTH", "optional")] {
        assert!(loaded("", &[variables], &Up::default()).is_err(), "{variables:?}");
    }
    assert!(loaded(tls, &[("DOORWARD_TLS_CLIENT_AUTH", "sometimes")], &Up::default()).is_err());
}

#[test]
fn the_table_lists_every_key_that_the_file_may_hold() {
    let text = "gateway = \"127.0.0.1:1\"\ndomains = [\"a.example\"]\norigins = [\"https://a.example\"]\nthreads = 1\n\
                metrics = \"127.0.0.1:2\"\nadmin = \"127.0.0.1:3\"\ndevelopment = false\nenvironment = \"test\"\nllm = { provider = \"openai-codex\" }\ntls = { cert = \"c\", key = \"k\", client_ca = \"a\", client_auth = \"optional\" }\nrates = { redis = \"localhost:6379\" }\napi = { public_url = \"https://a.example\" }\napprovals = { approvers = 2, linear = { team = \"OPS\", people = { u1 = \"ada\" } } }\nmcp = { resource = \"https://a.example/mcp\", issuer = \"https://login.example\", grants = [{ scope = \"tools:read\", integrations = [\"github\"], access = \"read\" }] }\noperations = { sandbox = \"auto\" }\ntenants = { validate = \"never\", pending = \"5m\", grace = \"1h\" }\nstore = { url = \"postgres://app@localhost/doorward\" }\n";
    loaded(text, &[], &Up::default()).unwrap();
    let read: toml::Table = text.parse().unwrap();
    let keys: Vec<&str> =
        TABLE.iter().map(|row| row.key.split('.').next().unwrap()).filter(|key| !key.is_empty()).collect();
    assert!(read.keys().all(|key| keys.contains(&key.as_str())), "{keys:?}");
    assert!(keys.iter().all(|key| read.contains_key(*key)), "{keys:?}");
}

#[test]
fn the_home_is_the_flag_then_the_variable_then_the_data_folder() {
    let global = |home: Option<&str>| Global {
        home: home.map(Into::into),
        json: false,
        format: None,
        log: None,
        verbose: 0,
        dangerous_allow_dumps: false,
    };
    let all = |name: &str| match name {
        "DOORWARD_HOME" => Some("/chosen".into()),
        "XDG_DATA_HOME" => Some("/data".into()),
        "HOME" => Some("/people/ada".into()),
        _ => None,
    };
    let folder =
        |global: &Global, lookup: Lookup<'_>| super::home(global, lookup).unwrap().folder().to_owned();
    assert_eq!(folder(&global(Some("/typed")), &all), PathBuf::from("/typed"));
    assert_eq!(folder(&global(None), &all), PathBuf::from("/chosen"));
    assert_eq!(
        folder(&global(None), &|name| all(name).filter(|_| name != "DOORWARD_HOME")),
        PathBuf::from("/data/doorward")
    );
    assert_eq!(
        folder(&global(None), &|name| all(name).filter(|_| name == "HOME")),
        PathBuf::from("/people/ada/.local/share/doorward")
    );
    assert!(super::home(&global(None), &|_| None).is_err());
}
