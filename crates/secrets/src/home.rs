//! What a home keeps in the clear about its keys: the provider's facts, the first tenant, the evidence's public key.
//!
//! Nothing here is secret, and nothing is trusted: the facts are authenticated by the wrapped keys, and the public key is
//! compared with the private one when the home is unlocked.

use crypto::PublicKey;
use model::TenantName;
use serde::{Deserialize, Serialize};
use store::{Batch, Record, Storage, Table};

use crate::provider::Facts;
use crate::{Error, keys};

/// The record of a home.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Home {
    format: u32,
    /// The tenant whose data key seals the keys that the home has once.
    pub(crate) tenant: TenantName,
    evidence_key: String,
    pub(crate) provider: Facts,
}

impl Record for Home {
    const TABLE: Table = Table::Meta;
}

impl Home {
    pub(crate) fn new(tenant: TenantName, evidence: PublicKey, provider: Facts) -> Self {
        Self { format: FORMAT, tenant, evidence_key: crypto::to_hex(evidence.as_bytes()), provider }
    }

    pub(crate) fn load(storage: &dyn Storage) -> Result<Self, Error> {
        let home: Self = store::get(storage, &TenantName::local(), KEY)?.ok_or(Error::NoHome)?;
        if home.format == FORMAT { Ok(home) } else { Err(Error::damaged("the record of the home")) }
    }

    /// Adds the record of a new home; there must be none.
    pub(crate) fn insert(&self, batch: Batch) -> Result<Batch, Error> {
        let value = serde_json::to_vec(self).map_err(|_| Error::damaged("the record of the home"))?;
        Ok(batch.insert(Table::Meta, &TenantName::local(), KEY.as_bytes(), value))
    }

    /// Adds the record in place of the one before.
    pub(crate) fn replace(&self, batch: Batch) -> Result<Batch, Error> {
        Ok(store::put(batch, &TenantName::local(), KEY, self)?)
    }

    pub(crate) fn evidence_key(&self) -> Result<PublicKey, Error> {
        let bytes = crypto::from_hex(&self.evidence_key).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(PublicKey::new).ok_or_else(|| Error::damaged("the public key of the evidence"))
    }
}

/// The public key of the evidence, which a sealed home shows as well.
///
/// # Errors
/// When this home was never set up.
pub fn evidence_public_key(storage: &dyn Storage) -> Result<PublicKey, Error> {
    Home::load(storage)?.evidence_key()
}

/// The facts of the key provider that this home was set up with, to know what to ask for.
///
/// # Errors
/// When this home was never set up.
pub fn provider_facts(storage: &dyn Storage) -> Result<Facts, Error> {
    Home::load(storage).map(|home| home.provider)
}

// === wrapped data keys ===

/// Which of the two wrappers of a data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapper {
    Primary,
    Recovery,
}

impl Wrapper {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Recovery => "recovery",
        }
    }

    /// The row of a wrapped data key.
    pub(crate) fn row(self, version: u64) -> Vec<u8> {
        format!("{DATA_KEYS}{version:020}/{}", self.as_str()).into_bytes()
    }

    /// What is authenticated with a wrapped key: which wrapper it is, and what led to its key.
    pub(crate) fn extra(self, facts: &Facts) -> Vec<u8> {
        let mut extra = self.as_str().as_bytes().to_vec();
        extra.push(0);
        match self {
            Self::Primary => extra.extend_from_slice(&facts.authenticated()),
            Self::Recovery => extra.extend_from_slice(b"DWR1"),
        }
        extra
    }
}

/// A wrapped data key as it stands in a row.
pub(crate) struct WrappedRow {
    pub(crate) version: u64,
    pub(crate) wrapper: Wrapper,
    pub(crate) bytes: Vec<u8>,
}

/// Every wrapped data key of a tenant.
pub(crate) fn wrapped(storage: &dyn Storage, tenant: &TenantName) -> Result<Vec<WrappedRow>, Error> {
    let rows = storage.scan(Table::Keys, tenant, DATA_KEYS.as_bytes(), None, MOST)?;
    let wrong = || Error::damaged(format!("a data key of the tenant `{tenant}`"));
    if rows.len() == MOST {
        return Err(wrong());
    }
    rows.into_iter()
        .map(|row| {
            let found = [Wrapper::Primary, Wrapper::Recovery].into_iter().find_map(|wrapper| {
                let text = std::str::from_utf8(&row.key).ok()?;
                let digits =
                    text.strip_prefix(DATA_KEYS)?.strip_suffix(wrapper.as_str())?.strip_suffix('/')?;
                let version = digits.parse().ok().filter(|version| *version >= keys::FIRST)?;
                (wrapper.row(version) == row.key).then_some((version, wrapper))
            });
            let (version, wrapper) = found.ok_or_else(wrong)?;
            Ok(WrappedRow { version, wrapper, bytes: row.value })
        })
        .collect()
}

const FORMAT: u32 = 1;
const KEY: &str = "home";
const DATA_KEYS: &str = "dek/";
/// More wrapped keys than a tenant can have in its life.
const MOST: usize = 10_000;
