//! An RSA key of Azure Key Vault as a key provider: `wrapKey` and `unwrapKey` with RSA-OAEP-256.
//!
//! RSA authenticates nothing beside what it wraps, so the home stands within. Everybody who knows the public key can wrap:
//! see the guide for what that means. The token is that of the secret source `azure-kv:`.
//!
//! Source: the REST reference of Key Vault, "Wrap Key" and "Unwrap Key".

use http::{Method, StatusCode, header};
use memory::Secret;
use net::egress::Roots;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::asking::ask;
use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use crate::source::azure::token::Tokens;
use crate::source::azure::{VERSION, address, is_label, resource};
use crate::source::secret_text::SecretText;
use crate::source::web::{self, Asked, Reply, Way, Web};
use crate::source::{Setup, Trouble, pick};

/// One key.
struct AzureKeyVault {
    vault: String,
    key: String,
    version: Option<String>,
    setup: Setup,
}

#[derive(Deserialize)]
struct Wrapped {
    kid: String,
    value: String,
}

#[derive(Deserialize)]
struct Unwrapped {
    value: SecretText,
}

/// The key that was chosen: `VAULT/KEY`, or `VAULT/KEY/VERSION`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&[])?;
    let form = "`VAULT/KEY` or `VAULT/KEY/VERSION`";
    let parts: Vec<&str> = choice.place(form)?.split('/').collect();
    let (vault, key, version) = match parts.as_slice() {
        [vault, key] => (*vault, *key, None),
        [vault, key, version] => (*vault, *key, Some(*version)),
        _ => return Err(Wrong::new(format!("behind the colon stands {form}"))),
    };
    if !parts.iter().all(|part| is_label(part)) {
        return Err(Wrong::new(format!("behind the colon stands {form}, of letters, digits and dashes")));
    }
    Ok(of(vault, key, version, setup))
}

/// A key of a vault.
pub(super) fn of(vault: &str, key: &str, version: Option<&str>, setup: &Setup) -> Box<dyn KeyProvider> {
    let (vault, key) = (vault.to_owned(), key.to_owned());
    Box::new(Kept(AzureKeyVault { vault, key, version: version.map(str::to_owned), setup: setup.clone() }))
}

impl AzureKeyVault {
    fn does(&self, vault: &str, target: &str, value: &str) -> Result<Reply, Trouble> {
        let address = address(&self.setup.config, vault);
        let resource = resource(&address);
        let tokens = Tokens::new(std::sync::Arc::clone(&self.setup.config), self.setup.environment.clone());
        let mut body = Zeroizing::new(Vec::with_capacity(value.len() + 64));
        for part in ["{\"alg\":\"RSA-OAEP-256\",\"value\":\"", value, "\"}"] {
            body.extend_from_slice(part.as_bytes());
        }
        ask(&self.setup, async |lender| {
            let token = tokens.token(&resource, lender).await?;
            let way = Way { roots: Roots::Platform, proxies: web::proxies(&self.setup.environment)? };
            let web = Web::new("Key Vault", &address, way)?;
            let headers = vec![(header::AUTHORIZATION, web::credential("Bearer ", &token)?)];
            let asked = Asked { method: Method::POST, target, headers, json: body.clone() };
            let reply = web.ask(asked).await?;
            if reply.status == StatusCode::NOT_FOUND {
                return Err(Trouble::setting(format!("there is no such key in the vault `{vault}`")));
            }
            reply.accepted()
        })
    }
}

impl Keeps for AzureKeyVault {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let plain = Zeroizing::new(crypto::to_base64url(payload.as_bytes()));
        let version = self.version.as_deref().unwrap_or_default();
        let target = format!("/keys/{}/{version}/wrapkey?api-version={VERSION}", self.key);
        let reply = self.does(&self.vault, &target, &plain)?;
        let Wrapped { kid, value } = reply.json()?;
        // The version that wrapped is the one that unwraps, also when the key gets a newer one.
        let version = kid.rsplit('/').next().filter(|version| is_label(version));
        let version = version.ok_or_else(|| reply.wrong("does not name the version of the key"))?.to_owned();
        if crypto::from_base64url(&value).is_err() {
            return Err(reply.wrong("is not base 64"));
        }
        let (vault, key) = (self.vault.clone(), self.key.clone());
        Ok(Facts::AzureKeyVault { home: *home, vault, key, version, wrapped: value })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::AzureKeyVault { home: _, vault, key, version, wrapped } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let parts = [vault, key, version];
        if !parts.into_iter().all(|part| is_label(part)) || crypto::from_base64url(wrapped).is_err() {
            return Err(Trouble::Wrong("the facts of its key are not of the form"));
        }
        let target = format!("/keys/{key}/{version}/unwrapkey?api-version={VERSION}");
        let reply = self.does(vault, &target, wrapped)?;
        let Unwrapped { value } = reply.json()?;
        let text = pick::plain(&value.0);
        let text = std::str::from_utf8(&text).map_err(|_| reply.wrong("is not base 64"))?;
        crypto::from_base64url(text).map(Zeroizing::new).map_err(|_| reply.wrong("is not base 64"))
    }
}

pub(super) const NAME: &str = "azure-key-vault";
