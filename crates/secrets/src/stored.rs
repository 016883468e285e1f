//! Secrets in our own store: versions, rotation with overlap, forgetting.
//!
//! A name has one record (`secrets`), and each version that is still usable has one ciphertext (`versions`). A record
//! that was forgotten stays, so that no version number is ever used twice. Each change is one batch, and fails when the
//! record changed meanwhile.
//!
//! # Invariants
//!
//! - A ciphertext opens for its tenant, name and version only, and only with the same answer to "may it be shown": a
//!   changed row does not open.
//! - Nothing here returns bytes of a secret but [`Stored::open`], which the rest of the house reaches through
//!   [`crate::Secrets::open`] only.

mod rows;

use std::time::Duration;

use crypto::{Kind, Place};
use memory::Secret;
use model::{SecretName, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Batch, Record, Row, Storage, Table};

use crate::error::NotLent;
use crate::{Error, Keyring, fit};

pub(crate) use rows::sealed_anew;
use rows::{changed, prefix, reference, row, subject};

/// Whether a secret may ever be shown to somebody. Settled when a version is stored, and sealed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disclosure {
    /// It is used, never shown.
    #[default]
    Never,
    /// Whoever a policy allows to reveal it may see it.
    Disclosable,
}

/// What a secret is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// One version is usable.
    Active,
    /// The version before is still usable, until its overlap ends.
    Retiring,
    /// Its bytes are gone.
    Forgotten,
}

/// One version of a secret, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its number, from 1.
    pub n: u64,
    /// When it was stored.
    pub created: Timestamp,
    /// When it stops being usable beside a newer one; `None` for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Whether it may be shown.
    pub disclosure: Disclosure,
}

/// What may be said about a stored secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: SecretName,
    /// When its first version was stored.
    pub created: Timestamp,
    /// What it is in.
    pub state: State,
    /// The number of its newest version.
    pub current: u64,
    /// The versions that are usable, oldest first.
    pub versions: Vec<Version>,
}

/// The record of a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: SecretName,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Timestamp>,
    current: u64,
    versions: Vec<Version>,
}

impl Record for Entry {
    const TABLE: Table = Table::Secrets;
}

/// The stored secrets of one tenant. A running broker changes them through [`crate::Secrets`], which keeps its cache true.
pub struct Stored<'a> {
    storage: &'a dyn Storage,
    keyring: &'a Keyring,
    tenant: &'a TenantName,
}

/// A version that was opened, and those before it that have not ended.
pub(crate) struct OpenedVersions {
    pub(crate) current: (Version, Secret),
    pub(crate) before: Vec<(Version, Secret)>,
}

impl<'a> Stored<'a> {
    /// The stored secrets of a tenant, under the keys of an unlocked home.
    #[must_use]
    pub const fn new(storage: &'a dyn Storage, keyring: &'a Keyring, tenant: &'a TenantName) -> Self {
        Self { storage, keyring, tenant }
    }

    /// Stores a secret under a name that has none.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is one, [`Error::Unfit`] when the bytes can't be a credential.
    pub fn put(
        &self,
        name: &SecretName,
        secret: &Secret,
        disclosure: Disclosure,
        now: Timestamp,
    ) -> Result<Version, Error> {
        let _fit = fit::check_stored(secret).map_err(|why| Error::unfit(reference(name), why))?;
        let found = self.find(name)?;
        if found.as_ref().is_some_and(|(entry, _)| entry.forgotten.is_none()) {
            return Err(Error::Conflict {
                what: name.to_string(),
                why: "is stored already; rotate it instead",
            });
        }
        // A name that was forgotten goes on counting, so that an old ciphertext never fits a new version.
        let n = found.as_ref().map_or(0, |(entry, _)| entry.current) + 1;
        let version = Version { n, created: now, expires: None, disclosure };
        let entry = Entry {
            name: name.clone(),
            created: now,
            forgotten: None,
            current: n,
            versions: vec![version.clone()],
        };
        let batch = self.seal(Batch::new(), name, &version, secret)?;
        self.write(batch, &entry, found.map(|(_, old)| old))?;
        Ok(version)
    }

