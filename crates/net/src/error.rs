//! What can go wrong between this house and the network, and whether anything was sent before it did.

use std::io;
use std::path::PathBuf;

use crate::guard::Forbidden;

/// Why a request was not answered, or a door could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The guard refused the upstream's address.
    #[error("`{upstream}` may not be dialled: {reason}")]
    Address {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// What is wrong with it.
        reason: Forbidden,
    },
    /// No connection could be made.
    #[error("could not reach `{upstream}`")]
    Unreachable {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// As many requests as are allowed are under way, and the queue behind them is full.
    #[error("as many requests to `{upstream}` as it may have are under way, and others wait already")]
    Busy {
        /// The upstream as it was named.
        upstream: Box<str>,
    },
    /// The TLS handshake failed: no common version, or a certificate that is not the upstream's.
    #[error("could not agree on TLS with `{upstream}`")]
    Tls {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// What TLS said.
        #[source]
        source: io::Error,
    },
    /// A deadline passed.
    #[error("`{upstream}` did not answer in time")]
    Timeout {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// Whether the request may have arrived.
        sent: Sent,
    },
    /// The connection ended before the head of the reply.
    #[error("`{upstream}` closed the connection before it answered")]
    Closed {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// Whether the request may have arrived.
        sent: Sent,
        /// What the HTTP library said.
        #[source]
        source: hyper::Error,
    },
    /// The body of the request broke off before all of it was sent.
    #[error("the body of the request {why} on its way to `{upstream}`, which has a part of it")]
    Upload {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// Who cut it.
        why: Cut,
    },
    /// The reply is not HTTP with one reading.
    #[error("`{upstream}` answered with something that cannot be passed on safely: {what}")]
    Protocol {
        /// The upstream as it was named.
        upstream: Box<str>,
        /// What was wrong with the reply.
        what: &'static str,
        /// What the HTTP library said, where it was the one that refused.
        #[source]
        source: Option<hyper::Error>,
    },
    /// The request is not one that this house sends.
    #[error("the request cannot be sent: {0}")]
    Request(&'static str),
    /// A certificate or key file is not usable.
    #[error("could not use `{path}`: {what}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// What the system or TLS said, where it said something.
        #[source]
        source: Option<io::Error>,
    },
    /// Certificates or a key that came as text are not usable.
    #[error("could not use the certificates or the key: {0}")]
    Pem(&'static str),
    /// TLS could not be set up.
    #[error("could not set up TLS")]
    TlsSetup(#[from] rustls::Error),
    /// A door could not be opened.
    #[error("could not listen on `{place}`")]
    Listen {
        /// Address or path.
        place: Box<str>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody listens there already.
    #[error("something already listens on `{place}`")]
    Taken {
        /// Address or path.
        place: Box<str>,
    },
    /// The body of a reply could not be read.
    #[error("could not read the body of the reply")]
    Body(#[from] crate::body::CollectError),
}

/// Who cut the body of a request.
#[derive(Debug, thiserror::Error)]
pub enum Cut {
    /// Whoever sent it: the connection ended, or a chunk was malformed.
    #[error("broke off")]
    Broken,
    /// What it passed through in this house.
    #[error("was cut, as {0},")]
    Refused(Box<str>),
}

/// Whether anything of a request can have left this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Nothing did: sending it again is safe, whatever it does.
    Nothing,
    /// Something may have: what came of it is not known.
    Maybe,
}

impl Error {
    /// Whether anything of the request can have left this process. Decides whether a retry is safe.
    #[must_use]
    pub const fn sent(&self) -> Sent {
        match self {
            Self::Timeout { sent, .. } | Self::Closed { sent, .. } => *sent,
            Self::Protocol { .. } | Self::Body(_) | Self::Upload { .. } => Sent::Maybe,
            Self::Address { .. }
            | Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Tls { .. }
            | Self::Request(_)
            | Self::Certificate { .. }
            | Self::Pem(_)
            | Self::TlsSetup(_)
            | Self::Listen { .. }
            | Self::Taken { .. } => Sent::Nothing,
        }
    }

    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address { .. } => Some(
                "only public addresses are dialled over https; `dangerous_allow_private` of an integration allows loopback and private ones",
            ),
            Self::Tls { .. } => Some("an internal certificate authority can be added as an extra CA bundle"),
            Self::Certificate { .. } | Self::Pem(_) => {
                Some("certificate and key are PEM files; the key is readable by its owner and group only")
            }
            Self::Taken { .. } => Some("another broker may be running; stop it, or choose another place"),
            Self::Busy { .. } => Some("`connections: most:` in the integration's file says how many"),
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Protocol { .. }
            | Self::Upload { .. }
            | Self::Request(_)
            | Self::TlsSetup(_)
            | Self::Listen { .. }
            | Self::Body(_) => None,
        }
    }
}
