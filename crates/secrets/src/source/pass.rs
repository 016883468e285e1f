//! `pass:NAME`: the first line of an entry of the program `pass`, or with `#field` what stands behind `field: ` in one of the
//! lines below it.

use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;
use zeroize::Zeroizing;

use super::config::Tool;
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, guarded, of_scheme};
use crate::Error;

/// The standard Unix password manager.
pub(super) struct Pass {
    tool: Tool,
    environment: Environment,
}

impl Pass {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { tool: setup.config.pass.clone(), environment: setup.environment.clone() }
    }

    fn run(&self, reference: &SecretRef) -> Result<Run<'static>, Trouble> {
        of_scheme(reference, SCHEME)?;
        let name = reference.path();
        if name.starts_with(['-', '/']) || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Trouble::Wrong("it is not the name of an entry"));
        }
        let program = program::find("pass", self.tool.program.as_deref(), &self.environment)?;
        let names = NAMES.iter().copied().chain(self.tool.environment.iter().map(String::as_str));
        let environment = program::inherited(&self.environment, names);
        let arguments = vec!["show".into(), "--".into(), name.into()];
        Ok(Run { name: "pass", program, arguments, environment, token: None, within: WITHIN, folder: None })
    }
}

#[async_trait]
impl SecretSource for Pass {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        let said = self.run(reference).map_err(failed)?.run().await.map_err(failed)?;
        if said.status != Some(0) && said.complained(&["is not in the password store"]) {
            return Err(Error::Missing(reference.to_string()));
        }
        let output = said.succeeded("pass").map_err(failed)?;
        let found = match reference.field() {
            None => output.split(|byte| *byte == b'\n').next(),
            Some(field) => output
                .split(|byte| *byte == b'\n')
                .skip(1)
                .find_map(|line| line.strip_prefix(field.as_bytes())?.strip_prefix(b": ")),
        };
        let found = found.ok_or_else(|| Error::Missing(reference.to_string()))?;
        aged(reference, guarded(Zeroizing::new(found.to_vec()))?)
    }
}

pub(super) const SCHEME: &str = "pass";
/// What it and GnuPG need to find the store, the keys and the agent.
const NAMES: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LANG",
    "LC_ALL",
    "GNUPGHOME",
    "GPG_AGENT_INFO",
    "XDG_RUNTIME_DIR",
    "PASSWORD_STORE_DIR",
    "PASSWORD_STORE_GPG_OPTS",
    "TMPDIR",
];
/// Somebody may have to answer the agent of GnuPG; the next call finds it open.
const WITHIN: Duration = Duration::from_secs(9);
