//! The keys of one tenant, and the keys of the house itself.
//!
//! # Invariants
//!
//! - A key of the house has a type of its own and no [`model::SecretRef`] names it, so it can't be put on a request.
//! - What is sealed names the version of the data key in front of the ciphertext; everything else that it belongs to is
//!   authenticated.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::{DataKey, Kind, MacKey, Place, Sealed, SigningKey, WrapKey};
use memory::Secret;
use model::TenantName;
use store::{Batch, Row, Storage, Table};
use zeroize::Zeroizing;

use crate::provider::HomeId;
use crate::{Error, Keyring};

/// The keys of the house, lent by an unlocked [`Keyring`].
pub struct House<'a>(pub(crate) &'a Keyring);

impl House<'_> {
    /// The key under which capabilities of a tenant are signed.
    ///
    /// # Errors
    /// When the home has no such tenant.
    pub fn capability_root(&self, tenant: &TenantName) -> Result<Arc<MacKey>, Error> {
        self.0.tenant(tenant).map(|keys| Arc::clone(&keys.capability_root))
    }

    /// The same, where the keys of the tenant were opened before.
    #[must_use]
    pub fn opened_root(&self, tenant: &TenantName) -> Option<Arc<MacKey>> {
        self.0.opened(tenant).map(|keys| Arc::clone(&keys.capability_root))
    }

    /// The key that signs checkpoints of the evidence.
    ///
    /// # Errors
    /// When the library refuses the seed.
    pub fn evidence_key(&self) -> Result<SigningKey, Error> {
        Ok(self.0.house_keys().evidence.expose(|seed| SigningKey::from_seed(*seed))?)
    }

    /// The key under which what callers present is hashed before it is stored.
    #[must_use]
    pub fn hashing_key(&self) -> Arc<MacKey> {
        Arc::clone(&self.0.house_keys().hashing)
    }
}

/// The keys that a home has once.
pub(crate) struct HouseKeys {
    pub(crate) evidence: SigningKey,
    pub(crate) hashing: Arc<MacKey>,
    /// The recovery key, so that new tenants and data keys get their second wrapper without the paper. Whoever can open
    /// it holds every data key already.
    pub(crate) recovery: WrapKey,
}

/// The unlocked keys of one tenant.
pub(crate) struct TenantKeys {
    data: BTreeMap<u64, DataKey>,
    /// The sentinel of the newest data key as it stands in the storage: see [`Self::fence`].
    sentinel: Vec<u8>,
    pub(crate) capability_root: Arc<MacKey>,
}

// === impl HouseKeys ===

impl HouseKeys {
    /// The name of this home at its key provider; the same for as long as the home lives.
    pub(crate) fn home_id(&self) -> HomeId {
        HomeId::of(&self.hashing)
    }

    /// Fresh keys, and the rows that keep them.
    pub(crate) fn generate(
        recovery: &WrapKey,
        tenant: &TenantName,
        data: &DataKey,
        batch: Batch,
    ) -> Result<(Self, Batch), Error> {
        let (evidence, hashing) = (SigningKey::generate()?, MacKey::generate()?);
        let batch = evidence.expose(|seed| keep(batch, tenant, (FIRST, data), EVIDENCE, seed))?;
        let batch = hashing.expose(|key| keep(batch, tenant, (FIRST, data), HASHING, key))?;
        let batch = recovery.expose(|key| keep(batch, tenant, (FIRST, data), RECOVERY, key))?;
        let recovery = recovery.expose(|key| WrapKey::new(*key));
        Ok((Self { evidence, hashing: Arc::new(hashing), recovery }, batch))
    }

    pub(crate) fn open(storage: &dyn Storage, tenant: &TenantName, keys: &TenantKeys) -> Result<Self, Error> {
        let evidence = SigningKey::from_seed(*kept(storage, tenant, &keys.data, EVIDENCE)?)?;
        let hashing = Arc::new(MacKey::new(*kept(storage, tenant, &keys.data, HASHING)?));
        let recovery = WrapKey::new(*kept(storage, tenant, &keys.data, RECOVERY)?);
        Ok(Self { evidence, hashing, recovery })
    }

