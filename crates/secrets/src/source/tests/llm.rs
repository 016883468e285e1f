//! Which credential counts, where several are there.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use cloud::sign_in::{Profile, Renew};

use super::*;
use crate::Config;
use crate::source::llm::Llm;
use crate::tests::fixture::{Purse, shown};

pub(super) fn in_the_environment(bytes: Option<&[u8]>) -> Placed {
    let bytes = bytes.map(<[u8]>::to_vec);
    let read = move |name: &str| bytes.clone().filter(|_| name == "OPENAI_API_KEY").map(OsString::from_vec);
    let setup = Setup { environment: Environment::of(read), ..Setup::default() };
    Placed::new(Llm::new(&setup), "llm:openai", Takes::Bytes, ())
}

const DOCUMENT: &str = r#"{"defaults":{"openai-codex":"openai-codex:b"},"profiles":[
    {"id":"openai-codex:a","provider":"openai-codex","account_id":"account-of-a","access_token":"token-of-a","auto_refresh":true,"refresh_token":"refresh-of-a"},
    {"id":"openai-codex:b","provider":"openai-codex","account_id":"account-of-b","access_token":"token-of-b"},
    {"id":"openai:c","provider":"openai","access_token":"key-of-c"}]}"#;
const PLACE: (&str, &str) = ("store:llm/auth-profiles", DOCUMENT);
const TOKEN: (&str, &str) = ("OPENAI_ACCESS_TOKEN", "token-of-environment");

#[expect(
    clippy::type_complexity,
    reason = "settings, variables and what is stored: told apart where they are written"
)]
async fn asked(
    reference: &str,
    (config, variables, purse): (&str, &[(&str, &str)], &[(&'static str, &'static str)]),
) -> Result<Vec<u8>, String> {
    let config: Config = toml(config);
    let setup =
        Setup { config: Arc::new(config), environment: Environment::with(variables), ..Setup::default() };
    let fetched = Llm::new(&setup).fetch(&reference.parse().unwrap(), &Purse(purse.to_vec())).await;
    match fetched {
        Ok(fetched) => Ok(shown(&fetched.secret)),
        Err(error) => Err(error.to_string()),
    }
}

/// Settings of the section `[llm]`, one `key = value` a line.
fn toml(lines: &str) -> Config {
    let mut config = Config::default();
    for (key, value) in lines.lines().filter_map(|line| line.split_once(" = ")) {
        let reference = || Some(value.parse().unwrap());
        match key {
            "api_key" => config.llm.api_key = reference(),
            "access_token" => config.llm.access_token = reference(),
            "account_id" => config.llm.account_id = Some(value.to_owned()),
            "auth_profile" => config.llm.auth_profile = Some(value.to_owned()),
            "auth_path" => config.llm.auth_path = Some(value.into()),
            other => panic!("{other}"),
        }
    }
    config
}

async fn token(
    config: &str,
    variables: &[(&str, &str)],
    purse: &[(&'static str, &'static str)],
) -> Result<String, String> {
    let document = asked("llm:openai-codex", (config, variables, purse)).await?;
    let profile = Profile::read(&document, "x").unwrap();
    Ok(String::from_utf8(shown(&profile.access)).unwrap())
}

#[tokio::test]
async fn of_a_sign_in_the_configuration_counts_first_then_a_profile_then_the_environment() {
    let configured = ("store:mine/token", "token-of-configuration");
    let stored = ("store:openai-codex/profile", "token-of-store");
    let all = [configured, stored, PLACE];
    assert_eq!(
        token("access_token = store:mine/token", &[TOKEN], &all).await.unwrap(),
        "token-of-configuration"
    );
    assert_eq!(token("", &[TOKEN], &all).await.unwrap(), "token-of-store");
    assert_eq!(token("", &[TOKEN], &[PLACE]).await.unwrap(), "token-of-b");
    assert_eq!(token("", &[TOKEN], &[]).await.unwrap(), "token-of-environment");
    let none = token("", &[], &[]).await.unwrap_err();
    assert!(none.contains("codex access token required"), "{none}");
    // What is configured and not there is no reason to take another one.
    let missing = token("access_token = store:mine/token", &[TOKEN], &[PLACE]).await.unwrap_err();
    assert!(missing.contains("store:mine/token"), "{missing}");
}

