//! Why PostgreSQL could not be used as a store.

use std::path::PathBuf;
use std::time::Duration;

/// An error of the member for PostgreSQL. No text of it holds a password or a value of a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one.
    #[error("the address of the store is not understood: {0}")]
    Address(&'static str),
    /// The password could not be read.
    #[error("could not read the password of the store")]
    Password(#[source] std::io::Error),
    /// TLS can't be spoken as it was asked for.
    #[error("could not prepare TLS with `{authorities}`")]
    Tls {
        /// Where the authorities come from.
        authorities: PathBuf,
        /// What is wrong with them.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server does not answer. What was asked for was not done.
    #[error("PostgreSQL at `{place}` does not answer")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the library said, where it said anything.
        #[source]
        source: Option<::postgres::Error>,
    },
    /// The server took longer than it may. What was asked for was not done.
    #[error("PostgreSQL at `{place}` took longer than {} ms", .limit.as_millis())]
    Late {
        /// Host and port.
        place: String,
        /// What it may take.
        limit: Duration,
    },
    /// Another broker has taken the store over.
    #[error("another broker has taken this store over; this one had epoch {epoch}")]
    Fenced {
        /// The epoch of this broker.
        epoch: i64,
    },
    /// Another broker has the store.
    #[error("another broker has this store: {who}, since {since}")]
    Led {
        /// Its host and process.
        who: String,
        /// Since when, as the database says it.
        since: String,
    },
    /// The schema is older than this program needs it, and nobody said who may change it.
    #[error("the schema of the store has version {found}, this program needs {needed}")]
    Older {
        /// What is there; 0 is nothing.
        found: i64,
        /// What is needed.
        needed: i64,
    },
    /// The database would not keep tenants apart, or not keep what it has promised to keep.
    #[error("this database is not used as a store: {0}")]
    Unsafe(String),
    /// The server refused.
    #[error("PostgreSQL refused")]
    Refused(#[source] ::postgres::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address(_) => Some(
                "`postgres://ROLE@HOST:5432/DATABASE?sslmode=verify-full`; the password stands elsewhere: see docs/guide/postgres.md",
            ),
            Self::Password(_) => Some("`password = \"file:PATH\"` or `\"env:VARIABLE\"` below `[store]`"),
            Self::Tls { .. } => Some("`ca = \"FILE\"` below `[store]` names authorities in PEM"),
            Self::Unreachable { .. } | Self::Late { .. } => {
                Some("look at the server and the network; the broker goes on by itself")
            }
            Self::Fenced { .. } => Some("stop this broker; the other one serves"),
            Self::Led { .. } => {
                Some("use that broker, or stop it first; `wait` below `[store]` lets this one stand by")
            }
            Self::Older { .. } => Some(
                "`doorward store prepare postgres://OWNER@HOST/DATABASE` as the role that owns it, or `owner` below `[store]`",
            ),
            Self::Unsafe(_) | Self::Refused(_) => Some("docs/guide/postgres.md says how the roles are made"),
        }
    }

    /// Whether nothing was written, and it may pass by itself.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Late { .. } | Self::Password(_))
    }
}
