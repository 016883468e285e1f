//! Providers, as a form needs them: which fields, how they look, where a key is made.

use catalog::{Group, Provider, Providers};
use model::{Code, Refusal};
use serde_json::{Value, json};

use super::Managing;

pub(super) fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let known = managing.worker.broker().providers()?;
    let shown: Vec<Value> = known.all().map(|(code, provider)| described(&known, code, provider)).collect();
    Ok(json!({ "providers": shown }))
}

pub(super) fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (known, name) = (managing.worker.broker().providers()?, managing.input("name")?);
    let found = known.find(name).map(|(code, provider)| described(&known, code, provider));
    found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such provider"))
}

fn described(known: &Providers, code: &str, provider: &Provider) -> Value {
    let group = match provider.group {
        Group::Genai => "genai",
        Group::Cloud => "cloud",
    };
    json!({
        "provider": code, "name": provider.aliases.first(), "title": provider.title, "label": provider.label,
        "group": group, "kind": provider.kind, "aliases": provider.aliases, "integration": provider.integration,
        "validated": provider.integration.is_some(), "help": provider.help,
        "bounds": { "min": super::credentials::SHORTEST, "max": super::credentials::LARGEST },
        "file": provider.is_file(), "forms": known.forms_of(provider), "metadata": known.metadata_of(provider),
    })
}
