//! Key providers: what wraps the data keys of a home.
//!
//! A provider is asked once per unlocking ([`KeyProvider::ready`]); what it gives wraps any number of data keys. What has
//! to be remembered for that, such as a salt, is kept as [`Facts`] beside the wrapped keys and authenticated with them.

mod key_file;
mod passphrase;

use std::path::PathBuf;

use crypto::{DataKey, Place, WrapKey, Wrapped};
use serde::{Deserialize, Serialize};

pub use key_file::KeyFile;
pub(crate) use key_file::path_of;
pub use passphrase::Passphrase;

use crate::Error;

/// Something that can wrap data keys: a passphrase, a file, a key service.
pub trait KeyProvider: Send + Sync {
    /// Its name in settings, such as `passphrase`.
    fn name(&self) -> &'static str;

    /// Facts for wrapping anew: a fresh salt, the place of a key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    fn facts(&self) -> Result<Facts, Error>;

    /// Gets ready to wrap and unwrap under these facts. May be slow on purpose, or ask a device.
    ///
    /// # Errors
    /// When the facts are another provider's, or its key can't be had.
    fn ready(&self, facts: &Facts) -> Result<Box<dyn KeyWrap>, Error>;
}

/// A provider that is ready.
pub trait KeyWrap: Send + Sync {
    /// Wraps a data key for one place; `extra` is authenticated with it.
    ///
    /// # Errors
    /// When it can't be wrapped.
    fn wrap(&self, key: &DataKey, place: &Place<'_>, extra: &[u8]) -> Result<Wrapped, crypto::Error>;

    /// Unwraps what [`Self::wrap`] gave.
    ///
    /// # Errors
    /// When the key is another one, or anything was changed.
    fn unwrap(&self, wrapped: &Wrapped, place: &Place<'_>, extra: &[u8]) -> Result<DataKey, crypto::Error>;
}

impl KeyWrap for WrapKey {
    fn wrap(&self, key: &DataKey, place: &Place<'_>, extra: &[u8]) -> Result<Wrapped, crypto::Error> {
        Self::wrap(self, key, place, extra)
    }

    fn unwrap(&self, wrapped: &Wrapped, place: &Place<'_>, extra: &[u8]) -> Result<DataKey, crypto::Error> {
        Self::unwrap(self, wrapped, place, extra)
    }
}

/// What must be remembered to unlock a home. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Facts {
    /// A passphrase, stretched with Argon2id.
    Passphrase {
        /// 32 random bytes in hex.
        salt: String,
        /// Memory in KiB.
        memory: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// A file that holds 32 random bytes.
    KeyFile {
        /// Where it was when the home was made or last rewrapped.
        path: PathBuf,
    },
}

impl Facts {
    /// The name of the provider that they belong to.
    #[must_use]
    pub const fn provider(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => passphrase::NAME,
            Self::KeyFile { .. } => key_file::NAME,
        }
    }

    /// The bytes that are authenticated with each wrapped key, so that nobody can lower a cost or change a salt. A path
    /// is left out: a key file may be moved.
    pub(crate) fn authenticated(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut part = |part: &[u8]| {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        part(self.provider().as_bytes());
        match self {
            Self::Passphrase { salt, memory, passes, lanes } => {
                part(salt.as_bytes());
                part(&crypto::Cost { memory: *memory, passes: *passes, lanes: *lanes }.to_bytes());
            }
            Self::KeyFile { path: _ } => {}
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
