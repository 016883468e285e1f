//! From the map under a method to what a rule wants of headers, query and body.

use super::body;
use super::decimal::Decimal;
use super::pairs::{Pair, Want};
use super::rule::{Constraints, Fields, Graphql, Wanted};
use super::test::Test;
use crate::files::node::{Node, Value};
use crate::files::strict::{self, Mistake};

/// Reads the map under a method; nothing and `{}` want nothing.
pub(super) fn constraints(node: &Node) -> Result<Constraints, Mistake> {
    let mut wants = Constraints::default();
    if let Value::Null = node.value {
        return Ok(wants);
    }
    let fields = strict::Fields::of(node, "what a method wants", &KEYS)?;
    if let Some(node) = fields.find("headers") {
        wants.headers = pairs(node, "headers")?;
        for pair in &mut wants.headers {
            pair.name = header(&pair.name, node.line)?;
        }
    }
    if let Some(node) = fields.find("query") {
        wants.query = pairs(node, "query")?;
    }
    if let Some(node) = fields.find("body") {
        let json = map(node, "body")?;
        if !json.is_empty() {
            wants.body = Some(Fields { form: body::as_form(&json), json });
        }
    }
    wants.graphql = fields.find("graphql").map(graphql).transpose()?;
    if let Some(node) = fields.find("jsonrpc") {
        let inner = strict::Fields::of(node, "`jsonrpc`", &["methods"])?;
        wants.jsonrpc = Some(tests(inner.need("methods")?, "methods")?);
    }
    wants.aws_action = fields.find("aws_action").map(|node| tests(node, "aws_action")).transpose()?;
    Ok(wants)
}

fn header(name: &str, line: usize) -> Result<Box<str>, Mistake> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Mistake::new(line, format!("{} is no name of a header", strict::shown(name))));
    }
    if name.eq_ignore_ascii_case("host") {
        return Err(Mistake::new(
            line,
            "`host` is the integration's own, so a rule about it would never match",
        ));
    }
    Ok(name.to_ascii_lowercase().into())
}

/// Names with what is wanted of their values.
fn pairs(node: &Node, what: &str) -> Result<Vec<Pair>, Mistake> {
    let Value::Map(entries) = &node.value else {
        return Err(Mistake::new(node.line, format!("`{what}` is a map of names and lists of values")));
    };
    entries
        .iter()
        .map(|(name, line, node)| {
            if name.is_empty() {
                return Err(Mistake::new(*line, format!("a name under `{what}` is empty")));
            }
            let (shown, want) = (name.as_str().into(), want(node, name)?);
            Ok(Pair { name: name.as_str().into(), shown, want })
        })
        .collect()
}

fn want(node: &Node, name: &str) -> Result<Want, Mistake> {
    match &node.value {
        Value::Null => Ok(Want::Present),
        Value::List(list) if list.is_empty() => Ok(Want::Present),
        Value::List(_) => Ok(Want::Values(tests(node, name)?)),
        _ => match wanted(node, name)? {
            Wanted::Absent => Ok(Want::Absent),
            _ => Ok(Want::Values([test(node, name)?].into())),
        },
    }
}

/// A list of texts or operators.
fn tests(node: &Node, what: &str) -> Result<Box<[Test]>, Mistake> {
    match &node.value {
        Value::List(_) => entries(node, what)?.iter().map(|node| test(node, what)).collect(),
        _ => Ok([test(node, what)?].into()),
    }
}

/// A text or an operator on one.
fn test(node: &Node, what: &str) -> Result<Test, Mistake> {
    match &node.value {
        Value::Map(_) => match wanted(node, what)? {
            Wanted::Test(test) => Ok(test),
            Wanted::OneOf(choices) => {
                let text = |wanted: &Wanted| match wanted {
                    Wanted::Text(text) | Wanted::Number(_, text) => Some(text.clone()),
                    Wanted::Bool(is) => Some(if *is { "true" } else { "false" }.into()),
                    _ => None,
                };
                let texts: Option<Box<[Box<str>]>> = choices.iter().map(text).collect();
                texts
                    .map(Test::OneOf)
                    .ok_or_else(|| Mistake::new(node.line, format!("`{what}` has texts only")))
            }
            _ => Err(Mistake::new(node.line, format!("`{what}` is a text, or one of {}", operators()))),
        },
        _ => Ok(Test::Is(scalar(node, what)?.into())),
    }
}

/// The fields of a body or of an object in it.
fn map(node: &Node, what: &str) -> Result<Vec<(Box<str>, Wanted)>, Mistake> {
    let Value::Map(entries) = &node.value else {
        return Err(Mistake::new(node.line, format!("`{what}` is a map of fields")));
    };
    entries.iter().map(|(name, _, node)| Ok((name.as_str().into(), wanted(node, name)?))).collect()
}

