//! A check of JSON against the part of JSON Schema 2020-12 that the document uses. A word that it does not know fails, so that
//! nothing is checked by halves.

use serde_json::Value;

/// What does not fit, each with its place.
pub(crate) fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                check(document, document.pointer(pointer).unwrap(), value, at, found);
            }
            "type" => {
                let known: Vec<&str> = match wanted {
                    Value::String(one) => vec![one],
                    several => several.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect(),
                };
                if !known.iter().any(|kind| is(kind, value)) {
                    found.push(format!("{at}: {value} is not {wanted}"));
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                found.push(format!("{at}: {value} is none of {wanted}"));
            }
            "anyOf" => {
                let fits = |one: &Value| misfits(document, one, value).is_empty();
                if !wanted.as_array().unwrap().iter().any(fits) {
                    found.push(format!("{at}: {value} fits none of {wanted}"));
                }
            }
            "required" if value.is_object() => {
                for name in wanted.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                    if value.get(name).is_none() {
                        found.push(format!("{at}/{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = wanted.get(name) {
                        check(document, schema, inner, &format!("{at}/{name}"), found);
                    }
                }
            }
            "additionalProperties" => more(document, (schema, wanted), value, at, found),
            "items" => {
                for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, wanted, inner, &format!("{at}/{place}"), found);
                }
            }
            "format" if wanted == "date-time" => {
                if value.as_str().is_some_and(|text| !text.contains('T') || !text.ends_with('Z')) {
                    found.push(format!("{at}: {value} is no time"));
                }
            }
            "pattern" => found.extend(unlike(wanted, value, at)),
            "minimum" => {
                if value.as_i64().is_some_and(|number| number < wanted.as_i64().unwrap()) {
                    found.push(format!("{at}: {value} is less than {wanted}"));
                }
            }
            "enum" | "required" | "description" | "format" => {}
            unknown => panic!("the check does not know `{unknown}`"),
        }
    }
}

fn unlike(wanted: &Value, value: &Value, at: &str) -> Option<String> {
    let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
    let text = value.as_str().filter(|text| !pattern.is_match(text))?;
    Some(format!("{at}: {text} does not look like {wanted}"))
}

fn more(
    document: &Value,
    (schema, wanted): (&Value, &Value),
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        if schema.get("properties").is_some_and(|known| known.get(name).is_some()) {
            continue;
        }
        match wanted {
            Value::Bool(true) => {}
            Value::Bool(false) => found.push(format!("{at}/{name} is in no schema")),
            schema => check(document, schema, inner, &format!("{at}/{name}"), found),
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is no type"),
    }
}
