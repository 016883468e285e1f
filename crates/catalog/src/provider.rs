//! For whom a tenant may keep a credential: codes, aliases, what a credential looks like, what may be noted beside it.
//!
//! The list is data, `providers.yaml`. Whether a credential works is the probe of the provider's integration; here stands only
//! what can be seen without asking anybody.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crypto::RsaKey;
use model::IntegrationName;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Catalog, Error, yaml};
use metadata::Schema;

mod form;
mod laid;
mod metadata;

/// All providers.
#[derive(Debug)]
pub struct Providers {
    all: BTreeMap<String, Provider>,
    schemas: BTreeMap<String, Schema>,
}

/// One provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What a credential of it is called where nobody says.
    pub title: String,
    /// What it is called.
    pub label: String,
    /// Where a person makes a credential.
    pub help: String,
    /// What kind of credential it is.
    pub kind: String,
    /// What it belongs to.
    pub group: Group,
    /// Its names in addresses, in lower case.
    pub aliases: Vec<String>,
    /// Whose probe validates a credential; `None` where this version validates none.
    pub integration: Option<IntegrationName>,
    /// Which trial of the integration validates a credential; its probe where there is none.
    pub trial: Option<String>,
    /// A role that is assumed, where the credential names one.
    pub role: Option<Role>,
    /// How a key begins; anything where there is none.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// What the document has in it, where the credential is one.
    pub json: Option<Document>,
    /// The members of the document that are no secret.
    #[serde(default)]
    pub facts: Vec<String>,
    metadata: String,
}

/// A role that a credential names, and how it is tried.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The fact that names it.
    pub fact: String,
    /// The trial that assumes it.
    pub trial: String,
    /// The fact that says that the credential has keys of its own to assume it with. Without them the house's are used.
    pub keys: String,
}

/// What providers are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Models.
    Genai,
    /// Clouds.
    Cloud,
}

/// With whose keys a credential is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Its own.
    Candidate,
    /// Those of the house: the credential is a role that trusts it.
    House,
}

/// A credential that is a JSON document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What its member `type` says.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The members that have to be there, in one form or another.
    forms: Vec<Vec<String>>,
    /// What these forms are called, by programs and by people; where there is one, it needs no name.
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    titles: Vec<String>,
    /// Members beside those of each form that may be there.
    #[serde(default)]
    optional: Vec<Vec<String>>,
    /// What members look like that are there.
    #[serde(default)]
    patterns: BTreeMap<String, String>,
    /// The member that names a key, and the member that is that key.
    #[serde(default)]
    fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fingerprint {
    member: String,
    of: String,
}

/// Proof that a credential looks as its provider's do, with the members of it that are no secret.
#[derive(Debug)]
#[must_use]
pub struct Shaped {
    /// Those members.
    pub facts: BTreeMap<String, String>,
}

/// Why a credential does not look like one, in words that repeat nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misshaped {
    /// A document that is none.
    #[error(
        "Invalid JSON format: The credential must be valid JSON. Please copy the entire contents of your {0} JSON file."
    )]
    Json(&'static str),
    /// A document that is a list or a word.
    #[error("Invalid credential format: Expected a JSON object, not an array or primitive value.")]
    NoObject,
    /// A document of another type.
    #[error(
        "Invalid credential type: Expected '{expected}' but got '{found}'. Please ensure you're using a Service Account JSON key file."
    )]
    Type {
        /// The type that it has to be.
        expected: String,
        /// The one that it says.
        found: String,
    },
    /// Members that are not there.
    #[error("Invalid {0}: Missing required fields: {1}")]
    Missing(&'static str, String),
    /// A member that looks otherwise.
    #[error("Invalid {0}: '{1}' does not look like one")]
    Member(&'static str, String),
    /// A fingerprint of another key than the one beside it.
    #[error("Invalid credential: '{0}' is not that of '{1}'")]
    Fingerprint(String, String),
    /// A key that is too short.
    #[error("{0} is too short")]
    Short(String),
    /// A key that begins otherwise.
    #[error("{0} should start with {1}")]
    Prefix(String, String),
}

/// Why metadata can't be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Metadata validation failed for '{field}': {why}")]
pub struct Unkept {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    schemas: BTreeMap<String, Schema>,
    providers: BTreeMap<String, Provider>,
}

impl Providers {
    /// Those that are built in.
    ///
    /// # Errors
    /// Never for a build whose tests pass.
    pub fn builtin() -> Result<&'static Arc<Self>, Error> {
        static BUILTIN: OnceLock<Arc<Providers>> = OnceLock::new();
        if let Some(known) = BUILTIN.get() {
            return Ok(known);
        }
        let read = Arc::new(Self::read(include_str!("../providers.yaml"), "providers.yaml")?);
        Ok(BUILTIN.get_or_init(|| read))
    }

    /// Those that are built in, with a file of the user's own laid over them: one of the same code counts instead of the built-in
    /// one. Where there is no such file, the built-in ones.
    ///
    /// # Errors
    /// With the line of what can't be read, and where what is laid over does not hold together.
    pub fn load(path: &Path, catalog: &Catalog) -> Result<Arc<Self>, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::builtin().map(Arc::clone);
            }
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        let file = path.display().to_string();
        let laid = Self::read(&text, &file)?.over(Self::builtin()?);
        laid.sound(catalog, &file)?;
        Ok(Arc::new(laid))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// With the line of what can't be read, and of an unknown key.
    pub fn read(text: &str, file: &str) -> Result<Self, Error> {
        let File { schemas, providers } = yaml::read(text, file)?;
        Ok(Self { all: providers, schemas })
    }

    /// Every provider with its code, sorted.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Provider)> {
        self.all.iter().map(|(code, provider)| (code.as_str(), provider))
    }

    /// The provider of this code or alias, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&str, &Provider)> {
        let wanted = name.to_ascii_lowercase();
        self.all()
            .find(|(code, provider)| code.eq_ignore_ascii_case(&wanted) || provider.aliases.contains(&wanted))
    }

    /// Looks whether metadata may be kept for a provider, and writes it as it is kept.
    ///
    /// # Errors
    /// The first field that may not.
    pub fn kept(&self, provider: &Provider, metadata: &mut Map<String, Value>) -> Result<(), Unkept> {
        match self.schemas.get(&provider.metadata) {
            Some(schema) if !metadata.is_empty() => {
                schema.write(metadata);
                schema.check(metadata)
            }
            _ => Ok(()),
        }
    }
}

