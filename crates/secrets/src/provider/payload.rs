//! What a key service keeps for us: one wrapping key, and the home that it belongs to.
//!
//! The home stands beside the key because some services (a TPM, age, RSA) can't authenticate anything together with what
//! they seal. So a key that was taken to another home is refused there, whichever service opened it.

use crypto::WrapKey;
use zeroize::Zeroizing;

use super::home_id::{self, HomeId};
use crate::Error;
use crate::source::Trouble;

/// The id of a home, then its wrapping key. Cannot be cloned, printed or compared.
pub(super) struct Payload(Zeroizing<[u8; PAYLOAD]>);

impl Payload {
    /// A fresh wrapping key for this home.
    pub(super) fn fresh(home: &HomeId) -> Result<Self, Error> {
        let key = WrapKey::generate()?;
        let mut bytes = Zeroizing::new([0; PAYLOAD]);
        let (front, back) = bytes.split_at_mut(home_id::LENGTH);
        front.copy_from_slice(home.as_bytes());
        key.expose(|key| back.copy_from_slice(key));
        Ok(Self(bytes))
    }

    /// The bytes to seal.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// The wrapping key in what a service opened, where it is this home's.
    pub(super) fn key(opened: &[u8], home: &HomeId) -> Result<WrapKey, Trouble> {
        let wrong = Trouble::Wrong("what it opened is not the key of a home");
        let Some((front, back)) = opened.split_at_checked(home_id::LENGTH) else { return Err(wrong) };
        let Ok(key) = <[u8; 32]>::try_from(back).map(Zeroizing::new) else { return Err(wrong) };
        if front != home.as_bytes() {
            return Err(Trouble::Wrong("what it opened is the key of another home"));
        }
        Ok(WrapKey::new(*key))
    }
}

pub(super) const PAYLOAD: usize = home_id::LENGTH + 32;
