//! Arguments of `doorward mcp`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `doorward mcp`.
#[derive(Debug, Args)]
pub(crate) struct Mcp {
    /// A file with the capability that every call is made with [default: `DOORWARD_CAPABILITY`]
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    pub(crate) capability_file: Option<PathBuf>,
    /// Serve streamable HTTP at this address, under `/mcp`, instead of stdin and stdout; each request brings its capability
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// A name under which that address is called, such as `mcp.gateway.example`; may be repeated
    #[arg(long = "domain", value_name = "NAME", requires = "listen")]
    pub(crate) domains: Vec<String>,
}
