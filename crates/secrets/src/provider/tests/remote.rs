//! Key services, against servers that are written after their vendors' documentation, and AWS against moto as well.

use std::sync::Arc;

use testkit::aws::{KEEPER_SECRET, Keeper};
use testkit::vendor::{Azure, Google, Vault};

use super::super::*;
use super::suite::Stage;
use crate::source::config;
use crate::source::tests::{moto, remote};
use crate::{Config, Environment, Setup};

fn with(setup: &Setup, change: impl FnOnce(&mut Config), variables: &[(&str, &str)]) -> Setup {
    let mut config = (*setup.config).clone();
    change(&mut config);
    Setup { config: Arc::new(config), environment: Environment::with(variables), ..Setup::default() }
}

pub(super) fn by_transit() -> Stage {
    let vault = Arc::new(Vault::start());
    vault.know_token("hvs.CANARY-root");
    vault.make_key("transit", "doorward");
    vault.make_key("transit", "other");
    let setup = with(
        &Setup::default(),
        |config| *config = remote::vault_config(&vault, None),
        &[("VAULT_TOKEN", "hvs.CANARY-root")],
    );
    let away = Arc::clone(&vault);
    Stage::new(setup, "transit:transit/doorward", "transit:transit/other", vault)
        .out_of_reach(move || away.answer_instead(503, None))
}

pub(super) fn by_aws_kms() -> Stage {
    let aws = Arc::new(Keeper::start());
    let arn = aws.make_key("1234abcd-12ab-34cd-56ef-1234567890ab", "doorward");
    let _ = aws.make_key("ffffabcd-12ab-34cd-56ef-1234567890ab", "other");
    let setup = with(
        &remote::keeper(&aws),
        |config| {
            config.aws.secret_access_key = Some("env:SECRET_KEY".parse().unwrap());
        },
        &[("SECRET_KEY", KEEPER_SECRET)],
    );
    let away = Arc::clone(&aws);
    Stage::new(setup, &format!("aws-kms:{arn}"), "aws-kms:alias/other", aws)
        .out_of_reach(move || away.answer_instead(503, None))
}

pub(super) fn by_gcp_kms() -> Stage {
    let cloud = Arc::new(Google::start());
    let key = |name: &str| format!("projects/acme/locations/global/keyRings/main/cryptoKeys/{name}");
    cloud.make_key(&key("doorward"));
    cloud.make_key(&key("other"));
    let away = Arc::clone(&cloud);
    let (one, other) = (format!("gcp-kms:{}", key("doorward")), format!("gcp-kms:{}", key("other")));
    Stage::new(remote::google(&cloud), &one, &other, cloud)
        .out_of_reach(move || away.answer_instead(503, None))
}

pub(super) fn by_azure_key_vault() -> Stage {
    let cloud = Arc::new(Azure::start());
    cloud.know_client("acme", "doorward", "CANARY-client");
    cloud.make_key("doorward", "v1");
    cloud.make_key("other", "v1");
    let setup = with(
        &remote::azure(&cloud),
        |config| {
            config.azure.secret = Some("env:CLIENT_SECRET".parse().unwrap());
        },
        &[("CLIENT_SECRET", "CANARY-client")],
    );
    let away = Arc::clone(&cloud);
    Stage::new(setup, "azure-key-vault:acme/doorward", "azure-key-vault:acme/other", cloud)
        .out_of_reach(move || away.answer_instead(503, None))
}

fn provider(setup: &Setup, choice: &str) -> Box<dyn KeyProvider> {
    KeyChoice::parse(choice).unwrap().provider(setup, None).unwrap()
}

fn refused(provider: &dyn KeyProvider) -> String {
    provider.facts(&super::HOME).unwrap_err().to_string()
}

