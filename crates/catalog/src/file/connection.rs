//! How a service is reached, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// Who is believed to be the service.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsEntry {
    /// An absolute path of a PEM file: the only certificate authorities that count for this service.
    pub(crate) ca: Option<String>,
    /// Takes the word of anybody who answers. Only in files of your own.
    #[serde(default)]
    pub(crate) insecure_skip_verify: bool,
}

/// How many connections, and for how long.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionsEntry {
    /// Most connections that wait for the next request, on each thread; 64 where it is absent.
    pub(crate) idle: Option<usize>,
    /// How long they wait, such as `90s`; `55s` where it is absent.
    pub(crate) idle_for: Option<String>,
    /// Most requests at a time, on all threads together; a queue stands behind them.
    pub(crate) most: Option<usize>,
    /// Whether a connection is used for more than one request; `true` where it is absent.
    pub(crate) keep_alive: Option<bool>,
    /// Longest time for the TLS handshake, such as `10s`; within `limits: connect:` in any case.
    pub(crate) handshake: Option<String>,
}

/// How often a call that may be repeated is repeated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetriesEntry {
    /// Most repetitions of one call, 1 to 5.
    pub(crate) most: u32,
    /// Most repetitions as a share of all calls, such as `20%`, which is also what it is where it is absent.
    pub(crate) budget: Option<String>,
}

/// When a service that fails is left alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakerEntry {
    /// How many failures one behind the other open it.
    pub(crate) failures: u32,
    /// How long it stays open before one call tries again, such as `30s`.
    pub(crate) rest: String,
}
