//! A document that was read and is written anew: what its escapes hid from the search in its bytes is searched once more.

use secrets::Mask;
use serde_json::Value;

/// Masks the credential in every text and name of a document, and counts how often.
pub(super) fn search(value: &mut Value, mask: Option<&Mask>, hits: &mut u64) {
    let Some(mask) = mask else { return };
    walk(value, mask, hits);
}

/// The same for one text.
pub(super) fn text(text: String, mask: Option<&Mask>, hits: &mut u64) -> String {
    mask.and_then(|mask| clean(&text, mask, hits)).unwrap_or(text)
}

/// As deep as the reader of JSON lets a document be, which is 128 levels.
fn walk(value: &mut Value, mask: &Mask, hits: &mut u64) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) => {
            if let Some(clean) = clean(text, mask, hits) {
                *text = clean;
            }
        }
        Value::Number(number) => {
            if let Some(clean) = clean(&number.to_string(), mask, hits) {
                *value = Value::String(clean);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| walk(one, mask, hits)),
        Value::Object(members) => {
            let named: Vec<(String, String)> =
                members.keys().filter_map(|name| Some((name.clone(), clean(name, mask, hits)?))).collect();
            for (name, clean) in named {
                if let Some(member) = members.remove(&name) {
                    members.insert(clean, member);
                }
            }
            members.values_mut().for_each(|member| walk(member, mask, hits));
        }
    }
}

fn clean(text: &str, mask: &Mask, hits: &mut u64) -> Option<String> {
    let masked = mask.text(text.as_bytes())?;
    *hits += masked.hits;
    Some(String::from_utf8_lossy(&masked.bytes).into_owned())
}
