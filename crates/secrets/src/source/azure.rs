//! `azure-kv:VAULT/NAME`: a secret of Azure Key Vault, its current version or `VAULT/NAME/VERSION`; with `#field` one member of
//! its JSON object. `azure:https://VAULT.vault.azure.net/secrets/NAME` is the same as a peer writes it.
//!
//! The token is that of the service principal that `sources.toml` or `AZURE_TENANT_ID` and its siblings name: with a client
//! secret, or with the token that a workload identity mounts; else that of the machine's managed identity, from its metadata
//! service at its own number only and without any proxy. It goes to addresses of Key Vault only, or to those in `sources.toml`.
//!
//! Source: the REST reference of Key Vault, "Get Secret".

pub(crate) mod token;

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use model::SecretRef;
use net::egress::Roots;
use serde::Deserialize;
use zeroize::Zeroizing;

use self::token::Tokens;
use super::config::Config;
use super::secret_text::SecretText;
use super::web::{self, Asked, Way, Web};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// Key Vault, under one of its names.
pub(super) struct KeyVault {
    scheme: &'static str,
    config: Arc<Config>,
    environment: Environment,
    tokens: Tokens,
}

/// Where a secret is.
struct Place {
    address: String,
    /// `NAME` or `NAME/VERSION`.
    name: String,
    /// What the token is for.
    resource: String,
}

#[derive(Deserialize)]
struct Bundle {
    value: SecretText,
}

impl KeyVault {
    pub(super) fn new(scheme: &'static str, setup: &Setup) -> Self {
        let (config, environment) = (Arc::clone(&setup.config), setup.environment.clone());
        let tokens = Tokens::new(Arc::clone(&config), environment.clone());
        Self { scheme, config, environment, tokens }
    }

    fn place(&self, reference: &SecretRef) -> Result<Place, Trouble> {
        of_scheme(reference, self.scheme)?;
        let path = reference.path();
        if self.scheme == PEER {
            return self.place_of_url(path);
        }
        let form = "it is not `VAULT/NAME` or `VAULT/NAME/VERSION`";
        let (vault, name) = path.split_once('/').ok_or(Trouble::Wrong(form))?;
        if !is_label(vault) || name.split('/').count() > 2 || !name.split('/').all(is_label) {
            return Err(Trouble::Wrong(form));
        }
        let address = address(&self.config, vault);
        Ok(Place { resource: resource(&address), address, name: name.to_owned() })
    }

    /// The whole address, which has to be one of Key Vault: our token must not go anywhere else.
    fn place_of_url(&self, url: &str) -> Result<Place, Trouble> {
        let form = Trouble::Wrong("it is not `https://VAULT.vault.azure.net/secrets/NAME`");
        let Some((address, name)) = url.split_once("/secrets/") else { return Err(form) };
        let vault = address.strip_prefix("https://").and_then(|host| host.split_once('.'));
        let usual = vault.is_some_and(|(vault, domain)| is_label(vault) && DOMAINS.contains(&domain));
        let named = self.config.azure.vaults.values().any(|known| known.trim_end_matches('/') == address);
        if !(usual || named) || name.split('/').count() > 2 || !name.split('/').all(is_label) {
            return Err(form);
        }
        Ok(Place { resource: resource(address), address: address.to_owned(), name: name.to_owned() })
    }

    async fn read(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        let Place { address, name, resource } = self.place(reference)?;
        let token = self.tokens.token(&resource, lender).await?;
        let way = Way { roots: Roots::Platform, proxies: web::proxies(&self.environment)? };
        let web = Web::new("Key Vault", &address, way)?;
        let headers = vec![(http::header::AUTHORIZATION, web::credential("Bearer ", &token)?)];
        let target = format!("/secrets/{name}?api-version={VERSION}");
        let reply = web
            .ask(Asked { method: Method::GET, target: &target, headers, json: Zeroizing::default() })
            .await?;
        match reply.status {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::UNAUTHORIZED => self.tokens.forget(&resource).await,
            _ => {}
        }
        let reply = reply.accepted()?;
        Ok(Some(pick::plain(&reply.json::<Bundle>()?.value.0)))
    }
}

#[async_trait]
impl SecretSource for KeyVault {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        match self.read(reference, lender).await {
            Ok(Some(bytes)) => pick::from(reference, bytes),
            Ok(None) => Err(Error::Missing(reference.to_string())),
            Err(why) => Err(Error::source(reference, why)),
        }
    }
}

/// Where a vault is: as `sources.toml` says, else where Azure has it.
pub(crate) fn address(config: &Config, vault: &str) -> String {
    let usual = || format!("https://{}.vault.azure.net", vault.to_ascii_lowercase());
    config.azure.vaults.get(vault).cloned().unwrap_or_else(usual)
}

/// The name of a vault, of what is in it, or a version.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What a token for the vaults of this cloud is for.
pub(crate) fn resource(address: &str) -> String {
    let domain = DOMAINS.iter().find(|domain| address.ends_with(*domain)).unwrap_or(&"vault.azure.net");
    format!("https://{domain}")
}

pub(super) const SCHEME: &str = "azure-kv";
pub(super) const PEER: &str = "azure";
const DOMAINS: &[&str] = &["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net"];
pub(crate) const VERSION: &str = "7.4";
