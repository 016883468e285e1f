//! Why there is no token. No variant carries a key or a token.

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is stored is no key of this cloud.
    #[error("the stored key is no {expected}: {why}")]
    Key {
        /// What it was to be.
        expected: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The cloud refused.
    #[error("{0}")]
    Refused(Fault),
    /// The cloud answered something else than its documents say.
    #[error("the answer of `{place}` {what}")]
    Reply {
        /// Who answered.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An address that can't be used.
    #[error("`{address}` can't be a token endpoint: {why}")]
    Address {
        /// The address.
        address: String,
        /// Why not.
        why: &'static str,
    },
    /// It could not be asked.
    #[error("could not ask `{place}`")]
    Net {
        /// Who was to be asked.
        place: String,
        /// What the network said.
        #[source]
        source: net::Error,
    },
    /// The assertion could not be signed.
    #[error("could not sign with the stored key")]
    Crypto(#[from] crypto::Error),
    /// No guarded memory for what was read.
    #[error("a token could not be kept in memory")]
    Memory(#[from] memory::Error),
}

/// What a cloud said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Who refused.
    pub place: String,
    /// The status of HTTP.
    pub status: u16,
    /// Its code, such as `invalid_grant`.
    pub code: String,
    /// Its message, on one line, as far as it is text.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, status, code, message } = self;
        write!(f, "`{place}` refused with {status} {code}")?;
        if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
    }
}

impl Error {
    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Key { .. } => Some(
                "store the whole document: the JSON key file of a service account, or what `az ad sp create-for-rbac` prints",
            ),
            Self::Refused(fault) => match fault.code.as_str() {
                "invalid_grant" => {
                    Some("the key was deleted or disabled, or the clock of this machine is wrong")
                }
                "invalid_client" => {
                    Some("the client secret is over or another one; make a new one and store it")
                }
                "PERMISSION_DENIED" => Some(
                    "the account needs the role Service Account Token Creator on the account that it impersonates",
                ),
                _ => None,
            },
            Self::Net { source, .. } => source.hint(),
            _ => None,
        }
    }
}
