//! `gcp-sm:projects/P/secrets/S`: a secret of Google's Secret Manager, its latest version or `/versions/N`; with `#field` one
//! member of its JSON object.
//!
//! Source: the REST reference of Secret Manager, `projects.secrets.versions.access`.

use async_trait::async_trait;
use http::{Method, StatusCode};
use model::SecretRef;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::google::{self, Api};
use super::secret_text::SecretText;
use super::{Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick, web};
use crate::Error;

/// Secret Manager.
pub(super) struct SecretManager(Api);

#[derive(Deserialize)]
struct Accessed {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: Option<SecretText>,
    #[serde(rename = "dataCrc32c")]
    sum: Option<String>,
}

impl SecretManager {
    pub(super) fn new(setup: &Setup) -> Self {
        let address = setup.config.gcp.secret_manager.clone();
        let address = address.unwrap_or_else(|| "https://secretmanager.googleapis.com".to_owned());
        Self(Api::new("Secret Manager", address, setup))
    }

    async fn read(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        of_scheme(reference, SCHEME)?;
        let path = web::safe_path(reference.path())?;
        let target = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["projects", _, "secrets", _] => format!("/v1/{path}/versions/latest:access"),
            ["projects", _, "secrets", _, "versions", _] => format!("/v1/{path}:access"),
            _ => {
                return Err(Trouble::Wrong(
                    "it is not `projects/P/secrets/S` or `projects/P/secrets/S/versions/N`",
                ));
            }
        };
        let reply = self.0.ask((Method::GET, &target), Zeroizing::default(), lender).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let reply = reply.accepted()?;
        let Payload { data, sum } = reply.json::<Accessed>()?.payload;
        match data {
            Some(data) => google::held(&reply, &data, sum.as_deref()).map(Some),
            None => Ok(Some(Zeroizing::default())),
        }
    }
}

#[async_trait]
impl SecretSource for SecretManager {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        match self.read(reference, lender).await {
            Ok(Some(bytes)) => pick::from(reference, bytes),
            Ok(None) => Err(Error::Missing(reference.to_string())),
            Err(why) => Err(Error::source(reference, why)),
        }
    }
}

pub(super) const SCHEME: &str = "gcp-sm";