    /// The steps that store a secret under a name that was never there, for a batch with rows that say what it is. Where the name is there
    /// already, or the data key was rotated meanwhile, that batch is a conflict.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the bytes can't be a credential; when the tenant has no keys.
    pub fn steps(
        &self,
        name: &SecretName,
        secret: &Secret,
        disclosure: Disclosure,
        now: Timestamp,
    ) -> Result<Batch, Error> {
        let _fit = fit::check_stored(secret).map_err(|why| Error::unfit(reference(name), why))?;
        let version = Version { n: 1, created: now, expires: None, disclosure };
        let entry = Entry {
            name: name.clone(),
            created: now,
            forgotten: None,
            current: 1,
            versions: vec![version.clone()],
        };
        let value = serde_json::to_vec(&entry).map_err(|_| changed(name))?;
        let batch = self.seal(Batch::new(), name, &version, secret)?;
        Ok(batch.insert(Table::Secrets, self.tenant, name.as_str().as_bytes(), value))
    }

    /// Stores the next version, which is used at once. The one before stays usable for `overlap`, because the upstream
    /// may not know the new one yet.
    ///
    /// # Errors
    /// When there is no such secret, or the bytes can't be a credential.
    pub fn rotate(
        &self,
        name: &SecretName,
        secret: &Secret,
        overlap: Duration,
        now: Timestamp,
    ) -> Result<Version, Error> {
        let _fit = fit::check_stored(secret).map_err(|why| Error::unfit(reference(name), why))?;
        let (mut entry, old) = self.active(name)?;
        let disclosure = entry.current_version()?.disclosure;
        let version = Version { n: entry.current + 1, created: now, expires: None, disclosure };
        let mut batch = self.seal(Batch::new(), name, &version, secret)?;
        for before in &mut entry.versions {
            before.expires.get_or_insert(now.after(overlap));
        }
        for over in entry.versions.extract_if(.., |before| !before.is_usable(now)) {
            batch = batch.delete(Table::Versions, self.tenant, &row(name, over.n));
        }
        entry.versions.push(version.clone());
        entry.current = version.n;
        self.write(batch, &entry, Some(old))?;
        Ok(version)
    }

    /// Removes every ciphertext of a secret; its name stays known as forgotten.
    ///
    /// # Errors
    /// When there is no such secret.
    pub fn forget(&self, name: &SecretName, now: Timestamp) -> Result<(), Error> {
        let (mut entry, old) = self.active(name)?;
        let mut batch = Batch::new();
        // By what is there, not by what the record says, so that nothing stays behind.
        for found in self.storage.scan(Table::Versions, self.tenant, &prefix(name), None, usize::MAX)? {
            batch = batch.delete(Table::Versions, self.tenant, &found.key);
        }
        entry.versions.clear();
        entry.forgotten = Some(now);
        self.write(batch, &entry, Some(old))
    }

    /// Every secret of the tenant, sorted by name. No bytes, ever.
    ///
    /// # Errors
    /// When the storage can't be read.
    pub fn list(&self, now: Timestamp) -> Result<Vec<Listed>, Error> {
        let all = store::all::<Entry>(self.storage, self.tenant)?;
        all.into_iter()
            .map(
                |(key, entry)| {
                    if key == entry.name.as_str() { Ok(entry.listed(now)) } else { Err(changed(&entry.name)) }
                },
            )
            .collect()
    }

    /// One secret. No bytes.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none of this name.
    pub fn describe(&self, name: &SecretName, now: Timestamp) -> Result<Listed, Error> {
        let (entry, _) = self.find(name)?.ok_or_else(|| Error::Missing(reference(name)))?;
        Ok(entry.listed(now))
    }

    /// Opens the current version, and those before whose overlap has not ended.
    pub(crate) fn open(&self, name: &SecretName, now: Timestamp) -> Result<OpenedVersions, Error> {
        self.steadily(name, |entry| self.open_versions(name, entry, now))
    }

