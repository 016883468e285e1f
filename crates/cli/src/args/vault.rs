//! The command line of the link `vault`: that of the seed, and nothing of ours beside it but what it lacks to be used.
//!
//! Flags that every command has may stand anywhere on the line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Format;
use super::agent::{ConfigFlags, StartFlags};
use crate::line::wanted::{Filter, Output, Wanted};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "vault",
    version,
    about = "Capabilities for programs on this machine",
    long_about = "Doorward under the name `vault`: capabilities for programs on this machine, from an agent on a Unix socket.\n\n\
                  With `--format json`, a request that policy denies ends with status 0 and says `\"status\":\"denied\"`; in the \
                  table form and with `--output` it ends with 1, so that a script stops.",
    max_term_width = 100,
    propagate_version = false
)]
pub(crate) struct Vault {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command has.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// How to print
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    /// The same as `--format json`
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The agent's socket [default: `VAULT_AGENT_SOCKET_PATH`, `~/.aether-vault/agent.sock`, `/var/run/vault/agent.sock`]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket_path: Option<PathBuf>,
    /// The agent's configuration [default: `/etc/aether-vault/agent.yaml`, `~/.aether-vault/agent.yaml`, `./agent.yaml`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of keys and grants [default: the data folder of the user]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(crate) home: Option<PathBuf>,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start, stop and look at the agent
    #[command(subcommand)]
    Agent(Agent),
    /// Request, narrow, use and revoke capabilities
    #[command(subcommand)]
    Capability(Box<Capability>),
    /// Show the version
    Version,
}

/// `vault agent`.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Start the agent in the foreground
    Start(Box<StartFlags>),
    /// Stop it, and wait until it has ended
    Stop,
    /// Show how it is
    Status {
        /// Wait until it answers, at most so many seconds
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30")]
        wait: Option<u64>,
    },
    /// Have it read its files again; a wrong one changes nothing
    Reload,
    /// Show, check or write its configuration
    Config(ConfigFlags),
}

/// `vault capability`.
#[derive(Debug, Subcommand)]
pub(crate) enum Capability {
    /// Ask for a capability
    Request(Request),
    /// Say whether a capability holds; uses nothing of it
    Validate {
        /// `cap_...`
        id: String,
        /// What is known of the use that it is for, as JSON
        #[arg(long, value_name = "JSON")]
        context: Option<String>,
    },
    /// List capabilities
    List(List),
    /// Revoke one, and everything that was narrowed from it
    Revoke {
        /// `cap_...`
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = MANUALLY)]
        reason: String,
    },
    /// Show whether an agent answers
    Status,
    /// Make a narrower one
    Narrow {
        /// `cap_...`
        id: String,
        /// What it is limited to.
        #[command(flatten)]
        request: Narrowed,
    },
    /// Use one: a request to an integration, a tool, a secret, a line of a log
    Use(Use),
}

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// What for, such as `secret:/db/primary`
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// What may be done: `read`, `write`, `delete`, `execute`, `admin`; may be repeated, or separated by commas
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',', required = true)]
    pub(crate) actions: Vec<String>,
    /// For how many seconds [default: 300]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) ttl: Option<u64>,
    /// How often it may be used [default: 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_uses: Option<u64>,
    /// In whose name; the agent's configuration says who may use which
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Further limits, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) constraints: Option<String>,
    /// What is known of the use that it is for, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) context: Option<String>,
    /// For whom the kernel has to vouch when it is used [default: uid]
    #[arg(long, value_name = "KIND", value_parser = ["uid", "cgroup", "session"])]
    pub(crate) holder: Option<String>,
    /// Give a token with it that works for whoever has it
    #[arg(long)]
    pub(crate) bearer: bool,
    /// Into which file.
    #[command(flatten)]
    pub(crate) out: Out,
}

