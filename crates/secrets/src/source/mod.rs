//! Secret sources: places other than our own store where secrets may live.
//!
//! A member is one file here, one line in [`SOURCES`] and one line `conformance!(..)` in its tests. A source reads; it
//! never writes, caches or decides who may have what.

mod env;
mod file;
mod lines;

use std::path::PathBuf;

use async_trait::async_trait;
use memory::Secret;
use model::SecretRef;

pub use env::Env;
pub use file::File;

use crate::Error;

/// A place that holds secrets for us.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// What its references begin with.
    fn scheme(&self) -> &'static str;

    /// Reads one secret.
    ///
    /// # Errors
    /// When it is not there, can't be read, or can't be a credential. No error repeats any of its bytes.
    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, Error>;

    /// The stamp that [`Self::fetch`] would give now. A secret whose stamp changed is read again.
    ///
    /// # Errors
    /// When the place can't be looked at.
    async fn stamp(&self, reference: &SecretRef) -> Result<Stamp, Error>;

    /// Looks whether a secret could be fetched, for `doctor`, and what is doubtful about it.
    ///
    /// # Errors
    /// Those of [`Self::fetch`].
    async fn probe(&self, reference: &SecretRef) -> Result<Vec<Doubt>, Error>;
}

/// A secret as a source gave it.
pub struct Fetched {
    /// Its bytes.
    pub secret: Secret,
    /// What tells whether it changed.
    pub stamp: Stamp,
}

/// Tells whether a secret changed at its source, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamp {
    /// It can't change while this process lives.
    Fixed,
    /// A file: device, inode, size, and time of change in nanoseconds.
    File([u64; 5]),
}

/// Something about a secret that works, but should not stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Everybody on this machine may read it.
    WorldReadable,
    /// It stands in the environment, where child processes and crash reports find it.
    Environment,
}

/// One line of [`SOURCES`].
pub struct Source {
    /// What its references begin with.
    pub scheme: &'static str,
    /// What it is, for the page of sources.
    pub summary: &'static str,
    /// A reference as one would write it.
    pub example: &'static str,
    /// Makes it; our own store has no member here, because it needs the tenant's keys.
    pub make: Option<Make>,
}

/// Makes a source.
pub type Make = fn(&Setup) -> Box<dyn SecretSource>;

/// What sources are told when they are made.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Files that no reference may read: the key and the database of the home.
    pub reserved: Vec<PathBuf>,
}

/// Every source, in the order in which they are shown.
pub const SOURCES: &[Source] = &[
    Source { scheme: "store", summary: "our own encrypted store", example: "store:slack/token", make: None },
    Source {
        scheme: env::SCHEME,
        summary: "a variable of the broker's environment",
        example: "env:SLACK_TOKEN",
        make: Some(|_| Box::new(Env::new())),
    },
    Source {
        scheme: file::SCHEME,
        summary: "a file, or one key of a `.env` or `.json` file",
        example: "file:/run/secrets/all.env#SLACK_TOKEN",
        make: Some(|setup| Box::new(File::new(setup.reserved.clone()))),
    },
];

impl Doubt {
    /// What is doubtful, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorldReadable => "every user of this machine may read the file",
            Self::Environment => "the environment is visible to child processes and in crash reports",
        }
    }
}

#[cfg(test)]
mod tests;
