//! `dangerousLiteral:DIGEST`: a secret that stands in a configuration file itself.
//!
//! It exists for the files of others that hold secrets in the clear, and only where whoever reads such a file makes a
//! [`Literals`] for it, after saying so loudly. The value is kept here; its reference holds a digest under a key that no
//! other process has, so that a reference stays what it is everywhere: safe to print.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use crypto::MacKey;
use memory::Secret;
use model::SecretRef;

use super::{Doubt, Fetched, Lender, SecretSource, Stamp, Trouble, checked, copied};
use crate::Error;

/// Secrets that were found in a configuration file.
pub struct Literals {
    key: MacKey,
    kept: Mutex<BTreeMap<String, Secret>>,
}

impl Literals {
    /// None yet.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { key: MacKey::generate()?, kept: Mutex::default() })
    }

    /// Keeps a value, and gives the reference by which it is lent. The same value has the same reference.
    ///
    /// # Errors
    /// When its name could not be made.
    #[expect(clippy::disallowed_methods, reason = "makes the name of a literal from its bytes, with a key")]
    pub fn keep(&self, secret: Secret) -> Result<SecretRef, Error> {
        let tag = secret.expose(|bytes| self.key.tag(&[bytes]));
        let name = crypto::to_hex(tag.first_chunk::<12>().unwrap_or(&[0; 12]));
        let reference = format!("{SCHEME}:{name}").parse();
        let reference = reference.map_err(|_| Error::damaged("the name of a literal"))?;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert(secret);
        Ok(reference)
    }
}

impl std::fmt::Debug for Literals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Literals")
    }
}

/// What stands in a configuration itself.
pub(super) struct Literal(pub(super) Option<Arc<Literals>>);

#[async_trait]
impl SecretSource for Literal {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let refused = "a secret in the clear is only taken from a peer's configuration that is run as it is";
        let Some(literals) = self.0.as_ref().filter(|_| reference.scheme() == SCHEME) else {
            return Err(Error::source(reference, Trouble::Wrong(refused)));
        };
        let kept = literals.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(reference.path()).filter(|_| reference.field().is_none());
        let secret = copied(found.ok_or_else(|| Error::Missing(reference.to_string()))?)?;
        checked(reference, secret, Stamp::Fixed)
    }

    async fn stamp(&self, _reference: &SecretRef) -> Result<Stamp, Error> {
        Ok(Stamp::Fixed)
    }

    async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        Ok((self.fetch(reference, lender).await?, vec![Doubt::InTheClear]))
    }
}

pub(super) const SCHEME: &str = "dangerousLiteral";
