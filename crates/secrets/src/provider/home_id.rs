//! The name of a home at its key provider: what a wrapped key is bound to there, so that it opens for this home only.
//!
//! It is made from a key of the house that never changes, so that it stays the same whatever wraps the keys, and so that an
//! unlocked home can tell whether the facts beside its keys are its own. It is not secret.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which home asks a key provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HomeId([u8; LENGTH]);

impl HomeId {
    /// The id that a key of the house gives.
    pub(crate) fn of(key: &crypto::MacKey) -> Self {
        let derived = key.derive("doorward/home-id/1", b"");
        Self(derived.expose(|bytes| *bytes.first_chunk().unwrap_or(&[0; LENGTH])))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// What a provider authenticates together with the key, where it can.
    pub(crate) fn bound(&self) -> String {
        format!("doorward/home-key/1/{self}")
    }
}

impl fmt::Display for HomeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crypto::to_hex(&self.0))
    }
}

impl From<HomeId> for String {
    fn from(id: HomeId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for HomeId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "the id of a home is 32 hex digits";
        let bytes = crypto::from_hex(&text).map_err(|_| wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong)
    }
}

pub(super) const LENGTH: usize = 16;
/// Some home, for tests.
#[cfg(test)]
pub(super) const TEST: HomeId = HomeId([7; LENGTH]);
