//! Arguments of `doorward gateway`, which are those of AuthTranslator, with one dash or two, and some of our own.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::broker::ClientAuth;

/// `doorward gateway`.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct Gateway {
    /// The peer's configuration: a file, or an address [default: none, and the home's own integrations are served]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<String>,
    /// The same from an address; counts before `--config`
    #[arg(long = "config-url", value_name = "URL")]
    pub(crate) config_url: Option<String>,
    /// The rules that allow [default: allowlist.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowlist: Option<String>,
    /// The same from an address
    #[arg(long = "allowlist-url", value_name = "URL")]
    pub(crate) allowlist_url: Option<String>,
    /// The rules that deny [default: denylist.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) denylist: Option<String>,
    /// The same from an address
    #[arg(long = "denylist-url", value_name = "URL")]
    pub(crate) denylist_url: Option<String>,
    /// Longest time for each address
    #[arg(long = "remote-fetch-timeout", value_name = "DURATION", default_value = "10s")]
    pub(crate) remote_fetch_timeout: String,
    /// How often addresses are asked again with `--watch`
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) poll: String,
    /// Where the gateway listens; `:8080` is every address of this machine [default: 127.0.0.1:8080]
    #[arg(long, alias = "gateway", value_name = "ADDR")]
    pub(crate) addr: Option<String>,
    /// Read the files again when they change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) watch: Option<bool>,
    /// Let every caller do everything that no rule denies
    #[arg(long = "allow-all", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) allow_all: Option<bool>,
    /// Let credentials go to private and loopback addresses, there over plain http as well
    #[arg(long = "dangerous-allow-private", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) dangerous_allow_private: Option<bool>,
    /// Ignore the header `X-AT-Int`
    #[arg(long = "disable_x_at_int", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) disable_x_at_int: Option<bool>,
    /// Look at `X-AT-Int` only in requests to this host
    #[arg(long = "x_at_int_host", value_name = "HOST")]
    pub(crate) x_at_int_host: Option<String>,
    /// The gateway's certificate chain, in PEM
    #[arg(long = "tls-cert", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long = "tls-key", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The authorities that callers' certificates come from, in PEM
    #[arg(long = "tls-client-ca", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Whether callers have to show a certificate: `required` or `optional` [default: required]
    #[arg(long = "tls-client-auth", value_name = "WORD", requires = "tls_client_ca")]
    pub(crate) tls_client_auth: Option<ClientAuth>,
    /// Largest body of a request, in bytes; 0 is no limit
    #[arg(long = "max_body_size", value_name = "BYTES", allow_negative_numbers = true)]
    pub(crate) max_body_size: Option<i64>,
    /// Longest time for the head of a request, and for its body
    #[arg(long = "read-timeout", value_name = "DURATION")]
    pub(crate) read_timeout: Option<String>,
    /// Longest time in which a caller takes nothing of a reply
    #[arg(long = "write-timeout", value_name = "DURATION")]
    pub(crate) write_timeout: Option<String>,
    /// DEBUG, INFO, WARN or ERROR [default: WARN]
    #[arg(long = "log-level", value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// text or json
    #[arg(long = "log-format", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Show health and counters under `/_at_internal` of the gateway itself, also where it listens for other machines
    #[arg(long = "admin-on-data-door")]
    pub(crate) admin_on_data_door: bool,
    /// Where the counters are shown in Prometheus' format [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<std::net::SocketAddr>,
    /// A name under which the gateway is called, such as `gateway.example`; may be repeated
    #[arg(long = "domain", value_name = "NAME")]
    pub(crate) domains: Vec<String>,
    /// How many threads serve [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// At the first start: write the recovery key to this file instead of showing it
    #[arg(long = "recovery-out", value_name = "FILE")]
    pub(crate) recovery_out: Option<PathBuf>,
    /// Print the version
    #[arg(long)]
    pub(crate) version: bool,
    #[command(flatten)]
    pub(crate) elsewhere: Elsewhere,
}

/// Flags of the peer that mean nothing here, or not yet. They are known so that each can say what to do instead.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct Elsewhere {
    /// HTTP/3, which is not served
    #[arg(long = "enable-http3", hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) enable_http3: Option<bool>,
    /// Whether counters are shown on the data door
    #[arg(long = "enable-metrics", hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) enable_metrics: Option<bool>,
    /// Refused: a password is never an argument
    #[arg(long = "metrics-user", hide = true)]
    pub(crate) metrics_user: Option<String>,
    /// Refused: a password is never an argument
    #[arg(long = "metrics-pass", hide = true)]
    pub(crate) metrics_pass: Option<String>,
    /// Count rates in this Redis: `host:port`, `redis://` or `rediss://`
    #[arg(long = "redis-addr", value_name = "ADDRESS")]
    pub(crate) redis_addr: Option<String>,
    /// Longest time for an answer of the Redis
    #[arg(long = "redis-timeout", value_name = "DURATION")]
    pub(crate) redis_timeout: Option<String>,
    /// PEM file of the authorities that the certificate of the Redis is checked against
    #[arg(long = "redis-ca", value_name = "FILE")]
    pub(crate) redis_ca: Option<String>,
    /// Refused: `sources.toml` of the home says how long a secret is kept
    #[arg(long = "secret-refresh", hide = true)]
    pub(crate) secret_refresh: Option<String>,
}
