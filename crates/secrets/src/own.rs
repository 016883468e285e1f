//! A place in our own store where entries of a keyring are kept: sealed for their tenant, place and name.
//!
//! It is a [`Keyring`] like those of other programs, so that whoever works with keyrings works with this one. Its entries are
//! no stored secrets: no reference names them, no integration can bind them, and they are lent as entries are
//! ([`crate::Lending`]).
//!
//! # Invariants
//!
//! - An entry that was moved to another name, place or tenant does not open.
//! - An entry is replaced in one commit: readers see the old bytes or the new ones.

use std::sync::Arc;

use ::keyring::{Error, Item, Keyring as Entries, Kind, Trust};
use crypto::{Kind as Sealing, Place};
use model::TenantName;
use store::{Batch, Storage, Table};

use crate::keys::TenantKeys;
use crate::{Keyring, rotation};

/// What is kept in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Keys of profiles, sessions, tokens of sign-ins.
    Credentials,
    /// Seeds of MFA devices.
    Seeds,
}

/// One place of one tenant, under the keys of an unlocked home.
pub struct Own {
    storage: Arc<dyn Storage>,
    keyring: Arc<Keyring>,
    tenant: TenantName,
    kept: Kept,
}

impl Own {
    /// The place of a tenant.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, keyring: Arc<Keyring>, tenant: TenantName, kept: Kept) -> Self {
        Self { storage, keyring, tenant, kept }
    }

    fn row(&self, name: &str) -> Result<Vec<u8>, Error> {
        let wrong = |why| Error::Name { name: name.escape_debug().collect(), why };
        match name {
            "" => Err(wrong("it is empty")),
            _ if name.len() > LONGEST_NAME => Err(wrong("it is longer than 2048 bytes")),
            _ if name.contains('\0') => Err(wrong("it contains a NUL byte")),
            _ => Ok([self.kept.prefix().as_bytes(), name.as_bytes()].concat()),
        }
    }

    fn place<'a>(&'a self, subject: &'a str) -> Place<'a> {
        Place { tenant: self.tenant.as_str(), subject, version: 1, kind: Sealing::Secret }
    }

    fn subject(&self, name: &str) -> String {
        // No name of a stored secret has a colon, so no ciphertext of one opens here, and none of these there.
        format!("{}:{name}", self.kept.prefix())
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.storage.commit(batch).map_err(|error| failed("write an entry", &error))
    }
}

impl Entries for Own {
    fn kind(&self) -> Kind {
        Kind::Doorward
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let prefix = self.kept.prefix().as_bytes();
        let rows = self.storage.scan(Table::Meta, &self.tenant, prefix, None, usize::MAX);
        let rows = rows.map_err(|error| failed("list its entries", &error))?;
        let name =
            |row: store::Row| String::from_utf8(row.key.get(prefix.len()..).unwrap_or_default().to_vec());
        // What is no text was not written here.
        Ok(rows.into_iter().filter_map(|row| name(row).ok()).collect())
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let row = self.storage.get(Table::Meta, &self.tenant, &self.row(name)?);
        let row = row.map_err(|error| failed("read an entry", &error))?;
        let row = row.ok_or_else(|| Error::NotFound { kind: Kind::Doorward, name: name.to_owned() })?;
        let keys = self.keyring.tenant(&self.tenant).map_err(|error| failed("open an entry", &error))?;
        let opened = keys.open_row(&row, &self.place(&self.subject(name)));
        let what = "it was changed, or belongs somewhere else";
        let secret = opened.map_err(|error| match error {
            crypto::Error::Open => Error::Malformed { kind: Kind::Doorward, name: name.to_owned(), what },
            source => Error::Crypto { kind: Kind::Doorward, source },
        })?;
        let name = name.to_owned();
        Ok(Item { name, secret, label: String::new(), description: String::new(), trust: Trust::Nobody })
    }

    #[expect(clippy::disallowed_methods, reason = "seals the entry for its row")]
    fn set(&self, item: Item) -> Result<(), Error> {
        let row = self.row(&item.name)?;
        let keys = self.keyring.tenant(&self.tenant).map_err(|error| failed("seal an entry", &error))?;
        let subject = self.subject(&item.name);
        let sealed = item.secret.expose(|bytes| match bytes.len() {
            0..=LONGEST => {
                keys.seal(bytes, &self.place(&subject)).map_err(|error| failed("seal an entry", &error))
            }
            _ => Err(Error::TooLong { kind: Kind::Doorward, name: item.name.clone(), most: LONGEST }),
        })?;
        let batch =
            keys.fence(Batch::new(), &self.tenant).map_err(|error| failed("seal an entry", &error))?;
        self.commit(&batch.put(Table::Meta, &self.tenant, &row, sealed))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let row = self.row(name)?;
        let there = self
            .storage
            .get(Table::Meta, &self.tenant, &row)
            .map_err(|error| failed("read an entry", &error))?;
        there.ok_or_else(|| Error::NotFound { kind: Kind::Doorward, name: name.to_owned() })?;
        self.commit(&Batch::new().delete(Table::Meta, &self.tenant, &row))
    }
}

impl Kept {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Credentials => CREDENTIALS,
            Self::Seeds => SEEDS,
        }
    }
}

/// An entry, sealed with the newest data key of its tenant.
pub(crate) fn sealed_anew(
    keys: &TenantKeys,
    tenant: &TenantName,
    row: &store::Row,
) -> Result<Vec<u8>, crate::Error> {
    let damaged = || crate::Error::damaged("an entry that is kept like one of a keyring");
    let key = std::str::from_utf8(&row.key).map_err(|_| damaged())?;
    let found = [CREDENTIALS, SEEDS].into_iter().find_map(|prefix| Some((prefix, key.strip_prefix(prefix)?)));
    let (prefix, name) = found.ok_or_else(damaged)?;
    let subject = format!("{prefix}:{name}");
    rotation::row_anew(keys, tenant, &row.value, (&[&subject], 1), damaged)
}

fn failed(what: &'static str, error: &dyn std::error::Error) -> Error {
    Error::Refused { kind: Kind::Doorward, what, said: error.to_string() }
}

pub(crate) const CREDENTIALS: &str = "aws/entry/";
pub(crate) const SEEDS: &str = "aws/seed/";
const LONGEST_NAME: usize = 2048;
/// As long as a stored secret may be.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
