//! `op://VAULT/ITEM/FIELD` or `op://VAULT/ITEM/SECTION/FIELD`: a field of 1Password, written as 1Password itself copies it.
//!
//! A Connect server is asked where `sources.toml` or `OP_CONNECT_HOST` names one, with its token; else the program `op`, with
//! the token of a service account, which it reads from its environment. Both tokens are named in `sources.toml`, or are in
//! `OP_CONNECT_TOKEN` and `OP_SERVICE_ACCOUNT_TOKEN`.

mod connect;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use memory::Secret;
use model::SecretRef;

use self::connect::Connect;
use super::config::Config;
use super::lender::own;
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, guarded, of_scheme};
use crate::Error;

/// 1Password.
pub(super) struct OnePassword {
    config: Arc<Config>,
    environment: Environment,
    connect: tokio::sync::OnceCell<Connect>,
}

/// A field, by its names.
struct Place<'r> {
    vault: &'r str,
    item: &'r str,
    section: Option<&'r str>,
    field: &'r str,
}

impl<'r> Place<'r> {
    fn of(reference: &'r SecretRef) -> Result<Self, Trouble> {
        of_scheme(reference, SCHEME)?;
        let parts: Vec<&str> = reference.path().strip_prefix("//").unwrap_or_default().split('/').collect();
        let place = match *parts.as_slice() {
            [vault, item, field] => Self { vault, item, section: None, field },
            [vault, item, section, field] => Self { vault, item, section: Some(section), field },
            _ => return Err(Trouble::Wrong(FORM)),
        };
        let named = parts.iter().all(|part| !part.trim().is_empty() && !part.contains(['?', '"', '\\']));
        if named && reference.field().is_none() { Ok(place) } else { Err(Trouble::Wrong(FORM)) }
    }
}

impl OnePassword {
    pub(super) fn new(setup: &Setup) -> Self {
        let (config, environment) = (Arc::clone(&setup.config), setup.environment.clone());
        Self { config, environment, connect: tokio::sync::OnceCell::new() }
    }

    /// The field; `None` where there is none.
    async fn read(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Option<Secret>, Trouble> {
        let place = Place::of(reference)?;
        let host =
            self.config.onepassword.connect.clone().or_else(|| self.environment.text("OP_CONNECT_HOST"));
        let Some(host) = host else { return self.by_program(reference, lender).await };
        let token = self.token("env:OP_CONNECT_TOKEN", lender).await?;
        let make = || async { Connect::new(&host, &self.environment) };
        self.connect.get_or_try_init(make).await?.read(&place, &token).await
    }

    async fn by_program(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<Option<Secret>, Trouble> {
        let program = program::find("op", self.config.onepassword.program.as_deref(), &self.environment)?;
        let token = self.token("env:OP_SERVICE_ACCOUNT_TOKEN", lender).await?;
        let run = Run {
            name: "op",
            program,
            arguments: vec!["read".into(), "--no-newline".into(), reference.as_str().into()],
            environment: program::inherited(&self.environment, NAMES.iter().copied()),
            token: Some(("OP_SERVICE_ACCOUNT_TOKEN", &token)),
            within: WITHIN,
            folder: None,
        };
        let said = run.run().await?;
        if said.status != Some(0) && said.complained(MISSING) {
            return Ok(None);
        }
        let output = said.succeeded("op")?;
        guarded(output).map(Some).map_err(|_| Trouble::Wrong("there is no guarded memory for it"))
    }

    async fn token(&self, usual: &str, lender: &dyn Lender) -> Result<Secret, Trouble> {
        match &self.config.onepassword.token {
            Some(token) => own(lender, token).await,
            None => {
                let usual =
                    usual.parse().map_err(|_| Trouble::Wrong("the usual variable is no reference"))?;
                own(lender, &usual).await
            }
        }
    }
}

#[async_trait]
impl SecretSource for OnePassword {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        match self.read(reference, lender).await {
            Ok(Some(secret)) => aged(reference, secret),
            Ok(None) => Err(Error::Missing(reference.to_string())),
            Err(why) => Err(Error::source(reference, why)),
        }
    }
}

pub(super) const SCHEME: &str = "op";
const FORM: &str = "it is not `op://VAULT/ITEM/FIELD` or `op://VAULT/ITEM/SECTION/FIELD`";
const NAMES: &[&str] = &["HOME", "PATH", "XDG_CONFIG_HOME", "HTTPS_PROXY", "NO_PROXY"];
/// In which words `op` says that there is no such vault, item or field.
const MISSING: &[&str] =
    &["isn't a vault", "isn't an item", "isn't a field", "does not have a field", "isn't a section"];
const WITHIN: Duration = Duration::from_secs(9);
