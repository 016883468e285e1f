//! Why a secret could not be kept, found or lent. No variant carries secret material, and none repeats what was typed.

use std::sync::Arc;

use model::{Code, SecretRef};

use crate::source::Trouble;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The keys of the home are not in memory.
    #[error("the broker is sealed")]
    Sealed,
    /// This home was never set up.
    #[error("this home has no keys yet")]
    NoHome,
    /// Passphrase, key file or recovery key is another one.
    #[error("the home could not be unlocked with this {0}")]
    Unlock(&'static str),
    /// Keys or ciphertexts were changed, moved or removed.
    #[error("{0} is missing, was changed, or belongs somewhere else")]
    Damaged(String),
    /// The key provider could not do its part.
    #[error("the key provider `{provider}` gives no key: {why}")]
    Provider {
        /// Its name.
        provider: &'static str,
        /// What happened.
        why: Arc<Trouble>,
    },
    /// There is no such secret.
    #[error("there is no secret at `{0}`")]
    Missing(String),
    /// The place where the secret lives can't be read.
    #[error("`{reference}` can't be read: {why}")]
    Source {
        /// Which secret.
        reference: String,
        /// What happened. Shared by all who waited for the same fetch.
        why: Arc<Trouble>,
    },
    /// The bytes can't be a credential.
    #[error("`{reference}` can't be used as a credential: {why}")]
    Unfit {
        /// Which secret.
        reference: String,
        /// What is wrong with the bytes.
        why: Unfit,
    },
    /// The proofs that were shown are not for this secret.
    #[error("`{reference}` is not lent to this call: {why}")]
    NotLent {
        /// Which secret.
        reference: String,
        /// What was missing.
        why: NotLent,
    },
    /// It exists already, or changed meanwhile.
    #[error("`{what}` {why}")]
    Conflict {
        /// Which secret, tenant or home.
        what: String,
        /// What it met.
        why: &'static str,
    },
    /// The storage failed.
    #[error("the secrets could not be read or written")]
    Store(#[from] store::Error),
    /// Random bytes, guarded memory or a key were not to be had.
    #[error("the cryptography failed")]
    Crypto(#[from] crypto::Error),
}

/// Why bytes can't be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// No bytes at all.
    #[error("it is empty")]
    Empty,
    /// White space only.
    #[error("it is only white space")]
    Blank,
    /// A NUL byte, which no header can carry.
    #[error("it contains a NUL byte")]
    Nul,
    /// A line break or another control character, and it stands in a header.
    #[error("it contains a line break or another control character, which no header can carry")]
    Header,
    /// Too short to be found again in what comes back.
    #[error("it is shorter than 8 bytes")]
    Short,
    /// Longer than we keep.
    #[error("it is too long: a source gives 64 KiB at most, and our own store keeps 100,000 bytes")]
    Long,
}

/// Which proof was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLent {
    /// The receipt is for another call than the permit.
    #[error("permit and receipt are not for the same call")]
    OtherCall,
    /// The receipt is for another tenant than the permit.
    #[error("permit and receipt are not for the same tenant")]
    OtherTenant,
    /// The integration of the permit never declared this reference.
    #[error("the integration does not use it")]
    Unbound,
    /// The permit is for another operation than revealing this very secret.
    #[error("the permit is not for revealing it")]
    OtherOperation,
    /// It was stored as one that is never shown.
    #[error("it was not stored as disclosable")]
    NotDisclosable,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sealed => Some("unseal it: `doorward unseal`"),
            Self::NoHome => Some("set it up: `doorward init`"),
            Self::Unlock(_) => Some("try again, or use the recovery key: `doorward recovery restore`"),
            Self::Damaged(_) => {
                Some("restore a backup; see what else differs with `doorward evidence verify`")
            }
            Self::Provider { provider: "key-file", .. } => {
                Some("the file must be a plain file of this user that nobody else may read (mode 0600)")
            }
            Self::Provider { why, .. } if why.is_passing() => Some(
                "see whether it runs and can be reached from here, then `doorward unseal`; the recovery key opens the home without it",
            ),
            Self::Provider { .. } => Some(
                "see `doorward key-provider show`; the recovery key opens the home without it: `doorward recovery restore`",
            ),
            Self::Missing(_) => Some("store it with `doorward secret put`, or correct the reference"),
            Self::Unfit { why: Unfit::Short, .. } => {
                Some("a credential this short can't be masked in replies; use one of at least 8 bytes")
            }
            Self::Unfit { why: Unfit::Header, .. } => {
                Some("keep it as one line, without a line end behind it")
            }
            Self::NotLent { why: NotLent::Unbound, .. } => {
                Some("declare it under `secrets:` of the integration")
            }
            Self::NotLent { why: NotLent::NotDisclosable, .. } => {
                Some("store it anew as disclosable, if it must be shown")
            }
            Self::Store(source) => source.hint(),
            Self::Source { why, .. } => why.hint(),
            Self::Unfit { .. } | Self::NotLent { .. } | Self::Conflict { .. } | Self::Crypto(_) => None,
        }
    }

    /// The code of the refusal that this becomes.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Sealed | Self::NoHome | Self::Unlock(_) | Self::Provider { .. } => Code::Sealed,
            Self::Missing(_) | Self::Unfit { .. } => Code::SecretMissing,
            Self::NotLent { .. } => Code::Denied,
            Self::Conflict { .. } => Code::Conflict,
            Self::Damaged(_) | Self::Source { .. } | Self::Store(_) | Self::Crypto(_) => {
                Code::SourceUnavailable
            }
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(crate) fn unreadable(reference: &SecretRef, what: &'static str) -> Self {
        Self::source(reference, Trouble::Wrong(what))
    }

    pub(crate) fn source(reference: &SecretRef, why: Trouble) -> Self {
        Self::Source { reference: reference.to_string(), why: Arc::new(why) }
    }

    /// Whether its source is out of reach for now, and said nothing about the secret.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Source { why, .. } | Self::Provider { why, .. } if why.is_passing())
    }

    /// The same for another who waited for it; `None` for what is found out at once.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::Missing(reference) => Some(Self::Missing(reference.clone())),
            Self::Source { reference, why } => {
                Some(Self::Source { reference: reference.clone(), why: Arc::clone(why) })
            }
            _ => None,
        }
    }

    pub(crate) fn unfit(reference: impl Into<String>, why: Unfit) -> Self {
        Self::Unfit { reference: reference.into(), why }
    }
}

impl From<memory::Error> for Error {
    fn from(_: memory::Error) -> Self {
        Self::Crypto(crypto::Error::Memory)
    }
}
