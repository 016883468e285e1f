//! The allowlist and the denylist of a home, and what they may speak of: the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use catalog::{Allowance, Catalog, Integration};
use model::{Code, IntegrationName, Refusal};
use policy::lists::{Condition, File, Lists, Param, Params, Services, Side, Unready};

use super::{Operations, Overlay, Settings};

/// Reads lists against a catalogue.
///
/// # Errors
/// The file and line that is wrong.
pub fn read_lists(catalog: &Catalog, files: &[File<'_>]) -> Result<Lists, Refusal> {
    read_after(catalog, files, None)
}

/// Lists that were in force, and the catalogue against which they were read.
pub(super) type Former<'a> = (&'a Lists, &'a Catalog);

fn read_after(catalog: &Catalog, files: &[File<'_>], former: Option<Former<'_>>) -> Result<Lists, Refusal> {
    let now = Operations(catalog.clone());
    let read = match former {
        None => Lists::read(files, &now),
        Some((lists, before)) => Lists::read_after(files, &Since { now, before }, lists),
    };
    read.map_err(|error| Refusal::new(Code::BadRequest, error.to_string()).hint(error.hint()))
}

/// The lists of a broker that is opened. Those that were read already, when something was laid over the home, are not read again.
pub(super) fn at_start(settings: &Settings, catalog: &Catalog) -> Result<Lists, Refusal> {
    let overlay = &settings.overlay;
    in_force(settings, overlay, catalog, overlay.read_lists.as_deref().zip(overlay.read.as_ref()))
}

/// The lists that are laid over the home, else those of the home.
pub(super) fn in_force(
    settings: &Settings,
    overlay: &Overlay,
    catalog: &Catalog,
    former: Option<Former<'_>>,
) -> Result<Lists, Refusal> {
    let Some(written) = &overlay.lists else { return home_lists_after(&settings.lists, catalog, former) };
    let files: Vec<File<'_>> =
        written.iter().map(|list| File { side: list.side, name: &list.name, text: &list.text }).collect();
    read_after(catalog, &files, former)
}

/// The lists of a folder; a list that has no file is empty. Any other file in there is a mistake: what is called `denylists.yaml`
/// would deny nothing.
///
/// # Errors
/// When the folder or a file can't be read; the file and line that is wrong.
pub fn home_lists(folder: &Path, catalog: &Catalog) -> Result<Lists, Refusal> {
    home_lists_after(folder, catalog, None)
}

fn home_lists_after(folder: &Path, catalog: &Catalog, former: Option<Former<'_>>) -> Result<Lists, Refusal> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Refusal::new(Code::SourceUnavailable, format!("could not read `{}`: {error}", path.display()))
    };
    let found = match std::fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lists::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut files: BTreeMap<&str, (Side, String, String)> = BTreeMap::new();
    for entry in found {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // What an editor leaves behind, and the volumes of Kubernetes.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let side = match name.rsplit_once('.') {
            Some(("allowlist", "yaml" | "yml" | "json")) => Side::Allow,
            Some(("denylist", "yaml" | "yml" | "json")) => Side::Deny,
            _ => {
                let message = format!("`{}` is no list", path.display());
                return Err(Refusal::new(Code::BadRequest, message)
                    .hint("the files are called `allowlist.yaml` and `denylist.yaml`, or `.json`"));
            }
        };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        if let Some((_, other, _)) = files.insert(side.as_str(), (side, name.clone(), text)) {
            let message = format!("`{}` holds `{other}` and `{name}`", folder.display());
            return Err(Refusal::new(Code::BadRequest, message).hint("keep one of the two"));
        }
    }
    let files: Vec<File<'_>> =
        files.values().map(|(side, name, text)| File { side: *side, name, text }).collect();
    read_after(catalog, &files, former)
}

/// A catalogue, and the one before it.
struct Since<'a> {
    now: Operations,
    before: &'a Catalog,
}

