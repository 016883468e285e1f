//! Rules for Rust files that no lint has.

use super::File;

const LINES: usize = 400;
const TEST_LINES: usize = 800;

/// Module names that say nothing about what is in them.
const VAGUE: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

// In halves, so that the checker doesn't find itself.
const UNWRAP: &str = concat!(".unw", "rap()");
const UNFINISHED: &[&str] =
    &[concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore]")];
const CONDITIONAL: &str = concat!(" all", "ow(");
const ALLOW: &[&str] = &[concat!("#[all", "ow"), concat!("#![all", "ow")];

/// The file whose table must have a line for each code, so that a new one is considered.
const REFUSALS: &str = "crates/model/src/refusal.rs";

/// What is wrong with one file.
pub(super) fn problems(file: &File) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let limit = if file.is_test() { TEST_LINES } else { LINES };
    let lines = file.text.lines().count();
    if lines > limit {
        problems
            .push(file.problem(limit + 1, &format!("{lines} lines; at most {limit}: split it by subject")));
    }
    if !file.text.starts_with("//!") {
        problems.push(file.problem(1, "has no header; its first line is `//!` and says what it is"));
    }
    for (number, line) in file.code() {
        problems.extend(line_problems(file, line).into_iter().map(|what| file.problem(number, &what)));
    }
    problems
}

fn line_problems(file: &File, line: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let trimmed = line.trim_start();
    if let Some(name) = module(trimmed).filter(|name| VAGUE.contains(name)) {
        problems.push(format!("a module `{name}` could hold anything; name it after its subject"));
    }
    if ALLOW.iter().any(|allow| trimmed.starts_with(allow))
        || (line.contains("cfg_attr") && line.contains(CONDITIONAL))
    {
        problems
            .push("use #[expect(.., reason = \"..\")], which fails when it is no longer needed".to_owned());
    }
    if !file.is_test() && line.contains(UNWRAP) {
        problems.push(format!("`{UNWRAP}` outside tests; answer with an error"));
    }
    // In tests too: one that is ignored is a test that nobody runs.
    if let Some(found) = UNFINISHED.iter().find(|word| line.contains(*word)) {
        problems.push(format!("`{found}` is unfinished work"));
    }
    if !file.path.starts_with("crates/memory/") && is_unsafe(line) {
        problems.push("unsafe code lives in crates/memory only".to_owned());
    }
    if file.path == REFUSALS && has_wildcard(line) {
        problems.push("`_ =>` in the table of refusals; write each code out".to_owned());
    }
    problems
}

/// The name of the module that `line` declares.
fn module(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => {
            rest.strip_prefix('(').map_or(rest, |rest| rest.split_once(')').map_or(rest, |(_, rest)| rest))
        }
        None => line,
    };
    let name = line.trim_start().strip_prefix("mod ")?;
    name.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next()
}

fn is_unsafe(line: &str) -> bool {
    let word = concat!("unsa", "fe ");
    let Some((before, after)) = line.split_once(word) else { return false };
    let starts = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '"');
    starts && ["{", "fn", "impl", "extern", "trait"].iter().any(|next| after.trim_start().starts_with(next))
}

fn has_wildcard(line: &str) -> bool {
    let line = line.trim_start();
    ["_ =>", "_ if "].iter().any(|arm| line.starts_with(arm) || line.contains(&format!("| {arm}")))
}

#[cfg(test)]
mod tests;
