//! Key providers: what wraps the data keys of a home.
//!
//! A provider is asked once per unlocking ([`KeyProvider::ready`]); what it gives wraps any number of data keys. What has
//! to be remembered for that, such as a salt, is kept as [`Facts`] beside the wrapped keys and authenticated with them.
//! A member is one file here, one line in [`KEY_PROVIDERS`] and one line `conformance!(..)` in its tests.
//!
//! # Invariants
//!
//! - A provider that can't be asked is an error, and the home stays sealed; nothing is tried in its place.
//! - What a service seals is one wrapping key of one home, bound to that home.
//! - Nothing that a service or a program answered is repeated in an error.

mod age;
pub(crate) mod asking;
mod aws_kms;
mod azure_key_vault;
mod choice;
mod facts;
mod gcp_kms;
mod home_id;
mod kept;
mod key_file;
mod list;
mod os_keyring;
mod passphrase;
mod payload;
mod pkcs11;
mod private;
mod tpm2;
mod transit;

use crypto::{DataKey, Place, WrapKey, Wrapped};

pub use choice::{KeyChoice, Wrong as WrongChoice};
pub use facts::{Facts, Pin, TokenKey};
pub use home_id::HomeId;
pub use key_file::KeyFile;
pub use list::{KEY_PROVIDERS, Listed as ListedKeyProvider, provider_of};
pub use passphrase::Passphrase;

use crate::Error;

/// Something that can wrap data keys: a passphrase, a file, a key service.
pub trait KeyProvider: Send + Sync {
    /// Its name in settings, such as `passphrase`.
    fn name(&self) -> &'static str;

    /// Facts for wrapping anew, for this home: a fresh salt, the place of a key, what a service sealed.
    ///
    /// # Errors
    /// When the system has no random bytes, or the service can't be asked.
    fn facts(&self, home: &HomeId) -> Result<Facts, Error>;

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

#[cfg(test)]
mod tests;