    /// The rows of all of them under another data key.
    pub(crate) fn kept_anew(
        &self,
        tenant: &TenantName,
        data: (u64, &DataKey),
        batch: Batch,
    ) -> Result<Batch, Error> {
        let batch = self.evidence.expose(|seed| keep(batch, tenant, data, EVIDENCE, seed))?;
        let batch = self.hashing.expose(|key| keep(batch, tenant, data, HASHING, key))?;
        self.recovery.expose(|key| keep(batch, tenant, data, RECOVERY, key))
    }

    /// The row of another recovery key in place of the one before.
    pub(crate) fn with_recovery(
        recovery: &WrapKey,
        tenant: &TenantName,
        keys: &TenantKeys,
        batch: Batch,
    ) -> Result<Batch, Error> {
        recovery.expose(|key| keep(batch, tenant, keys.newest()?, RECOVERY, key))
    }
}

// === impl TenantKeys ===

impl TenantKeys {
    /// A fresh capability root and sentinel for a tenant with its first data key, and the rows that keep them.
    pub(crate) fn generate(tenant: &TenantName, data: DataKey, batch: Batch) -> Result<(Self, Batch), Error> {
        let root = MacKey::generate()?;
        let batch = root.expose(|key| keep(batch, tenant, (FIRST, &data), CAPABILITY_ROOT, key))?;
        let sentinel = data.seal(SENTINEL, &sentinel_place(tenant, FIRST))?.as_bytes().to_vec();
        let batch = batch.insert(Table::Keys, tenant, &sentinel_row(FIRST), sentinel.clone());
        Ok((Self { data: BTreeMap::from([(FIRST, data)]), sentinel, capability_root: Arc::new(root) }, batch))
    }

    /// The keys of a tenant from its unwrapped data keys; each has to open its sentinel.
    pub(crate) fn open(
        storage: &dyn Storage,
        tenant: &TenantName,
        data: BTreeMap<u64, DataKey>,
    ) -> Result<Self, Error> {
        let mut sentinel = Vec::new();
        for (version, key) in &data {
            let wrong = || Error::damaged(format!("data key {version} of the tenant `{tenant}`"));
            let row = storage.get(Table::Keys, tenant, &sentinel_row(*version))?.ok_or_else(wrong)?;
            key.open(&Sealed::from_bytes(row.clone()), &sentinel_place(tenant, *version))
                .map_err(|_| wrong())?;
            sentinel = row;
        }
        let root = MacKey::new(*kept(storage, tenant, &data, CAPABILITY_ROOT)?);
        Ok(Self { data, sentinel, capability_root: Arc::new(root) })
    }

    /// Seals bytes under the newest data key. The place says which tenant they belong to.
    pub(crate) fn seal(&self, plain: &[u8], place: &Place<'_>) -> Result<Vec<u8>, Error> {
        let (version, key) = self.newest()?;
        Ok(in_front(version, &key.seal(plain, place)?))
    }

    /// Opens what [`Self::seal`] gave for the same place.
    pub(crate) fn open_row(&self, row: &[u8], place: &Place<'_>) -> Result<Secret, crypto::Error> {
        open_row(&self.data, row, place)
    }

    pub(crate) const fn data(&self) -> &BTreeMap<u64, DataKey> {
        &self.data
    }

    /// Makes a batch fail when another data key has become the newest one since these were read: whatever seals something
    /// adds this, so that nothing is sealed with a key that is about to go.
    pub(crate) fn fence(&self, batch: Batch, tenant: &TenantName) -> Result<Batch, Error> {
        let (key, value) = (sentinel_row(self.newest()?.0), self.sentinel.clone());
        Ok(batch.swap(Table::Keys, tenant, value.clone(), Row { key, value }))
    }

    /// Whether the newest data key sealed a row.
    pub(crate) fn is_newest(&self, row: &[u8]) -> Result<bool, Error> {
        let version = row.first_chunk::<8>().ok_or_else(|| Error::damaged("a sealed row"))?;
        Ok(u64::from_be_bytes(*version) == self.newest()?.0)
    }

