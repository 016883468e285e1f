//! An incoming scheme as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the service signs its webhooks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncomingEntry {
    /// Which way.
    pub(crate) scheme: crate::Verification,
    /// The secret that it signs with.
    pub(crate) secret: String,
    /// `hmac`: the header that carries the signature.
    pub(crate) header: Option<String>,
}
