//! Between the bytes of an entry and what they mean.

use ::secrets::Lending;
use keyring::{Item, Trust};
use memory::Secret;
use model::{Code, Refusal};

use super::Minting;
use crate::Lease;

/// Lends the bytes of an entry to what reads their form.
#[expect(clippy::disallowed_methods, reason = "the form of an entry is read where the entry was lent")]
pub(super) fn read<T>(
    secret: &Secret,
    form: impl FnOnce(&[u8]) -> Result<T, aws::session::Error>,
) -> Result<T, aws::session::Error> {
    secret.expose(form)
}

/// A second holder of the same credentials, for a call that consumes its own.
pub(super) fn copy(lease: &Lease) -> Result<Lease, Refusal> {
    Ok(Lease {
        access_key_id: lease.access_key_id.clone(),
        secret_access_key: again(&lease.secret_access_key)?,
        session_token: lease.session_token.as_ref().map(again).transpose()?,
        expiration: lease.expiration,
    })
}

/// A second holder of the same secret, for the same call.
#[expect(clippy::disallowed_methods, reason = "a copy for the same call, in guarded memory")]
pub(super) fn again(secret: &Secret) -> Result<Secret, Refusal> {
    let copied = secret.expose(|bytes| Secret::new(bytes.to_vec()));
    copied.map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))
}

/// Whether two secrets are the same.
#[expect(clippy::disallowed_methods, reason = "compared in constant time, in place")]
pub(super) fn same(one: &Secret, other: &Secret) -> Result<crypto::Same, crypto::Error> {
    one.expose(|one| other.expose(|other| crypto::same(one, other)))
}

impl Minting {
    /// The key that is stored under the name of a profile.
    pub(super) async fn stored_key(&self, profile: &str) -> Result<Lease, Refusal> {
        let item =
            self.tools.keys.read(&self.lending, profile).await.map_err(|error| self.keyring(&error))?;
        read(&item.secret, aws::session::keys_from_json).map_err(|error| self.form(&error))
    }

    /// Stores a key under the name of a profile.
    pub(super) async fn store_key(&self, profile: &str, key: &Lease) -> Result<(), Refusal> {
        let item = Item {
            name: profile.to_owned(),
            secret: aws::session::keys_to_json(key).map_err(|error| self.form(&error))?,
            label: aws::session::keys_item_label(profile),
            description: String::new(),
            trust: Trust::Nobody,
        };
        let place = (&self.tools.keys, profile);
        self.known.forget(place).await?;
        self.tools.keys.write(item).await.map_err(|error| self.keyring(&error))?;
        self.known.keep(place, &key.access_key_id).await
    }

    /// The proof with which entries are read.
    pub(super) const fn lending(&self) -> &std::sync::Arc<Lending> {
        &self.lending
    }
}
