//! `bitwarden:ID`: a secret of Bitwarden Secrets Manager, by the id of the secret, through Bitwarden's program `bws`; with
//! `#field` one member of its JSON object.
//!
//! The access token is the one that `sources.toml` names, or `BWS_ACCESS_TOKEN`. The program reads it from its environment;
//! it knows no other way that other users can't see.

use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;

use super::config::Tool;
use super::lender::own;
use super::program::{self, Run, Said};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// Bitwarden Secrets Manager.
pub(super) struct Bitwarden {
    tool: Tool,
    environment: Environment,
}

impl Bitwarden {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { tool: setup.config.bitwarden.clone(), environment: setup.environment.clone() }
    }

    async fn ask(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Said, Trouble> {
        of_scheme(reference, SCHEME)?;
        let id = reference.path();
        if id.len() != 36 || !id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(Trouble::Wrong(
                "it is not the id of a secret, such as `382580ab-1368-4e85-bfa3-b02e01400c9f`",
            ));
        }
        let program = program::find("bws", self.tool.program.as_deref(), &self.environment)?;
        let token = match &self.tool.token {
            Some(token) => own(lender, token).await?,
            None => {
                let usual = "env:BWS_ACCESS_TOKEN".parse();
                own(lender, &usual.map_err(|_| Trouble::Wrong("the usual variable is no reference"))?).await?
            }
        };
        let names = NAMES.iter().copied().chain(self.tool.environment.iter().map(String::as_str));
        let environment = program::inherited(&self.environment, names);
        let arguments = ["secret", "get", id, "--output", "json"].map(Into::into).to_vec();
        let token = Some(("BWS_ACCESS_TOKEN", &token));
        Run { name: "bws", program, arguments, environment, token, within: WITHIN, folder: None }.run().await
    }
}

#[async_trait]
impl SecretSource for Bitwarden {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        let said = self.ask(reference, lender).await.map_err(failed)?;
        if said.status != Some(0) && said.complained(&["resource not found", "404"]) {
            return Err(Error::Missing(reference.to_string()));
        }
        let output = said.succeeded("bws").map_err(failed)?;
        let value = pick::member(reference, &output, &["value"])?;
        pick::from(reference, pick::plain(&value))
    }
}

pub(super) const SCHEME: &str = "bitwarden";
const NAMES: &[&str] = &[
    "HOME",
    "PATH",
    "BWS_SERVER_URL",
    "BWS_CONFIG_FILE",
    "BWS_PROFILE",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
];
const WITHIN: Duration = Duration::from_secs(9);
