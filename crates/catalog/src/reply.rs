//! The evidence fields of a reply: external ids that say what came of a call. Bounded, and safe to print.

use std::collections::BTreeMap;

use crate::body::json;

/// Where an evidence field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A header of the reply, by its name in lower case.
    Header(String),
    /// A dotted path in the JSON body.
    Body(String),
}

impl Origin {
    /// Reads `header:NAME` or a dotted path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("header:") {
            return if is_header(name) {
                Ok(Self::Header(name.to_ascii_lowercase()))
            } else {
                Err("behind `header:` stands the name of a header".to_owned())
            };
        }
        let word = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '@'))
        };
        if text.split('.').all(word) {
            Ok(Self::Body(text.to_owned()))
        } else {
            Err("an evidence field is `header:NAME` or a dotted path in the reply".to_owned())
        }
    }
}

/// The fields that are there, in the order of their names.
pub(crate) fn fields(
    wanted: &BTreeMap<String, Origin>,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Vec<(String, String)> {
    let from_body = wanted.values().any(|origin| matches!(origin, Origin::Body(_)));
    // A reply that is not JSON has no fields; that is the service's right, and no reason to lose the reply.
    let body = if from_body { json::read(body).ok() } else { None };
    wanted
        .iter()
        .filter_map(|(name, origin)| {
            let text = match origin {
                Origin::Header(header) => headers(header),
                Origin::Body(path) => body.as_ref().and_then(|body| body.at(path)).and_then(json::Json::text),
            };
            text.map(|text| (name.clone(), bounded(&text)))
        })
        .collect()
}

/// At most 256 characters, none of which moves a cursor or hides.
fn bounded(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let plain = c == ' ' || (!c.is_control() && !c.is_whitespace() && !is_invisible(c));
        let piece: String = if plain { c.into() } else { c.escape_unicode().collect() };
        length += piece.chars().count();
        if length > LONGEST {
            break;
        }
        out.push_str(&piece);
    }
    out
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text can be the name of a header (RFC 9110, section 5.1; only what services use).
pub(crate) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Most characters of one field.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
