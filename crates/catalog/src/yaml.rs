//! The one way in which YAML is read here: strict booleans, no merge keys, no unknown tags, errors with a line.
//!
//! The reader's own messages repeat values; ours do not, because the value may be a secret in the wrong place.

use serde::de::DeserializeOwned;
use serde_saphyr::Error as Wrong;

use crate::{Error, nearest};

/// Reads a whole file. Other crates read their settings with it, so that YAML is read in one way.
///
/// # Errors
/// [`Error::Syntax`] with the line, and the nearest known word where one is near.
pub fn read<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|wrong| syntax(&wrong, file))
}

/// Reads a whole file of another program: merge keys count in it as they do there, and it may describe tens of thousands of
/// things.
///
/// # Errors
/// As [`read`].
pub fn read_foreign<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MOST_NODES,
            max_events: 2 * MOST_NODES,
        },
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
        merge_keys: serde_saphyr::MergeKeyPolicy::Merge,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|wrong| syntax(&wrong, file))
}

fn syntax(wrong: &Wrong, file: &str) -> Error {
    let line = wrong.location().map_or(0, |location| location.line());
    let (problem, nearest) = explain(wrong);
    Error::Syntax { file: file.to_owned(), line, problem, nearest }
}

fn explain(wrong: &Wrong) -> (String, Option<String>) {
    let problem = match wrong {
        Wrong::WithSnippet { error, .. } | Wrong::AliasError { error, .. } => return explain(error),
        Wrong::SerdeUnknownField { field, expected, .. } => {
            let near = nearest::word(field, expected.iter().copied());
            return (format!("the key {} is unknown", nearest::shown(field)), near);
        }
        Wrong::SerdeUnknownVariant { variant, expected, .. } => {
            let near = nearest::word(variant, expected.iter().copied());
            let words = expected.join("`, `");
            return (format!("{} is none of `{words}`", nearest::shown(variant)), near);
        }
        Wrong::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Wrong::SerdeInvalidType { expected, .. } | Wrong::SerdeInvalidValue { expected, .. } => {
            format!("expected {expected}")
        }
        Wrong::SerdeInvalidLength { expected, .. } => format!("expected {expected}"),
        Wrong::DuplicateMappingKey { .. } => "the same key is written twice".to_owned(),
        Wrong::InvalidBooleanStrict { .. } => "expected `true` or `false`".to_owned(),
        Wrong::NullIntoString { .. } => "expected text, found nothing".to_owned(),
        Wrong::InvalidScalar { ty, .. } => format!("expected {ty}"),
        Wrong::QuotingRequired { .. } => "this text needs quotes".to_owned(),
        Wrong::MergeKeyNotAllowed { .. } => "merge keys (`<<`) are not allowed".to_owned(),
        Wrong::Message { msg, .. } => msg.clone(),
        Wrong::Eof { .. } => "the file is empty or ends too early".to_owned(),
        Wrong::MultipleDocuments { .. } => "a file holds one document".to_owned(),
        _ => "this is not the YAML that is expected here".to_owned(),
    };
    (problem, None)
}

/// A hundred thousand integrations of some forty nodes each.
const MOST_NODES: usize = 4_000_000;
