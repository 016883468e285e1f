//! GraphQL requests: what kind of operation it is, its name, and the fields at its root.
//!
//! The name of an operation is a label that its writer chose; what it does is in its root fields. A document is read as far
//! as needed (GraphQL, October 2021, section 2) and has to hold exactly one operation without fragments at its root. All else,
//! persisted queries and batches among it, is in doubt.

use super::body::{Content, Pairs};
use super::fit::Fit;
use super::json::Json;
use super::pairs;
use super::rule::Graphql;

/// How a request stands to what is wanted of it.
pub(super) fn fit(want: &Graphql, content: &Content, query: &Pairs) -> Fit {
    let operation = match asked(content, query) {
        Ok(operation) => operation,
        Err(why) => return Fit::Doubt(why.to_owned()),
    };
    let Graphql { kinds, names, fields } = want;
    let kind = kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| **kind == *operation.kind));
    let name = names.as_ref().is_none_or(|tests| {
        operation.name.as_ref().is_some_and(|name| tests.iter().any(|test| test.matches(name)))
    });
    let wanted =
        |field: &String| fields.as_ref().is_none_or(|tests| tests.iter().any(|test| test.matches(field)));
    let every = operation.fields.iter().filter(|field| *field != "__typename").all(wanted);
    let some = operation.fields.iter().any(wanted);
    match (kind, name, every, some) {
        (false, ..) => Fit::Fails("graphql type mismatch".to_owned()),
        (_, false, ..) => Fit::Fails("graphql operation mismatch".to_owned()),
        (true, true, true, _) => Fit::Fits,
        // One of several fields is what the rule speaks of.
        (_, _, false, true) => Fit::Doubt("graphql field mismatch".to_owned()),
        (_, _, false, false) => Fit::Fails("graphql field mismatch".to_owned()),
    }
}

/// The one operation that a request asks for.
fn asked(content: &Content, query: &Pairs) -> Result<Operation, &'static str> {
    let in_query: Vec<&(String, String)> =
        query.iter().filter(|(name, _)| KEYS.iter().any(|key| pairs::alike(name, key))).collect();
    let (document, name) = match content {
        Content::Unclear(why) => return Err(why),
        Content::Form(_) => return Err("unsupported content type"),
        Content::Empty => {
            let one = |key: &str| {
                let mut found = in_query.iter().filter(|(name, _)| pairs::alike(name, key));
                match (found.next(), found.next()) {
                    (None, _) => Ok(None),
                    (Some((name, value)), None) if name == key => Ok(Some(value.clone())),
                    _ => Err("graphql request is ambiguous"),
                }
            };
            if one("extensions")?.is_some() {
                return Err("graphql request is persisted");
            }
            (one("query")?.ok_or("graphql document is missing")?, one("operationName")?)
        }
        Content::Json(_) if !in_query.is_empty() => return Err("graphql request is ambiguous"),
        Content::Json(body) => in_body(body)?,
    };
    let operation = read(&document).ok_or("graphql document is not understood")?;
    match name.filter(|name| !name.is_empty()) {
        Some(name) if operation.name.as_ref() != Some(&name) => Err("graphql operation is ambiguous"),
        _ => Ok(operation),
    }
}

/// The document and the name of the operation in a body.
fn in_body(body: &Json) -> Result<(String, Option<String>), &'static str> {
    let Json::Map(entries) = body else { return Err("graphql request is a batch") };
    if entries.iter().any(|(key, _)| !KEYS.contains(&key.as_str())) {
        return Err("graphql request is ambiguous");
    }
    if let Some(Json::Map(extensions)) = body.only("extensions")
        && !extensions.is_empty()
    {
        return Err("graphql request is persisted");
    }
    let document = body.only("query").and_then(Json::as_text).ok_or("graphql document is missing")?;
    let name = match body.only("operationName") {
        None | Some(Json::Null) => None,
        Some(Json::Text(name)) => Some(name.clone()),
        Some(_) => return Err("graphql operation is ambiguous"),
    };
    Ok((document.to_owned(), name))
}

/// The one operation of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) fields: Vec<String>,
}

