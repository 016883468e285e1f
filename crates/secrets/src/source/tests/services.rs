//! What is special about each source that is asked over HTTP.

use std::time::Duration;

use testkit::aws::Keeper;
use testkit::vendor::{Azure, Connect, Google, Kubernetes, Lease, Vault};

use super::remote;
use super::*;
use crate::Config;
use crate::source::config::{self, VaultAuth};
use crate::tests::fixture::{Purse, at, secret, shown, texts};

/// Lends what a source needs, at a time that a test sets.
pub(super) struct At(pub(super) u64, pub(super) Purse);

#[async_trait]
impl Lender for At {
    fn now(&self) -> Timestamp {
        at(self.0)
    }

    async fn lend(&self, reference: &SecretRef) -> Result<Secret, Error> {
        self.1.lend(reference).await
    }
}

pub(super) async fn fetch(
    source: &dyn SecretSource,
    reference: &str,
    lender: &dyn Lender,
) -> Result<Vec<u8>, Error> {
    let fetched = source.fetch(&reference.parse().unwrap(), lender).await;
    fetched.map(|fetched| shown(&fetched.secret)).inspect_err(|error| {
        let texts = texts(error);
        assert!(!texts.contains("CANARY"), "{texts}");
    })
}

pub(super) fn why(error: Error) -> Arc<Trouble> {
    match error {
        Error::Source { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

use std::sync::Arc;

pub(super) fn reference(text: &str) -> SecretRef {
    text.parse().unwrap()
}

fn role(secret: Option<SecretRef>) -> VaultAuth {
    VaultAuth::AppRole { role: "role-1".to_owned(), secret, mount: None }
}

#[tokio::test]
async fn every_source_says_when_it_is_out_of_reach_refused_or_sent_elsewhere_and_repeats_nothing() {
    let (vault, aws, google, azure) = (Vault::start(), Keeper::start(), Google::start(), Azure::start());
    let (kubernetes, connect) = (Kubernetes::start(), Connect::start());
    let elsewhere = Vault::start();
    let purse = || {
        let token = ("store:k8s", "CANARY-wrong");
        Purse(vec![
            ("env:VAULT_TOKEN", "hvs.CANARY"),
            ("store:aws/secret", "CANARY"),
            ("store:azure", "CANARY"),
            token,
            ("store:op", "CANARY"),
        ])
    };
    let vault_setup = remote::setup(remote::vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
    let all: Vec<(Box<dyn SecretSource>, &str)> = vec![
        (Box::new(crate::source::vault::Vault::new(&vault_setup)), "vault:secret/data/x#y"),
        (Box::new(crate::source::aws_sm::SecretsManager::new(&remote::keeper(&aws))), "aws-sm:x"),
        (Box::new(crate::source::aws_ssm::Parameters::new(&remote::keeper(&aws))), "aws-ssm:x"),
        (Box::new(crate::source::aws_kms::Kms::new(&remote::keeper(&aws))), "aws-kms:AAAA"),
        (
            Box::new(crate::source::azure::KeyVault::new("azure-kv", &remote::azure(&azure))),
            "azure-kv:acme/x",
        ),
        (Box::new(crate::source::k8s::Kubernetes::new(&remote::cluster(&kubernetes))), "k8s:production/x#y"),
        (Box::new(crate::source::op::OnePassword::new(&remote::connect(&connect))), "op://a/b/c"),
    ];
    for (source, reference) in &all {
        let refused = why(fetch(&**source, reference, &purse()).await.unwrap_err());
        assert!(matches!(*refused, Trouble::Refused { .. }), "{reference}: {refused:?}");
    }
    let away = format!("{}/v1/secret/data/x", elsewhere.url());
    for (status, to) in [(503, None), (302, Some(away.as_str()))] {
        vault.answer_instead(status, to);
        aws.answer_instead(status, to);
        google.answer_instead(status, to);
        azure.answer_instead(status, to);
        kubernetes.answer_instead(status, to);
        connect.answer_instead(status, to);
        for (source, reference) in &all {
            let error = fetch(&**source, reference, &purse()).await.unwrap_err();
            assert_eq!(error.is_passing(), status == 503, "{reference}: {error}");
            assert!(error.hint().is_some(), "{reference}: {error}");
        }
    }
    assert!(elsewhere.calls().is_empty(), "a redirect was followed");
    drop((vault, aws, azure, kubernetes, connect));
    for (source, reference) in &all {
        let error = fetch(&**source, reference, &purse()).await.unwrap_err();
        assert!(error.is_passing(), "{reference}: {error}");
    }
}

// === Vault ===

#[tokio::test]
async fn vault_is_signed_in_to_once_with_each_method_and_in_its_namespace() {
    let purse = || Purse(vec![("store:secret-id", "CANARY-id"), ("store:jwt", "eyJ.CANARY")]);
    let secret = || Some(reference("store:secret-id"));
    let (role_name, mount, token) = ("doorward".to_owned(), Some("k8s-1".to_owned()), reference("store:jwt"));
    for (auth, mount, role, proof) in [
        (role(secret()), "approle", "role-1", "CANARY-id"),
        (role(None), "approle", "role-1", ""),
        (
            VaultAuth::Kubernetes { role: role_name.clone(), mount, token: Some(token.clone()) },
            "k8s-1",
            "doorward",
            "eyJ.CANARY",
        ),
        (VaultAuth::Jwt { role: role_name, mount: None, token }, "jwt", "doorward", "eyJ.CANARY"),
    ] {
        let vault = Vault::start();
        vault.in_namespace("team-a");
        vault.admit(mount, role, proof);
        vault.put(
            "secret",
            "slack",
            &serde_json::json!({ "token": "CANARY-slack", "other": "CANARY-other" }),
        );
        let mut config = remote::vault_config(&vault, Some(auth));
        let source = crate::source::vault::Vault::new(&remote::setup(config.clone(), &[]));
        assert!(
            fetch(&source, "vault:secret/data/slack#token", &purse()).await.is_err(),
            "another namespace"
        );
        config.vault.namespace = Some("team-a".to_owned());
        let source = crate::source::vault::Vault::new(&remote::setup(config, &[]));
        for key in ["token", "other"] {
            let got = fetch(&source, &format!("vault:secret/data/slack#{key}"), &purse()).await.unwrap();
            assert_eq!(got, format!("CANARY-{}", key.replace("token", "slack")).as_bytes());
        }
        let logins = vault.calls().iter().filter(|call| call.path.ends_with("/login")).count();
        assert_eq!(logins, 2, "once for each of the two: {mount}");
    }
}

#[tokio::test]
async fn a_token_of_vault_is_renewed_at_half_of_its_life_and_got_again_when_it_can_not_be() {
    let vault = Vault::start();
    vault.admit("approle", "role-1", "");
    vault.give_tokens(Lease { seconds: 100, renewable: true });
    vault.put("secret", "slack", &serde_json::json!({ "value": "CANARY-slack" }));
    let config = remote::vault_config(&vault, Some(role(None)));
    let source = crate::source::vault::Vault::new(&remote::setup(config, &[]));
    let paths = || {
        vault
            .calls()
            .iter()
            .map(|call| call.path.clone())
            .filter(|path| !path.contains("/secret/"))
            .collect::<Vec<_>>()
    };
    let read = async |seconds: u64| {
        fetch(&source, "vault:secret/data/slack", &At(seconds, Purse(Vec::new()))).await.unwrap()
    };
    let (login, renew) = ("/v1/auth/approle/login", "/v1/auth/token/renew-self");
    read(0).await;
    read(49).await;
    assert_eq!(paths(), [login]);
    read(50).await;
    assert_eq!(paths(), [login, renew]);
    read(99).await;
    assert_eq!(paths(), [login, renew], "renewed at 50, for a hundred seconds");
    read(300).await;
    assert_eq!(paths(), [login, renew, login], "it had ended");
    vault.give_tokens(Lease { seconds: 100, renewable: false });
    read(360).await;
    assert_eq!(paths()[3..], [renew, login], "it could not be renewed");
    vault.revoke_tokens();
    read(370).await;
    assert_eq!(paths()[5..], [login], "it was revoked before its end");
}

#[tokio::test]
async fn what_vault_gives_with_a_lease_is_one_pair_that_is_renewed_and_ends() {
    let vault = Vault::start();
    vault.know_token("hvs.CANARY");
    let pair = serde_json::json!({ "username": "CANARY-user-{n}", "password": "CANARY-pass-{n}" });
    vault.put_plain("database/creds/app", &pair, Some(Lease { seconds: 60, renewable: true }));
    let setup = remote::setup(remote::vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
    let source = crate::source::vault::Vault::new(&setup);
    let purse = || Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY")]);
    let read = async |key: &str, seconds: u64| {
        let reference = reference(&format!("vault:database/creds/app#{key}"));
        let fetched = source.fetch(&reference, &At(seconds, purse())).await.unwrap();
        (String::from_utf8(shown(&fetched.secret)).unwrap(), fetched.ends.unwrap())
    };
    let (user, ends) = read("username", 0).await;
    assert_eq!(ends, at(55), "shortly before its end");
    let (password, ends) = read("password", 40).await;
    assert_eq!(user.replace("user", "pass"), password, "one lease for both");
    assert_eq!(ends, at(95), "renewed");
    vault.revoke_leases();
    let (other, ends) = read("password", 90).await;
    assert_ne!(other, password, "what was revoked is asked for anew");
    assert_eq!(ends, at(145));
    assert_eq!(read("username", 91).await.0.replace("user", "pass"), other);
}

#[tokio::test]
async fn a_lease_of_vault_that_is_not_renewed_is_kept_until_it_nearly_ends() {
    for (status, text) in [(403, "permission denied"), (400, "lease is not renewable"), (503, "sealed")] {
        let vault = Vault::start();
        vault.know_token("hvs.CANARY");
        let pair = serde_json::json!({ "username": "CANARY-user-{n}", "password": "CANARY-pass-{n}" });
        vault.put_plain("database/creds/app", &pair, Some(Lease { seconds: 600, renewable: true }));
        vault.renew_no_lease(status, text);
        let setup = remote::setup(remote::vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
        let source = crate::source::vault::Vault::new(&setup);
        let both = async |seconds: u64| {
            let (user, password) = (
                reference("vault:database/creds/app#username"),
                reference("vault:database/creds/app#password"),
            );
            let purse = || At(seconds, Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY")]));
            let (first, second) = (purse(), purse());
            let (user, password) =
                tokio::join!(source.fetch(&user, &first), source.fetch(&password, &second));
            let shown =
                |fetched: Result<Fetched, Error>| String::from_utf8(shown(&fetched.unwrap().secret)).unwrap();
            let (user, password) = (shown(user), shown(password));
            assert_eq!(user.replace("user", "pass"), password, "{status} at {seconds}");
            user
        };
        let reads = || vault.calls().iter().filter(|call| call.path.ends_with("/database/creds/app")).count();
        let user = both(0).await;
        for seconds in [1, 240, 500, 594] {
            assert_eq!(both(seconds).await, user, "{status} at {seconds}");
        }
        assert_eq!(reads(), 1, "{status}: one lease for both keys");
        assert_ne!(both(595).await, user, "{status}");
        assert_eq!(reads(), 2, "{status}");
    }
}

#[tokio::test]
async fn a_deleted_version_an_odd_member_and_an_odd_path_are_no_secret() {
    let vault = Vault::start();
    vault.know_token("hvs.CANARY");
    vault.put("secret", "gone", &serde_json::Value::Null);
    vault.put(
        "secret",
        "odd",
        &serde_json::json!({ "value": { "nested": "CANARY-nested" }, "number": 12_345_678 }),
    );
    let setup = remote::setup(remote::vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
    let source = crate::source::vault::Vault::new(&setup);
    let purse = || Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY")]);
    assert!(matches!(
        fetch(&source, "vault:secret/data/gone", &purse()).await.unwrap_err(),
        Error::Missing(_)
    ));
    for odd in ["vault:secret/data/odd", "vault:secret/data/odd#number"] {
        assert!(matches!(*why(fetch(&source, odd, &purse()).await.unwrap_err()), Trouble::Wrong(_)), "{odd}");
    }
    let before = vault.calls().len();
    for odd in [
        "vault:secret/../sys/raw",
        "vault:/secret/data/x",
        "vault:a//b",
        "vault:a/%2e%2e/b",
        "vault:a?list=true",
    ] {
        assert!(matches!(*why(fetch(&source, odd, &purse()).await.unwrap_err()), Trouble::Wrong(_)), "{odd}");
    }
    assert_eq!(vault.calls().len(), before, "nothing was asked for");
}

#[tokio::test]
async fn a_vault_that_is_not_set_up_says_what_to_set() {
    for (variables, expected) in [
        (vec![], "VAULT_ADDR"),
        (vec![("VAULT_ADDR", "https://vault.example.com")], "VAULT_TOKEN"),
        (vec![("VAULT_ADDR", "vault.example.com")], "https://"),
        (
            vec![
                ("VAULT_ADDR", "http://vault.example.com"),
                ("VAULT_TOKEN", "set"),
                ("VAULT_SKIP_VERIFY", "1"),
            ],
            "VAULT_CACERT",
        ),
    ] {
        let source = crate::source::vault::Vault::new(&remote::setup(Config::default(), &variables));
        let error = fetch(&source, "vault:secret/data/x", &Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY")]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.is_passing());
    }
}

// === clouds ===

#[tokio::test]
async fn members_of_json_are_found_at_every_cloud() {
    let document = br#"{"token": "CANARY-member", "n": 1}"#;
    let aws = Keeper::start();
    aws.put_secret("prod/slack", document);
    aws.put_parameter("/prod/slack", std::str::from_utf8(document).unwrap());
    let purse = || Purse(vec![("store:aws/secret", testkit::aws::KEEPER_SECRET)]);
    let setup = remote::keeper(&aws);
    let manager = crate::source::aws_sm::SecretsManager::new(&setup);
    assert_eq!(fetch(&manager, "aws-sm:prod/slack#token", &purse()).await.unwrap(), b"CANARY-member");
    let missing = fetch(&manager, "aws-sm:prod/slack#other", &purse()).await.unwrap_err();
    assert!(matches!(missing, Error::Missing(_)), "{missing}");
    let parameters = crate::source::aws_ssm::Parameters::new(&setup);
    assert_eq!(fetch(&parameters, "aws-ssm:/prod/slack#token", &purse()).await.unwrap(), b"CANARY-member");
    let google = Google::start();
    google.put("projects/p/secrets/slack", document);
    let source = crate::source::gcp_sm::SecretManager::new(&remote::google(&google));
    for path in ["projects/p/secrets/slack", "projects/p/secrets/slack/versions/1"] {
        let got = fetch(&source, &format!("gcp-sm:{path}#token"), &Purse(Vec::new())).await.unwrap();
        assert_eq!(got, b"CANARY-member");
    }
    let tokens = google.calls().iter().filter(|call| call.path.contains("/token")).count();
    assert_eq!(tokens, 1, "one token for both");
    google.corrupt();
    let error = fetch(&source, "gcp-sm:projects/p/secrets/slack", &Purse(Vec::new())).await.unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

#[tokio::test]
async fn the_token_of_azure_goes_to_a_key_vault_and_to_nobody_else() {
    let azure = Azure::start();
    azure.know_client("acme", "doorward", "CANARY-client");
    let purse = || Purse(vec![("store:azure", "CANARY-client")]);
    let source = crate::source::azure::KeyVault::new("azure", &remote::azure(&azure));
    for url in [
        "https://evil.example.com/secrets/slack",
        "https://acme.vault.azure.net.evil.example.com/secrets/slack",
        "https://evil.example.com/x.vault.azure.net/secrets/slack",
        "https://user@acme.vault.azure.net/secrets/slack",
        "http://acme.vault.azure.net/secrets/slack",
        "https://acme.vault.azure.net/secrets/../keys",
        "https://acme.vault.azure.net/secrets/slack?x",
    ] {
        let error = fetch(&source, &format!("azure:{url}"), &purse()).await.unwrap_err();
        assert!(matches!(*why(error), Trouble::Wrong(_)), "{url}");
    }
    assert!(azure.calls().is_empty());
}

#[tokio::test]
async fn a_machine_at_azure_needs_no_secret() {
    let azure = Azure::start();
    azure.put("slack", "CANARY-slack");
    let mut config = (*remote::azure(&azure).config).clone();
    (config.azure.tenant, config.azure.client, config.azure.secret) = (None, None, None);
    let setup = remote::setup(config, &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &azure.url())]);
    let source = crate::source::azure::KeyVault::new("azure-kv", &setup);
    assert_eq!(fetch(&source, "azure-kv:acme/slack", &Purse(Vec::new())).await.unwrap(), b"CANARY-slack");
}

#[tokio::test]
async fn a_secret_of_another_namespace_is_refused_and_an_odd_name_is_not_asked_for() {
    let api = Kubernetes::start();
    api.permit("CANARY-pod", "production");
    api.put("staging", "slack", "token", b"CANARY-slack");
    let purse = || Purse(vec![("store:k8s", "CANARY-pod")]);
    let source = crate::source::k8s::Kubernetes::new(&remote::cluster(&api));
    let refused = why(fetch(&source, "k8s:staging/slack#token", &purse()).await.unwrap_err());
    assert!(matches!(*refused, Trouble::Refused { .. }), "{refused}");
    let before = api.calls().len();
    for odd in
        ["k8s:production/slack", "k8s:slack#token", "k8s:a/../b#x", "k8s:A/b#x", "k8s:a/b/c#x", "k8s:a/b?x#y"]
    {
        assert!(matches!(*why(fetch(&source, odd, &purse()).await.unwrap_err()), Trouble::Wrong(_)), "{odd}");
    }
    assert_eq!(api.calls().len(), before);
}

#[tokio::test]
async fn a_field_that_an_item_has_twice_wants_its_section() {
    let server = Connect::start();
    server.know_token("CANARY-connect");
    for section in ["Tokens", "Old tokens"] {
        server.put(("Production", "Slack"), Some(section), "credential", &format!("CANARY-{section}"));
    }
    let purse = || Purse(vec![("store:op", "CANARY-connect")]);
    let source = crate::source::op::OnePassword::new(&remote::connect(&server));
    let error = fetch(&source, "op://Production/Slack/credential", &purse()).await.unwrap_err();
    assert!(error.to_string().contains("section"), "{error}");
    let got = fetch(&source, "op://Production/Slack/Old tokens/credential", &purse()).await.unwrap();
    assert_eq!(got, b"CANARY-Old tokens");
    for odd in [
        "op:Production/Slack/credential",
        "op://Production/Slack",
        "op://a/b/c/d/e",
        "op://a//c",
        "op://a/b/c#d",
    ] {
        assert!(matches!(*why(fetch(&source, odd, &purse()).await.unwrap_err()), Trouble::Wrong(_)), "{odd}");
    }
}

#[tokio::test]
async fn plain_http_is_for_this_machine_and_no_metadata_address_is_ever_a_source() {
    for address in
        ["http://vault.example.com", "http://8.8.8.8", "https://169.254.169.254", "http://169.254.169.254"]
    {
        let vault = config::Vault { address: Some(address.to_owned()), ..config::Vault::default() };
        let setup = remote::setup(Config { vault, ..Config::default() }, &[("VAULT_TOKEN", "set")]);
        let source = crate::source::vault::Vault::new(&setup);
        let purse = Purse(vec![("env:VAULT_TOKEN", "hvs.CANARY")]);
        let asked = tokio::time::timeout(Duration::from_secs(8), fetch(&source, "vault:a/b", &purse)).await;
        assert!(asked.unwrap().is_err(), "{address}");
    }
}

#[test]
fn a_secret_that_is_copied_is_the_same() {
    assert_eq!(shown(&copied(&secret("CANARY-copy")).unwrap()), b"CANARY-copy");
}
