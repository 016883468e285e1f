//! Expressions of Cedar in its JSON form. Texts of users are values in there, so nothing has to be escaped.

use serde_json::{Value, json};

use super::rule::Wildcard;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression(Value);

impl Expression {
    /// `true` or `false`.
    pub(super) fn constant(value: bool) -> Self {
        Self(json!({ "Value": value }))
    }

    /// `context.name`.
    pub(super) fn context(name: &str) -> Self {
        Self(json!({ ".": { "left": { "Var": "context" }, "attr": name } }))
    }

    /// `context has name`.
    pub(super) fn context_has(name: &str) -> Self {
        Self(json!({ "has": { "left": { "Var": "context" }, "attr": name } }))
    }

    /// `principal.getTag("name")`.
    pub(super) fn tag(name: &str) -> Self {
        Self(json!({ "getTag": { "left": { "Var": "principal" }, "right": { "Value": name } } }))
    }

    /// `principal.hasTag("name")`.
    pub(super) fn has_tag(name: &str) -> Self {
        Self(json!({ "hasTag": { "left": { "Var": "principal" }, "right": { "Value": name } } }))
    }

    /// `["a", "b"].contains(self)`.
    pub(super) fn one_of<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let set: Vec<Value> = texts.into_iter().map(|text| json!({ "Value": text })).collect();
        if set.is_empty() {
            return Self::constant(false);
        }
        Self(json!({ "contains": { "left": { "Set": set }, "right": self.0 } }))
    }

    /// `self.contains("text")`.
    pub(super) fn holds(self, text: &str) -> Self {
        Self(json!({ "contains": { "left": self.0, "right": { "Value": text } } }))
    }

    /// `self like "begin*"`.
    pub(super) fn begins(self, start: &str) -> Self {
        Self(json!({ "like": { "left": self.0, "pattern": [{ "Literal": start }, "Wildcard"] } }))
    }

    /// `self like "*part*"`.
    pub(super) fn has_part(self, part: &str) -> Self {
        Self(json!({ "like": { "left": self.0, "pattern": ["Wildcard", { "Literal": part }, "Wildcard"] } }))
    }

    /// `self.isInRange(ip("network"))`.
    pub(super) fn in_network(self, network: &str) -> Self {
        Self(json!({ "isInRange": [self.0, { "ip": [{ "Value": network }] }] }))
    }

    /// `self >= datetime("time")`.
    pub(super) fn at_or_after(self, time: &str) -> Self {
        Self(json!({ ">=": { "left": self.0, "right": { "datetime": [{ "Value": time }] } } }))
    }

    /// `self < datetime("time")`.
    pub(super) fn before(self, time: &str) -> Self {
        Self(json!({ "<": { "left": self.0, "right": { "datetime": [{ "Value": time }] } } }))
    }

    /// `!self`.
    pub(super) fn not(self) -> Self {
        match self.0 {
            Value::Object(ref fields) if fields.get("Value").is_some_and(Value::is_boolean) => {
                Self::constant(!self.is_true())
            }
            inner => Self(json!({ "!": { "arg": inner } })),
        }
    }

    /// `self && other`.
    pub(super) fn and(self, other: Self) -> Self {
        if self.is_true() {
            return other;
        }
        if other.is_true() {
            return self;
        }
        Self::binary("&&", self, other)
    }

    /// `self || other`.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_true() || other.is_true() {
            return Self::constant(true);
        }
        Self::binary("||", self, other)
    }

    fn binary(operator: &str, left: Self, right: Self) -> Self {
        let sides = [("left".to_owned(), left.0), ("right".to_owned(), right.0)];
        let sides = Value::Object(sides.into_iter().collect());
        Self(Value::Object([(operator.to_owned(), sides)].into_iter().collect()))
    }

    /// Whether one of them holds.
    pub(super) fn any(all: Vec<Self>) -> Self {
        Self::balanced(all, Self::or).unwrap_or_else(|| Self::constant(false))
    }

    /// Whether all of them hold.
    pub(super) fn all(all: Vec<Self>) -> Self {
        Self::balanced(all, Self::and).unwrap_or_else(|| Self::constant(true))
    }

    /// As a balanced tree: Cedar's reader calls itself for each level, and a long chain would run out of stack.
    fn balanced(mut all: Vec<Self>, join: fn(Self, Self) -> Self) -> Option<Self> {
        while all.len() > 1 {
            let mut halved = Vec::with_capacity(all.len() / 2 + 1);
            let mut pairs = all.into_iter();
            while let Some(one) = pairs.next() {
                halved.push(match pairs.next() {
                    Some(other) => join(one, other),
                    None => one,
                });
            }
            all = halved;
        }
        all.pop()
    }

    /// Whether the text is one of these, or begins like one of them. `text` is made afresh for each.
    pub(super) fn matches(text: impl Fn() -> Self, wildcards: &[Wildcard]) -> Self {
        let mut exact: Vec<&str> = Vec::new();
        let mut any = Vec::new();
        for wildcard in wildcards {
            match wildcard {
                Wildcard::Exact(one) => exact.push(one),
                Wildcard::Prefix(start) if start.is_empty() => return Self::constant(true),
                Wildcard::Prefix(start) => any.push(text().begins(start)),
            }
        }
        if !exact.is_empty() {
            any.push(text().one_of(exact));
        }
        Self::any(any)
    }

    /// The JSON form.
    pub(super) fn into_json(self) -> Value {
        self.0
    }

    fn is_true(&self) -> bool {
        self.0.get("Value").and_then(Value::as_bool) == Some(true)
    }
}
