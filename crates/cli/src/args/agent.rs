//! Arguments of `doorward agent`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::settings::agent::{Mode, Typed};

/// `doorward agent`.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Start the agent; makes the home at the first start
    Start(Box<Start>),
    /// Stop it, and wait until it has ended
    Stop(At),
    /// Show how it is
    Status(Status),
    /// Have it read its files again; a wrong one changes nothing
    Reload(At),
    /// Show, check or write its configuration
    Config(Config),
}

/// Which agent.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct At {
    /// The agent's socket [default: `VAULT_AGENT_SOCKET_PATH`, that of the home, `/var/run/vault/agent.sock`]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket_path: Option<PathBuf>,
}

/// `doorward agent start`.
#[derive(Debug, Args, Default)]
pub(crate) struct Start {
    /// The configuration [default: `agent.yaml` in the home, `/etc/aether-vault/agent.yaml`]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where the agent's socket is made [default: `socket` in the home]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket_path: Option<PathBuf>,
    /// The rest.
    #[command(flatten)]
    pub(crate) flags: StartFlags,
}

/// What `doorward agent start` and `vault agent start` have in common.
#[derive(Debug, Args, Default)]
pub(crate) struct StartFlags {
    /// How strict it is; `development` grants without policy files
    #[arg(long, value_name = "MODE", value_enum)]
    pub(crate) mode: Option<Mode>,
    /// What is logged: `error`, `warn`, `info`, `debug`
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Serve capabilities, which is always so
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(["true"]))]
    pub(crate) enable_cbac: Option<String>,
    /// The folder of policy files [default: `policies` beside the configuration]
    #[arg(long, value_name = "DIR")]
    pub(crate) policy_dir: Option<PathBuf>,
    /// Leave the terminal when it is ready
    #[arg(long)]
    pub(crate) daemon: bool,
    /// The second process of `--daemon`
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
    /// A file that holds the process id while it runs
    #[arg(long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Where the counters are shown in Prometheus' format [default: 127.0.0.1:9090 for a daemon]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Requests that are granted at the start and kept ready: JSON or YAML, a list
    #[arg(long, value_name = "FILE")]
    pub(crate) preauthorize: Option<PathBuf>,
}

/// `doorward agent status`.
#[derive(Debug, Args, Default)]
pub(crate) struct Status {
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
    /// Wait until it answers, at most so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30")]
    pub(crate) wait: Option<u64>,
}

/// `doorward agent config`.
#[derive(Debug, Args, Default)]
pub(crate) struct Config {
    /// The configuration [default: `agent.yaml` in the home, `/etc/aether-vault/agent.yaml`]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The rest.
    #[command(flatten)]
    pub(crate) flags: ConfigFlags,
}

/// What `doorward agent config` and `vault agent config` have in common.
#[derive(Debug, Args, Default)]
pub(crate) struct ConfigFlags {
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Check it, and name the keys that have no effect
    #[arg(long, conflicts_with = "generate")]
    pub(crate) validate: bool,
    /// Write a new one with every key that counts and its default
    #[arg(long)]
    pub(crate) generate: bool,
}

impl StartFlags {
    /// What was typed, for the settings.
    pub(crate) fn typed(self, config: Option<PathBuf>, socket_path: Option<PathBuf>) -> Typed {
        let Self {
            mode,
            log_level,
            enable_cbac: _,
            policy_dir,
            daemon,
            detached,
            pid_file,
            metrics,
            preauthorize,
        } = self;
        let daemon = daemon || detached;
        Typed {
            config,
            mode,
            log_level,
            policy_dir,
            socket_path,
            pid_file,
            metrics,
            preauthorize,
            daemon,
            detached,
            beside: false,
        }
    }
}
