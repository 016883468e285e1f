//! A 1Password Connect server.
//!
//! Source: the 1Password Connect API reference (developer.1password.com/docs/connect/api-reference): vaults and items by
//! filter, and an item with its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A Connect server that runs.
pub struct Connect(Server<State>);

served!(Connect);

#[derive(Default)]
struct State {
    tokens: BTreeSet<String>,
    /// The fields of an item by vault and title.
    items: BTreeMap<(String, String), Vec<Field>>,
}

/// Section, name and value.
type Field = (Option<String>, String, String);

impl Connect {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Takes this token.
    pub fn know_token(&self, token: &str) {
        self.0.change(|state| state.tokens.insert(token.to_owned()));
    }

    /// Keeps a field of an item, in a section or in none.
    pub fn put(&self, (vault, item): (&str, &str), section: Option<&str>, field: &str, value: &str) {
        let place = (vault.to_owned(), item.to_owned());
        let kept = (section.map(str::to_owned), field.to_owned(), value.to_owned());
        self.0.change(|state| state.items.entry(place).or_default().push(kept));
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let Some(token) = heard.bearer() else { return failed(401, "Authentication: (Missing token)") };
        if !self.tokens.contains(token) {
            return failed(401, "Authentication: (Invalid token signature)");
        }
        let parts: Vec<&str> = heard.path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["v1", "vaults"] => {
                let name = filtered(&heard.query, "name");
                let known: BTreeSet<&String> = self.items.keys().map(|(vault, _)| vault).collect();
                let found = known.into_iter().filter(|vault| **vault == name);
                Said::new(200, found.map(|vault| json!({ "id": id(vault), "name": vault })).collect())
            }
            ["v1", "vaults", vault, "items"] => {
                let title = filtered(&heard.query, "title");
                let here = self
                    .items
                    .keys()
                    .filter(|(known, known_title)| id(known) == *vault && *known_title == title);
                Said::new(200, here.map(|(_, title)| json!({ "id": id(title), "title": title })).collect())
            }
            ["v1", "vaults", vault, "items", item] => {
                let found =
                    self.items.iter().find(|((known, title), _)| id(known) == *vault && id(title) == *item);
                found.map_or_else(
                    || failed(404, "item not found"),
                    |((_, title), fields)| Said::new(200, document(title, fields)),
                )
            }
            _ => failed(404, "not found"),
        }
    }
}

fn document(title: &str, fields: &[(Option<String>, String, String)]) -> Value {
    let shown: Vec<Value> = fields
        .iter()
        .map(|(section, label, value)| {
            let section = section.as_ref().map(|label| json!({ "id": id(label) }));
            json!({ "id": id(label), "label": label, "value": value, "type": "CONCEALED", "section": section })
        })
        .collect();
    // The item says what its sections are called; a field names the id alone.
    let sections = fields.iter().filter_map(|(section, ..)| section.as_ref());
    let sections: Vec<Value> = sections.map(|label| json!({ "id": id(label), "label": label })).collect();
    json!({ "id": id(title), "title": title, "category": "LOGIN", "sections": sections, "fields": shown })
}

/// The text that `filter=NAME eq "TEXT"` asks for.
fn filtered(query: &str, name: &str) -> String {
    let filter = query.strip_prefix("filter=").unwrap_or_default();
    let decoded = percent(filter);
    let text = decoded.strip_prefix(&format!("{name} eq \"")).and_then(|rest| rest.strip_suffix('"'));
    text.unwrap_or_default().replace("\\\"", "\"")
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = (byte == b'%').then(|| [rest.next(), rest.next()]);
        bytes.push(match hex {
            Some([Some(high), Some(low)]) => {
                let digits = String::from_utf8_lossy(&[high, low]).into_owned();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            _ => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An id as 1Password makes them: 26 letters and digits.
fn id(text: &str) -> String {
    let digest = crypto::to_hex(&crypto::sha256(&[text.as_bytes()]));
    digest.chars().take(26).collect()
}

fn failed(status: u16, message: &str) -> Said {
    Said::new(status, json!({ "status": status, "message": message }))
}
