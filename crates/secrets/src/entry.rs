//! Entries of keyrings: lent like our own secrets, for a permit and the receipt of the same call.
//!
//! A keyring is outside of our store, and its entries are named by whoever keeps keys there, so no integration declares
//! them. Only the integrations that mint credentials from them are lent any.

use ::keyring::{Item, Keyring};
use evidence::Receipt;
use policy::Permit;

use crate::Error;
use crate::error::NotLent;
use crate::lend::proven;

/// Proof that a call may have entries of keyrings. It holds for this call only.
#[derive(Debug)]
#[must_use]
pub struct Lending(());

impl Lending {
    /// Lends entries to a permitted and recorded call of an integration that mints.
    ///
    /// # Errors
    /// When the proofs are not for one call, or the integration mints nothing.
    pub fn to(permit: &Permit, receipt: &Receipt) -> Result<Self, Error> {
        let refused = |why| Error::NotLent { reference: "an entry of the keyring".to_owned(), why };
        proven(permit, receipt).map_err(refused)?;
        let call = permit.call();
        if MINTING.contains(&call.integration().as_str()) && call.integration() == call.kind() {
            Ok(Self(()))
        } else {
            Err(refused(NotLent::Unbound))
        }
    }

    /// Reads one entry. Blocks, perhaps until a person has answered a prompt.
    ///
    /// # Errors
    /// What the keyring says.
    pub fn read(&self, keyring: &dyn Keyring, name: &str) -> Result<Item, ::keyring::Error> {
        keyring.get(name)
    }
}

/// The integrations that mint credentials from entries.
const MINTING: [&str; 1] = ["aws-credentials"];
