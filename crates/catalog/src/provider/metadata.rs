//! What may be noted beside a credential: the fields of its provider, each within its bounds.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Unkept;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema {
    #[serde(default)]
    extra: Extra,
    pub(super) fields: BTreeMap<String, Field>,
    #[serde(default)]
    pub(super) lists: BTreeMap<String, List>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Extra {
    #[default]
    Forbid,
    Allow,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    most: usize,
    pub(super) fields: BTreeMap<String, Field>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) min: usize,
    pub(super) max: Option<usize>,
    pub(super) pattern: Option<String>,
    /// Whether it is kept in lower case, however it was written.
    #[serde(default)]
    lower: bool,
}

impl Schema {
    /// Writes what is kept in lower case so.
    pub(super) fn write(&self, metadata: &mut Map<String, Value>) {
        for (name, value) in metadata {
            if let (Some(Field { lower: true, .. }), Value::String(text)) = (self.fields.get(name), value) {
                *text = text.to_ascii_lowercase();
            }
        }
    }

    /// The patterns of its fields.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        let inner = self.lists.values().flat_map(|list| list.fields.values());
        self.fields.values().chain(inner).filter_map(|field| field.pattern.as_deref())
    }

    pub(super) fn check(&self, metadata: &Map<String, Value>) -> Result<(), Unkept> {
        for (name, value) in metadata {
            match (self.fields.get(name), self.lists.get(name)) {
                (Some(field), _) => field.check(name, value)?,
                (None, Some(list)) => list.check(name, value)?,
                (None, None) if self.extra == Extra::Allow => {}
                (None, None) => return Err(unkept(name, "Extra inputs are not permitted")),
            }
        }
        required(&self.fields, metadata)
    }
}

impl List {
    fn check(&self, name: &str, value: &Value) -> Result<(), Unkept> {
        let Value::Array(entries) = value else {
            return if value.is_null() { Ok(()) } else { Err(unkept(name, "a list is expected")) };
        };
        if entries.len() > self.most {
            return Err(unkept(name, &format!("at most {} entries", self.most)));
        }
        for entry in entries {
            let Value::Object(members) = entry else { return Err(unkept(name, "objects are expected")) };
            for (inner, value) in members {
                match self.fields.get(inner) {
                    Some(field) => field.check(inner, value)?,
                    None => return Err(unkept(inner, "Extra inputs are not permitted")),
                }
            }
            required(&self.fields, members)?;
        }
        Ok(())
    }
}

impl Field {
    fn check(&self, name: &str, value: &Value) -> Result<(), Unkept> {
        let text = match value {
            Value::Null => return Ok(()),
            Value::String(text) => text,
            _ => return Err(unkept(name, "a text is expected")),
        };
        let length = text.chars().count();
        if length < self.min {
            return Err(unkept(name, &format!("at least {} characters", self.min)));
        }
        if let Some(max) = self.max.filter(|max| length > *max) {
            return Err(unkept(name, &format!("at most {max} characters")));
        }
        if let Some(pattern) = &self.pattern {
            let fits = Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text));
            if !fits {
                return Err(unkept(name, &format!("it does not look like `{pattern}`")));
            }
        }
        Ok(())
    }
}

fn required(fields: &BTreeMap<String, Field>, members: &Map<String, Value>) -> Result<(), Unkept> {
    let missing =
        fields.iter().find(|(name, field)| field.required && members.get(*name).is_none_or(Value::is_null));
    missing.map_or(Ok(()), |(name, _)| Err(unkept(name, "Field required")))
}

fn unkept(field: &str, why: &str) -> Unkept {
    Unkept { field: field.chars().take(LONGEST_NAME).collect(), why: why.to_owned() }
}

const LONGEST_NAME: usize = 64;
