//! Arguments of the commands about the broker and its home.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave broker and service running until Ctrl-C, and say how to use them
    #[arg(long)]
    pub(crate) keep: bool,
}

/// `doorward up`.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct Up {
    /// Where the gateway listens [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) gateway: Option<SocketAddr>,
    /// A name under which the gateway is called, such as `gateway.example`; may be repeated
    #[arg(long = "domain", value_name = "NAME")]
    pub(crate) domains: Vec<String>,
    /// An origin whose browser pages may call the gateway; may be repeated
    #[arg(long = "origin", value_name = "URL")]
    pub(crate) origins: Vec<String>,
    /// How many threads serve [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Where the API and the console listen beside the gateway [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) api: Option<SocketAddr>,
    /// Where the counters are shown in Prometheus' format [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Where health, readiness, counters and state are shown; then the gateway itself shows none of them [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<SocketAddr>,
    /// The gateway's certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The authorities that callers' certificates come from, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Whether callers have to show a certificate: `required` or `optional` [default: required]
    #[arg(long, value_name = "WORD", requires = "tls_client_ca")]
    pub(crate) tls_client_auth: Option<ClientAuth>,
    /// Let callers on this machine in without a capability; only for trying things out
    #[arg(long)]
    pub(crate) development: bool,
    /// The environment that this broker serves, such as `production`
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Who answers OpenAI clients under `/v1` of the gateway: `openai` or `openai-codex` [default: nobody]
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) llm: Option<proxy::Provider>,
    /// At the first start: write the recovery key to this file instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_out: Option<PathBuf>,
    /// At the first start: keep everything in this PostgreSQL, `postgres://ROLE@HOST/DATABASE`, without a password
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Where rates are counted together; said by flags of another command
    #[arg(skip)]
    pub(crate) rates: Option<crate::settings::rates::Rates>,
}

/// `doorward serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the API listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub(crate) addr: SocketAddr,
    /// Where the gateway listens beside it [default: nowhere, unless the settings say where]
    #[arg(long, value_name = "ADDR")]
    pub(crate) gateway: Option<SocketAddr>,
    /// At the first start: write the recovery key to this file instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_out: Option<PathBuf>,
    /// Where the counters are shown in Prometheus' format [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Where health, readiness, counters and state are shown [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<SocketAddr>,
    /// At the first start: keep everything in this PostgreSQL, `postgres://ROLE@HOST/DATABASE`, without a password
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

impl Serve {
    /// The same for whoever starts a broker.
    pub(crate) fn up(&self) -> Up {
        let (recovery_out, store) = (self.recovery_out.clone(), self.store.clone());
        let (gateway, metrics, admin) = (self.gateway, self.metrics, self.admin);
        Up { gateway, recovery_out, store, metrics, admin, ..Up::default() }
    }
}

/// `doorward console`.
#[derive(Debug, Args)]
pub(crate) struct Console {
    /// Print the link, and open no browser
    #[arg(long)]
    pub(crate) no_open: bool,
}

/// Whether callers have to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ClientAuth {
    /// They have to.
    #[default]
    Required,
    /// They may.
    Optional,
}

impl std::str::FromStr for ClientAuth {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "required" => Ok(Self::Required),
            "optional" => Ok(Self::Optional),
            _ => Err("write `required` or `optional`"),
        }
    }
}

/// `doorward init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Protect the keys with a passphrase, asked for twice, or read from stdin where that is no terminal
    #[arg(long, conflicts_with_all = ["key_file", "key_provider"])]
    pub(crate) passphrase: bool,
    /// Protect the keys with this file, made where there is none [default: `key` in the home]
    #[arg(long, value_name = "FILE", conflicts_with = "key_provider")]
    pub(crate) key_file: Option<PathBuf>,
    /// Protect the keys with a service, a token or a keyring, such as `transit:transit/doorward`; `key-provider list` shows all
    #[arg(long, value_name = "CHOICE")]
    pub(crate) key_provider: Option<String>,
    /// Write the recovery key to this file instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_out: Option<PathBuf>,
    /// Keep everything in this PostgreSQL, `postgres://ROLE@HOST/DATABASE`, without a password [default: the folder of the home]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

/// `doorward doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Look at one service instead: its program, its credential, its permissions
    #[arg(conflicts_with = "thorough")]
    pub(crate) service: Option<model::IntegrationName>,
    /// Verify all evidence, however long that takes
    #[arg(long)]
    pub(crate) thorough: bool,
    /// What the questions about permissions are asked with where they take it, such as `namespace=shop`; may be repeated
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = pair, requires = "service")]
    pub(crate) inputs: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "an input is written `NAME=VALUE`".to_owned())
}

/// `doorward recovery`.
#[derive(Debug, Subcommand)]
pub(crate) enum Recovery {
    /// Prove that the recovery key on paper opens this home; changes nothing
    Drill(RecoveryFrom),
    /// Make another recovery key and show it once; the one before opens nothing any more
    Renew(RecoveryRenew),
    /// Give the home a new passphrase or key file with the recovery key
    Restore(RecoveryRestore),
}

/// Where a recovery key is read from.
#[derive(Debug, Args)]
pub(crate) struct RecoveryFrom {
    /// The file with the recovery key [default: asked for, or stdin where that is no terminal]
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_file: Option<PathBuf>,
}

/// `doorward recovery renew`.
#[derive(Debug, Args)]
pub(crate) struct RecoveryRenew {
    /// Write the recovery key to this file instead of showing it
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_out: Option<PathBuf>,
}

/// `doorward recovery restore`.
#[derive(Debug, Args)]
pub(crate) struct RecoveryRestore {
    /// Where the recovery key is.
    #[command(flatten)]
    pub(crate) from: RecoveryFrom,
    /// Protect the keys with a new passphrase, asked for twice
    #[arg(long, conflicts_with_all = ["key_file", "key_provider"], required_unless_present_any = ["key_file", "key_provider"])]
    pub(crate) new_passphrase: bool,
    /// Protect the keys with this new file
    #[arg(long, value_name = "FILE", conflicts_with = "key_provider")]
    pub(crate) key_file: Option<PathBuf>,
    /// Protect the keys with a service, a token or a keyring; `key-provider list` shows all
    #[arg(long, value_name = "CHOICE")]
    pub(crate) key_provider: Option<String>,
}

/// `doorward key-provider`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyProvider {
    /// List what can protect the keys of a home
    List,
    /// Show what protects the keys of this home
    Show,
    /// Ask the key provider of this home for its key, and say whether it opens the home
    Check,
    /// Protect the keys with another passphrase, file, service or token; nothing is encrypted anew
    Change {
        /// Which one, such as `passphrase`, `key-file:/PATH` or `transit:transit/doorward`; `key-provider list` shows all
        choice: String,
    },
}
