//! Arguments of `doorward run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// `doorward run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What the program may do: the name of a capability (`cap_...`), or the file with one
    #[arg(long, value_name = "NAME|FILE", env = "CAPABILITY_FILE", hide_env_values = true)]
    pub(crate) capability: Option<String>,
    /// Ask for a capability on this resource, such as `op:/slack/chat.post`, instead of bringing one
    #[arg(long, value_name = "RESOURCE", requires = "actions")]
    pub(crate) resource: Option<String>,
    /// What to do with the resource: `read`, `write`, `execute`; may be repeated
    #[arg(long = "action", value_name = "ACTION", value_delimiter = ',', requires = "resource")]
    pub(crate) actions: Vec<String>,
    /// How long the capability that is asked for holds, in seconds
    #[arg(long, value_name = "SECONDS", requires = "resource")]
    pub(crate) ttl: Option<u64>,
    /// How often the capability that is asked for may be used
    #[arg(long, value_name = "N", requires = "resource")]
    pub(crate) max_uses: Option<u64>,
    /// Where the agent listens [default: the socket of the home]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket_path: Option<PathBuf>,
    /// Don't revoke the capability when the program ends: what it left running may go on, until the capability is over
    #[arg(long)]
    pub(crate) keep: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `doorward run-inside`: the step between `doorward run` and the program.
#[derive(Debug, Args)]
pub(crate) struct RunInside {
    /// The list of processes of the control group to join
    #[arg(long, value_name = "FILE")]
    pub(crate) group: Option<PathBuf>,
    /// End when the parent ends
    #[arg(long)]
    pub(crate) tied: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
