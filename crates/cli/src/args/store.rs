//! Arguments of `doorward store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward store`.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Make the schema of a PostgreSQL, or bring it up to date, as the role that owns it; needs no home
    Prepare(Prepare),
    /// Copy everything that one place keeps to an empty one, and verify it there; nobody may use either meanwhile
    Copy(Copy),
}

/// `doorward store prepare`.
#[derive(Debug, Args)]
pub(crate) struct Prepare {
    /// The owner's address, without a password: `postgres://OWNER@HOST/DATABASE`
    pub(crate) url: String,
    /// The role that brokers use; it may own nothing here
    #[arg(long, value_name = "NAME", default_value = "doorward_app")]
    pub(crate) role: String,
    /// Where the owner's password is: `file:PATH` or `env:VARIABLE` [default: `~/.pgpass`]
    #[arg(long, value_name = "REF")]
    pub(crate) password: Option<String>,
    /// The authorities of the server's certificate, in PEM [default: what the system trusts]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// `doorward store copy`.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The folder of a home, or `postgres://ROLE@HOST/DATABASE`
    pub(crate) from: String,
    /// The same, for where it goes: a folder without a home, or a prepared database without rows
    pub(crate) to: String,
    /// Where the password for the first database is: `file:PATH` or `env:VARIABLE` [default: `~/.pgpass`]
    #[arg(long, value_name = "REF")]
    pub(crate) from_password: Option<String>,
    /// Where the password for the second database is [default: `~/.pgpass`]
    #[arg(long, value_name = "REF")]
    pub(crate) to_password: Option<String>,
    /// The authorities of the servers' certificates, in PEM [default: what the system trusts]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}