    /// The rows of the next data key: its sentinel, the capability root under it, and the other sentinel sealed anew, so that
    /// whoever knows the former bytes only seals nothing any more.
    pub(crate) fn followed(
        &self,
        tenant: &TenantName,
        next: (u64, &DataKey),
        batch: Batch,
    ) -> Result<Batch, Error> {
        let (version, data) = self.newest()?;
        let anew = |version, data: &DataKey| data.seal(SENTINEL, &sentinel_place(tenant, version));
        let row = Row { key: sentinel_row(version), value: anew(version, data)?.as_bytes().to_vec() };
        let batch = batch.swap(Table::Keys, tenant, self.sentinel.clone(), row);
        let sentinel = anew(next.0, next.1)?;
        let batch = batch.insert(Table::Keys, tenant, &sentinel_row(next.0), sentinel.as_bytes().to_vec());
        self.capability_root.expose(|key| keep(batch, tenant, next, CAPABILITY_ROOT, key))
    }

    /// Removes the sentinel of a data key that is removed.
    pub(crate) fn without(batch: Batch, tenant: &TenantName, version: u64) -> Batch {
        batch.delete(Table::Keys, tenant, &sentinel_row(version))
    }

    pub(crate) fn newest(&self) -> Result<(u64, &DataKey), Error> {
        let newest = self.data.last_key_value().ok_or_else(|| Error::damaged("the tenant's data key"))?;
        Ok((*newest.0, newest.1))
    }
}

// === rows ===

fn keep(
    batch: Batch,
    tenant: &TenantName,
    (version, data): (u64, &DataKey),
    name: &'static str,
    key: &[u8; 32],
) -> Result<Batch, Error> {
    let sealed = data.seal(key, &house_place(tenant, name))?;
    Ok(batch.put(Table::Keys, tenant, house_row(name).as_bytes(), in_front(version, &sealed)))
}

#[expect(clippy::disallowed_methods, reason = "moves an opened key of the house into its own type")]
fn kept(
    storage: &dyn Storage,
    tenant: &TenantName,
    data: &BTreeMap<u64, DataKey>,
    name: &'static str,
) -> Result<Zeroizing<[u8; 32]>, Error> {
    let wrong = || Error::damaged(format!("the key `{name}` of the tenant `{tenant}`"));
    let row = storage.get(Table::Keys, tenant, house_row(name).as_bytes())?.ok_or_else(wrong)?;
    let opened = open_row(data, &row, &house_place(tenant, name)).map_err(|_| wrong())?;
    opened.expose(|bytes| <[u8; 32]>::try_from(bytes)).map(Zeroizing::new).map_err(|_| wrong())
}

fn open_row(data: &BTreeMap<u64, DataKey>, row: &[u8], place: &Place<'_>) -> Result<Secret, crypto::Error> {
    let (version, sealed) = row.split_first_chunk::<8>().ok_or(crypto::Error::Open)?;
    let key = data.get(&u64::from_be_bytes(*version)).ok_or(crypto::Error::Open)?;
    key.open(&Sealed::from_bytes(sealed.to_vec()), place)
}

fn in_front(version: u64, sealed: &Sealed) -> Vec<u8> {
    let mut row = version.to_be_bytes().to_vec();
    row.extend_from_slice(sealed.as_bytes());
    row
}

fn house_row(name: &str) -> String {
    format!("house/{name}")
}

fn house_place<'a>(tenant: &'a TenantName, name: &'a str) -> Place<'a> {
    Place { tenant: tenant.as_str(), subject: name, version: 1, kind: Kind::House }
}

fn sentinel_row(version: u64) -> Vec<u8> {
    format!("sentinel/{version:020}").into_bytes()
}

fn sentinel_place(tenant: &TenantName, version: u64) -> Place<'_> {
    Place { tenant: tenant.as_str(), subject: "sentinel", version, kind: Kind::House }
}

/// The version of a tenant's first data key.
pub(crate) const FIRST: u64 = 1;
const EVIDENCE: &str = "evidence";
const HASHING: &str = "hashing";
const RECOVERY: &str = "recovery";
const CAPABILITY_ROOT: &str = "capability-root";
/// What is sealed under each data key, so that two wrappers can be shown to hold the same one.
const SENTINEL: &[u8] = b"doorward/sentinel/1";

#[cfg(test)]
mod tests;
