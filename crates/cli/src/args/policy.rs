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
    /// Print a set of policies to begin with; needs no broker
    Template {
        /// Which one: `default` is what holds anyway, `team` has roles, approvals and a broken glass
        #[arg(value_parser = ["default", "team"], default_value = "team")]
        name: String,
    },
    /// Remove a policy
    Forget {
        /// Which one
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Check a file, and answer the questions of a test file with it; needs no broker
    Test(Test),
    /// Say what would be decided, and why
    Explain(Explain),
    /// Check the policy files of an agent, and say what they decide; needs no broker
    CheckFiles(CheckFiles),
}

/// `doorward policy check-files`.
#[derive(Debug, Args)]
pub(crate) struct CheckFiles {
    /// The folder with `*.json`, `*.yaml` and `*.yml`
    pub(crate) folder: PathBuf,
    /// Ask: on which resource, such as `secret:/db/primary`
    #[arg(long, value_name = "RESOURCE", requires = "actions")]
    pub(crate) resource: Option<String>,
    /// Ask: to do what, such as `read`
    #[arg(long = "action", value_name = "ACTION", value_delimiter = ',', requires = "resource")]
    pub(crate) actions: Vec<String>,
    /// Ask: who, as the agent names a caller
    #[arg(long = "as", value_name = "IDENTITY", requires = "resource", default_value = "nobody")]
    pub(crate) identity: String,
    /// Ask: when; now where nothing is given
    #[arg(long, value_name = "TIME", requires = "resource")]
    pub(crate) at: Option<String>,
    /// Ask: from which address; none on a Unix socket
    #[arg(long, value_name = "ADDRESS", requires = "resource")]
    pub(crate) address: Option<std::net::IpAddr>,
    /// Ask: facts of the environment, such as `environment=production`
    #[arg(long = "environment", value_name = "NAME=VALUE", requires = "resource")]
    pub(crate) environment: Vec<String>,
    /// Ask: facts of the process, such as `uid=1000`
    #[arg(long = "process", value_name = "FACT=VALUE", requires = "resource")]
    pub(crate) process: Vec<String>,
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
