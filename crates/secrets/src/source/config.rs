//! `sources.toml` of the home: where sources are, how we sign in there, and how long what they gave is good for.
//!
//! What stands here wins over the usual variables of each tool. A credential is never written down here: it is named by a
//! reference, which is lent one level deep. An unknown key is an error.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use model::{SecretRef, parse_duration};
use serde::{Deserialize, Deserializer};

/// Everything that `sources.toml` may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How old a secret of a source may get before it is read again; 5 minutes without it.
    pub refresh: Option<Span>,
    /// How old it may get while its source can't be reached; 1 hour without it.
    pub stale: Option<Span>,
    /// `command:NAME`.
    pub command: BTreeMap<String, Command>,
    /// `vault:PATH`.
    pub vault: Vault,
    /// `vault:@NAME/PATH`: further ones, by name.
    pub vaults: BTreeMap<String, Vault>,
    /// `aws-sm:`, `aws-ssm:`, `aws-kms:`.
    pub aws: Aws,
    /// `gcp-sm:`, `gcp-kms:`.
    pub gcp: Gcp,
    /// `azure-kv:`.
    pub azure: Azure,
    /// `k8s:`.
    pub kubernetes: Kubernetes,
    /// `op:`.
    pub onepassword: OnePassword,
    /// `bitwarden:`.
    pub bitwarden: Tool,
    /// `pass:`.
    pub pass: Tool,
    /// `sops:`.
    pub sops: Tool,
    /// `age:`.
    pub age: Age,
    /// `keychain:`.
    pub keychain: Tool,
    /// `wincred:`.
    pub wincred: Tool,
    /// `llm:`.
    pub llm: Llm,
}

/// A program of the user's that prints a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program, by its absolute path, and its arguments. No shell is between.
    pub argv: Vec<String>,
    /// The variables of our environment that it inherits; none without it.
    #[serde(default)]
    pub environment: Vec<String>,
    /// How long it may take; 10 seconds without it, and never longer.
    pub within: Option<Span>,
}

/// Vault or `OpenBao`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// Its address (`VAULT_ADDR`).
    pub address: Option<String>,
    /// The namespace (`VAULT_NAMESPACE`).
    pub namespace: Option<String>,
    /// The certificates that are believed there (`VAULT_CACERT`).
    pub ca: Option<PathBuf>,
    /// How we sign in; with the token in `VAULT_TOKEN` without it.
    pub auth: Option<VaultAuth>,
}

/// How we sign in to a Vault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum VaultAuth {
    /// With a token that somebody made.
    Token {
        /// Where it is.
        token: SecretRef,
    },
    /// As an `AppRole`.
    AppRole {
        /// The role id.
        role: String,
        /// Where the secret id is; a role may do without.
        secret: Option<SecretRef>,
        /// Where the method is mounted; `approle` without it.
        mount: Option<String>,
    },
    /// With the service account of this pod.
    Kubernetes {
        /// The role.
        role: String,
        /// Where the method is mounted; `kubernetes` without it.
        mount: Option<String>,
        /// Where the token is; the file that Kubernetes mounts without it.
        token: Option<SecretRef>,
    },
    /// With a token of another issuer.
    Jwt {
        /// The role.
        role: String,
        /// Where the method is mounted; `jwt` without it.
        mount: Option<String>,
        /// Where the token is.
        token: SecretRef,
    },
}

/// AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Aws {
    /// The region (`AWS_REGION`, `AWS_DEFAULT_REGION`).
    pub region: Option<String>,
    /// Another address than the one that AWS publishes (`AWS_ENDPOINT_URL`).
    pub endpoint: Option<String>,
    /// The id of the access key; without it the environment, the container or the instance has the credentials.
    pub access_key_id: Option<String>,
    /// Where its secret key is.
    pub secret_access_key: Option<SecretRef>,
    /// The profile of the shared files whose keys are used instead.
    pub profile: Option<String>,
}

/// Google Cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gcp {
    /// Where the key file of the service account is (`GOOGLE_APPLICATION_CREDENTIALS`); the metadata server without it.
    pub key: Option<SecretRef>,
    /// Another address for tokens.
    pub token_endpoint: Option<String>,
    /// Another address for Secret Manager.
    pub secret_manager: Option<String>,
    /// Another address for KMS.
    pub kms: Option<String>,
}

/// Azure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Azure {
    /// The tenant (`AZURE_TENANT_ID`).
    pub tenant: Option<String>,
    /// The client (`AZURE_CLIENT_ID`).
    pub client: Option<String>,
    /// Where the client's secret is (`AZURE_CLIENT_SECRET`).
    pub secret: Option<SecretRef>,
    /// Who gives tokens (`AZURE_AUTHORITY_HOST`).
    pub authority: Option<String>,
    /// Addresses of vaults by name, beside `https://NAME.vault.azure.net`.
    pub vaults: BTreeMap<String, String>,
}

/// Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubernetes {
    /// The API server; that of the cluster where this pod runs without it.
    pub server: Option<String>,
    /// The certificates that are believed there; those that Kubernetes mounts without it.
    pub ca: Option<PathBuf>,
    /// Where the token is; the file that Kubernetes mounts without it.
    pub token: Option<SecretRef>,
}

/// 1Password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnePassword {
    /// The Connect server (`OP_CONNECT_HOST`); the program `op` is asked without it.
    pub connect: Option<String>,
    /// Where the token of Connect or of a service account is (`OP_CONNECT_TOKEN`, `OP_SERVICE_ACCOUNT_TOKEN`).
    pub token: Option<SecretRef>,
    /// The program, where it is not found by its name.
    pub program: Option<PathBuf>,
}

/// A source that a program answers for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tool {
    /// The program, where it is not found by its name.
    pub program: Option<PathBuf>,
    /// Where the token is that it needs, if it does.
    pub token: Option<SecretRef>,
    /// More variables of our environment that it inherits.
    pub environment: Vec<String>,
}

/// age.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Age {
    /// The program, where it is not found by its name.
    pub program: Option<PathBuf>,
    /// The file with the identity that opens files.
    pub identity: Option<PathBuf>,
}

/// Language models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Llm {
    /// `llm:openai`: where the API key is, if `OPENAI_API_KEY` is not set.
    pub api_key: Option<SecretRef>,
    /// `llm:openai-codex`: where the access token is; it comes before every profile.
    pub access_token: Option<SecretRef>,
    /// The account at the service, where neither a profile nor the token says it.
    pub account_id: Option<String>,
    /// Which profile (`CARAPULSE_AUTH_PROFILE`); the default one without it.
    pub auth_profile: Option<String>,
    /// The file with the profiles (`CARAPULSE_AUTH_PATH`); our own store without it.
    pub auth_path: Option<PathBuf>,
}

/// A duration as people write it, such as `90s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// How long what a source gave is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// Nothing older is used while its source answers.
    pub refresh: Duration,
    /// Nothing older is used, whatever happens.
    pub stale: Duration,
}

impl Config {
    /// How long what a source gave is used.
    #[must_use]
    pub fn ages(&self) -> Ages {
        let refresh = self.refresh.map_or(REFRESH, |span| span.0);
        // What may be used while all is well may be used for as long when it is not.
        Ages { refresh, stale: self.stale.map_or(STALE, |span| span.0).max(refresh) }
    }
}

const REFRESH: Duration = Duration::from_mins(5);
const STALE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
