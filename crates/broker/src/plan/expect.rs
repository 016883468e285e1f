//! Whether an answer says what it has to.

use serde_json::Value;

use super::file::{Expect, Text};
use super::performed::Performed;

impl Expect {
    /// `Err` says what is missing. Values of the answer are named, not repeated: they may be long, and nobody's business.
    pub(crate) fn holds(&self, performed: &Performed) -> Result<(), String> {
        let Self { status, exit, contains, json, within: _ } = self;
        match (status, performed.status) {
            (Some(wanted), Some(got)) if i64::from(*wanted) == got => {}
            (Some(wanted), got) => return Err(format!("expected the status {wanted}, got {}", shown(got))),
            (None, _) => {}
        }
        match (exit, performed.exit) {
            (Some(wanted), Some(got)) if *wanted == got => {}
            (Some(wanted), got) => {
                return Err(format!("expected the exit status {wanted}, got {}", shown(got)));
            }
            (None, _) => {}
        }
        // A status that is none of success is one that was expected here.
        let expected = status.and(performed.status).is_some_and(|got| !(200..300).contains(&got))
            || exit.and(performed.exit).is_some_and(|got| got != 0);
        if let Some(why) = performed.failed.as_ref().filter(|_| !expected) {
            return Err(why.clone());
        }
        if let Some(text) = contains {
            let whole = match &performed.output {
                Value::String(output) => output.clone(),
                output => output.to_string(),
            };
            if !whole.contains(text) {
                return Err(format!("`{text}` is not in the answer"));
            }
        }
        for (path, Text(wanted)) in json {
            let found = path.split('.').try_fold(&performed.output, |value, part| match value {
                Value::Array(list) => part.parse::<usize>().ok().and_then(|at| list.get(at)),
                value => value.get(part),
            });
            let text = match found {
                None | Some(Value::Null) => return Err(format!("`{path}` is not in the answer")),
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
            };
            if wanted != "*" && text != *wanted {
                return Err(format!("`{path}` is not `{wanted}`"));
            }
        }
        Ok(())
    }
}

fn shown(got: Option<i64>) -> String {
    got.map_or_else(|| "none".to_owned(), |got| got.to_string())
}
