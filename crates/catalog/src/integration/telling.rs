//! Services at which a field or a header says which operation is asked for, whatever the path.
//!
//! There an operation may have no request that is taken for it, as each has a host of its own, and a request that nobody described may ask for
//! it all the same.

use model::{Code, Method, OperationName, Refusal};
use percent_encoding::percent_decode_str;
use regex::Regex;

use super::requests::check_on;
use super::{Asked, Integration};
use crate::Operation;

/// Where a service looks for what is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telling {
    /// Fields of a query or a form.
    pub(crate) fields: Vec<String>,
    /// Headers, in lower case.
    pub(crate) headers: Vec<String>,
    /// Words that amount to an operation.
    pub(crate) like: Vec<(OperationName, Regex)>,
}

impl Telling {
    /// Whether a field is one of the places.
    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|key| same(name, key))
    }
}

impl Integration {
    /// Whether the body of a request may say which operation is asked for.
    #[must_use]
    pub fn is_told_by_body(&self, method: Method, content_types: &[&str]) -> bool {
        !self.telling.fields.is_empty()
            && method == Method::Post
            && content_types.iter().all(|one| may_be_form(one))
    }

    /// The operations that a request asks for which is none of them to us.
    ///
    /// # Errors
    /// `denied` where one of them is disabled, or hides something of its answer, which is done for a call by its name.
    pub fn told(
        &self,
        asked: &Asked<'_>,
        header: &dyn Fn(&str) -> Vec<String>,
    ) -> Result<Vec<OperationName>, Refusal> {
        if self.telling.fields.is_empty() && self.telling.headers.is_empty() {
            return Ok(Vec::new());
        }
        let form = match asked.body {
            _ if !self.is_told_by_body(asked.method, asked.content_types) => Some(Vec::new()),
            body => body.map(pairs),
        };
        let in_form = |key: &str, value: &str| match &form {
            Some(pairs) => pairs.iter().any(|(name, said)| same(name, key) && same(said, value)),
            // Nobody looked into it, so it may say anything.
            None => true,
        };
        let in_query = |key: &str, value: &str| {
            asked.target.pairs().any(|(name, said)| same(&name, key) && same(&said, value))
        };
        let asks = |operation: &&Operation| {
            let mut fields = self.telling.fields.iter().filter_map(|key| Some((key, word(operation, key)?)));
            let mut headers =
                self.telling.headers.iter().filter_map(|key| Some((key, operation.headers.get(key)?)));
            fields.any(|(key, value)| in_form(key, value) || in_query(key, value))
                || headers.any(|(key, value)| header(key).iter().any(|said| same(said, value)))
        };
        let like = |(operation, pattern): &(OperationName, Regex)| {
            let is_like = |said: &str| {
                let said = said.trim();
                pattern.is_match(said.rsplit_once('.').map_or(said, |(_, last)| last))
            };
            let in_form = form.iter().flatten().any(|(name, said)| self.telling.has(name) && is_like(said));
            let in_query =
                || asked.target.pairs().any(|(name, said)| self.telling.has(&name) && is_like(&said));
            let in_head =
                || self.telling.headers.iter().any(|key| header(key).iter().any(|said| is_like(said)));
            (in_form || in_query() || in_head()).then(|| self.operations.get(operation)).flatten()
        };
        let told = self.operations.values().filter(asks).chain(self.telling.like.iter().filter_map(like));
        told.map(|operation| self.left(operation)).collect()
    }

    /// Whether the service is told by a word that an operation is asked for, so that its path says nothing.
    pub(super) fn is_told(&self, operation: &Operation) -> bool {
        self.telling.fields.iter().any(|key| word(operation, key).is_some())
            || self.telling.headers.iter().any(|key| operation.headers.contains_key(key))
    }

    fn left(&self, operation: &Operation) -> Result<OperationName, Refusal> {
        check_on(&self.name, operation)?;
        let name = operation.name.clone();
        if !operation.conceals() {
            return Ok(name);
        }
        let message = format!(
            "`{}/{name}` does not give away all that the service answers, so it is done by its name only",
            self.name
        );
        Err(Refusal::new(Code::Denied, message).hint(format!("`doorward op run {}.{name}`", self.name)))
    }
}

/// What an operation always has in this field.
fn word<'a>(operation: &'a Operation, key: &str) -> Option<&'a str> {
    let fixed = operation.fixed.iter().find(|(path, _)| matches!(&path[..], [one] if one == key));
    fixed.and_then(|(_, value)| value.as_str())
}

/// As a service that minds neither letter case nor white space around a word.
fn same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other)
}

/// The pairs of a form, as a service would read it that takes whatever comes.
fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let text = String::from_utf8_lossy(body);
    text.split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

/// Whether a body of this type may be read as a form. A service may guess where nothing is said that it knows.
fn may_be_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    !NO_FORMS.iter().any(|other| essence.contains(other))
}

const NO_FORMS: [&str; 6] = ["json", "xml", "cbor", "multipart/", "octet-stream", "image/"];
