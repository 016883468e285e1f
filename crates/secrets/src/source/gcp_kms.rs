//! `gcp-kms:KEY:CIPHERTEXT`: what a key of Google's KMS opens, where the key is `projects/P/locations/L/keyRings/R/cryptoKeys/K`
//! and the ciphertext base 64. `gcp:` is the same under the name that a peer gives it.
//!
//! Source: the REST reference of Cloud KMS, `cryptoKeys.decrypt`.

use async_trait::async_trait;
use http::{Method, StatusCode};
use model::SecretRef;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::google::{self, Api};
use super::secret_text::SecretText;
use super::{Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick, web};
use crate::Error;

/// KMS, under one of its names.
pub(super) struct Kms {
    scheme: &'static str,
    api: Api,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Option<SecretText>,
    #[serde(rename = "plaintextCrc32c")]
    sum: Option<String>,
}

impl Kms {
    pub(super) fn new(scheme: &'static str, setup: &Setup) -> Self {
        let address = setup.config.gcp.kms.clone();
        let address = address.unwrap_or_else(|| "https://cloudkms.googleapis.com".to_owned());
        Self { scheme, api: Api::new("Cloud KMS", address, setup) }
    }

    async fn read(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        of_scheme(reference, self.scheme)?;
        let form = Trouble::Wrong("it is not `projects/P/locations/L/keyRings/R/cryptoKeys/K:CIPHERTEXT`");
        let Some((key, ciphertext)) = reference.path().split_once(':') else { return Err(form) };
        let key = web::safe_path(key)?;
        let parts: Vec<&str> = key.split('/').collect();
        if !matches!(parts.as_slice(), ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _])
            || crypto::from_base64(ciphertext).is_err()
        {
            return Err(form);
        }
        let target = format!("/v1/{key}:decrypt");
        let body = Zeroizing::new(format!("{{\"ciphertext\":\"{ciphertext}\"}}").into_bytes());
        let reply = self.api.ask((Method::POST, &target), body, lender).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let reply = reply.accepted()?;
        let Decrypted { plaintext, sum } = reply.json()?;
        match plaintext {
            Some(data) => google::held(&reply, &data, sum.as_deref()).map(Some),
            None => Ok(Some(Zeroizing::default())),
        }
    }
}

#[async_trait]
impl SecretSource for Kms {
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

pub(super) const SCHEME: &str = "gcp-kms";
pub(super) const PEER: &str = "gcp";
