//! Decisions are numbered without a gap, and each promise names tests that exist.

use std::collections::BTreeSet;

use super::File;

const DECISIONS: &str = "docs/decisions/";
const PROMISES: &str = "docs/promises.toml";

/// What is wrong with the decisions and the promises.
pub(super) fn problems(files: &[File]) -> Vec<String> {
    let mut problems = decisions(files);
    if let Some(promises) = files.iter().find(|file| file.path == PROMISES) {
        problems.extend(kept(promises, &test_names(files)));
    }
    problems
}

/// Pages are `NNNN-title.md` from 1 on; only `README.md` has no number.
fn decisions(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut numbers = Vec::new();
    for file in files {
        let Some(name) = file.path.strip_prefix(DECISIONS).filter(|name| *name != "README.md") else {
            continue;
        };
        let number =
            name.split_once('-').filter(|_| file.is_a("md")).map(|(number, _)| number.parse::<usize>());
        match number {
            Some(Ok(number)) => numbers.push((number, name)),
            _ => problems.push(file.problem(1, "a decision is called `NUMBER-title.md`")),
        }
    }
    numbers.sort_unstable();
    for (expected, (number, name)) in (1..).zip(numbers) {
        if number != expected {
            problems.push(format!(
                "{DECISIONS}{name}: has number {number}, but the next in the row is {expected}"
            ));
            break;
        }
    }
    problems
}

/// The names of all test functions.
fn test_names(files: &[File]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let mut marked = false;
        for (_, line) in file.code() {
            let line = line.trim_start();
            if line.starts_with("#[") {
                marked |= line.starts_with("#[test]") || line.contains("::test]") || line.contains("::test(");
                continue;
            }
            let mut words = line.split_whitespace().skip_while(|word| *word != "fn");
            if let (true, Some(name)) = (marked, words.nth(1)) {
                names.extend(name.split(['(', '<']).next());
            }
            marked = false;
        }
    }
    names
}

/// Each `[[promise]]` has an `id`, a `text`, and names at least one test, in `tests`; `crate::module::name` is read by its
/// last word. Other keys are for who publishes the table.
fn kept(promises: &File, tests: &BTreeSet<&str>) -> Vec<String> {
    let table: toml::Table = match promises.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{PROMISES}: {error}")],
    };
    let Some(list) = table.get("promise").and_then(toml::Value::as_array) else {
        return vec![format!("{PROMISES}: has no list `[[promise]]`")];
    };
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    for (index, promise) in list.iter().enumerate() {
        let text = |key: &str| promise.get(key).and_then(toml::Value::as_str).filter(|text| !text.is_empty());
        let (Some(id), Some(_)) = (text("id"), text("text")) else {
            problems.push(format!("{PROMISES}: promise {} has no `id` or no `text`", index + 1));
            continue;
        };
        if !ids.insert(id) {
            problems.push(format!("{PROMISES}: the id `{id}` is there twice"));
        }
        let named: Vec<&str> = promise
            .get("tests")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .collect();
        if named.is_empty() {
            problems.push(format!("{PROMISES}: `{id}` names no test in `tests`"));
        }
        for name in named {
            if !tests.contains(name.rsplit("::").next().unwrap_or(name)) {
                problems.push(format!("{PROMISES}: `{id}` names the test `{name}`, which does not exist"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
