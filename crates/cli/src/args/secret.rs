//! Arguments of `doorward secret`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use model::SecretName;

/// `doorward secret`.
#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Store a secret: typed without echo, or all of stdin but one line end
    Put(Put),
    /// List the names and states of secrets; nothing shows a secret
    List,
    /// Store the next version of a secret
    Rotate(Rotate),
    /// Remove the bytes of a secret for good
    Forget(Forget),
}

/// `doorward secret put`.
#[derive(Debug, Args)]
pub(crate) struct Put {
    /// The name, such as `slack/token`
    pub(crate) name: SecretName,
    /// Whatever else was typed; it is refused, because it may be a secret.
    #[arg(hide = true, num_args = 0..)]
    pub(crate) rest: Vec<OsString>,
    /// Let those whom a policy allows it see the secret again
    #[arg(long)]
    pub(crate) disclosable: bool,
    /// Store an imprint only: it can check what callers show, and can't be used or shown itself
    #[arg(long, conflicts_with = "disclosable")]
    pub(crate) imprint: bool,
}

/// `doorward secret rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The name
    pub(crate) name: SecretName,
    /// Whatever else was typed; it is refused, because it may be a secret.
    #[arg(hide = true, num_args = 0..)]
    pub(crate) rest: Vec<OsString>,
    /// How long the version before stays usable, such as `10m`
    #[arg(long, value_name = "DURATION")]
    pub(crate) overlap: Option<String>,
    /// Store an imprint only, for a secret that was stored so
    #[arg(long)]
    pub(crate) imprint: bool,
}

/// `doorward secret forget`.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The name
    pub(crate) name: SecretName,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