/// What a narrower one is limited to.
#[derive(Debug, Args)]
pub(crate) struct Narrowed {
    /// Only this, such as `secret:/db/primary`
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// Only these actions; may be repeated, or separated by commas
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',')]
    pub(crate) actions: Vec<String>,
    /// For how many seconds
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) ttl: Option<u64>,
    /// How often it may be used
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_uses: Option<u64>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Further limits, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) constraints: Option<String>,
    /// Give a token with it that works for whoever has it
    #[arg(long)]
    pub(crate) bearer: bool,
    /// Into which file.
    #[command(flatten)]
    pub(crate) out: Out,
}

/// A file for the answer.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct Out {
    /// Write the whole answer to this file, for its owner only, with a token that works for whoever has it
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The mode of that file: 0600, 0640, 0660, 0400 or 0440
    #[arg(long, value_name = "MODE")]
    pub(crate) output_mode: Option<String>,
    /// The group of that file, which may read it
    #[arg(long, value_name = "GROUP")]
    pub(crate) output_group: Option<String>,
}

/// `capability list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// Only those of this type: `read`, `write`, `delete`, `execute`, `admin`
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only those that are `active`, `expired` or `revoked`
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only those for this resource
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u64,
    /// Leave out so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
}

/// `capability use`.
#[derive(Debug, Args)]
pub(crate) struct Use {
    /// `cap_...`
    pub(crate) id: String,
    /// The method and the path of a request, such as `GET /user`
    #[arg(value_names = ["METHOD", "PATH"], num_args = 2, requires = "integration")]
    pub(crate) request: Vec<String>,
    /// How it is used.
    #[command(flatten)]
    pub(crate) how: How,
}

/// How a capability is used.
#[derive(Debug, Args, Default)]
pub(crate) struct How {
    /// Send a request to this integration, with the credential that it needs
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Option<String>,
    /// The body: text, `@FILE`, or `@-` for stdin
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<String>,
    /// A header, such as `content-type: application/json`; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Run this tool, which the owner declared
    #[arg(long, value_name = "NAME", conflicts_with_all = ["integration", "reveal", "append"])]
    pub(crate) tool: Option<String>,
    /// An input of the tool; may be repeated
    #[arg(long = "input", value_name = "NAME=VALUE", requires = "tool")]
    pub(crate) inputs: Vec<String>,
    /// Print the secret, where it was stored as one that may be disclosed
    #[arg(long, conflicts_with_all = ["integration", "append"])]
    pub(crate) reveal: bool,
    /// Append this line to a stream of the evidence
    #[arg(long, value_name = "TEXT", conflicts_with = "integration")]
    pub(crate) append: Option<String>,
    /// A field of that line; may be repeated
    #[arg(long = "field", value_name = "NAME=VALUE", requires = "append")]
    pub(crate) fields: Vec<String>,
    /// Which resource, where the capability is for several
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
}

impl From<Out> for Output {
    fn from(Out { output, output_mode, output_group }: Out) -> Self {
        Self { file: output, mode: output_mode, group: output_group }
    }
}

impl From<Request> for Wanted {
    fn from(request: Request) -> Self {
        let Request {
            resource,
            actions,
            ttl,
            max_uses,
            identity,
            purpose,
            constraints,
            context,
            holder,
            bearer,
            out,
        } = request;
        Self {
            resource: Some(resource),
            actions,
            ttl,
            max_uses,
            identity,
            purpose,
            constraints,
            context,
            holder,
            bearer,
            output: out.into(),
        }
    }
}

impl From<Narrowed> for Wanted {
    fn from(narrowed: Narrowed) -> Self {
        let Narrowed { resource, actions, ttl, max_uses, purpose, constraints, bearer, out } = narrowed;
        Self {
            resource,
            actions,
            ttl,
            max_uses,
            purpose,
            constraints,
            bearer,
            output: out.into(),
            ..Self::default()
        }
    }
}

impl From<List> for Filter {
    fn from(List { identity, kind, status, resource, limit, offset }: List) -> Self {
        Self { identity, kind, status, resource, limit, offset }
    }
}

/// What is said where nobody says why.
pub(crate) const MANUALLY: &str = "Manual revocation";
