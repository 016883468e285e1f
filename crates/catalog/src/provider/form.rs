//! What a form for a provider's credential has in it: made of the same data that a credential is checked against.

use serde_json::{Value, json};

use super::metadata::{Field, Schema};
use super::{Document, Provider, Providers, SHORTEST};

impl Provider {
    /// Whether the credential is a document that somebody was given as a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.json.as_ref().is_some_and(|document| document.kind.is_some())
    }
}

impl Providers {
    /// The forms in which a credential may be given, each with its fields.
    #[must_use]
    pub fn forms_of(&self, provider: &Provider) -> Vec<Value> {
        let Some(document) = &provider.json else {
            let pattern = (!provider.prefixes.is_empty()).then(|| {
                let all: Vec<String> = provider.prefixes.iter().map(|prefix| regex::escape(prefix)).collect();
                format!("^(?:{})", all.join("|"))
            });
            let field = json!({
                "name": "credential", "label": "API key", "kind": "secret", "required": true,
                "prefixes": provider.prefixes, "pattern": pattern, "min": SHORTEST, "max": null,
            });
            return vec![json!({ "name": "key", "title": "API key", "fields": [field] })];
        };
        let schema = self.schemas.get(&provider.metadata);
        let named = |at: usize, names: &[String], usual: &str| {
            names.get(at).cloned().unwrap_or_else(|| usual.to_owned())
        };
        let form = |(at, fields): (usize, &Vec<String>)| {
            let more = document.optional.get(at).map(Vec::as_slice).unwrap_or_default();
            let all = fields.iter().map(|name| (name, true)).chain(more.iter().map(|name| (name, false)));
            let fields: Vec<Value> =
                all.map(|(name, required)| document.field((name, required), schema)).collect();
            json!({
                "name": named(at, &document.names, "document"),
                "title": named(at, &document.titles, &provider.title), "fields": fields,
            })
        };
        document.forms.iter().enumerate().map(form).collect()
    }

    /// What may be noted beside a credential.
    #[must_use]
    pub fn metadata_of(&self, provider: &Provider) -> Vec<Value> {
        let fields = self.schemas.get(&provider.metadata).map(|schema| schema.fields.iter());
        let described = |(name, field): (&String, &Field)| {
            json!({
                "name": name, "label": label(name), "required": field.required, "min": field.min, "max": field.max,
                "pattern": field.pattern.as_ref().map(|pattern| whole(pattern)),
            })
        };
        fields.into_iter().flatten().map(described).collect()
    }
}

impl Document {
    /// A field of a form. What may be noted of it says how it looks, too.
    fn field(&self, (name, required): (&str, bool), schema: Option<&Schema>) -> Value {
        let known = schema.and_then(|schema| schema.fields.get(name));
        let kind = match name {
            "private_key" => "multiline",
            _ if SECRET.iter().any(|word| name.contains(word)) => "secret",
            _ => "text",
        };
        let pattern = self.patterns.get(name).or_else(|| known?.pattern.as_ref());
        json!({
            "name": name, "label": label(name), "kind": kind, "required": required, "prefixes": [],
            "pattern": pattern.map(|pattern| whole(pattern)),
            "min": known.map_or(1, |field| field.min.max(1)), "max": known.and_then(|field| field.max),
        })
    }
}

/// A pattern of ours matches the whole text.
fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

/// `access_key_id` as a person writes it.
fn label(name: &str) -> String {
    let words: Vec<String> = name
        .split('_')
        .enumerate()
        .map(|(at, word)| match word {
            "id" | "arn" | "ocid" => word.to_ascii_uppercase(),
            _ if at == 0 => {
                let mut letters = word.chars();
                letters.next().map_or_else(String::new, |first| {
                    first.to_ascii_uppercase().to_string() + letters.as_str()
                })
            }
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

const SECRET: [&str; 2] = ["secret", "token"];