    fn open_versions(
        &self,
        name: &SecretName,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<OpenedVersions, Error> {
        let current = entry.current_version()?.clone();
        let before = entry.versions.iter().filter(|version| version.n != current.n && version.is_usable(now));
        let before = before.map(|version| Ok((version.clone(), self.unseal(name, version)?)));
        let before = before.collect::<Result<Vec<_>, Error>>()?;
        let secret = self.unseal(name, &current)?;
        Ok(OpenedVersions { current: (current, secret), before })
    }

    /// Opens the current version for showing it, where it was stored as disclosable.
    pub(crate) fn disclose(&self, name: &SecretName) -> Result<Secret, Error> {
        self.steadily(name, |entry| {
            let current = entry.current_version()?;
            match current.disclosure {
                // A record that was changed to say so fails to open, because the answer is sealed with the bytes.
                Disclosure::Disclosable => self.unseal(name, current),
                Disclosure::Never => {
                    Err(Error::NotLent { reference: reference(name), why: NotLent::NotDisclosable })
                }
            }
        })
    }

    /// Reads by a record that may be replaced meanwhile: a rotation takes away the versions that the former one names. Only
    /// where the record is still the same is what can't be opened damaged.
    fn steadily<T>(&self, name: &SecretName, read: impl Fn(&Entry) -> Result<T, Error>) -> Result<T, Error> {
        let (mut entry, mut bytes) = self.active(name)?;
        for _ in 0..MOST_CHANGES {
            match read(&entry) {
                Err(damaged @ Error::Damaged(_)) => {
                    let (again, now) = self.active(name)?;
                    if now == bytes {
                        return Err(damaged);
                    }
                    (entry, bytes) = (again, now);
                }
                done => return done,
            }
        }
        read(&entry)
    }

    // === rows ===

    fn find(&self, name: &SecretName) -> Result<Option<(Entry, Vec<u8>)>, Error> {
        let Some(bytes) = self.storage.get(Table::Secrets, self.tenant, name.as_str().as_bytes())? else {
            return Ok(None);
        };
        let entry: Entry = serde_json::from_slice(&bytes).map_err(|_| changed(name))?;
        if entry.name != *name {
            return Err(changed(name));
        }
        Ok(Some((entry, bytes)))
    }

    fn active(&self, name: &SecretName) -> Result<(Entry, Vec<u8>), Error> {
        let found = self.find(name)?.filter(|(entry, _)| entry.forgotten.is_none());
        found.ok_or_else(|| Error::Missing(reference(name)))
    }

    fn write(&self, batch: Batch, entry: &Entry, old: Option<Vec<u8>>) -> Result<(), Error> {
        let value = serde_json::to_vec(entry).map_err(|_| changed(&entry.name))?;
        let key = entry.name.as_str().as_bytes();
        let batch = match old {
            Some(old) => batch.swap(Table::Secrets, self.tenant, old, Row { key: key.to_vec(), value }),
            None => batch.insert(Table::Secrets, self.tenant, key, value),
        };
        self.storage.commit(&batch).map_err(|error| match error {
            store::Error::Conflict => {
                Error::Conflict { what: entry.name.to_string(), why: "changed meanwhile" }
            }
            other => Error::Store(other),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "seals the secret for its row")]
    fn seal(
        &self,
        batch: Batch,
        name: &SecretName,
        version: &Version,
        secret: &Secret,
    ) -> Result<Batch, Error> {
        let keys = self.keyring.tenant(self.tenant)?;
        let subject = subject(name, version.disclosure);
        let sealed = secret.expose(|bytes| keys.seal(bytes, &self.place(&subject, version.n)))?;
        let batch = keys.fence(batch, self.tenant)?;
        Ok(batch.put(Table::Versions, self.tenant, &row(name, version.n), sealed))
    }

    fn unseal(&self, name: &SecretName, version: &Version) -> Result<Secret, Error> {
        let keys = self.keyring.tenant(self.tenant)?;
        let sealed = self.storage.get(Table::Versions, self.tenant, &row(name, version.n))?;
        let subject = subject(name, version.disclosure);
        let opened = keys.open_row(&sealed.ok_or_else(|| changed(name))?, &self.place(&subject, version.n));
        opened
            .map_err(|error| if error == crypto::Error::Open { changed(name) } else { Error::Crypto(error) })
    }

    fn place<'s>(&'s self, subject: &'s str, version: u64) -> Place<'s> {
        Place { tenant: self.tenant.as_str(), subject, version, kind: Kind::Secret }
    }
}

// === impl Version, Entry ===

impl Version {
    fn is_usable(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

impl Entry {
    fn current_version(&self) -> Result<&Version, Error> {
        let mut current = self.versions.iter().filter(|version| version.n == self.current);
        match (current.next(), current.next()) {
            (Some(version), None) if version.expires.is_none() => Ok(version),
            _ => Err(changed(&self.name)),
        }
    }

    fn listed(self, now: Timestamp) -> Listed {
        let Self { name, created, forgotten, current, mut versions } = self;
        versions.retain(|version| version.is_usable(now));
        let state = match (forgotten, versions.len()) {
            (Some(_), _) => State::Forgotten,
            (None, 0 | 1) => State::Active,
            (None, _) => State::Retiring,
        };
        Listed { name, created, state, current, versions }
    }
}

/// Rotations that one look may meet.
const MOST_CHANGES: usize = 16;

#[cfg(test)]
mod tests;
