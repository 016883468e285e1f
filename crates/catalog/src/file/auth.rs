//! An auth scheme as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// How a credential is put on a request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthEntry {
    /// Which way.
    pub(crate) scheme: AuthWord,
    /// The secret; for `basic` one that holds `user:password`.
    pub(crate) secret: Option<String>,
    /// The name of the header or of the query parameter.
    pub(crate) name: Option<String>,
    /// What stands before the secret in a header or path segment.
    pub(crate) prefix: Option<String>,
    /// What stands behind the secret in a path segment.
    pub(crate) suffix: Option<String>,
    /// `basic`: the user name, as it is.
    pub(crate) username: Option<String>,
    /// `basic`: the secret that is the user name.
    pub(crate) username_secret: Option<String>,
    /// `basic`: the secret that is the password.
    pub(crate) password_secret: Option<String>,
}

/// The ways of putting a credential on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthWord {
    /// `Authorization: Bearer …`.
    Bearer,
    /// Any header.
    Header,
    /// `Authorization: Basic …`.
    Basic,
    /// A query parameter.
    Query,
    /// The first segment of the path.
    Path,
}
