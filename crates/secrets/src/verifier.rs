//! What callers present to us (static bearer texts, passwords of Basic) is checked, and never kept: only an imprint is.
//!
//! A random text of enough length is imprinted with a keyed hash, which is quick; a password that somebody chose is
//! stretched with Argon2id first. Both end in an HMAC under a key of the house, so that a stolen database alone can't be
//! searched. A [`Verifier`] answers whether a text fits; it can't give it back.

use std::sync::Arc;

use crypto::{Cost, MacKey};
use memory::Secret;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::Unfit;

/// What is stored of a text that callers will present. Safe to store; says nothing without the key of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Imprint {
    /// Of a random text.
    Keyed {
        /// HMAC-SHA-256 in hex.
        tag: String,
    },
    /// Of a password.
    Stretched {
        /// 32 random bytes in hex.
        salt: String,
        /// Memory in KiB.
        memory: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
        /// HMAC-SHA-256 of the stretched password, in hex.
        tag: String,
    },
}

/// Checks what is presented against one imprint.
pub struct Verifier {
    key: Arc<MacKey>,
    imprint: Imprint,
}

/// Proof that what was presented fits.
#[derive(Debug)]
#[must_use]
pub struct Matched(());

impl Matched {
    /// For the other checks of this crate.
    pub(crate) const fn proven() -> Self {
        Self(())
    }
}

/// It does not fit. Says nothing about how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not match")]
pub struct Mismatch;

impl Imprint {
    /// The imprint of a random text.
    ///
    /// # Errors
    /// When it is shorter than 16 bytes: a quick hash of so little could be searched by whoever has the key.
    #[expect(clippy::disallowed_methods, reason = "hashes the text for storage")]
    pub fn keyed(key: &MacKey, text: &Secret) -> Result<Self, Error> {
        if text.len() < RANDOM {
            return Err(Error::unfit("presented text", Unfit::Short));
        }
        Ok(Self::Keyed { tag: crypto::to_hex(&text.expose(|text| keyed_tag(key, text))) })
    }

    /// The imprint of a password, at a cost that makes guessing slow.
    ///
    /// # Errors
    /// When it is empty, or the cost is below what we accept.
    #[expect(clippy::disallowed_methods, reason = "stretches the password for storage")]
    pub fn stretched(key: &MacKey, password: &Secret, cost: Cost) -> Result<Self, Error> {
        if password.is_empty() {
            return Err(Error::unfit("presented text", Unfit::Empty));
        }
        let salt = crypto::array::<32>()?;
        let tag = password.expose(|password| stretched_tag(key, password, &salt, cost))?;
        let Cost { memory, passes, lanes } = cost;
        Ok(Self::Stretched { salt: crypto::to_hex(&salt), memory, passes, lanes, tag: crypto::to_hex(&tag) })
    }
}

impl Verifier {
    /// What checks against an imprint, with the key that it was made with ([`crate::House::hashing_key`]).
    #[must_use]
    pub const fn new(key: Arc<MacKey>, imprint: Imprint) -> Self {
        Self { key, imprint }
    }

    /// Compares in time that does not depend on what was presented, but for its length.
    ///
    /// # Errors
    /// [`Mismatch`], whatever was wrong.
    pub fn check(&self, presented: &[u8]) -> Result<Matched, Mismatch> {
        let (tag, expected) = match &self.imprint {
            Imprint::Keyed { tag } => (keyed_tag(&self.key, presented), tag),
            Imprint::Stretched { salt, memory, passes, lanes, tag } => {
                let salt = crypto::from_hex(salt).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
                let cost = Cost { memory: *memory, passes: *passes, lanes: *lanes };
                let salt = salt.ok_or(Mismatch)?;
                (stretched_tag(&self.key, presented, &salt, cost).map_err(|_| Mismatch)?, tag)
            }
        };
        let expected = crypto::from_hex(expected).map_err(|_| Mismatch)?;
        crypto::same(&tag, &expected).map(|_| Matched(())).map_err(|_| Mismatch)
    }
}

fn keyed_tag(key: &MacKey, text: &[u8]) -> crypto::Tag {
    key.derive("imprint/keyed/1", b"").tag(&[text])
}

fn stretched_tag(
    key: &MacKey,
    password: &[u8],
    salt: &[u8; 32],
    cost: Cost,
) -> Result<crypto::Tag, crypto::Error> {
    let stretched = crypto::stretch(password, salt, cost)?;
    Ok(stretched.expose(|bytes| key.derive("imprint/stretched/1", salt).tag(&[bytes])))
}

/// The least length of a random text.
const RANDOM: usize = 16;

#[cfg(test)]
mod tests;
