//! Pages of a list. A cursor names the last item of the page before, so that what comes or goes meanwhile neither repeats nor
//! hides another one.

use broker::Cursors;
use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::problem::Problem;
use super::route::{List, Pages};

/// The page that was asked for, of what an operation gave.
pub(crate) fn of(
    list: &List,
    mut answer: Value,
    (asked, cursors): (&Asked, &Cursors),
) -> Result<Value, Problem> {
    let mut page = Map::new();
    for (name, _) in list.beside {
        page.insert((*name).to_owned(), answer.get_mut(*name).map(Value::take).unwrap_or_default());
    }
    let items = match answer.get_mut(list.member).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    if list.pages == Pages::Operation {
        let next = answer.get("next").and_then(Value::as_u64).map(|next| cursors.written(&next.to_string()));
        page.insert("items".to_owned(), items.into());
        page.insert("next".to_owned(), json!(next));
        return Ok(Value::Object(page));
    }
    let key = |item: &Value| item.get(list.key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut items: Vec<Value> = items.into_iter().filter(|item| admits(item, asked)).collect();
    items.sort_by_key(key);
    let total = items.len();
    if let Some(cursor) = &asked.cursor {
        let last = cursors.read(cursor).map_err(Problem::of)?;
        items.retain(|item| key(item) > last);
    }
    let more = items.len() > asked.limit;
    items.truncate(asked.limit);
    let next = items.last().filter(|_| more).map(|last| cursors.written(&key(last)));
    page.insert("items".to_owned(), items.into());
    page.insert("total".to_owned(), total.into());
    page.insert("next".to_owned(), json!(next));
    Ok(Value::Object(page))
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

#[cfg(test)]
mod tests;
