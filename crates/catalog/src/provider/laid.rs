//! A list of providers of the user's own over the built-in one, with the checks that hold for both.

use std::collections::BTreeMap;

use regex::Regex;

use super::{Document, Provider, Providers, Role};
use crate::{Catalog, Error};

impl Providers {
    /// This list over another one.
    pub(super) fn over(self, base: &Self) -> Self {
        let mut laid = Self { all: base.all.clone(), schemas: base.schemas.clone() };
        laid.schemas.extend(self.schemas);
        for (code, provider) in self.all {
            // An alias that is taken over is taken from whoever had it.
            for other in laid.all.values_mut() {
                other.aliases.retain(|alias| !provider.aliases.contains(alias));
            }
            laid.all.insert(code, provider);
        }
        laid
    }

    /// Looks whether every provider can be found, and tried, by what it says.
    pub(super) fn sound(&self, catalog: &Catalog, file: &str) -> Result<(), Error> {
        let wrong = |problem: String| Error::Invalid { file: file.to_owned(), line: 0, problem };
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for (code, provider) in &self.all {
            let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            if code.is_empty() || code.len() > LONGEST || !code.bytes().all(plain) {
                return Err(wrong(format!(
                    "`{}` is no code: it is capital letters, digits and `_`",
                    code.escape_default()
                )));
            }
            for name in std::iter::once(code.to_ascii_lowercase()).chain(provider.aliases.iter().cloned()) {
                if RESERVED.contains(&name.as_str()) {
                    return Err(wrong(format!("`{name}` is a group of providers")));
                }
                match names.insert(name.clone(), code.as_str()) {
                    Some(other) if other != code.as_str() => {
                        return Err(wrong(format!("`{name}` is both `{other}` and `{code}`")));
                    }
                    _ => {}
                }
            }
            self.provider(provider, catalog).map_err(|problem| wrong(format!("`{code}`: {problem}")))?;
        }
        Ok(())
    }

    fn provider(&self, provider: &Provider, catalog: &Catalog) -> Result<(), String> {
        let Provider {
            title,
            label: _,
            help,
            kind: _,
            group: _,
            aliases,
            integration,
            trial,
            role,
            prefixes: _,
            json,
            facts,
            metadata,
        } = provider;
        let plain = |alias: &String| {
            !alias.is_empty()
                && alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if title.trim().is_empty() || !aliases.iter().all(plain) {
            return Err("it has a title, and aliases of lower-case letters, digits and `_`".to_owned());
        }
        // A page of the console links to it.
        if !help.starts_with("https://") {
            return Err("`help` is an `https://` address".to_owned());
        }
        let schema = self.schemas.get(metadata).ok_or_else(|| format!("there is no schema `{metadata}`"))?;
        let members = json.iter().flat_map(|Document { patterns, .. }| patterns.values());
        for pattern in schema.patterns().chain(members.map(String::as_str)) {
            Regex::new(pattern).map_err(|_| format!("`{pattern}` is not a regular expression"))?;
        }
        if json.is_none() && !facts.is_empty() {
            return Err("`facts` are members of a JSON credential, and this one is none".to_owned());
        }
        let Some(name) = integration else {
            let tried = trial.is_some() || role.is_some();
            return if tried { Err("a trial needs an `integration`".to_owned()) } else { Ok(()) };
        };
        let found = catalog.get(name).map_err(|error| error.to_string())?;
        if found.internal() {
            return Err(format!("`{name}` is Doorward itself"));
        }
        let role = role.as_ref().map(|Role { trial, .. }| trial.as_str());
        for trial in trial.as_deref().into_iter().chain(role) {
            if found.trial(trial).is_none() {
                return Err(format!("`{name}` has no trial `{trial}`"));
            }
        }
        if trial.is_none() && found.probe().is_none() {
            return Err(format!("`{name}` has no probe, so `trial` has to name one of its trials"));
        }
        Ok(())
    }
}

/// What several providers are called together.
const RESERVED: [&str; 3] = ["genai", "cloud", "all"];
const LONGEST: usize = 63;
