//! What was typed: the command line as clap reads it. What it means is for [`crate::settings`].
//!
//! A secret is never an argument: others see it in the list of processes, and the shell keeps it in its history.

pub(crate) mod agent;
pub(crate) mod approval;
pub(crate) mod aws;
pub(crate) mod backup;
pub(crate) mod broker;
pub(crate) mod capability;
pub(crate) mod compat;
pub(crate) mod evidence;
pub(crate) mod gateway;
pub(crate) mod guard;
pub(crate) mod import;
pub(crate) mod integration;
pub(crate) mod lists;
pub(crate) mod llm;
pub(crate) mod mcp;
pub(crate) mod metadata;
pub(crate) mod operation;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod run;
pub(crate) mod secret;
pub(crate) mod store;
pub(crate) mod tenant;
pub(crate) mod vault;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version,
    about = "Secrets go in once and never come out; every use leaves evidence",
    long_about = "Doorward is a credential broker. Secrets go in once and never come out; people, services and agents get \
                  short-lived capabilities; every use leaves evidence that nobody can quietly change.",
    after_help = "Start with `doorward demo`: it shows everything in a few seconds and leaves nothing behind.",
    max_term_width = 100,
    propagate_version = false,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
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
    /// The folder that holds everything [default: the data folder of the user]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Print one JSON document, or one object a line where a command goes on; the same as `--format json`
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How to print
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    /// How to write the log on stderr
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub(crate) log: Option<LogFormat>,
    /// Log more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Start even if other processes could read our memory
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) dangerous_allow_dumps: bool,
}

/// How to print what a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// What programs get, as YAML.
    Yaml,
}

/// How to write the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Global {
    /// How to print.
    pub(crate) fn printing(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or(Format::Table) }
    }
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything in a few seconds, in a home that is thrown away
    Demo(broker::Demo),
    /// Credentials for AWS: sessions, roles, sign-ins, keys, servers for SDKs
    Aws(Box<aws::Aws>),
    /// Serve tokens of Google Cloud or Microsoft Entra to SDKs, as a machine of that cloud does
    #[command(subcommand)]
    Metadata(Box<metadata::Metadata>),
    /// Start the broker; makes the home at the first start
    Up(Box<broker::Up>),
    /// Serve the API for tenants; makes the home at the first start
    Serve(Box<broker::Serve>),
    /// Open the console in a browser: prints a link that signs you in, once
    Console(broker::Console),
    /// Serve a peer's configuration as it stands, or the home's own integrations
    Gateway(Box<gateway::Gateway>),
    /// Take over the files of another gateway
    #[command(subcommand)]
    Import(import::Import),
    /// Capabilities for programs on this machine: start, stop, look at the agent
    #[command(subcommand)]
    Agent(Box<agent::Agent>),
    /// Make a home, and show its recovery key once
    Init(broker::Init),
    /// Show how the broker is
    Status,
    /// Check everything, and say what to mend
    Doctor(broker::Doctor),
    /// Drop the keys from memory; every call is refused until `unseal`
    Seal,
    /// Give the keys back to a sealed broker
    Unseal,
    /// Show, check or change what protects the keys of the home
    #[command(subcommand)]
    KeyProvider(broker::KeyProvider),
    /// Use or renew the recovery key
    #[command(subcommand)]
    Recovery(broker::Recovery),
    /// Copy the home to a new folder, also beside a running broker
    Backup(backup::Backup),
    /// Make a home of a backup; refused when anything in it is wrong
    Restore(backup::Restore),
    /// Keep what a home keeps in PostgreSQL: prepare a database, copy from one place to another
    #[command(subcommand)]
    Store(store::Store),
    /// Put, list, rotate and forget secrets
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Make, list, show and erase tenants
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Make, list, rotate and revoke keys for the API of tenants
    #[command(subcommand)]
    Key(tenant::Key),
    /// Answer a coding agent's hook: whether a file may be written so; reads the question from stdin
    Guard {
        /// What to do instead of answering.
        #[command(subcommand)]
        command: Option<guard::Guard>,
    },
    /// List, show, add and test integrations
    #[command(subcommand)]
    Integration(integration::Integration),
    /// Grant and take back capabilities in an `allowlist.yaml` in place: `list`, `add`, `remove`
    #[command(disable_help_flag = true)]
    Allowlist(integration::InFile),
    /// Request, narrow, use and revoke capabilities
    #[command(subcommand)]
    Capability(Box<capability::Capability>),
    /// Serve operations as tools to an AI agent: the Model Context Protocol on stdin and stdout, or over HTTP
    Mcp(mcp::Mcp),
    /// Perform operations of services by name: by their programs where those are here, else by requests
    #[command(subcommand)]
    Op(Box<operation::Op>),
    /// Start a program that may do what a capability allows, and has nothing that it could lose
    Run(Box<run::Run>),
    /// The step between `run` and the program
    #[command(hide = true)]
    RunInside(run::RunInside),
    /// See what waits for somebody's yes, and answer
    #[command(subcommand)]
    Approval(approval::Approval),
    /// Propose, approve and run plans of several steps
    #[command(subcommand)]
    Plan(Box<plan::Plan>),
    /// Give principals roles, and take them back
    #[command(subcommand)]
    Role(approval::Role),
    /// Sign-ins for language models: take over, make, choose, forget
    #[command(subcommand)]
    Llm(Box<llm::Llm>),
    /// Write, test and explain policies
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Check allowlists and denylists, and say which rule decides about a request; needs no broker
    #[command(subcommand)]
    Lists(Box<lists::Lists>),
    /// List, show, verify and export evidence
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// Make links under which this program speaks the command line of another
    #[command(subcommand)]
    Compat(compat::Compat),
    /// Print the completions of a shell
    Completions(Completions),
    /// Write the reference pages
    #[command(hide = true)]
    Generate(Generate),
}

/// `doorward completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `doorward generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Where the pages go
    pub(crate) folder: PathBuf,
    /// The manual's pages (`man`) instead of the reference
    #[arg(long)]
    pub(crate) man: bool,
}

#[cfg(test)]
mod tests;
