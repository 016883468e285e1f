//! The rules of `layers.toml`, and the part of `deny.toml` that repeats some of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// `layers.toml`. Every key is known and every name in it belongs to a crate of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// Crate to floor.
    pub(super) floors: BTreeMap<String, u8>,
    /// Crates without a floor.
    pub(super) outside: BTreeMap<String, Outside>,
    pub(super) doors: Doors,
    /// Dependency to the crates that may use it.
    pub(super) dependencies: BTreeMap<String, Vec<String>>,
    /// Dependency to the crates whose tests may use it too.
    pub(super) dev: BTreeMap<String, Vec<String>>,
    pub(super) mirror: Mirror,
}

/// Who may import a crate that has no floor.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outside {
    /// Others' tests.
    Dev,
    /// No crate at all.
    Nobody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Doors {
    pub(super) floor: u8,
    pub(super) see: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mirror {
    pub(super) dependencies: Vec<String>,
}

impl Table {
    /// Reads the table; a user of a dependency who is no crate of the house is a slip of the pen and refused.
    pub(super) fn read(text: &str) -> Outcome<Self> {
        let table: Self = toml::from_str(text)
            .map_err(|error| Failure::doing("read `crates/xtask/layers.toml`", &error))?;
        let lists = table.dependencies.iter().chain(&table.dev);
        for (dependency, users) in lists {
            for user in users {
                let known =
                    table.floors.contains_key(user) || table.outside.contains_key(user) || user == "*";
                if !known {
                    return Err(Failure::new(format!(
                        "layers.toml: `{dependency}` is for `{user}`, which is no crate"
                    )));
                }
            }
        }
        Ok(table)
    }
}

/// The bans of `deny.toml`. The rest of that file is cargo-deny's to read.
#[derive(Deserialize)]
pub(super) struct Bans {
    bans: Section,
}

#[derive(Deserialize)]
struct Section {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    wrappers: Option<Vec<String>>,
}

impl Bans {
    /// Reads `deny.toml`.
    pub(super) fn read(text: &str) -> Outcome<Self> {
        toml::from_str(text).map_err(|error| Failure::doing("read `deny.toml`", &error))
    }

    /// Who may use `name` although it is banned.
    pub(super) fn wrappers(&self, name: &str) -> Option<&[String]> {
        self.bans.deny.iter().find(|ban| ban.name == name)?.wrappers.as_deref()
    }
}
