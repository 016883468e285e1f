//! `keychain:SERVICE` or `keychain:SERVICE#ACCOUNT`: a generic password in the keychains of macOS, by the system's program
//! `security`. One line end that the program prints is taken off.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;

use super::config::Tool;
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, guarded, of_scheme, pick};
use crate::Error;

/// The keychains of this person.
pub(super) struct Keychain {
    tool: Tool,
    environment: Environment,
}

impl Keychain {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { tool: setup.config.keychain.clone(), environment: setup.environment.clone() }
    }

    fn run(&self, reference: &SecretRef) -> Result<Run<'static>, Trouble> {
        of_scheme(reference, SCHEME)?;
        let usual = cfg!(target_os = "macos").then(|| Path::new("/usr/bin/security"));
        let chosen = self.tool.program.as_deref().or(usual);
        let chosen = chosen.ok_or_else(|| Trouble::setting("keychains are a part of macOS"))?;
        let program = program::find("security", Some(chosen), &self.environment)?;
        let mut arguments = vec!["find-generic-password".into(), "-s".into(), reference.path().into()];
        if let Some(account) = reference.field() {
            arguments.extend(["-a".into(), account.into()]);
        }
        arguments.push("-w".into());
        let names = ["HOME", "USER", "PATH", "TMPDIR"].into_iter();
        let names = names.chain(self.tool.environment.iter().map(String::as_str));
        let environment = program::inherited(&self.environment, names);
        Ok(Run {
            name: "security",
            program,
            arguments,
            environment,
            token: None,
            within: WITHIN,
            folder: None,
        })
    }
}

#[async_trait]
impl SecretSource for Keychain {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        let said = self.run(reference).map_err(failed)?.run().await.map_err(failed)?;
        if said.status == Some(NOT_FOUND) {
            return Err(Error::Missing(reference.to_string()));
        }
        let output = pick::without_line_end(said.succeeded("security").map_err(failed)?);
        aged(reference, guarded(output)?)
    }
}

pub(super) const SCHEME: &str = "keychain";
/// `errSecItemNotFound`, as the program ends with it.
const NOT_FOUND: i32 = 44;
const WITHIN: Duration = Duration::from_secs(9);
