//! `sops:/PATH#KEY`: one key of a file that SOPS encrypted, or without a key the whole file, by the program `sops`.
//!
//! It finds its keys as it always does: those of age and GnuPG of this user, and what its variables name. Which variables of
//! ours it inherits beside those, such as credentials of a cloud, is said in `sources.toml`.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;

use super::config::Tool;
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, guarded, of_scheme, pick};
use crate::Error;

/// Files that SOPS encrypted.
pub(super) struct Sops {
    tool: Tool,
    environment: Environment,
}

impl Sops {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { tool: setup.config.sops.clone(), environment: setup.environment.clone() }
    }

    fn run(&self, reference: &SecretRef) -> Result<Run<'static>, Trouble> {
        of_scheme(reference, SCHEME)?;
        if !Path::new(reference.path()).is_absolute() {
            return Err(Trouble::Wrong("the path must begin with `/`"));
        }
        let mut arguments = vec!["--decrypt".into()];
        if let Some(key) = reference.field() {
            if key.contains(['"', '\\', '[', ']']) {
                return Err(Trouble::Wrong("the key holds a sign that SOPS reads as another key"));
            }
            arguments.extend(["--extract".into(), format!("[\"{key}\"]").into()]);
        }
        arguments.push(reference.path().into());
        let program = program::find("sops", self.tool.program.as_deref(), &self.environment)?;
        let names = NAMES.iter().copied().chain(self.tool.environment.iter().map(String::as_str));
        let environment = program::inherited(&self.environment, names);
        Ok(Run { name: "sops", program, arguments, environment, token: None, within: WITHIN, folder: None })
    }
}

#[async_trait]
impl SecretSource for Sops {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        let run = self.run(reference).map_err(failed)?;
        if !Path::new(reference.path()).exists() {
            return Err(Error::Missing(reference.to_string()));
        }
        let said = run.run().await.map_err(failed)?;
        if said.status != Some(0) && said.complained(&["not found"]) && reference.field().is_some() {
            return Err(Error::Missing(reference.to_string()));
        }
        let output = said.succeeded("sops").map_err(failed)?;
        aged(reference, guarded(pick::without_line_end(output))?)
    }
}

pub(super) const SCHEME: &str = "sops";
const NAMES: &[&str] = &[
    "HOME",
    "PATH",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "GNUPGHOME",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
    "SOPS_GPG_EXEC",
];
const WITHIN: Duration = Duration::from_secs(9);
