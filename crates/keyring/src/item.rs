//! An entry, and the JSON form that most members keep.
//!
//! The form is the one of aws-vault's storage library: an object with `Key`, `Data` (base 64), `Label`, `Description`,
//! `KeychainNotTrustApplication` and `KeychainNotSynchronizable`.

use std::borrow::Cow;

use memory::Secret;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Kind};

/// One entry of a keyring.
pub struct Item {
    /// Its name in the keyring, such as that of a profile.
    pub name: String,
    /// What is kept.
    pub secret: Secret,
    /// What a person sees in the keyring's own window.
    pub label: String,
    /// A second line of the same.
    pub description: String,
    /// Who may read it without being asked; only a keychain of macOS makes a difference.
    pub trust: Trust,
}

/// Whether a keychain gives an entry to the program that stored it without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// It does.
    Application,
    /// It asks each time: for keys that don't expire.
    #[default]
    Nobody,
}

/// The JSON form of an entry.
pub(crate) fn encode(item: &Item) -> Result<Zeroizing<Vec<u8>>, Error> {
    let data = with_bytes(&item.secret, |bytes| Zeroizing::new(crypto::to_base64(bytes)));
    let stored = Stored {
        key: Cow::Borrowed(&item.name),
        data: Some(Cow::Borrowed(&data)),
        label: Cow::Borrowed(&item.label),
        description: Cow::Borrowed(&item.description),
        ask_each_time: item.trust == Trust::Nobody,
        not_synchronised: false,
    };
    // Reserved for the worst case of escapes, so that no growing buffer leaves a part of the secret behind.
    let most = data.len() + 6 * (item.name.len() + item.label.len() + item.description.len()) + 256;
    let mut text = Zeroizing::new(Vec::with_capacity(most));
    serde_json::to_writer(&mut *text, &stored)
        .map_err(|_| Error::Name { name: item.name.clone(), why: "it can't be written as JSON" })?;
    Ok(text)
}

/// Reads the JSON form of the entry that was looked for under `name`.
pub(crate) fn decode(kind: Kind, name: &str, text: &[u8]) -> Result<Item, Error> {
    let wrong = |what| Error::malformed(kind, name, what);
    let stored: Stored<'_> =
        serde_json::from_slice(text).map_err(|_| wrong("it is not in the form of an entry"))?;
    let Stored { key, data, label, description, ask_each_time, not_synchronised: _ } = stored;
    // Go's encoder writes no bytes as `null`.
    let mut data = data.unwrap_or_default();
    let bytes = crypto::from_base64(&data);
    if let Cow::Owned(copy) = &mut data {
        copy.zeroize();
    }
    if key != name {
        // Somebody who can move entries but not open them could otherwise pass one for another.
        return Err(wrong("it is the entry of another name"));
    }
    Ok(Item {
        name: key.into_owned(),
        secret: Secret::new(bytes.map_err(|_| wrong("its data is not base 64"))?)?,
        label: label.into_owned(),
        description: description.into_owned(),
        trust: if ask_each_time { Trust::Nobody } else { Trust::Application },
    })
}

/// An entry of a place that keeps bare bytes.
pub(crate) fn bare(name: &str, bytes: Vec<u8>) -> Result<Item, Error> {
    Ok(Item {
        name: name.to_owned(),
        secret: Secret::new(bytes)?,
        label: String::new(),
        description: String::new(),
        trust: Trust::Nobody,
    })
}

/// Lends the bytes of a secret to what writes them into a keyring.
pub(crate) fn with_bytes<R>(secret: &Secret, use_it: impl FnOnce(&[u8]) -> R) -> R {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a keyring sees what it is given to keep"
    )]
    secret.expose(use_it)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<'a> {
    #[serde(rename = "Key", borrow)]
    key: Cow<'a, str>,
    #[serde(rename = "Data", borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(rename = "Label", borrow, default)]
    label: Cow<'a, str>,
    #[serde(rename = "Description", borrow, default)]
    description: Cow<'a, str>,
    #[serde(rename = "KeychainNotTrustApplication", default)]
    ask_each_time: bool,
    #[serde(rename = "KeychainNotSynchronizable", default)]
    not_synchronised: bool,
}

#[cfg(test)]
mod tests;
