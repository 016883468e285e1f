//! Allowlists and denylists: which requests the callers of an integration may make, as rules about the request itself.
//!
//! A list is a file of entries, one for each integration; an entry has callers, and a caller has rules (path, method,
//! headers, query, body) and ready-made capabilities. A request that a rule of the denylist matches is denied, whatever
//! else allows it. One that a rule of the allowlist matches is [`Listed`]; for all others the lists are silent, and what is
//! silent is not allowed by them. `docs/guide/lists.md` is the language for those who write it.
//!
//! # Invariants
//!
//! - Lists are read whole or not at all. A name that nobody knows, an entry that says nothing, a key written twice is an
//!   error; an empty file allows nothing.
//! - Each part of a rule *fits*, *fails* or is *in doubt*: whatever has more than one reading (a parameter written twice, a
//!   content type that is missing, a body that is no strict JSON) is in doubt. A rule that allows needs every part to fit; a
//!   rule that denies is kept away by a part that fails only. So doubt never opens anything.
//! - What is matched is what is forwarded: the canonical path, split before it is decoded; every pair of the query; the
//!   headers that will be sent; the bytes of the body.
//! - [`Listed`] has one maker, and is for one call.

mod again;
mod body;
mod check;
mod condition;
mod decimal;
mod error;
mod fit;
mod graphql;
mod index;
mod json;
mod pairs;
mod path;
mod read;
mod ready;
mod request;
mod rpc;
mod rule;
mod services;
mod test;
mod verdict;
mod wants;

#[cfg(test)]
mod tests;

use model::{IntegrationName, QuickMap};

pub use condition::Condition;
pub use error::Error;
pub use request::{Headers, NoHeaders, Request};
pub use services::{Param, Params, Services, Unready};
pub use verdict::{Listed, Reason, Verdict};
pub(crate) use verdict::{Resembles, Says};

use index::Laid;

/// Which list a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What it matches is allowed.
    Allow,
    /// What it matches is denied.
    Deny,
}

impl Side {
    /// The name of such a file without its ending.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allowlist",
            Self::Deny => "denylist",
        }
    }
}

/// One file as it was read.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Which list it is.
    pub side: Side,
    /// How it is called in messages and in evidence: `allowlist.yaml`. One that ends in `.json` is read as JSON.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// The lists of all integrations, compiled. Never changed; new ones are swapped in whole.
#[derive(Debug, Default)]
pub struct Lists {
    allow: QuickMap<IntegrationName, Laid>,
    deny: QuickMap<IntegrationName, Laid>,
}

impl Lists {
    /// No lists: silent about everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads files. An integration may stand in one file of each side only.
    ///
    /// # Errors
    /// The first mistake, with its file and line.
    pub fn read(files: &[File<'_>], services: &dyn Services) -> Result<Self, Error> {
        Self::read_after(files, services, &Self::new())
    }

    /// The same, where others were read before: what says the same is not read again.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_after(files: &[File<'_>], services: &dyn Services, former: &Self) -> Result<Self, Error> {
        let mut lists = Self::new();
        let names = services.names();
        for file in files {
            let (entries, former) = match file.side {
                Side::Allow => (&mut lists.allow, &former.allow),
                Side::Deny => (&mut lists.deny, &former.deny),
            };
            let known = read::Known { services, names: &names, former: again::former(former) };
            read::file(file, &known, entries)?;
        }
        Ok(lists)
    }

    /// Whether they speak of no integration at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// How many integrations and rules there are, those of both lists; a capability counts as one for each operation.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let rules = self.allow.values().chain(self.deny.values()).map(|laid| laid.entry.rules()).sum();
        let both = self.deny.keys().filter(|name| self.allow.contains_key(*name)).count();
        (self.allow.len() + self.deny.len() - both, rules)
    }
}
