//! The second parser, which says what a text means: it shares no code with the one that edits.

use serde_json::Value;
use serde_saphyr::Error as Wrong;

use super::Error;

/// What a text means. Merge keys stay keys: an edit is compared by what is written, not by what it is merged to.
pub(super) fn value(text: &str, file: &str) -> Result<Value, Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        merge_keys: serde_saphyr::MergeKeyPolicy::AsOrdinary,
    };
    if is_blank(text) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str_with_options(text, options).map_err(|wrong| Error::Syntax {
        file: file.to_owned(),
        line: wrong.location().map_or(0, |location| location.line()),
        problem: explain(&wrong),
    })
}

/// Whether there is nothing but comments.
fn is_blank(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

/// What is wrong, without the reader's own words: they repeat what stands in the file.
fn explain(wrong: &Wrong) -> String {
    match wrong {
        Wrong::WithSnippet { error, .. } | Wrong::AliasError { error, .. } => return explain(error),
        Wrong::DuplicateMappingKey { .. } => "the same key is written twice",
        Wrong::MultipleDocuments { .. } => "a file holds one document, and this one holds several",
        Wrong::Eof { .. } => "the file ends too early",
        _ => "this is not YAML",
    }
    .to_owned()
}
