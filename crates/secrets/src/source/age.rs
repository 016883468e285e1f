//! `age:/PATH`: a file that age encrypted, or with `#KEY` one key of it (`KEY=value` lines, or a JSON object), by the program
//! `age` and the identity file that `sources.toml` names.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;

use super::config::Age as Setting;
use super::lines;
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, guarded, of_scheme, pick};
use crate::Error;

/// Files that age encrypted.
pub(super) struct Age {
    setting: Setting,
    environment: Environment,
}

impl Age {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { setting: setup.config.age.clone(), environment: setup.environment.clone() }
    }

    fn run(&self, reference: &SecretRef) -> Result<Run<'static>, Trouble> {
        of_scheme(reference, SCHEME)?;
        if !Path::new(reference.path()).is_absolute() {
            return Err(Trouble::Wrong("the path must begin with `/`"));
        }
        let identity = self.setting.identity.clone().filter(|path| path.is_absolute()).ok_or_else(|| {
            Trouble::setting("no identity is known: set the absolute path of its file as `identity` under `[age]` in `sources.toml`")
        })?;
        let program = program::find("age", self.setting.program.as_deref(), &self.environment)?;
        let environment = program::inherited(&self.environment, ["HOME", "PATH"]);
        let arguments =
            vec!["--decrypt".into(), "--identity".into(), identity.into_os_string(), reference.path().into()];
        Ok(Run { name: "age", program, arguments, environment, token: None, within: WITHIN, folder: None })
    }
}

#[async_trait]
impl SecretSource for Age {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        let run = self.run(reference).map_err(failed)?;
        if !Path::new(reference.path()).exists() {
            return Err(Error::Missing(reference.to_string()));
        }
        let output = run.run().await.map_err(failed)?.succeeded("age").map_err(failed)?;
        match reference.field() {
            None => aged(reference, guarded(pick::without_line_end(output))?),
            Some(field) if output.trim_ascii_start().starts_with(b"{") => {
                aged(reference, pick::member(reference, &output, &[field])?)
            }
            Some(field) => {
                let wrong = Trouble::Wrong("it holds no `KEY=value` lines, or this key twice");
                let found = lines::line_key(&output, field).map_err(|_| failed(wrong))?;
                let found = found.ok_or_else(|| Error::Missing(reference.to_string()))?;
                aged(reference, guarded(found)?)
            }
        }
    }
}

pub(super) const SCHEME: &str = "age";
const WITHIN: Duration = Duration::from_secs(9);
