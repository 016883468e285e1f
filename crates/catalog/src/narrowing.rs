//! Ready-made narrowings: "may post to these channels under this name", as a word with parameters.

use std::collections::{BTreeMap, BTreeSet};

use model::OperationName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Error, nearest, resource};

/// What a parameter of a narrowing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Param {
    /// One text.
    String,
    /// Several texts, separated by commas; each is allowed.
    List,
}

/// A ready-made narrowing.
#[derive(Debug, Clone)]
pub struct Narrowing {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) params: BTreeMap<String, Param>,
    pub(crate) allow: Vec<Template>,
}

/// One operation that a narrowing leaves, before its parameters are known.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) operation: OperationName,
    pub(crate) inputs: BTreeMap<String, (resource::Template, Fold)>,
    pub(crate) resource: Option<(resource::Template, Fold)>,
}

/// Whether the inputs that are compared are kept in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Lower,
    Exact,
}

/// One operation that a narrowing leaves: every input named here has to have one of its values, and the resource, where
/// resources are named, is one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The operation.
    pub operation: OperationName,
    /// Values by input.
    pub inputs: BTreeMap<String, BTreeSet<String>>,
    /// Resources; empty where any will do.
    pub resources: BTreeSet<String>,
}

impl Narrowing {
    /// What it lets a caller do, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it has to be told.
    #[must_use]
    pub const fn params(&self) -> &BTreeMap<String, Param> {
        &self.params
    }

    /// The operations that it leaves. Values are taken as they are: a `*` in one is refused, never a wildcard.
    ///
    /// # Errors
    /// When a parameter is unknown, missing, empty or holds a wildcard.
    pub fn expand(&self, given: &BTreeMap<String, String>) -> Result<Vec<Allowance>, Error> {
        let wrong = |problem: String| Error::Narrowing { narrowing: self.name.clone(), problem };
        if let Some(unknown) = given.keys().find(|name| !self.params.contains_key(*name)) {
            let near = nearest::suffix(unknown, self.params.keys().map(String::as_str));
            return Err(wrong(format!("there is no parameter {}{near}", nearest::shown(unknown))));
        }
        let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, kind) in &self.params {
            let text = given.get(name).ok_or_else(|| wrong(format!("the parameter `{name}` is missing")))?;
            let list: Vec<String> = match kind {
                Param::String => vec![text.clone()],
                Param::List => text.split(',').map(|part| part.trim().to_owned()).collect(),
            };
            if list.iter().any(|value| {
                value.is_empty() || value.contains(['*', '?']) || value.chars().any(char::is_control)
            }) {
                return Err(wrong(format!("the parameter `{name}` is empty, or holds a wildcard")));
            }
            values.insert(name, list);
        }
        Ok(self.allow.iter().map(|template| template.expand(&values)).collect())
    }
}

impl Template {
    fn expand(&self, values: &BTreeMap<&str, Vec<String>>) -> Allowance {
        let inputs = self
            .inputs
            .iter()
            .map(|(name, (text, fold))| (name.clone(), fill(text, *fold, values)))
            .collect();
        let resources = self.resource.iter().flat_map(|(text, fold)| fill(text, *fold, values)).collect();
        Allowance { operation: self.operation.clone(), inputs, resources }
    }
}

/// The text once for each value of the list in it; a narrowing has at most one list in one text.
fn fill(text: &resource::Template, fold: Fold, values: &BTreeMap<&str, Vec<String>>) -> BTreeSet<String> {
    let times = text.names().filter_map(|name| values.get(name)).map(Vec::len).max().unwrap_or(1);
    (0..times)
        .filter_map(|time| {
            text.fill(|name| values.get(name).and_then(|list| list.get(time).or(list.first())).cloned())
        })
        .map(|filled| if fold == Fold::Lower { filled.to_lowercase() } else { filled })
        .collect()
}

#[cfg(test)]
mod tests;