impl Provider {
    /// The trial for a credential with these facts, and whether it is asked with the house's own keys.
    #[must_use]
    pub fn tried(&self, facts: &BTreeMap<String, String>) -> (Option<&str>, Whose) {
        match self.role.as_ref().filter(|role| facts.contains_key(&role.fact)) {
            Some(role) if facts.contains_key(&role.keys) => (Some(&role.trial), Whose::Candidate),
            Some(role) => (Some(&role.trial), Whose::House),
            None => (self.trial.as_deref(), Whose::Candidate),
        }
    }

    /// Looks at a credential as it came, without asking anybody.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn shaped(&self, credential: &str) -> Result<Shaped, Misshaped> {
        match &self.json {
            None => self.key(credential),
            Some(document) => document.shaped(credential, &self.facts),
        }
    }

    fn key(&self, credential: &str) -> Result<Shaped, Misshaped> {
        if credential.len() < SHORTEST {
            return Err(Misshaped::Short(self.title.clone()));
        }
        if self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| credential.starts_with(prefix)) {
            return Ok(Shaped { facts: BTreeMap::new() });
        }
        let listed: Vec<String> = self.prefixes.iter().map(|prefix| format!("'{prefix}'")).collect();
        let listed = match listed.as_slice() {
            [one] => one.clone(),
            several => format!("'[{}]'", several.join(", ")),
        };
        Err(Misshaped::Prefix(self.title.clone(), listed))
    }
}

impl Document {
    fn shaped(&self, credential: &str, facts: &[String]) -> Result<Shaped, Misshaped> {
        let what = if self.kind.is_some() { "Service Account" } else { "credential" };
        let read: Value = serde_json::from_str(credential).map_err(|_| Misshaped::Json(what))?;
        let Value::Object(members) = read else { return Err(Misshaped::NoObject) };
        if let Some(expected) = &self.kind {
            let found = members.get("type").and_then(Value::as_str);
            if found != Some(expected) {
                // A type is a word; whatever else stands there may be anything.
                let plain = |text: &&str| {
                    text.len() <= LONGEST_TYPE && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                };
                let found = found.filter(plain).unwrap_or("missing").to_owned();
                return Err(Misshaped::Type { expected: expected.clone(), found });
            }
        }
        let there = |name: &&String| {
            members.get(*name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
        };
        let missing = |form: &Vec<String>| -> Vec<String> {
            form.iter().filter(|name| !there(name)).cloned().collect()
        };
        let nearest = self.forms.iter().map(missing).min_by_key(Vec::len).unwrap_or_default();
        if !nearest.is_empty() {
            let what = if self.kind.is_some() { "Service Account JSON" } else { "credential" };
            return Err(Misshaped::Missing(what, nearest.join(", ")));
        }
        let looks = |(name, pattern): &(&String, &String)| {
            let text = members.get(*name).and_then(Value::as_str);
            text.is_none_or(|text| {
                Regex::new(&format!("\\A(?:{pattern})\\z")).is_ok_and(|fits| fits.is_match(text))
            })
        };
        if let Some((name, _)) = self.patterns.iter().find(|pair| !looks(pair)) {
            return Err(Misshaped::Member("credential", name.clone()));
        }
        self.names_its_key(&members)?;
        let fact = |name: &String| {
            Some((name.clone(), members.get(name)?.as_str()?.chars().take(LONGEST_FACT).collect()))
        };
        Ok(Shaped { facts: facts.iter().filter_map(fact).collect() })
    }
}

impl Document {
    /// Looks whether a fingerprint is that of its key. A key that can't be read is left to whoever signs with it, who says why.
    fn names_its_key(&self, members: &Map<String, Value>) -> Result<(), Misshaped> {
        let Some(Fingerprint { member, of }) = &self.fingerprint else { return Ok(()) };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let own = text(of).and_then(|pem| RsaKey::from_pem_text(pem).ok()?.legacy_fingerprint().ok());
        match (own, text(member)) {
            (Some(own), Some(said)) if !own.eq_ignore_ascii_case(said) => {
                Err(Misshaped::Fingerprint(member.clone(), of.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// Shortest key, in bytes.
const SHORTEST: usize = 10;
const LONGEST_TYPE: usize = 64;
const LONGEST_FACT: usize = 2048;

#[cfg(test)]
mod tests;
