//! A policy file as a tree, each value with its line. JSON and YAML become the same tree.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::{Budget, Error as Wrong, Spanned};

/// One value of a file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What it is.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i64),
    /// Also a whole number that is too large.
    Broken(f64),
    Text(String),
    List(Vec<Node>),
    /// Keys in their order, each with its line.
    Map(Vec<(String, usize, Node)>),
}

/// A mistake that makes the whole file unreadable: its line, from 1, and what is wrong.
pub(crate) type Mistake = (usize, String);

/// Reads YAML.
pub(crate) fn yaml(text: &str) -> Result<Node, Mistake> {
    // A policy is at most seven deep; a reader that calls itself for each level would run out of stack. Aliases make a
    // file say more than stands in it.
    yaml_within(text, serde_saphyr::budget! { max_depth: 32, max_anchors: 0, max_aliases: 0 })
}

/// Reads YAML of at most this size and depth.
pub(crate) fn yaml_within(text: &str, budget: Option<Budget>) -> Result<Node, Mistake> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        budget: budget,
    };
    let read: Result<Spanned<Value>, Wrong> = serde_saphyr::from_str_with_options(text, options);
    read.map(node).map_err(|wrong| (wrong.location().map_or(1, |at| line(at.line())), said(&wrong)))
}

/// Reads JSON. Every JSON text is YAML too, and that reader knows the lines; where the two read different things, the file
/// is refused, so that nothing depends on which of them is right.
pub(crate) fn json(text: &str) -> Result<Node, Mistake> {
    same(text, yaml(text)?)
}

/// Reads JSON of at most this size and depth; see [`json`].
pub(crate) fn json_within(text: &str, budget: Option<Budget>) -> Result<Node, Mistake> {
    same(text, yaml_within(text, budget)?)
}

fn same(text: &str, tree: Node) -> Result<Node, Mistake> {
    let plain: Json = serde_json::from_str(text).map_err(|wrong| (wrong.line().max(1), of_json(&wrong)))?;
    match differs(&tree, &plain) {
        None => Ok(tree),
        Some(line) => Err((line, "this can be read in two ways; write it in plain characters".to_owned())),
    }
}

fn of_json(wrong: &serde_json::Error) -> String {
    let said = wrong.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    format!("this is not JSON: {said}")
}

/// The line of the first value that the two trees don't share.
fn differs(node: &Node, json: &Json) -> Option<usize> {
    let same = match (&node.value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(one), Json::Bool(other)) => one == other,
        (Value::Whole(one), Json::Number(other)) => other.as_i64() == Some(*one),
        (Value::Broken(one), Json::Number(other)) => other.as_f64() == Some(*one),
        (Value::Text(one), Json::String(other)) => one == other,
        (Value::List(ones), Json::Array(others)) if ones.len() == others.len() => {
            return ones.iter().zip(others).find_map(|(one, other)| differs(one, other));
        }
        (Value::Map(ones), Json::Object(others)) if ones.len() == others.len() => {
            return ones.iter().find_map(|(key, line, one)| match others.get(key) {
                Some(other) => differs(one, other),
                None => Some(*line),
            });
        }
        _ => false,
    };
    (!same).then_some(node.line)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number that large is refused wherever it stands")]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Broken(value as f64), Value::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Broken(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element::<Spanned<Value>>()? {
            list.push(node(entry));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Value>>()? {
            map.push((key.value, line(key.referenced.line()), node(value)));
        }
        Ok(Value::Map(map))
    }
}

fn node(spanned: Spanned<Value>) -> Node {
    Node { line: line(spanned.referenced.line()), value: spanned.value }
}

fn line(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0).max(1)
}

fn said(wrong: &Wrong) -> String {
    match wrong {
        Wrong::WithSnippet { error, .. } | Wrong::AliasError { error, .. } => said(error),
        Wrong::DuplicateMappingKey { .. } => "the same key is written twice".to_owned(),
        Wrong::MergeKeyNotAllowed { .. } => "merge keys (`<<`) are not allowed".to_owned(),
        Wrong::MultipleDocuments { .. } => "a file holds one document".to_owned(),
        Wrong::Eof { .. } => "the file is empty or ends too early".to_owned(),
        Wrong::Message { msg, .. } => msg.clone(),
        Wrong::UnknownAnchor { .. } => "a text that begins with `*` needs quotes".to_owned(),
        _ => "this is not YAML; a text with `*`, `&` or `: ` in it needs quotes".to_owned(),
    }
}
