//! The rows of stored secrets: how they are named, what their ciphertexts are sealed for.

use model::{SecretName, TenantName};
use store::Row;

use super::Disclosure;
use crate::keys::TenantKeys;
use crate::{Error, rotation};

/// What a ciphertext is sealed for: the name, and whether it may be shown. No name has a `#`.
pub(super) fn subject(name: &SecretName, disclosure: Disclosure) -> String {
    match disclosure {
        Disclosure::Never => name.to_string(),
        Disclosure::Disclosable => format!("{name}#disclosable"),
    }
}

/// No name has a NUL, so no name's rows begin with another's prefix.
pub(super) fn prefix(name: &SecretName) -> Vec<u8> {
    let mut key = name.as_str().as_bytes().to_vec();
    key.push(0);
    key
}

pub(super) fn row(name: &SecretName, version: u64) -> Vec<u8> {
    let mut key = prefix(name);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// A ciphertext, sealed with the newest data key of its tenant. Whether it may be shown is sealed with it, so it is tried.
pub(crate) fn sealed_anew(keys: &TenantKeys, tenant: &TenantName, row: &Row) -> Result<Vec<u8>, Error> {
    let damaged = || Error::damaged("the ciphertext of a stored secret");
    let (front, version) = row.key.split_last_chunk::<8>().ok_or_else(damaged)?;
    let name =
        front.strip_suffix(&[0]).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(damaged)?;
    let name: SecretName = name.parse().map_err(|_| damaged())?;
    let subjects = [Disclosure::Never, Disclosure::Disclosable].map(|answer| subject(&name, answer));
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    let at = (subjects.as_slice(), u64::from_be_bytes(*version));
    rotation::row_anew(keys, tenant, &row.value, at, || changed(&name))
}

/// The reference of a stored secret.
pub(super) fn reference(name: &SecretName) -> String {
    format!("store:{name}")
}

pub(super) fn changed(name: &SecretName) -> Error {
    Error::damaged(format!("the stored secret `{name}`"))
}
