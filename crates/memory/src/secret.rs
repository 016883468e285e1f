//! The type of a secret.

use zeroize::Zeroize;

use crate::region::Region;
use crate::{Error, Guard};

/// Secret bytes in guarded memory. Wiped on drop; cannot be cloned, printed, compared or serialised.
pub struct Secret(Region);

impl Secret {
    /// Moves the bytes into guarded memory and wipes the place where they were.
    ///
    /// # Errors
    /// When the kernel gives no memory; the bytes are wiped then, too.
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, Error> {
        let made = Self::filled(bytes.len(), |to| to.copy_from_slice(&bytes));
        bytes.zeroize();
        made
    }

    /// Reserves guarded memory of `length` bytes, zeroed, and lets `fill` write into it, so that a decryption or a read
    /// needs no copy outside.
    ///
    /// # Errors
    /// When the kernel gives no memory.
    pub fn filled(length: usize, fill: impl FnOnce(&mut [u8])) -> Result<Self, Error> {
        let mut region = Region::reserve(length)?;
        fill(region.bytes_mut());
        Ok(Self(region))
    }

    /// The same where filling can fail; nothing is kept then.
    ///
    /// # Errors
    /// What `fill` returned, or the lack of memory turned into it.
    pub fn try_filled<E: From<Error>>(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut region = Region::reserve(length)?;
        fill(region.bytes_mut())?;
        Ok(Self(region))
    }

    /// Lends the bytes to `use_it`. Calls are counted by lint: see `clippy.toml`.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        use_it(self.0.bytes())
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes. An empty secret is never accepted as a credential.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// How well the kernel guards these bytes.
    #[must_use]
    pub const fn guard(&self) -> Guard {
        self.0.guard()
    }
}

#[cfg(test)]
mod tests;
