//! Tenants, and the keys of their API: what is known of each, as rows and in memory.
//!
//! A tenant has data keys, a capability root and a chain of evidence of its own; here stands what it is called and what it may
//! have. A key of its API is kept as a MAC only, under a key of the house; the MAC is also what it is found by, so that how long
//! a look-up takes says nothing about the keys that there are.
//!
//! This crate holds no secret, decides nothing and records nothing: it says what is known, and the broker's path asks.
//!
//! # Invariants
//!
//! - A key is in no row and in no value here; what it is found by is a MAC under a key of the house.
//! - A tenant's row stays when the tenant is erased, so that its name is never given to another one.

mod credential;
mod key;
pub mod sessions;
mod tenant;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crypto::{MacKey, Tag};
use model::{Code, KeyId, PrincipalName, Refusal, TenantName, Timestamp};
use policy::{Known, PrincipalKind, Principals};
use store::Storage;

pub use credential::{
    Agenda, Begun, CredentialRow, Credentials, How, Look, Revised, Settled, Status, Unvalidated, looks,
    put_off,
};
pub use key::{Fresh, KeyRow, Scope};
pub use tenant::{Plan, Standing, TenantRow};

/// The tenants of a home and their keys, each read when it is asked for.
#[derive(Default)]
pub struct Tenancy {
    tenants: RwLock<BTreeMap<TenantName, Entry>>,
    keys: RwLock<BTreeMap<Tag, Arc<Kept>>>,
}

/// What is known of one tenant.
#[derive(Default)]
struct Entry {
    /// Not of the tenant of the house.
    row: Option<Arc<TenantRow>>,
    keys: BTreeMap<KeyId, Arc<Kept>>,
}

/// A key in memory.
pub struct Kept {
    /// Whose it is.
    pub tenant: TenantName,
    /// What is known of it.
    pub row: KeyRow,
}

/// Proof that somebody held a key of a tenant, which was good at that time.
#[must_use]
pub struct Held(Arc<Kept>);

impl Held {
    /// Whose key it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantName {
        &self.0.tenant
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.row.id
    }
}

impl Tenancy {
    /// Whether a tenant was read.
    #[must_use]
    pub fn knows(&self, name: &TenantName) -> bool {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Reads a tenant and its keys, when they are needed for the first time. Blocks then. Names of which there is nothing are not kept:
    /// made-up ones must not fill the memory.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn read(
        &self,
        storage: &dyn Storage,
        name: &TenantName,
        principals: &Principals,
    ) -> Result<(), Refusal> {
        if self.knows(name) {
            return Ok(());
        }
        let row =
            store::get::<TenantRow>(storage, name, TenantRow::KEY).map_err(|error| unreadable(&error))?;
        let keys = store::all::<KeyRow>(storage, name).map_err(|error| unreadable(&error))?;
        if row.is_none() && keys.is_empty() {
            return Ok(());
        }
        let mut entry = Entry { row: row.map(Arc::new), keys: BTreeMap::new() };
        let mut tags = Vec::new();
        for (_, row) in keys {
            let (tag, kept) = kept(name, row)?;
            entry.keys.insert(kept.row.id, Arc::clone(&kept));
            tags.push((tag, kept));
        }
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever was quicker may have changed something since.
        if !tenants.contains_key(name) {
            for (tag, kept) in tags {
                admit(&kept, principals)?;
                self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(tag, kept);
            }
            tenants.insert(name.clone(), entry);
        }
        Ok(())
    }

    /// A tenant, also one that was erased.
    #[must_use]
    pub fn find(&self, name: &TenantName) -> Option<Arc<TenantRow>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(name)?.row.clone()
    }

    /// A tenant that is there and was not erased.
    ///
    /// # Errors
    /// `not_found`.
    pub fn active(&self, name: &TenantName) -> Result<Arc<TenantRow>, Refusal> {
        let found = self.find(name).filter(|row| row.standing() == Standing::Active);
        found.ok_or_else(|| missing(name))
    }

    /// The keys of a tenant, oldest first.
    #[must_use]
    pub fn keys_of(&self, tenant: &TenantName) -> Vec<Arc<Kept>> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(tenant).map_or_else(Vec::new, |entry| entry.keys.values().cloned().collect())
    }

    /// What is known of a tenant from now on. It was read before, or is new.
    pub fn put_tenant(&self, name: &TenantName, row: TenantRow) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(name.clone()).or_default().row = Some(Arc::new(row));
    }

    /// What is known of a key from now on, and what it may do. Its tenant was read before, or is new.
    ///
    /// # Errors
    /// When the row was changed by hand into one that can't be.
    pub fn put_key(&self, tenant: &TenantName, row: KeyRow, principals: &Principals) -> Result<(), Refusal> {
        let (tag, kept) = kept(tenant, row)?;
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        admit(&kept, principals)?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(tag, Arc::clone(&kept));
        tenants.entry(tenant.clone()).or_default().keys.insert(kept.row.id, kept);
        Ok(())
    }

    /// Whose key it is, where it is one that is good now.
    ///
    /// # Errors
    /// `unauthenticated` for one that is unknown or revoked, or whose tenant is gone; `expired`.
    pub fn proven(&self, hashing: &MacKey, written: &[u8], now: Timestamp) -> Result<Held, Refusal> {
        let wrong = || Refusal::new(Code::Unauthenticated, INVALID).hint("`doorward key create` makes one");
        let tag = KeyRow::tag_of(hashing, written);
        let found = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&tag).cloned();
        let kept = found.ok_or_else(wrong)?;
        let _same = crypto::same(&kept.row.tag()?, &tag).map_err(|_| wrong())?;
        if kept.row.revoked.is_some() {
            return Err(wrong());
        }
        if kept.row.expires.is_some_and(|end| end <= now) {
            return Err(Refusal::new(Code::Expired, EXPIRED).hint("`doorward key rotate` makes the next one"));
        }
        Ok(Held(kept))
    }

    /// The principal that a key acts as.
    ///
    /// # Errors
    /// Never for an id of ours.
    pub fn principal(id: KeyId) -> Result<PrincipalName, Refusal> {
        id.to_string()
            .parse()
            .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
    }
}

/// A key in memory, and what it is found by.
fn kept(tenant: &TenantName, row: KeyRow) -> Result<(Tag, Arc<Kept>), Refusal> {
    Ok((row.tag()?, Arc::new(Kept { tenant: tenant.clone(), row })))
}

/// Makes known what a key may do.
fn admit(kept: &Kept, principals: &Principals) -> Result<(), Refusal> {
    let Kept { tenant, row } = kept;
    let principal = row.principal()?;
    if row.revoked.is_some() {
        principals.forget(tenant, &principal);
        return Ok(());
    }
    let roles: Vec<String> = row.scopes.iter().map(Scope::role).collect();
    let known = Known::new(PrincipalKind::Service, roles.iter().map(String::as_str));
    let known = known.map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?;
    principals.put(tenant, &principal, known);
    Ok(())
}

/// There is no such tenant, or none any more.
fn missing(name: &TenantName) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no tenant `{name}`")).hint("`doorward tenant list`")
}

/// What a storage said, as a refusal.
fn unreadable(error: &store::Error) -> Refusal {
    let refusal = Refusal::new(Code::SourceUnavailable, error.to_string());
    match error.hint() {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}

const INVALID: &str = "Invalid or inactive API key";
const EXPIRED: &str = "API key has expired";

#[cfg(test)]
mod tests;
