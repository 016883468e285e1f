//! Arguments of `doorward op`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Access, IntegrationName};

use super::approval::Approved;

/// `doorward op`.
#[derive(Debug, Subcommand)]
pub(crate) enum Op {
    /// List operations: of one service, or of all of them
    List(List),
    /// Show an operation: what it takes, its command, its request, what its evidence keeps
    Show {
        /// Which one, such as `kubernetes.version.show`
        #[arg(value_name = "SERVICE.OPERATION")]
        name: String,
    },
    /// Perform an operation: by its program where that is here, else by a request
    Run(Run),
}

/// `doorward op list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which service
    pub(crate) service: Option<IntegrationName>,
    /// Only reads, or only writes
    #[arg(long, value_name = "ACCESS", value_parser = access)]
    pub(crate) access: Option<Access>,
}

/// `doorward op run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Which one, such as `kubernetes.version.show`
    #[arg(value_name = "SERVICE.OPERATION")]
    pub(crate) name: String,
    /// An input; may be repeated, for a list also with the same name
    #[arg(long = "input", value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// An input that is the contents of a file; `-` is stdin
    #[arg(long = "input-file", value_name = "NAME=PATH")]
    pub(crate) files: Vec<String>,
    /// Send nothing: show what would be done, and what policies say
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The file with the capability to do it with; `-` for stdin [default: what this user may do]
    #[arg(long, value_name = "FILE", env = "CAPABILITY_FILE", hide_env_values = true)]
    pub(crate) capability: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) approved: Approved,
}

fn access(word: &str) -> Result<Access, String> {
    match word {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        _ => Err("it is `read` or `write`".to_owned()),
    }
}
