//! Why something could not be sealed, opened, signed or verified. No variant carries secret material.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system's random number generator failed.
    #[error("the system gave no random bytes")]
    Random,
    /// A ciphertext was changed, moved, or sealed with another key.
    #[error("the ciphertext does not belong here or was changed")]
    Open,
    /// A signature, tag or checksum does not fit.
    #[error("the signature does not fit")]
    Forged,
    /// A key, signature or ciphertext has the wrong form.
    #[error("{0} has the wrong form")]
    Malformed(&'static str),
    /// Argon2id could not run with these parameters.
    #[error("the passphrase could not be stretched with these parameters")]
    Stretch,
    /// No guarded memory for what was opened.
    #[error("there is no guarded memory left")]
    Memory,
}

impl From<memory::Error> for Error {
    fn from(_: memory::Error) -> Self {
        Self::Memory
    }
}