/// Reads a document; `None` where it isn't exactly one operation with plain fields at its root.
pub(super) fn read(document: &str) -> Option<Operation> {
    let tokens = tokens(document)?;
    let mut reader = Reader { rest: &tokens };
    let mut operation = None;
    while let Some(first) = reader.peek() {
        let found = match first {
            Token::Sign("{") => {
                Operation { kind: "query".to_owned(), name: None, fields: reader.selection()? }
            }
            Token::Name("fragment") => {
                reader.next()?;
                reader.named()?;
                reader.next().filter(|token| *token == Token::Name("on"))?;
                reader.named()?;
                reader.directives()?;
                reader.skip("{", "}")?;
                continue;
            }
            Token::Name(kind @ ("query" | "mutation" | "subscription")) => {
                reader.next()?;
                let name = match reader.peek() {
                    Some(Token::Name(_)) => Some(reader.named()?.to_owned()),
                    _ => None,
                };
                reader.arguments()?;
                reader.directives()?;
                Operation { kind: (*kind).to_owned(), name, fields: reader.selection()? }
            }
            _ => return None,
        };
        if operation.replace(found).is_some() {
            return None;
        }
    }
    operation
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Sign(&'a str),
    /// A text or a number; what it is does not matter here.
    Value,
}

struct Reader<'t, 'a> {
    rest: &'t [Token<'a>],
}

impl<'t, 'a> Reader<'t, 'a> {
    const fn peek(&self) -> Option<&'t Token<'a>> {
        self.rest.first()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// What stands between a pair of brackets, whole.
    fn skip(&mut self, open: &str, close: &str) -> Option<()> {
        if self.next()? != Token::Sign(open) {
            return None;
        }
        let mut expected = vec![close];
        while let Some(wanted) = expected.last().copied() {
            match self.next()? {
                Token::Sign("{") => expected.push("}"),
                Token::Sign("(") => expected.push(")"),
                Token::Sign("[") => expected.push("]"),
                Token::Sign(sign @ ("}" | ")" | "]")) if sign == wanted => drop(expected.pop()),
                Token::Sign("}" | ")" | "]") => return None,
                _ => {}
            }
        }
        Some(())
    }

    fn named(&mut self) -> Option<&'a str> {
        match self.next()? {
            Token::Name(name) => Some(name),
            Token::Sign(_) | Token::Value => None,
        }
    }

    /// Variables or arguments, where there are any.
    fn arguments(&mut self) -> Option<()> {
        if self.peek() == Some(&Token::Sign("(")) { self.skip("(", ")") } else { Some(()) }
    }

    fn directives(&mut self) -> Option<()> {
        while self.peek() == Some(&Token::Sign("@")) {
            self.next()?;
            self.named()?;
            self.arguments()?;
        }
        Some(())
    }

    /// The names of the fields of a selection, behind their aliases.
    fn selection(&mut self) -> Option<Vec<String>> {
        self.next().filter(|token| *token == Token::Sign("{"))?;
        let mut fields = Vec::new();
        loop {
            let mut name = match self.next()? {
                Token::Sign("}") => return (!fields.is_empty()).then_some(fields),
                Token::Name(name) => name,
                // A fragment brings fields that stand elsewhere.
                Token::Sign(_) | Token::Value => return None,
            };
            if self.peek() == Some(&Token::Sign(":")) {
                self.next()?;
                name = self.named()?;
            }
            fields.push(name.to_owned());
            self.arguments()?;
            self.directives()?;
            if self.peek() == Some(&Token::Sign("{")) {
                self.skip("{", "}")?;
            }
        }
    }
}

fn tokens(document: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = document;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
        let Some(first) = rest.chars().next() else { return Some(tokens) };
        if first == '#' {
            rest = rest.split_once(['\n', '\r']).map_or("", |(_, behind)| behind);
            continue;
        }
        let (token, length) = match first {
            '"' => (Token::Value, text(rest)?),
            '_' | 'a'..='z' | 'A'..='Z' => {
                let length = run(rest, |c| c == '_' || c.is_ascii_alphanumeric());
                (Token::Name(rest.get(..length)?), length)
            }
            '-' | '0'..='9' => {
                (Token::Value, run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')))
            }
            '.' if rest.starts_with("...") => (Token::Sign("..."), 3),
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                (Token::Sign(rest.get(..1)?), 1)
            }
            _ => return None,
        };
        tokens.push(token);
        rest = rest.get(length..)?;
    }
}

/// How many bytes a string is long, with its quotes.
fn text(rest: &str) -> Option<usize> {
    if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut from = 0;
        loop {
            let end = from + block.get(from..)?.find("\"\"\"")?;
            if !block.get(..end)?.ends_with('\\') {
                return Some(3 + end + 3);
            }
            from = end + 3;
        }
    }
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            '\n' | '\r' => return None,
            '"' if !escaped => return Some(at + 1),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    None
}

fn run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !wanted(c)).unwrap_or(text.len())
}

/// Every key that a request may have (GraphQL over HTTP, section 5).
const KEYS: [&str; 4] = ["query", "operationName", "variables", "extensions"];