impl Services for Since<'_> {
    fn names(&self) -> Vec<IntegrationName> {
        self.now.names()
    }

    fn aliased(&self, name: &str) -> Option<IntegrationName> {
        self.now.aliased(name)
    }

    fn is_as_before(&self, integration: &IntegrationName) -> bool {
        match (self.now.0.get(integration), self.before.get(integration)) {
            // What was not read again is the very same.
            (Ok(now), Ok(before)) => Arc::ptr_eq(&now, &before),
            _ => false,
        }
    }

    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName> {
        self.now.kind(integration)
    }

    fn capability(
        &self,
        integration: &IntegrationName,
        capability: &str,
        params: &Params,
    ) -> Result<Vec<Condition>, Unready> {
        self.now.capability(integration, capability, params)
    }
}

impl Services for Operations {
    fn names(&self) -> Vec<IntegrationName> {
        self.0.services()
    }

    fn aliased(&self, name: &str) -> Option<IntegrationName> {
        self.0.aliased(name).cloned()
    }

    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName> {
        self.0.get(integration).ok().map(|found| found.kind().clone())
    }

    fn capability(
        &self,
        integration: &IntegrationName,
        capability: &str,
        params: &Params,
    ) -> Result<Vec<Condition>, Unready> {
        let found = self.0.get(integration).map_err(|error| Unready::Wrong(error.to_string()))?;
        let narrowings = found.capabilities();
        let Some(narrowing) = narrowings.get(capability) else {
            return Err(Unready::Unknown(narrowings.keys().cloned().collect()));
        };
        let (mut own, mut more) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in params {
            let word = snake(name);
            match narrowing.params().get(&word) {
                Some(kind) => drop(own.insert(word, written(name, *kind, value)?)),
                None => drop(more.insert(word, (name, value))),
            }
        }
        if let Some((name, _)) = more.values().find(|_| narrowing.params().is_empty()) {
            return Err(Unready::Wrong(format!("`{capability}` takes no parameter `{name}`")));
        }
        let allowances = narrowing.expand(&own).map_err(|error| Unready::Wrong(error.to_string()))?;
        allowances.into_iter().map(|allowance| condition(&found, allowance, &more)).collect()
    }
}

/// A parameter as the catalogue takes it: a list is one text with commas.
fn written(name: &str, kind: catalog::Param, value: &Param) -> Result<String, Unready> {
    let wrong = |what: &str| Err(Unready::Wrong(format!("the parameter `{name}` {what}")));
    match (kind, value) {
        (catalog::Param::String, Param::Text(text)) => Ok(text.clone()),
        (catalog::Param::String, Param::List(_)) => wrong("is one text"),
        (catalog::Param::List, Param::Text(_)) => wrong("is a list of texts"),
        (catalog::Param::List, Param::List(list)) if list.is_empty() => wrong("is an empty list"),
        (catalog::Param::List, Param::List(list)) if list.iter().any(|one| one.contains(',')) => {
            wrong("has a comma in one of its texts")
        }
        (catalog::Param::List, Param::List(list)) => Ok(list.join(",")),
    }
}

/// An allowance as a condition. A parameter that the narrowing doesn't have may be an input of the operation: it narrows
/// further.
fn condition(
    integration: &Integration,
    allowance: Allowance,
    more: &BTreeMap<String, (&String, &Param)>,
) -> Result<Condition, Unready> {
    let Allowance { operation, mut inputs, resources } = allowance;
    let known = integration.operations().get(&operation).map(catalog::Operation::inputs);
    for (word, (name, value)) in more {
        let wrong = |what: &str| Err(Unready::Wrong(format!("the parameter `{name}` {what}")));
        if known.is_none_or(|known| !known.contains_key(word)) {
            return wrong("is unknown");
        }
        match value {
            Param::Text(text) if !text.trim().is_empty() => {
                inputs.insert(word.clone(), BTreeSet::from([text.clone()]));
            }
            Param::Text(_) => return wrong("is empty"),
            Param::List(_) => return wrong("is one text"),
        }
    }
    Ok(Condition { operation, inputs, resources })
}

/// `replyTo` as the catalogue writes it: `reply_to`.
fn snake(name: &str) -> String {
    let mut word = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            word.push('_');
        }
        word.push(character.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests;
