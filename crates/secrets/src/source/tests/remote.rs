//! Sources behind HTTP, against services that are written after their vendors' documentation.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use testkit::aws::{KEEPER_KEY, KEEPER_SECRET, Keeper};
use testkit::vendor::{Azure, Connect, Google, Kubernetes, Vault};

use super::*;
use crate::Config;
use crate::source::config::{self, VaultAuth};

pub(crate) fn setup(config: Config, environment: &[(&str, &str)]) -> Setup {
    Setup { config: Arc::new(config), environment: Environment::with(environment), ..Setup::default() }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

pub(crate) fn vault_config(vault: &Vault, auth: Option<VaultAuth>) -> Config {
    let vault = config::Vault { address: Some(vault.url()), auth, ..config::Vault::default() };
    Config { vault, ..Config::default() }
}

pub(super) fn in_a_vault(bytes: Option<&[u8]>) -> Placed {
    let vault = Vault::start();
    vault.know_token("hvs.CANARY-root");
    if let Some(bytes) = bytes {
        // A value that is no text can't be kept there at all.
        let value = text(bytes).unwrap_or_default();
        vault.put("secret", "slack", &json!({ "token": value, "attempts": 3, "flags": { "on": true } }));
    }
    let setup = setup(vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
    let source = crate::source::vault::Vault::new(&setup);
    let placed = Placed::new(source, "vault:secret/data/slack#token", Takes::Text, vault);
    placed.needing(&[("env:VAULT_TOKEN", "hvs.CANARY-root")])
}

pub(super) fn in_an_old_vault(bytes: Option<&[u8]>) -> Placed {
    let vault = Vault::start();
    vault.know_token("hvs.CANARY-root");
    if let Some(bytes) = bytes {
        vault.put_plain(
            "kv/slack",
            &json!({ "value": text(bytes).unwrap_or_default(), "metadata": "mine" }),
            None,
        );
    }
    let setup = setup(vault_config(&vault, None), &[("VAULT_TOKEN", "set")]);
    let source = crate::source::vault::Vault::new(&setup);
    Placed::new(source, "vault:kv/slack", Takes::Text, vault)
        .needing(&[("env:VAULT_TOKEN", "hvs.CANARY-root")])
}

pub(crate) fn keeper(keeper: &Keeper) -> Setup {
    let aws = config::Aws {
        region: Some("eu-central-1".to_owned()),
        endpoint: Some(keeper.url()),
        access_key_id: Some(KEEPER_KEY.to_owned()),
        secret_access_key: Some("store:aws/secret".parse().unwrap()),
        profile: None,
    };
    setup(Config { aws, ..Config::default() }, &[])
}

const AWS_PURSE: &[(&str, &str)] = &[("store:aws/secret", KEEPER_SECRET)];

pub(super) fn in_secrets_manager(bytes: Option<&[u8]>) -> Placed {
    let aws = Keeper::start();
    if let Some(bytes) = bytes {
        aws.put_secret("prod/slack", bytes);
    }
    let source = crate::source::aws_sm::SecretsManager::new(&keeper(&aws));
    Placed::new(source, "aws-sm:prod/slack", Takes::Bytes, aws).needing(AWS_PURSE)
}

pub(super) fn in_parameter_store(bytes: Option<&[u8]>) -> Placed {
    let aws = Keeper::start();
    if let Some(bytes) = bytes {
        aws.put_parameter("/prod/slack", &text(bytes).unwrap_or_default());
    }
    let source = crate::source::aws_ssm::Parameters::new(&keeper(&aws));
    // 8 KiB is what an advanced parameter holds.
    Placed::new(source, "aws-ssm:/prod/slack", Takes::UpTo(8192), aws).needing(AWS_PURSE)
}

pub(super) fn sealed_by_aws(bytes: Option<&[u8]>) -> Placed {
    let aws = Keeper::start();
    let sealed = match bytes {
        Some(bytes) => format!("aws-kms:{}", aws.seal(bytes)),
        // What a ciphertext holds is there or not; a member of it may be missing.
        None => format!("aws-kms:{}#absent", aws.seal(b"{}")),
    };
    let source = crate::source::aws_kms::Kms::new(&keeper(&aws));
    Placed::new(source, &sealed, Takes::UpTo(4096), aws).needing(AWS_PURSE)
}

pub(crate) fn google(google: &Google) -> Setup {
    let address = Some(google.url());
    let (secret_manager, kms) = (address.clone(), address);
    let gcp = config::Gcp { secret_manager, kms, ..config::Gcp::default() };
    let host = google.url().trim_start_matches("http://").to_owned();
    setup(Config { gcp, ..Config::default() }, &[("GCE_METADATA_HOST", &host)])
}

pub(super) fn in_secret_manager(bytes: Option<&[u8]>) -> Placed {
    let cloud = Google::start();
    if let Some(bytes) = bytes {
        cloud.put("projects/acme/secrets/slack", bytes);
    }
    let source = crate::source::gcp_sm::SecretManager::new(&google(&cloud));
    Placed::new(source, "gcp-sm:projects/acme/secrets/slack", Takes::Bytes, cloud)
}

fn sealed_by_google(scheme: &'static str, bytes: Option<&[u8]>) -> Placed {
    let cloud = Google::start();
    let key = "projects/acme/locations/global/keyRings/main/cryptoKeys/slack";
    let sealed = cloud.seal(key, bytes.unwrap_or(b"CANARY-8"));
    let other =
        if bytes.is_some() { key } else { "projects/acme/locations/global/keyRings/main/cryptoKeys/none" };
    let source = crate::source::gcp_kms::Kms::new(scheme, &google(&cloud));
    Placed::new(source, &format!("{scheme}:{other}:{sealed}"), Takes::UpTo(65_000), cloud)
}

pub(super) fn in_gcp_kms(bytes: Option<&[u8]>) -> Placed {
    sealed_by_google("gcp-kms", bytes)
}

pub(super) fn in_gcp_kms_of_a_peer(bytes: Option<&[u8]>) -> Placed {
    sealed_by_google("gcp", bytes)
}

pub(crate) fn azure(azure: &Azure) -> Setup {
    let azure = config::Azure {
        tenant: Some("acme".to_owned()),
        client: Some("doorward".to_owned()),
        secret: Some("store:azure".parse().unwrap()),
        authority: Some(azure.url()),
        vaults: BTreeMap::from([("acme".to_owned(), azure.url())]),
    };
    setup(Config { azure, ..Config::default() }, &[])
}

fn in_key_vault_as(scheme: &'static str, bytes: Option<&[u8]>) -> Placed {
    let cloud = Azure::start();
    cloud.know_client("acme", "doorward", "CANARY-client");
    if let Some(bytes) = bytes {
        cloud.put("slack", &text(bytes).unwrap_or_default());
    }
    let reference = match scheme {
        "azure" => format!("azure:{}/secrets/slack", cloud.url()),
        _ => "azure-kv:acme/slack".to_owned(),
    };
    let source = crate::source::azure::KeyVault::new(scheme, &azure(&cloud));
    Placed::new(source, &reference, Takes::Text, cloud).needing(&[("store:azure", "CANARY-client\n")])
}

pub(super) fn in_key_vault(bytes: Option<&[u8]>) -> Placed {
    in_key_vault_as("azure-kv", bytes)
}

pub(super) fn in_key_vault_of_a_peer(bytes: Option<&[u8]>) -> Placed {
    in_key_vault_as("azure", bytes)
}

pub(crate) fn cluster(kubernetes: &Kubernetes) -> Setup {
    let token = Some("store:k8s".parse().unwrap());
    let kubernetes = config::Kubernetes { server: Some(kubernetes.url()), ca: None, token };
    setup(Config { kubernetes, ..Config::default() }, &[])
}

pub(super) fn in_kubernetes(bytes: Option<&[u8]>) -> Placed {
    let api = Kubernetes::start();
    api.permit("CANARY-pod", "production");
    match bytes {
        Some(bytes) => api.put("production", "slack", "token", bytes),
        None => api.put("production", "slack", "other", b"CANARY-8"),
    }
    let source = crate::source::k8s::Kubernetes::new(&cluster(&api));
    Placed::new(source, "k8s:production/slack#token", Takes::Bytes, api)
        .needing(&[("store:k8s", "CANARY-pod")])
}

pub(crate) fn connect(connect: &Connect) -> Setup {
    let token = Some("store:op".parse().unwrap());
    let onepassword = config::OnePassword { connect: Some(connect.url()), token, program: None };
    setup(Config { onepassword, ..Config::default() }, &[])
}

pub(super) fn in_one_password_connect(bytes: Option<&[u8]>) -> Placed {
    let server = Connect::start();
    server.know_token("CANARY-connect");
    let at = ("Production", "Slack \u{e9}");
    server.put(at, None, "username", "bot");
    if let Some(bytes) = bytes {
        server.put(at, Some("Tokens"), "credential", &text(bytes).unwrap_or_default());
    }
    let source = crate::source::op::OnePassword::new(&connect(&server));
    Placed::new(source, "op://Production/Slack \u{e9}/Tokens/credential", Takes::Text, server)
        .needing(&[("store:op", "CANARY-connect")])
}

pub(super) fn sealed_with_a_local_key(bytes: Option<&[u8]>) -> Placed {
    let sealed = crypto::to_base64(&crypto::seal_aes256_gcm(&[7; 32], bytes.unwrap_or_default()).unwrap());
    let setup = setup(Config::default(), &[("AWS_KMS_KEY", &crypto::to_base64(&[7; 32]))]);
    // A reference has room for 96 KiB. What is not there can't be said in this form: it holds itself.
    Placed::new(crate::source::aws_local::Local::new(&setup), &format!("aws:{sealed}"), Takes::Itself, ())
}
