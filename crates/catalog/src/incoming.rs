//! How callers and webhooks prove themselves to an integration. Where, not what: no secret comes here.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// How a service signs its webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// `X-Slack-Signature` over version, time and body.
    SlackSignature,
    /// `X-Hub-Signature-256` over the body.
    GithubSignature,
    /// `Stripe-Signature` over time and body.
    StripeSignature,
    /// HMAC-SHA-256 over the body, in hex, in a header.
    Hmac,
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SlackSignature => "slack_signature",
            Self::GithubSignature => "github_signature",
            Self::StripeSignature => "stripe_signature",
            Self::Hmac => "hmac",
        })
    }
}

/// The signature of a service's webhooks. It is data so far; nothing verifies it yet, and calls outward never need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Which way.
    pub scheme: Verification,
    /// The field that it signs with.
    pub secret: String,
    /// `hmac`: the header that carries the signature.
    pub header: Option<String>,
}
