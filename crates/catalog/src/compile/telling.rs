//! Where a service looks for what is asked for, besides method and path.

use std::collections::BTreeMap;

use model::OperationName;

use super::Origin;
use crate::file::File;
use crate::integration::Telling;
use crate::{Error, Operation, input, nearest};

/// The fields and headers, each of which tells of some operation.
pub(super) fn telling(
    file: &File,
    origin: &Origin,
    operations: &BTreeMap<OperationName, Operation>,
) -> Result<Telling, Error> {
    let mut telling = Telling::default();
    for word in &file.operation_in {
        let (fixed, header) = (word.value.as_str(), word.value.strip_prefix("header:"));
        let tells = |operation: &Operation| match header {
            Some(name) => operation.headers.contains_key(name),
            None => operation.fixed.iter().any(|(path, value)| path.join(".") == fixed && value.is_string()),
        };
        if !operations.values().any(tells) {
            let problem = format!("`operation_in`: no operation always has `{fixed}`");
            return Err(origin.wrong(word.referenced.line(), problem));
        }
        match header {
            Some(name) => telling.headers.push(name.to_owned()),
            None => telling.fields.push(fixed.to_owned()),
        }
    }
    for (name, word) in &file.words_like {
        let wrong =
            |problem: String| origin.wrong(word.referenced.line(), format!("`words_like`: {problem}"));
        let Some(operation) = name.parse().ok().filter(|name| operations.contains_key(name)) else {
            let near = nearest::suffix(name, operations.keys().map(OperationName::as_str));
            return Err(wrong(format!("there is no operation `{name}`{near}")));
        };
        let pattern = input::pattern(&format!("(?i){}", word.value)).map_err(wrong)?;
        telling.like.push((operation, pattern));
    }
    Ok(telling)
}
