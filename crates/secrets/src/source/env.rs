//! `env:NAME`: a variable of the broker's own environment.
//!
//! The environment of a process does not change under it, so a variable is read once, when it is first used. Variables
//! that configure Doorward itself are refused: one of them may hold the passphrase of the home.

use std::os::unix::ffi::OsStringExt;

use async_trait::async_trait;
use memory::Secret;
use model::SecretRef;

use super::{Doubt, Environment, Fetched, Lender, SecretSource, Stamp};
use crate::{Error, fit};

/// The environment.
#[derive(Default)]
pub struct Env {
    environment: Environment,
}

impl Env {
    /// The variables of this environment.
    #[must_use]
    pub const fn new(environment: Environment) -> Self {
        Self { environment }
    }

    fn secret(&self, reference: &SecretRef) -> Result<Secret, Error> {
        let name = name(reference)?;
        let found = self.environment.raw(name).ok_or_else(|| Error::Missing(reference.to_string()))?;
        let secret = Secret::new(found.into_vec())?;
        let _fit = fit::check(&secret).map_err(|why| Error::unfit(reference.as_str(), why))?;
        Ok(secret)
    }
}

#[async_trait]
impl SecretSource for Env {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        Ok(Fetched { secret: self.secret(reference)?, stamp: Stamp::Fixed, ends: None })
    }

    async fn stamp(&self, reference: &SecretRef) -> Result<Stamp, Error> {
        name(reference).map(|_| Stamp::Fixed)
    }

    async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        Ok((self.fetch(reference, lender).await?, vec![Doubt::Environment]))
    }
}

/// The name of the variable. A name that is none is an error, as is a field, which a variable doesn't have.
fn name(reference: &SecretRef) -> Result<&str, Error> {
    let name = reference.path();
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty();
    if reference.scheme() != SCHEME || !valid {
        return Err(Error::unreadable(reference, "this is not the name of a variable"));
    }
    if reference.field().is_some() {
        return Err(Error::unreadable(reference, "a variable has no fields"));
    }
    if name.starts_with(RESERVED) {
        return Err(Error::unreadable(reference, "variables of Doorward itself are never lent"));
    }
    Ok(name)
}

pub(super) const SCHEME: &str = "env";
const RESERVED: &str = "DOORWARD_";

#[cfg(test)]
mod tests;
