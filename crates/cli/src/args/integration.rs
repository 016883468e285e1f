//! Arguments of `doorward integration`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::IntegrationName;

/// `doorward integration`.
#[derive(Debug, Subcommand)]
pub(crate) enum Integration {
    /// List every integration
    List,
    /// Show one with its operations, secrets and presets
    Show {
        /// Which one
        name: IntegrationName,
    },
    /// Add one of your own, made from a built-in one
    Add(Add),
    /// Write a new integration and its cases, to start from
    New(New),
    /// Run the cases of integrations; with `--live`, ask the services whether the credentials work
    Test(Test),
    /// Print the JSON Schema of an integration's file
    Schema,
}

/// `doorward integration add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The built-in integration that it is made from
    pub(crate) kind: IntegrationName,
    /// What it is called [default: the name of the built-in one]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<IntegrationName>,
    /// Your own domain of the service
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// Your own address of the service
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Where a secret is, such as `token=env:SLACK_TOKEN`; may be repeated
    #[arg(long = "secret", value_name = "FIELD=REFERENCE")]
    pub(crate) secrets: Vec<String>,
    /// Let the credential go to private and loopback addresses, and over plain http
    #[arg(long)]
    pub(crate) dangerous_allow_private: bool,
}

/// `doorward integration new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What it is called
    pub(crate) name: IntegrationName,
    /// Where the files go [default: `integrations` in the home]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// `doorward integration test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Which one [default: all that have cases]
    pub(crate) name: Option<IntegrationName>,
    /// Where the files are [default: `integrations` in the home]
    #[arg(long, value_name = "DIR", conflicts_with = "live")]
    pub(crate) dir: Option<PathBuf>,
    /// Ask the service with its probe, through the running broker
    #[arg(long, requires = "name")]
    pub(crate) live: bool,
}
