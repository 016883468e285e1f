//! Counters in Prometheus' text format, as JSON. The text is our own, so what can't be read is left out.

use serde_json::{Map, Value, json};

/// The families of a text, each with its samples.
pub(crate) fn families(text: &str) -> Value {
    let mut families: Vec<Value> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            describe(&mut families, rest);
        } else if let (Some(sample), Some(family)) = (sample(line), families.last_mut())
            && let Some(samples) = family.get_mut("samples").and_then(Value::as_array_mut)
        {
            samples.push(sample);
        }
    }
    json!({ "families": families })
}

fn describe(families: &mut Vec<Value>, line: &str) {
    let mut words = line.splitn(3, ' ');
    let (Some(what), Some(name), said) = (words.next(), words.next(), words.next().unwrap_or_default())
    else {
        return;
    };
    let member = match what {
        "HELP" => "help",
        "TYPE" => "kind",
        _ => return,
    };
    let is_last = families.last().is_some_and(|last| last.get("name").and_then(Value::as_str) == Some(name));
    if !is_last {
        families.push(json!({ "name": name, "kind": "untyped", "help": "", "samples": [] }));
    }
    if let Some(fields) = families.last_mut().and_then(Value::as_object_mut) {
        fields.insert(member.to_owned(), said.into());
    }
}

fn sample(line: &str) -> Option<Value> {
    let (name, labels, value) = match line.split_once('{') {
        Some((name, rest)) => {
            let (labels, value) = rest.rsplit_once("} ")?;
            (name, labelled(labels), value)
        }
        None => {
            let (name, value) = line.split_once(' ')?;
            (name, Map::new(), value)
        }
    };
    let value: f64 = value.split(' ').next()?.parse().ok()?;
    Some(json!({ "name": name, "labels": labels, "value": value }))
}

/// `a="x",b="y"`, with `\"`, `\\` and `\n` in the values.
fn labelled(text: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    let mut rest = text;
    while let Some((name, behind)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let mut end = behind.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => {}
                },
                other => value.push(other),
            }
        }
        labels.insert(name.trim_start_matches(',').to_owned(), value.into());
        rest = behind.get(end..).unwrap_or_default();
    }
    labels
}

#[cfg(test)]
mod tests;
