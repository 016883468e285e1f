//! The parameters of one plugin, taken one by one. What nobody took is an unknown key.

use std::collections::BTreeMap;

use catalog::{Error, nearest_word};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// The parameters of one plugin.
pub(crate) struct Params<'a> {
    file: &'a str,
    /// The line of the plugin.
    pub(crate) line: u64,
    kind: &'a str,
    left: BTreeMap<&'a str, &'a Spanned<Value>>,
    known: Vec<&'static str>,
}

/// A map of texts, and its line.
type Texts = (Map<String, Value>, u64);

impl<'a> Params<'a> {
    pub(crate) fn new(
        file: &'a str,
        (kind, line): (&'a str, u64),
        params: Option<&'a BTreeMap<String, Spanned<Value>>>,
    ) -> Self {
        let left = params.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect();
        Self { file, line, kind, left, known: Vec::new() }
    }

    /// An error about the plugin as a whole.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Error {
        self.wrong_at(self.line, problem)
    }

    pub(crate) fn wrong_at(&self, line: u64, problem: impl Into<String>) -> Error {
        Error::Invalid { file: self.file.to_owned(), line, problem: problem.into() }
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Spanned<Value>> {
        self.known.push(name);
        // A key without a value is a key that is not there, as in Go.
        self.left.remove(name).filter(|value| !value.value.is_null())
    }

    /// It is not there, unless it is there under a name that looks like it.
    fn missing(&self, name: &str) -> Error {
        let misspelt = self.left.iter().find(|(left, _)| nearest_word(left, [name]).is_some());
        match misspelt {
            Some((_, value)) => self.unknown(value, Some(name.to_owned())),
            None => self.wrong(format!("`{}` needs the parameter `{name}`", self.kind)),
        }
    }

    fn unknown(&self, value: &Spanned<Value>, nearest: Option<String>) -> Error {
        let problem = format!("`{}` has no parameter of this name", self.kind);
        Error::Syntax { file: self.file.to_owned(), line: value.referenced.line(), problem, nearest }
    }

    /// A text; `None` where it is absent or empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<(&'a str, u64)>, Error> {
        let Some(entry) = self.take(name) else { return Ok(None) };
        let line = entry.referenced.line();
        match &entry.value {
            Value::String(text) if text.is_empty() => Ok(None),
            Value::String(text) => Ok(Some((text, line))),
            _ => Err(self.wrong_at(line, format!("`{name}` is a text"))),
        }
    }

    /// A text; `None` where it is absent. It may be empty.
    pub(crate) fn even_empty(&mut self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let Some(entry) = self.take(name) else { return Ok(None) };
        let wrong = || self.wrong_at(entry.referenced.line(), format!("`{name}` is a text"));
        entry.value.as_str().map(Some).ok_or_else(wrong)
    }

    /// A text that has to be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<(&'a str, u64), Error> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text, or what it is where it is absent. An empty one is absent, as in Go.
    pub(crate) fn or(&mut self, name: &'static str, default: &'static str) -> Result<&'a str, Error> {
        Ok(self.text(name)?.map_or(default, |(text, _)| text))
    }

    /// A list of texts, each with its line; empty where it is absent.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<(Vec<&'a str>, u64), Error> {
        let Some(entry) = self.take(name) else { return Ok((Vec::new(), self.line)) };
        let line = entry.referenced.line();
        let Value::Array(items) = &entry.value else {
            return Err(self.wrong_at(line, format!("`{name}` is a list of texts")));
        };
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        match texts {
            Some(texts) if texts.iter().all(|text| !text.is_empty()) => Ok((texts, line)),
            _ => Err(self.wrong_at(line, format!("`{name}` is a list of texts, none of them empty"))),
        }
    }

    /// A list that has to have something in it.
    pub(crate) fn some(&mut self, name: &'static str) -> Result<(Vec<&'a str>, u64), Error> {
        let (list, line) = self.list(name)?;
        if list.is_empty() { Err(self.missing(name)) } else { Ok((list, line)) }
    }

    /// A whole number that is not below zero; `None` where it is absent or zero.
    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Error> {
        let Some(entry) = self.take(name) else { return Ok(None) };
        let wrong = || self.wrong_at(entry.referenced.line(), format!("`{name}` is a whole number"));
        entry.value.as_u64().map(|number| (number != 0).then_some(number)).ok_or_else(wrong)
    }

    /// A map of texts, with its line; `None` where it is absent.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Option<Texts>, Error> {
        let Some(entry) = self.take(name) else { return Ok(None) };
        let line = entry.referenced.line();
        match &entry.value {
            Value::Object(fields) if fields.values().all(Value::is_string) => {
                Ok(Some((fields.clone(), line)))
            }
            _ => Err(self.wrong_at(line, format!("`{name}` is a map of texts"))),
        }
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Some((name, value)) = self.left.iter().next() else { return Ok(()) };
        Err(self.unknown(value, nearest_word(name, self.known.iter().copied())))
    }
}
