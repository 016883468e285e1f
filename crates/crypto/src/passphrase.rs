//! Argon2id (RFC 9106): a passphrase becomes a key, and guessing it costs time and memory.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::{Error, WrapKey};

/// What one guess costs. Stored beside the salt and authenticated with the wrapped key, so that nobody can lower it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes. Nothing cheaper is accepted.
    pub const FLOOR: Self = Self { memory: 64 * 1024, passes: 3, lanes: 4 };
    /// What new homes use: about half a second on one core.
    pub const USUAL: Self = Self { memory: 256 * 1024, passes: 3, lanes: 4 };
    /// The most that is accepted, so that a forged file can't exhaust the memory: 4 GiB.
    const CEILING: Self = Self { memory: 4 * 1024 * 1024, passes: 16, lanes: 16 };

    /// The twelve bytes that are authenticated.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let all = [self.memory, self.passes, self.lanes].into_iter().flat_map(u32::to_be_bytes);
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }

    const fn is_acceptable(self) -> bool {
        self.memory >= Self::FLOOR.memory
            && self.passes >= Self::FLOOR.passes
            && self.lanes >= 1
            && self.memory <= Self::CEILING.memory
            && self.passes <= Self::CEILING.passes
            && self.lanes <= Self::CEILING.lanes
    }
}

/// Stretches a passphrase to a key that wraps others.
///
/// # Errors
/// When the cost is below [`Cost::FLOOR`] or beyond what we accept, or the memory is not there.
pub fn stretch(passphrase: &[u8], salt: &[u8; 32], cost: Cost) -> Result<WrapKey, Error> {
    if !cost.is_acceptable() {
        return Err(Error::Stretch);
    }
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(|_| Error::Stretch)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, &mut *key)
        .map_err(|_| Error::Stretch)?;
    Ok(WrapKey::new(*key))
}

#[cfg(test)]
mod tests;
