//! Arguments of `doorward import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward import`.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Take over the files of AuthTranslator: integrations and rules
    Authtranslator(Authtranslator),
}

/// `doorward import authtranslator`.
#[derive(Debug, Args)]
pub(crate) struct Authtranslator {
    /// Its configuration
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The rules that allow
    #[arg(value_name = "ALLOWLIST")]
    pub(crate) allowlist: Option<PathBuf>,
    /// The rules that deny
    #[arg(value_name = "DENYLIST")]
    pub(crate) denylist: Option<PathBuf>,
    /// Show what would become of each entry, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write over files of the same name
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Let credentials go to private and loopback addresses, there over plain http as well
    #[arg(long)]
    pub(crate) dangerous_allow_private: bool,
}
