//! Parameters of a request's address.
//!
//! # Invariants
//!
//! - A parameter that is there twice is an error, because two readers could take different ones.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads them. `None` when one is there twice, is not UTF-8, or there are more than 16.
    pub(crate) fn of(text: Option<&'a str>) -> Option<Self> {
        let mut all: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if all.len() >= MOST || all.iter().any(|(other, _)| *other == name) {
                return None;
            }
            all.push((name, value));
        }
        Some(Self(all))
    }

    /// The value of a parameter that is there and not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// Whether a switch is there and says yes.
    pub(crate) fn says(&self, name: &str, value: &str) -> bool {
        self.value(name).is_some_and(|said| said.eq_ignore_ascii_case(value))
    }
}

/// Percent signs and the plus of forms.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Some(Cow::Owned(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned()));
    }
    percent_decode_str(text).decode_utf8().ok()
}

const MOST: usize = 16;

#[cfg(test)]
mod tests;
