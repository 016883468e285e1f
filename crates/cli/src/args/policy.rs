//! Arguments of `doorward policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Write a policy; it is checked first, and holds at once
    Put {
        /// What it is called
        name: String,
        /// The file with Cedar policies; `-` for stdin
        file: PathBuf,
    },
    /// List the policies
    List,
    /// Remove a policy
    Forget {
        /// Which one
        name: String,
    },
    /// Check a file, and answer the questions of a test file with it; needs no broker
    Test(Test),
    /// Say what would be decided, and why
    Explain(Explain),
}

/// `doorward policy test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The file with Cedar policies; `-` for stdin
    pub(crate) file: PathBuf,
    /// Questions with what they should be answered: a JSON list
    #[arg(long, value_name = "FILE")]
    pub(crate) questions: Option<PathBuf>,
}

/// `doorward policy explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The principal
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub(crate) principal: String,
    /// The operation, such as `slack/chat.post`
    #[arg(long, value_name = "INTEGRATION/OPERATION")]
    pub(crate) operation: String,
    /// What it works on
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
}
