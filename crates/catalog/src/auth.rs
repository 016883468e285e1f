//! Where a credential goes on a request. Where, not what: the secret itself never comes here.

use model::SecretRef;
use percent_encoding::utf8_percent_encode;

/// A secret that an integration needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretField {
    /// The name for people.
    pub title: String,
    /// Where it is.
    pub reference: SecretRef,
    /// How such a secret begins; empty where that is not known.
    pub prefixes: Vec<String>,
}

/// How a credential is put on a request. The texts named `secret` are names of fields in [`crate::Integration::secrets`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer …` (RFC 6750, section 2.1).
    Bearer {
        /// The field.
        secret: String,
    },
    /// Any header.
    Header {
        /// The header's name, in lower case.
        name: String,
        /// What stands before the secret.
        prefix: String,
        /// The field.
        secret: String,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic(Basic),
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
        /// The field.
        secret: String,
    },
    /// The first segment behind the base path; one that the caller wrote in this form is replaced.
    Path {
        /// What stands before the secret.
        prefix: String,
        /// What stands behind it.
        suffix: String,
        /// The field.
        secret: String,
    },
}

/// What user name and password of Basic are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basic {
    /// One field that holds `user:password`.
    Joined {
        /// The field.
        secret: String,
    },
    /// A user name that is no secret, and the field of the password.
    Named {
        /// The user name.
        username: String,
        /// The field of the password.
        password: String,
    },
    /// Two fields. Without a password field the password is empty, as services with API keys want it.
    Fields {
        /// The field of the user name.
        username: String,
        /// The field of the password.
        password: Option<String>,
    },
}

/// Where on a request a credential goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement<'a> {
    /// A header: `NAME: PREFIX SECRET`, the prefix with its own space.
    Header {
        /// The name, in lower case.
        name: &'a str,
        /// What stands before the secret.
        prefix: &'a str,
        /// The field.
        secret: &'a str,
    },
    /// The header `authorization`: `Basic ` and the Base64 of user name, `:` and password.
    Basic(&'a Basic),
    /// A query parameter, both sides percent-encoded.
    Query {
        /// The name.
        name: &'a str,
        /// The field.
        secret: &'a str,
    },
    /// A segment between the base path and the rest of the path, percent-encoded.
    Path {
        /// What stands before the secret.
        prefix: &'a str,
        /// What stands behind it.
        suffix: &'a str,
        /// The field.
        secret: &'a str,
    },
}

/// A placement with texts in the place of secrets: for case files, whose secrets are canaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// Name and value of a header. Basic is shown before its Base64: `Basic user:password`.
    Header(String, String),
    /// Name and value of a query parameter, percent-encoded.
    Query(String, String),
    /// A segment of the path, percent-encoded.
    Path(String),
}

impl AuthScheme {
    /// Where the credential goes.
    #[must_use]
    pub fn placement(&self) -> Placement<'_> {
        match self {
            Self::Bearer { secret } => Placement::Header { name: "authorization", prefix: "Bearer ", secret },
            Self::Header { name, prefix, secret } => Placement::Header { name, prefix, secret },
            Self::Basic(basic) => Placement::Basic(basic),
            Self::Query { name, secret } => Placement::Query { name, secret },
            Self::Path { prefix, suffix, secret } => Placement::Path { prefix, suffix, secret },
        }
    }

    /// The fields that it needs, in the order in which they are written.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Bearer { secret }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::Path { secret, .. }
            | Self::Basic(Basic::Joined { secret }) => (secret, None),
            Self::Basic(Basic::Named { password, .. }) => (password, None),
            Self::Basic(Basic::Fields { username, password }) => (username, password.as_deref()),
        };
        std::iter::once(first.as_str()).chain(second)
    }

    /// What would be written if `text` gave the text of each field. For canaries only: real secrets never become text.
    #[must_use]
    pub fn render(&self, text: &dyn Fn(&str) -> String) -> Rendered {
        let escaped = |text: &str| utf8_percent_encode(text, crate::path::SEGMENT).to_string();
        match self.placement() {
            Placement::Header { name, prefix, secret } => {
                Rendered::Header(name.to_owned(), format!("{prefix}{}", text(secret)))
            }
            Placement::Basic(basic) => {
                let pair = match basic {
                    Basic::Joined { secret } => text(secret),
                    Basic::Named { username, password } => format!("{username}:{}", text(password)),
                    Basic::Fields { username, password } => {
                        format!("{}:{}", text(username), password.as_deref().map(text).unwrap_or_default())
                    }
                };
                Rendered::Header("authorization".to_owned(), format!("Basic {pair}"))
            }
            Placement::Query { name, secret } => Rendered::Query(escaped(name), escaped(&text(secret))),
            Placement::Path { prefix, suffix, secret } => {
                Rendered::Path(format!("{prefix}{}{suffix}", escaped(&text(secret))))
            }
        }
    }
}
