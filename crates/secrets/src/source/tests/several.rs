//! Sources that know more than one place: several Vaults, and whose credentials at AWS are meant.

use testkit::vendor::Vault;

use super::services::{At, fetch, reference, why};
use super::*;
use crate::Config;
use crate::source::config::{self, VaultAuth};
use crate::tests::fixture::Purse;

#[tokio::test]
async fn a_session_of_aws_is_one_document_of_the_machine_or_of_a_profile() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let text = "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = CANARY-work\n[role]\nrole_arn = arn:aws:iam::1:role/x\n";
    store::files::replace(&file, text.as_bytes(), 0o600).unwrap();
    let variables = [
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_ACCESS_KEY_ID", "AKIAMACHINE"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY-machine"),
        ("AWS_SESSION_TOKEN", "CANARY-token"),
    ];
    let source = crate::source::aws_session::Session::new(&remote::setup(Config::default(), &variables));
    let got = async |text: &str| fetch(&source, text, &At(0, Purse(Vec::new()))).await;
    for (text, id, key) in [
        ("aws-session:machine", "AKIAMACHINE", "CANARY-machine"),
        ("aws-session:environment", "AKIAMACHINE", "CANARY-machine"),
        ("aws-session:profile/work", "AKIAWORK", "CANARY-work"),
    ] {
        let document: serde_json::Value = serde_json::from_slice(&got(text).await.unwrap()).unwrap();
        assert_eq!(
            (&document["AccessKeyId"], &document["SecretAccessKey"]),
            (&id.into(), &key.into()),
            "{text}"
        );
        assert_eq!(document.get("SessionToken").is_some(), id == "AKIAMACHINE");
    }
    for (text, wanted) in [
        ("aws-session:profile/role", "no keys of its own"),
        ("aws-session:profile/absent", "no profile `absent`"),
        ("aws-session:container", "neither `AWS_CONTAINER"),
        ("aws-session:somebody", "`machine`"),
        ("aws-session:machine#SecretAccessKey", "used whole"),
    ] {
        let told = why(got(text).await.unwrap_err()).to_string();
        assert!(told.contains(wanted), "{text}: {told}");
    }
}

#[tokio::test]
async fn a_home_may_know_several_vaults_and_the_variables_speak_of_the_usual_one() {
    let (usual, other) = (Vault::start(), Vault::start());
    for (vault, token, value) in [
        (&usual, "hvs.CANARY-usual", "CANARY-of-the-usual"),
        (&other, "hvs.CANARY-other", "CANARY-of-the-other"),
    ] {
        vault.know_token(token);
        vault.put("secret", "slack", &serde_json::json!({ "token": value }));
    }
    let further = |auth| config::Vault { address: Some(other.url()), auth, ..config::Vault::default() };
    let token = VaultAuth::Token { token: reference("store:other") };
    let vaults = [("eu".to_owned(), further(Some(token))), ("bare".to_owned(), further(None))].into();
    let config = Config { vaults, ..remote::vault_config(&usual, None) };
    let setup = remote::setup(config, &[("VAULT_TOKEN", "set")]);
    let source = crate::source::vault::Vault::new(&setup);
    let purse = Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY-usual"), ("store:other", "hvs.CANARY-other")]);
    let got = async |text: &str| fetch(&source, text, &At(0, Purse(purse.0.clone()))).await;
    assert_eq!(got("vault:secret/data/slack#token").await.unwrap(), b"CANARY-of-the-usual");
    assert_eq!(got("vault:@eu/secret/data/slack#token").await.unwrap(), b"CANARY-of-the-other");
    for (text, wanted) in [
        ("vault:@us/secret/data/slack#token", "[vaults.us]"),
        ("vault:@bare/secret/data/slack#token", "needs `address` and `auth`"),
        ("vault:@eu", "no path"),
    ] {
        let told = why(got(text).await.unwrap_err()).to_string();
        assert!(told.contains(wanted), "{text}: {told}");
    }
}
