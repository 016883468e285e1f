//! Arguments of `doorward metadata`.
//!
//! The servers of AWS run beside `doorward aws exec`, as they serve a profile.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `doorward metadata`.
#[derive(Debug, Subcommand)]
pub(crate) enum Metadata {
    /// Serve tokens of a service account, as the metadata server of Compute Engine does
    Gcp(Gcp),
    /// Serve tokens of a service principal, as the metadata service of Azure does
    Azure(Azure),
}

/// What both have.
#[derive(Debug, Args)]
pub(crate) struct Serving {
    /// The stored secret with the key; `doorward secret put NAME` stores one
    #[arg(value_name = "NAME")]
    pub(crate) key: String,
    /// Where to listen [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// A command to run beside the server; without one it serves until it is stopped
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `doorward metadata gcp`.
#[derive(Debug, Args)]
pub(crate) struct Gcp {
    /// The key and the server.
    #[command(flatten)]
    pub(crate) serving: Serving,
    /// Give tokens of another service account, which the stored one may impersonate
    #[arg(long, value_name = "EMAIL")]
    pub(crate) impersonate: Option<String>,
    /// The scope of tokens where a program asks for none; may be given several times
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        default_value = "https://www.googleapis.com/auth/cloud-platform"
    )]
    pub(crate) scopes: Vec<String>,
    /// The project that programs are told [default: that of the key]
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,
    /// The number of the project, for programs that ask for it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) project_number: Option<u64>,
    /// Ask for tokens here instead of at Google: what answers there gets assertions of the key
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub(crate) dangerous_token_endpoint: Option<String>,
    /// Ask for tokens of impersonated accounts here instead of at Google: what answers there gets tokens
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub(crate) dangerous_iam_endpoint: Option<String>,
}

/// `doorward metadata azure`.
#[derive(Debug, Args)]
pub(crate) struct Azure {
    /// The key and the server.
    #[command(flatten)]
    pub(crate) serving: Serving,
    /// Which of Microsoft's clouds
    #[arg(long, value_name = "CLOUD", value_enum, default_value = "public")]
    pub(crate) cloud: Cloud,
    /// The file with the token of another issuer, for a principal that is stored as federated; read for each token
    #[arg(long, value_name = "FILE", env = "AZURE_FEDERATED_TOKEN_FILE")]
    pub(crate) federated_token_file: Option<PathBuf>,
    /// Ask for tokens here instead of at Microsoft: what answers there gets the client secret
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub(crate) dangerous_authority: Option<String>,
}

/// Clouds of Microsoft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cloud {
    /// The one that everybody means.
    Public,
    /// US Government.
    Usgov,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// The name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Usgov => "usgov",
            Self::China => "china",
        }
    }
}
