//! `op-connect`, `op` and `op-desktop`: 1Password, by a Connect server or by its program `op`.
//!
//! An entry is an item of the category API credential in one vault, titled `aws-vault: NAME`, with the tag `aws-vault` and
//! one concealed field `keyring`, whose value is the JSON form. Items are found by their exact title.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::settings::OnePassword;
use crate::{Error, Item, Kind, Settings, item};

mod cli;
mod connect;

pub(crate) use cli::Cli;
pub(crate) use connect::Connect;

/// Which items are ours.
#[derive(Debug, Clone)]
struct Shelf {
    kind: Kind,
    vault: String,
    prefix: String,
    tag: String,
}

impl Shelf {
    fn new(kind: Kind, settings: &Settings) -> Result<Self, Error> {
        let OnePassword { vault, title_prefix, tag, timeout, .. } = &settings.op;
        let needs = |what| Error::Setting { kind, what };
        let vault = vault.as_deref().filter(|vault| !vault.is_empty());
        let vault = vault.ok_or_else(|| needs("the id of a vault (`--op-vault-id`)"))?;
        if !is_id(vault) {
            return Err(needs("the id of the vault, which is letters and digits, not its name"));
        }
        if timeout.is_zero() {
            return Err(needs("a time limit that is not zero (`--op-timeout`)"));
        }
        Ok(Self { kind, vault: vault.to_owned(), prefix: format!("{title_prefix}: "), tag: tag.clone() })
    }

    fn title(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The names of the listed items that are ours, sorted.
    fn names(&self, listed: Vec<Listed>) -> Result<Vec<String>, Error> {
        let ours = listed.into_iter().filter(|item| item.tags.contains(&self.tag));
        let mut names: Vec<String> =
            ours.filter_map(|item| item.title.strip_prefix(&self.prefix).map(str::to_owned)).collect();
        names.sort_unstable();
        match names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(one.clone()),
            _ => None,
        }) {
            Some(twice) => Err(Error::malformed(self.kind, &twice, TWICE)),
            None => Ok(names),
        }
    }

    /// The id of the item of an entry.
    fn find(&self, name: &str, listed: Vec<Listed>) -> Result<Option<String>, Error> {
        let title = self.title(name);
        let mut found =
            listed.into_iter().filter(|item| item.title == title && item.tags.contains(&self.tag));
        let first = found.next();
        if found.next().is_some() {
            return Err(Error::malformed(self.kind, name, TWICE));
        }
        match first {
            Some(item) if is_id(&item.id) => Ok(Some(item.id)),
            Some(_) => Err(Error::malformed(self.kind, name, "its item has no proper id")),
            None => Ok(None),
        }
    }

    /// An item as it is sent. `id` names the one that is replaced.
    fn document(&self, item: &Item, id: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let value = item::encode(item)?;
        let title = self.title(&item.name);
        let wrong = || Error::Name { name: item.name.clone(), why: "it can't be written as JSON" };
        let document = Document {
            id,
            title: &title,
            category: CATEGORY,
            tags: [&self.tag],
            vault: Vault { id: &self.vault },
            fields: [NewField {
                id: FIELD,
                kind: CONCEALED,
                label: FIELD,
                value: std::str::from_utf8(&value).map_err(|_| wrong())?,
            }],
        };
        // Each quote in the value gets an escape; reserved so that no growing buffer leaves a part of it behind.
        let mut text = Zeroizing::new(Vec::with_capacity(2 * value.len() + 6 * title.len() + 1024));
        serde_json::to_writer(&mut *text, &document).map_err(|_| wrong())?;
        Ok(text)
    }

    /// The entry in a whole item.
    fn entry(&self, name: &str, text: &[u8]) -> Result<Item, Error> {
        let wrong = |what| Error::malformed(self.kind, name, what);
        let full: Full =
            serde_json::from_slice(text).map_err(|_| wrong("its item is not in the form of 1Password"))?;
        let mut concealed =
            full.fields.into_iter().filter(|field| field.kind == CONCEALED && field.is_ours());
        let value = concealed.next().and_then(|field| field.value);
        let value = value.ok_or_else(|| wrong("its item has no field `keyring`"))?;
        if concealed.next().is_some() {
            return Err(wrong("its item has two fields `keyring`"));
        }
        item::decode(self.kind, name, value.0.as_bytes())
    }
}

/// An item in a list. Items have more than this; what else is in them is nothing to us.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    tags: Vec<String>,
}

/// A whole item.
#[derive(Deserialize)]
struct Full {
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    value: Option<Wiped>,
}

impl Field {
    fn is_ours(&self) -> bool {
        self.label == FIELD || self.id == FIELD
    }
}

/// A text that is wiped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    title: &'a str,
    category: &'a str,
    tags: [&'a str; 1],
    vault: Vault<'a>,
    fields: [NewField<'a>; 1],
}

#[derive(Serialize)]
struct Vault<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct NewField<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    label: &'a str,
    value: &'a str,
}

/// Ids are 26 letters and digits; they stand in paths and arguments, so nothing else is taken for one.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

const CATEGORY: &str = "API_CREDENTIAL";
const CONCEALED: &str = "CONCEALED";
const FIELD: &str = "keyring";
const TWICE: &str = "two items have its title; remove one of them in 1Password";

#[cfg(test)]
mod tests;
