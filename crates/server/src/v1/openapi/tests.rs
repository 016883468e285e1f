//! The document hangs together.

use super::*;

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = made();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "nothing gives a {name}");
    }
}

#[test]
fn every_place_of_a_path_is_taken_and_every_secret_is_write_only() {
    for route in table::routes() {
        let places: Vec<&str> = route
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.split_once('}').map(|(name, _)| name))
            .collect();
        let taken: Vec<&str> =
            route.takes.iter().filter(|take| take.place == Place::Path).map(|take| take.name).collect();
        assert_eq!(places, taken, "{}", route.id);
    }
    let text = made().to_string();
    assert_eq!(text.matches("\"writeOnly\":true").count(), 8);
}
