//! Arguments of `doorward integration`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{IntegrationName, TenantName};

/// `doorward integration`.
#[derive(Debug, Subcommand)]
pub(crate) enum Integration {
    /// List every integration; with `--file FILE`, those of a `config.yaml`
    List,
    /// Show one with its operations, secrets and presets; without a name, where the credentials of tenants are and who sees them
    Show {
        /// Which one
        name: Option<IntegrationName>,
    },
    /// Show what a tenant keeps for each provider
    Status {
        /// Which tenant
        tenant: TenantName,
    },
    /// Show what a tenant needs before it can be set up, every credential that it has or had, and what could be wrong
    Debug {
        /// Which tenant
        tenant: TenantName,
        /// Where the API should answer [default: where the broker of this home has it, else http://127.0.0.1:8000]
        #[arg(long, value_name = "URL")]
        api: Option<String>,
    },
    /// Set up a credential that a tenant keeps for a provider
    Setup(Setup),
    /// Add one of your own, made from a built-in one; with `--file FILE`, write it into a `config.yaml`
    Add(Add),
    /// Change an integration of a `config.yaml` in place; `--help` lists the flags
    #[command(disable_help_flag = true)]
    Update(InFile),
    /// Take an integration out of a `config.yaml`
    #[command(disable_help_flag = true)]
    Delete(InFile),
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

/// A command for a file, whose flags are read elsewhere: they may have one dash.
#[derive(Debug, Args)]
pub(crate) struct InFile {
    /// A name and flags, such as `slack --file config.yaml --timeout 5s`
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<std::ffi::OsString>,
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

/// `doorward integration setup`.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// The provider, such as `openai` or `gcp`; `genai` for all of these at once, from lines such as `OPENAI=sk-...`
    pub(crate) provider: String,
    /// Which tenant
    pub(crate) tenant: TenantName,
    /// Read the credential from this file; `-` is stdin [default: typed without echo]
    #[arg(long, value_name = "FILE")]
    pub(crate) credential_file: Option<PathBuf>,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What is noted beside it
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// Do not ask the provider; the credential is used and stays PENDING
    #[arg(long)]
    pub(crate) skip_validation: bool,
}
