//! Arguments of `doorward guard`.

use std::path::PathBuf;

use clap::Subcommand;

/// `doorward guard`.
#[derive(Debug, Subcommand)]
pub(crate) enum Guard {
    /// Enter the hook into `.claude/settings.json` of a project, beside what is there, and the command `/integration-setup`
    Install {
        /// The folder of the project
        #[arg(default_value = ".")]
        project: PathBuf,
    },
}
