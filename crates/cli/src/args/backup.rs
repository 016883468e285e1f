//! Arguments of `doorward backup` and `doorward restore`.

use std::path::PathBuf;

use clap::Args;

/// `doorward backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The folder that is made; it must not exist
    pub(crate) folder: PathBuf,
    /// Put the key file into it as well: whoever has such a backup has every secret
    #[arg(long)]
    pub(crate) with_key: bool,
}

/// `doorward restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder that `doorward backup` made
    pub(crate) folder: PathBuf,
    /// Say whether it could be restored, and change nothing
    #[arg(long)]
    pub(crate) check: bool,
}
