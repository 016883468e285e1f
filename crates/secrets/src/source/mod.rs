//! Secret sources: places other than our own store where secrets may live.
//!
//! A member is one file here, one line in [`SOURCES`] and one line `conformance!(..)` in its tests. A source reads; it
//! never writes, caches or decides who may have what. What it needs itself it is lent ([`Lender`]), one level deep.
//!
//! # Invariants
//!
//! - No error repeats a byte of a secret, or anything that a server or a program answered.
//! - Every wait has a limit, every answer a bound; no redirect is followed, and TLS is always checked.

mod age;
pub(crate) mod aws;
mod aws_kms;
mod aws_local;
mod aws_session;
mod aws_sm;
mod aws_ssm;
pub(crate) mod azure;
mod bitwarden;
mod command;
pub(crate) mod config;
pub(crate) mod desktop;
mod env;
mod file;
mod gcp_kms;
mod gcp_sm;
pub(crate) mod google;
mod k8s;
mod keychain;
mod keyring;
mod kwallet;
pub(crate) mod lender;
mod lines;
mod list;
mod literal;
mod llm;
mod op;
mod pass;
pub(crate) mod pick;
pub(crate) mod program;
pub(crate) mod secret_text;
mod secretservice;
mod setup;
mod sops;
mod sources;
mod trouble;
pub(crate) mod vault;
pub(crate) mod web;
mod wincred;

use async_trait::async_trait;
use memory::Secret;
use model::{SecretRef, Timestamp};

pub use env::Env;
pub use file::File;
pub use lender::Lender;
pub use list::{Make, SOURCES, Source};
pub use literal::Literals;
pub use setup::{Environment, Setup};
pub use trouble::Trouble;

pub(crate) use lender::Deepest;
pub(crate) use llm::{PROFILES, is_no_secret, made_from};
pub(crate) use sources::Sources;

use crate::error::Unfit;
use crate::{Error, fit};

/// A place that holds secrets for us.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// What its references begin with.
    fn scheme(&self) -> &'static str;

    /// Reads one secret.
    ///
    /// # Errors
    /// When it is not there, can't be read, or can't be a credential. No error repeats any of its bytes.
    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error>;

    /// The stamp that [`Self::fetch`] would give now. A secret whose stamp changed is read again.
    ///
    /// # Errors
    /// When the place can't be looked at.
    async fn stamp(&self, _reference: &SecretRef) -> Result<Stamp, Error> {
        Ok(Stamp::Aged)
    }

    /// Fetches a secret for `doctor` and for doors that open, with what is doubtful about where it lies.
    ///
    /// # Errors
    /// Those of [`Self::fetch`].
    async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        Ok((self.fetch(reference, lender).await?, Vec::new()))
    }
}

/// A secret as a source gave it.
pub struct Fetched {
    /// Its bytes.
    pub secret: Secret,
    /// What tells whether it changed.
    pub stamp: Stamp,
    /// When it ends, where its source says so. It is never used after that.
    pub ends: Option<Timestamp>,
}

/// Tells whether a secret changed at its source, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamp {
    /// It can't change while this process lives.
    Fixed,
    /// A file: device, inode, size, and time of change in nanoseconds.
    File([u64; 5]),
    /// Nothing tells; it is read again when it gets old.
    Aged,
}

/// Something about a secret that works, but should not stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Everybody on this machine may read it.
    WorldReadable,
    /// It stands in the environment, where child processes and crash reports find it.
    Environment,
    /// It stands in a configuration file.
    InTheClear,
    /// It is sealed by a form that is read for the sake of a peer's files only.
    Legacy,
}

impl Doubt {
    /// What is doubtful, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorldReadable => "every user of this machine may read the file",
            Self::Environment => "the environment is visible to child processes and in crash reports",
            Self::InTheClear => "it stands in a configuration file, in the clear",
            Self::Legacy => {
                "it is sealed with a key in the environment, in a form that is kept for a peer's files"
            }
        }
    }
}

/// What a source that is asked again by age gives: the bytes, checked.
fn aged(reference: &SecretRef, secret: Secret) -> Result<Fetched, Error> {
    checked(reference, secret, Stamp::Aged)
}

fn checked(reference: &SecretRef, secret: Secret, stamp: Stamp) -> Result<Fetched, Error> {
    match fit::check(&secret) {
        // How short it is is looked at last.
        Err(Unfit::Short) if is_no_secret(reference) => {}
        fit => {
            let _fit = fit.map_err(|why| Error::unfit(reference.as_str(), why))?;
        }
    }
    Ok(Fetched { secret, stamp, ends: None })
}

/// Another copy of a secret that a source keeps.
#[expect(clippy::disallowed_methods, reason = "copies from guarded memory to guarded memory")]
pub(crate) fn copied(secret: &Secret) -> Result<Secret, Error> {
    Ok(secret.expose(|bytes| Secret::filled(bytes.len(), |to| to.copy_from_slice(bytes)))?)
}

/// A secret out of a buffer that is wiped.
fn guarded(mut bytes: zeroize::Zeroizing<Vec<u8>>) -> Result<Secret, Error> {
    Ok(Secret::new(std::mem::take(&mut *bytes))?)
}

/// Sees that a reference is one of this scheme.
fn of_scheme(reference: &SecretRef, scheme: &'static str) -> Result<(), Trouble> {
    if reference.scheme() == scheme { Ok(()) } else { Err(Trouble::Wrong("it belongs to another source")) }
}

#[cfg(test)]
pub(crate) mod tests;
