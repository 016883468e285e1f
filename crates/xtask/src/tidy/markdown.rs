//! Relative links in Markdown lead to a file of the repository, or to a heading that is there.

use std::collections::BTreeSet;

use super::File;

/// Links that lead nowhere.
pub(super) fn problems(files: &[File]) -> Vec<String> {
    let mut there: BTreeSet<&str> = BTreeSet::from([""]);
    for file in files {
        there.insert(&file.path);
        there.extend(file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)));
    }
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_a("md") && !file.is_fixture()) {
        for (number, target) in links(file) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) =
                target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let Some(path) = resolved(&file.path, path).filter(|path| there.contains(path.as_str())) else {
                problems.push(
                    file.problem(number, &format!("the link `{target}` leads to no file of the repository")),
                );
                continue;
            };
            let page = files.iter().find(|file| file.path == path && file.is_a("md"));
            if let (Some(page), Some(anchor)) = (page, anchor)
                && !headings(page).any(|heading| heading == anchor)
            {
                problems.push(file.problem(number, &format!("the link `{target}` leads to no heading")));
            }
        }
    }
    problems
}

/// The targets of inline links and of link definitions, outside code.
fn links(file: &File) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(file) {
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            links.extend(target.split_whitespace().next().map(|target| (number, target)));
        }
        // Every second piece between backticks is code.
        for text in line.split('`').step_by(2) {
            for (at, mark) in text.match_indices("](") {
                let rest = text.get(at + mark.len()..).unwrap_or_default();
                let target = rest.split([')', ' ']).next().unwrap_or_default();
                links.push((number, target.trim_matches(['<', '>'])));
            }
        }
        // A link whose text holds code is cut by the split above.
        for (at, mark) in line.match_indices("`](") {
            let rest = line.get(at + mark.len()..).unwrap_or_default();
            links.extend(rest.split([')', ' ']).next().map(|target| (number, target)));
        }
    }
    links.sort_unstable();
    links.dedup();
    links
}

/// The lines that are not in a fenced block of code.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The anchors of a page's headings: lower case, spaces as hyphens, without punctuation.
fn headings(page: &File) -> impl Iterator<Item = String> {
    prose(page).filter_map(|(_, line)| line.strip_prefix('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept =
            title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}

/// `target` as seen from the page `from`; nothing if it leaves the repository.
fn resolved(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => return None,
        None => from.split('/').collect(),
    };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests;
