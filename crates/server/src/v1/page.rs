//! Pages of a list. A cursor names the last item of the page before, so that what comes or goes meanwhile neither repeats nor
//! hides another one.

use std::fmt::Write as _;

use model::{Code, Refusal};
use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::problem::Problem;
use super::route::{List, Pages};

/// The page that was asked for, of what an operation gave.
pub(crate) fn of(list: &List, mut answer: Value, asked: &Asked) -> Result<Value, Problem> {
    let mut page = Map::new();
    for (name, _) in list.beside {
        page.insert((*name).to_owned(), answer.get_mut(*name).map(Value::take).unwrap_or_default());
    }
    let items = match answer.get_mut(list.member).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    if list.pages == Pages::Operation {
        let next = answer.get("next").and_then(Value::as_u64).map(|next| written(&next.to_string()));
        page.insert("items".to_owned(), items.into());
        page.insert("next".to_owned(), json!(next));
        return Ok(Value::Object(page));
    }
    let key = |item: &Value| item.get(list.key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut items: Vec<Value> = items.into_iter().filter(|item| admits(item, asked)).collect();
    items.sort_by_key(key);
    let total = items.len();
    if let Some(cursor) = &asked.cursor {
        let last = read(cursor)?;
        items.retain(|item| key(item) > last);
    }
    let more = items.len() > asked.limit;
    items.truncate(asked.limit);
    let next = items.last().filter(|_| more).map(|last| written(&key(last)));
    page.insert("items".to_owned(), items.into());
    page.insert("total".to_owned(), total.into());
    page.insert("next".to_owned(), json!(next));
    Ok(Value::Object(page))
}

/// What a cursor says.
pub(crate) fn read(cursor: &str) -> Result<String, Problem> {
    let wrong = || Problem::of(Refusal::new(Code::BadRequest, "`cursor` is not one that a page gave"));
    let digits =
        cursor.strip_prefix(MARK).filter(|rest| rest.len() % 2 == 0 && rest.is_ascii()).ok_or_else(wrong)?;
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    String::from_utf8(bytes.ok_or_else(wrong)?).map_err(|_| wrong())
}

fn written(key: &str) -> String {
    key.bytes().fold(MARK.to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn admits(item: &Value, asked: &Asked) -> bool {
    let is = |(member, wanted): &(&'static str, String)| match item.get(*member) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Bool(flag)) => flag.to_string() == *wanted,
        _ => false,
    };
    asked.filters.iter().all(is)
        && asked.search.as_ref().is_none_or(|text| item.to_string().to_lowercase().contains(text))
}

const MARK: &str = "c";

#[cfg(test)]
mod tests;
