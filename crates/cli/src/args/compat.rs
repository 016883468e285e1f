//! Arguments of `doorward compat`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward compat`.
#[derive(Debug, Subcommand)]
pub(crate) enum Compat {
    /// Make links under which this program speaks the command line of another
    Install(Links),
    /// Take such links away; nothing else is touched
    Remove(Links),
    /// Show such links, and which program of each name is run
    List(Where),
}

/// Which links.
#[derive(Debug, Args)]
pub(crate) struct Links {
    /// The folder of the links, such as ~/.local/bin; `install` makes it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only the link of this name; may be given several times
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// Where to look.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// A folder [default: those on PATH]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