/// What is wanted of a value: a scalar, a list, an object, or an operator.
fn wanted(node: &Node, what: &str) -> Result<Wanted, Mistake> {
    Ok(match &node.value {
        Value::Null => Wanted::Null,
        Value::Bool(is) => Wanted::Bool(*is),
        Value::Whole(_) | Value::Broken(_) => {
            let text = scalar(node, what)?;
            let number = Decimal::parse(&text).ok_or_else(|| inexact(node, what))?;
            Wanted::Number(number, text.into())
        }
        Value::Text(_) => Wanted::Text(text(node, what)?.into()),
        Value::List(list) => {
            Wanted::List(list.iter().map(|node| wanted(node, what)).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => match entries.as_slice() {
            [(operator, line, value)] if OPERATORS.contains(&operator.as_str()) => {
                self::operator(operator, *line, value, what)?
            }
            _ => Wanted::Map(map(node, what)?),
        },
    })
}

fn operator(operator: &str, line: usize, value: &Node, what: &str) -> Result<Wanted, Mistake> {
    match operator {
        "absent" => match &value.value {
            Value::Bool(true) => Ok(Wanted::Absent),
            _ => Err(Mistake::new(line, "`absent` is `true`; leave it out where the value may be there")),
        },
        "fields" => Ok(Wanted::Map(map(value, what)?)),
        "one_of" => {
            let list = entries(value, "one_of")?;
            if list.is_empty() {
                return Err(Mistake::new(line, "`one_of` is empty, so it matches nothing"));
            }
            Ok(Wanted::OneOf(list.iter().map(|node| wanted(node, what)).collect::<Result<_, _>>()?))
        }
        "prefix" => match text(value, "prefix")? {
            "" => Err(Mistake::new(line, "`prefix` is empty, so it matches everything; leave it out")),
            start => Ok(Wanted::Test(Test::Prefix(start.into()))),
        },
        "number" => {
            let written = text(value, "number")?;
            let number = Decimal::parse(written);
            let number = number.ok_or_else(|| Mistake::new(line, "`number` is a number in quotes"))?;
            Ok(Wanted::Number(number, written.into()))
        }
        _ => {
            let test = Test::regex(text(value, "regex")?).map_err(|problem| Mistake::new(line, problem))?;
            Ok(Wanted::Test(test))
        }
    }
}

fn graphql(node: &Node) -> Result<Graphql, Mistake> {
    let fields = strict::Fields::of(node, "`graphql`", &["operation", "type", "fields"])?;
    let kinds = match fields.find("type") {
        None => None,
        Some(Node { value: Value::List(list), .. }) if !list.is_empty() => {
            Some(list.iter().map(kind).collect::<Result<_, _>>()?)
        }
        Some(one) => Some([kind(one)?].into()),
    };
    let names = fields.find("operation").map(|node| tests(node, "operation")).transpose()?;
    let wanted = fields.find("fields").map(|node| tests(node, "fields")).transpose()?;
    if kinds.is_none() && names.is_none() && wanted.is_none() {
        return Err(Mistake::new(
            node.line,
            "`graphql` wants at least one of `type`, `fields` and `operation`",
        ));
    }
    Ok(Graphql { kinds, names, fields: wanted })
}

fn kind(node: &Node) -> Result<Box<str>, Mistake> {
    let words = [("query", "query"), ("mutation", "mutation"), ("subscription", "subscription")];
    strict::word(node, "type", &words).map(Into::into)
}

/// A text of any length.
pub(super) fn text<'a>(node: &'a Node, what: &str) -> Result<&'a str, Mistake> {
    match &node.value {
        Value::Text(text) if text.len() <= LONGEST => Ok(text),
        _ => Err(Mistake::new(
            node.line,
            format!("`{what}` is a text, in quotes where it could be something else"),
        )),
    }
}

/// A text; a number or a boolean counts as how it is written.
pub(super) fn scalar(node: &Node, what: &str) -> Result<String, Mistake> {
    match &node.value {
        Value::Bool(is) => Ok(is.to_string()),
        Value::Whole(number) => Ok(number.to_string()),
        // What has more digits than a float holds is not what was written any more.
        Value::Broken(number) => {
            let text = number.to_string();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if number.is_finite() && digits <= EXACT { Ok(text) } else { Err(inexact(node, what)) }
        }
        _ => text(node, what).map(ToOwned::to_owned),
    }
}

fn inexact(node: &Node, what: &str) -> Mistake {
    let problem = format!(
        "`{what}` has more digits than can be kept; write `{{number: \"…\"}}`, or quotes around a text"
    );
    Mistake::new(node.line, problem)
}

/// A list.
pub(super) fn entries<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], Mistake> {
    match &node.value {
        Value::List(list) => Ok(list),
        _ => Err(Mistake::new(node.line, format!("`{what}` is a list"))),
    }
}

fn operators() -> String {
    OPERATORS.iter().map(|word| format!("`{{{word}: …}}`")).collect::<Vec<_>>().join(", ")
}

const KEYS: [&str; 6] = ["headers", "query", "body", "graphql", "jsonrpc", "aws_action"];
/// A map with one of these as its only key is an operator; `fields` says that it is none.
const OPERATORS: [&str; 6] = ["prefix", "regex", "one_of", "absent", "number", "fields"];
/// Decimal digits that every 64-bit float keeps.
const EXACT: usize = 15;
/// Longest text, in bytes.
const LONGEST: usize = 65_536;
