//! Secrets: kept under envelope encryption, found in sources, lent to one call at a time, and masked in what comes back.
//!
//! A [`Keyring`] is the unlocked keys of a home; [`Secrets`] is everything that a running broker can lend. A secret is
//! lent by [`Secrets::open`] only, for a permit of `policy` and a receipt of `evidence` that belong to the same call, and
//! comes with the [`Mask`] that finds it in the reply. This crate decides nothing about who may do what, and records
//! nothing.
//!
//! # Invariants
//!
//! - Every data key has two wrappers, the key provider's and the recovery key's; [`drill`] proves it.
//! - A ciphertext opens in its own row only.
//! - A secret that could not be masked is not lent.
//! - Keys of the house ([`House`]) have types of their own and no reference, so that they can't be lent.
//! - No error repeats a byte of a secret.
//!
//! ```
//! use secrets::Passphrase;
//! # fn main() -> Result<(), secrets::Error> {
//! let storage = store::Embedded::in_memory()?;
//! let passphrase = Passphrase::new(memory::Secret::new(b"correct horse CANARY".to_vec())?).at(crypto::Cost::FLOOR);
//! let (keyring, recovery) = secrets::init(&storage, &passphrase, &model::TenantName::local(), |_| Ok::<_, secrets::Error>(()))?;
//! assert_eq!(keyring.tenants().count(), 1);
//! assert_eq!(secrets::drill(&storage, &recovery)?.keys(), 1);
//! # Ok(())
//! # }
//! ```

mod bindings;
mod cache;
mod checking;
mod entry;
mod error;
mod fetching;
mod fit;
mod google;
mod held;
mod home;
mod keyring;
mod keys;
mod lend;
mod mask;
mod own;
mod provider;
mod recovery;
mod renewed;
mod rotation;
mod secrets;
mod sign_ins;
mod source;
mod stored;
mod verifier;

pub use bindings::{Bindings, Declared};
pub use checking::Checking;
pub use entry::Lending;
pub use error::{Error, NotLent, Unfit};
pub use fit::Stands;
pub use google::{GoogleAnswer, GoogleApi};
pub use held::{Opened, Stale};
pub use home::{evidence_public_key, provider_facts};
pub use keyring::{Drilled, Keyring, drill, init, recover, renew_recovery, rewrap, unseal, unseal_on_demand};
pub use keys::House;
pub use mask::{
    Mask, MaskStream, Masked, Part, Passed, SHORTEST, Unmaskable, said_without, said_without_all,
};
pub use own::{Kept, Own};
pub use provider::{
    Facts, HomeId, KEY_PROVIDERS, KeyChoice, KeyFile, KeyProvider, KeyWrap, ListedKeyProvider, Passphrase,
    Pin, TokenKey, WrongChoice, provider_of,
};
pub use recovery::RecoveryKey;
pub use renewed::Claim;
pub use rotation::{Rotation, rotate_key};
pub use secrets::{Seal, Secrets};
pub use source::config::{Ages, Config};
pub use source::{
    Doubt, Env, Environment, Fetched, File, Lender, Literals, Make, SOURCES, SecretSource, Setup, Source,
    Stamp, Trouble,
};
pub use stored::{Disclosure, Listed, State, Stored, Version};
pub use verifier::{Imprint, Matched, Mismatch, Verifier};

#[cfg(test)]
mod tests;
