//! `command:NAME`: what a program prints that `sources.toml` declares, or with `#field` one member of a JSON object.
//!
//! The reference names a declaration and nothing else, so that no file of an integration can choose a program or an
//! argument. The program is started without a shell, with the variables that the declaration lists.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::SecretRef;

use super::config::{self, Config};
use super::program::{self, Run};
use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// Programs that the user declared.
pub(super) struct Command {
    config: Arc<Config>,
    environment: Environment,
}

impl Command {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { config: Arc::clone(&setup.config), environment: setup.environment.clone() }
    }

    fn declared(&self, reference: &SecretRef) -> Result<&config::Command, Trouble> {
        of_scheme(reference, SCHEME)?;
        let known: &BTreeMap<String, config::Command> = &self.config.command;
        let none = || Trouble::setting(format!("`sources.toml` has no `[command.{}]`", reference.path()));
        known.get(reference.path()).ok_or_else(none)
    }
}

#[async_trait]
impl SecretSource for Command {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let run = async {
            let declared = self.declared(reference)?;
            let (program, arguments) =
                declared.argv.split_first().ok_or(Trouble::Wrong("its `argv` is empty"))?;
            let program = program::find(program, Some(&PathBuf::from(program)), &self.environment)?;
            let within = declared.within.map_or(LONGEST, |span| span.0.min(LONGEST));
            let environment =
                program::inherited(&self.environment, declared.environment.iter().map(String::as_str));
            let run = Run {
                name: reference.path(),
                program,
                arguments: arguments.iter().map(Into::into).collect(),
                environment,
                token: None,
                within,
                folder: None,
            };
            run.run().await?.succeeded(reference.path())
        };
        let output = run.await.map_err(|why| Error::source(reference, why))?;
        let output = pick::without_line_end(output);
        if output.is_empty() {
            return Err(Error::unfit(reference.as_str(), crate::error::Unfit::Empty));
        }
        pick::from(reference, output)
    }
}

pub(super) const SCHEME: &str = "command";
const LONGEST: Duration = Duration::from_secs(10);