#[test]
fn the_home_is_bound_at_each_service_that_can_bind_it() {
    let aws = by_aws_kms();
    let Facts::AwsKms { key, home, .. } = provider(&aws.setup, &aws.choice).facts(&super::HOME).unwrap()
    else {
        panic!("other facts")
    };
    assert!(key.starts_with("arn:aws:kms:eu-central-1:"), "an alias is resolved: {key}");
    let calls = aws.keep.downcast_ref::<Arc<Keeper>>().unwrap().calls();
    let context = &calls.last().unwrap().json()["EncryptionContext"];
    assert_eq!(context["doorward:home"], home.to_string());
    let vault = by_transit();
    let _ = provider(&vault.setup, &vault.choice).facts(&super::HOME).unwrap();
    let calls = vault.keep.downcast_ref::<Arc<Vault>>().unwrap().calls();
    let bound = calls.last().unwrap().json()["associated_data"].as_str().unwrap().to_owned();
    let bound = String::from_utf8(crypto::from_base64(&bound).unwrap()).unwrap();
    assert!(bound.contains(&super::HOME.to_string()), "{bound}");
}

#[test]
fn a_version_of_a_key_that_wrapped_goes_on_unwrapping_after_a_newer_one() {
    let stage = by_azure_key_vault();
    let provider = provider(&stage.setup, &stage.choice);
    let facts = provider.facts(&super::HOME).unwrap();
    stage.keep.downcast_ref::<Arc<Azure>>().unwrap().make_key("doorward", "v2");
    assert!(provider.ready(&facts).is_ok());
    let Facts::AzureKeyVault { version, .. } = provider.facts(&super::HOME).unwrap() else {
        panic!("other facts")
    };
    assert_eq!(version, "v2");
}

#[test]
fn a_service_that_refuses_is_asked_once_and_one_out_of_reach_three_times() {
    let stage = by_transit();
    let vault = stage.keep.downcast_ref::<Arc<Vault>>().unwrap();
    let provider = provider(&stage.setup, "transit:transit/none");
    let error = refused(&*provider);
    assert!(error.contains("refused: our credential may not do this (403)"), "{error}");
    assert_eq!(vault.calls().len(), 1);
    vault.answer_instead(503, None);
    let error = refused(&*provider);
    assert!(error.contains("answered 503"), "{error}");
    assert_eq!(vault.calls().len(), 4);
}

#[test]
fn a_credential_in_our_own_store_can_not_unlock_the_home_that_holds_it() {
    let aws = Keeper::start();
    let arn = aws.make_key("1234abcd-12ab-34cd-56ef-1234567890ab", "doorward");
    let error = refused(&*provider(&remote::keeper(&aws), &format!("aws-kms:{arn}")));
    assert!(error.contains("the broker is sealed"), "{error}");
    assert!(aws.calls().is_empty());
}

#[test]
fn an_answer_that_was_damaged_on_its_way_is_refused() {
    let stage = by_gcp_kms();
    let provider = provider(&stage.setup, &stage.choice);
    let facts = provider.facts(&super::HOME).unwrap();
    stage.keep.downcast_ref::<Arc<Google>>().unwrap().corrupt();
    assert!(provider.ready(&facts).err().unwrap().to_string().contains("checksum"));
    assert!(refused(&*provider).contains("checksum"));
}

#[test]
fn moto_seals_for_one_home_and_refuses_another_context() {
    let Some((_moto, told)) = moto::start() else {
        println!("skipped: moto is not installed (pip: moto[server])");
        return;
    };
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let aws = config::Aws {
        region: Some("eu-central-1".to_owned()),
        endpoint: Some(text("url")),
        access_key_id: Some(text("id")),
        secret_access_key: Some("env:SECRET_KEY".parse().unwrap()),
        profile: None,
    };
    let setup = with(&Setup::default(), |config| config.aws = aws, &[("SECRET_KEY", &text("secret"))]);
    let provider = provider(&setup, &format!("aws-kms:{}", text("key")));
    let facts = provider.facts(&super::HOME).unwrap();
    assert!(provider.ready(&facts).is_ok());
    let Facts::AwsKms { key, wrapped, .. } = facts else { panic!("other facts") };
    let home = HomeId::try_from("09".repeat(16)).unwrap();
    let error = provider.ready(&Facts::AwsKms { home, key, wrapped }).err().unwrap().to_string();
    assert!(error.contains("InvalidCiphertext"), "{error}");
}