#[tokio::test]
async fn a_profile_is_chosen_by_configuration_then_by_environment_then_by_default_and_has_to_be_there() {
    let named = ("CARAPULSE_AUTH_PROFILE", "openai-codex:a");
    assert_eq!(token("auth_profile = openai-codex:b", &[named], &[PLACE]).await.unwrap(), "token-of-b");
    assert_eq!(token("", &[named], &[PLACE]).await.unwrap(), "token-of-a");
    assert_eq!(token("", &[], &[PLACE]).await.unwrap(), "token-of-b");
    for purse in [vec![PLACE], vec![]] {
        let gone = token("auth_profile = openai-codex:gone", &[TOKEN], &purse).await.unwrap_err();
        assert!(gone.contains("auth profile not found: `openai-codex:gone`"), "{gone}");
    }
}

#[tokio::test]
async fn a_file_of_profiles_takes_the_place_of_the_store_and_is_never_renewed_here() {
    let file = ("file:/state/auth-profiles.json", DOCUMENT);
    let path = ("CARAPULSE_AUTH_PATH", "/state/auth-profiles.json");
    let named = "auth_profile = openai-codex:a";
    let renew = async |variables: &[(&str, &str)], purse: &[(&'static str, &'static str)]| {
        let document = asked("llm:openai-codex", (named, variables, purse)).await.unwrap();
        Profile::read(&document, "x").unwrap().renew
    };
    assert_eq!(renew(&[], &[PLACE]).await, Renew::WhenDue);
    assert_eq!(renew(&[path], &[file]).await, Renew::Never);
    let other = (
        "file:/other.json",
        r#"{"profiles":[{"id":"x","provider":"openai-codex","access_token":"token-of-x"}]}"#,
    );
    assert_eq!(token("auth_path = /other.json", &[path], &[file, other, PLACE]).await.unwrap(), "token-of-x");
    // No file is no profile.
    assert_eq!(token("", &[path, TOKEN], &[PLACE]).await.unwrap(), "token-of-environment");
    let damaged = ("file:/state/auth-profiles.json", "{\"profiles\": [\"CANARY\"]}");
    let damaged = token("", &[path, TOKEN], &[damaged]).await.unwrap_err();
    assert!(damaged.contains("can't be read") && !damaged.contains("CANARY"), "{damaged}");
}

#[tokio::test]
async fn the_account_is_that_of_the_same_sign_in() {
    let account = async |config: &str, variables: &[(&str, &str)], purse: &[(&'static str, &'static str)]| {
        let account = asked("llm:openai-codex#account_id", (config, variables, purse)).await;
        account.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    assert_eq!(account("", &[TOKEN], &[PLACE]).await.unwrap(), "account-of-b");
    let stored = [
        ("store:openai-codex/profile", "token-of-store"),
        ("store:openai-codex/account", "account-of-store"),
    ];
    assert_eq!(account("", &[], &stored).await.unwrap(), "account-of-store");
    assert_eq!(account("account_id = account-told", &[TOKEN], &[]).await.unwrap(), "account-told");
    let unknown = account("", &[TOKEN], &[]).await.unwrap_err();
    assert!(unknown.contains("names an account"), "{unknown}");
}

#[tokio::test]
async fn of_an_api_key_the_environment_counts_first_then_the_configuration_then_a_profile_then_the_store() {
    let key = async |config: &str, variables: &[(&str, &str)], purse: &[(&'static str, &'static str)]| {
        asked("llm:openai", (config, variables, purse)).await.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let variable = ("OPENAI_API_KEY", "key-of-environment");
    let all = [("store:mine/key", "key-of-configuration"), PLACE, ("store:openai/token", "key-of-store")];
    assert_eq!(key("api_key = store:mine/key", &[variable], &all).await.unwrap(), "key-of-environment");
    assert_eq!(key("api_key = store:mine/key", &[], &all).await.unwrap(), "key-of-configuration");
    assert_eq!(key("", &[], &all).await.unwrap(), "key-of-c");
    assert_eq!(key("", &[("CARAPULSE_AUTH_PROFILE", "openai-codex:a")], &all).await.unwrap(), "key-of-c");
    assert_eq!(key("", &[], &all[2..]).await.unwrap(), "key-of-store");
    assert!(key("", &[], &[]).await.unwrap_err().contains("llm:openai"));
}

#[tokio::test]
async fn another_name_behind_the_scheme_is_refused() {
    for reference in ["llm:anthropic", "llm:openai#account_id", "llm:openai-codex#access_token"] {
        let error = asked(reference, ("", &[TOKEN], &[PLACE])).await.unwrap_err();
        assert!(error.contains("there are `llm:openai`"), "{error}");
    }
}
