//! Arguments of `doorward capability`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{IntegrationName, PrincipalName};

/// `doorward capability`.
#[derive(Debug, Subcommand)]
pub(crate) enum Capability {
    /// Ask for a capability; a pipe gets the capability and nothing else
    Request(Request),
    /// Make a narrower one from a capability; needs no home and no network
    Narrow(Narrow),
    /// Send one request with a capability through the gateway
    Use(Use),
    /// List what was given
    List,
    /// Revoke a grant, or one narrowing and all below it
    Revoke {
        /// `grt_...` or `cap_...`
        id: String,
    },
    /// Say what a capability allows, and whether it still stands
    Validate {
        /// The file with it; `-` for stdin
        #[arg(default_value = "-")]
        capability: PathBuf,
    },
}

/// What a capability takes away.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "What it is limited to")]
pub(crate) struct Caveats {
    /// Only these integrations, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) integrations: Vec<String>,
    /// Only these operations, such as `slack/chat.post,github/*`
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub(crate) operations: Vec<String>,
    /// `read` allows no write
    #[arg(long, value_name = "ACCESS")]
    pub(crate) access: Option<String>,
    /// Only these resources, such as `channel:C1` or `repo:octo/*`
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub(crate) resources: Vec<String>,
    /// Only at or below these paths of the service
    #[arg(long, value_name = "PATHS", value_delimiter = ',')]
    pub(crate) paths: Vec<String>,
    /// Only these hosts
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// Only these methods
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    pub(crate) methods: Vec<String>,
    /// Not before this time, such as `2026-11-22T09:00:00Z`
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// How long it holds, such as `15m`
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
    /// How often it may be used
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<u64>,
    /// At most so many calls in a time, such as `10/1m`
    #[arg(long, value_name = "CALLS/TIME")]
    pub(crate) rate: Option<String>,
    /// Only from these networks
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',')]
    pub(crate) cidr: Vec<String>,
    /// Only in these hours, such as `mon-fri 09:00-17:00 Europe/Berlin`
    #[arg(long, value_name = "HOURS")]
    pub(crate) hours: Option<String>,
    /// Only where the broker serves one of these environments
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) environment: Vec<String>,
    /// Only for this purpose, such as a ticket
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Only this process, such as `uid=1000`, `cgroup=/system.slice/ci` or both with a comma
    #[arg(long, value_name = "FACTS")]
    pub(crate) holder: Option<String>,
    /// Somebody approves first: `all` calls, or `writes`
    #[arg(long, value_name = "CALLS")]
    pub(crate) approval: Option<String>,
    /// A ready-made narrowing of an integration, such as `slack/post_as`; `integration show` lists them
    #[arg(long, value_name = "INTEGRATION/NAME")]
    pub(crate) preset: Option<String>,
    /// A parameter of the preset, such as `channels=C1,C2`; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", requires = "preset")]
    pub(crate) params: Vec<String>,
}

/// `doorward capability request`.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// Who will hold it, in whose name it is used
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub(crate) principal: PrincipalName,
    /// What it is limited to.
    #[command(flatten)]
    pub(crate) caveats: Caveats,
    /// Write the capability to this file, for its owner only
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `doorward capability narrow`.
#[derive(Debug, Args)]
pub(crate) struct Narrow {
    /// The file with the capability; `-` for stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) capability: PathBuf,
    /// What it is limited to as well.
    #[command(flatten)]
    pub(crate) caveats: Caveats,
    /// Write the capability to this file, for its owner only
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `doorward capability use`.
#[derive(Debug, Args)]
pub(crate) struct Use {
    /// The file with the capability; `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) capability: PathBuf,
    /// The integration
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: IntegrationName,
    /// The method, such as `GET`
    pub(crate) method: String,
    /// Path and query at the service
    pub(crate) path: String,
    /// The body: text, `@FILE`, or `@-` for stdin
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<String>,
    /// A header, such as `content-type: application/json`; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The gateway [default: the one of the running broker]
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// Print the head of the reply as well
    #[arg(long, short)]
    pub(crate) include: bool,
}
