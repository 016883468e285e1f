//! The links of a site that was made: each leads to a file of it, and to an anchor that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) pages: usize,
    pub(super) inside: usize,
    /// Addresses elsewhere, with the first page that names each.
    pub(super) outside: BTreeMap<String, String>,
    pub(super) broken: Vec<String>,
}

/// Looks at all pages below a folder.
pub(super) fn look(site: &Path) -> Outcome<Seen> {
    let mut pages = BTreeMap::new();
    let mut files = BTreeSet::new();
    gather(site, site, &mut pages, &mut files)?;
    Ok(judge(&pages, &files))
}

/// What the links of these pages lead to. Paths are relative to the site.
pub(super) fn judge(pages: &BTreeMap<String, String>, files: &BTreeSet<String>) -> Seen {
    let anchors: BTreeMap<&str, BTreeSet<&str>> =
        pages.iter().map(|(path, text)| (path.as_str(), values(text, "id").collect())).collect();
    let mut seen = Seen { pages: pages.len(), ..Seen::default() };
    for (page, text) in pages {
        for target in values(text, "href").chain(values(text, "src")) {
            let target = target.replace("&amp;", "&");
            if ["http://", "https://", "mailto:"].iter().any(|start| target.starts_with(start)) {
                let _ = seen.outside.entry(target).or_insert_with(|| page.clone());
                continue;
            }
            if target.starts_with("data:") || target.starts_with("javascript:") {
                continue;
            }
            seen.inside += 1;
            if let Some(problem) = problem(page, &target, &anchors, files) {
                seen.broken.push(format!("{page}: `{target}` {problem}"));
            }
        }
    }
    seen.broken.dedup();
    seen
}

fn problem(
    page: &str,
    target: &str,
    anchors: &BTreeMap<&str, BTreeSet<&str>>,
    files: &BTreeSet<String>,
) -> Option<&'static str> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    let to = if path.is_empty() { page.to_owned() } else { resolved(page, path)? };
    if !files.contains(&to) {
        return Some("leads to nothing");
    }
    let known = anchors.get(to.as_str());
    (!anchor.is_empty() && known.is_some_and(|known| !known.contains(anchor)))
        .then_some("leads to no heading")
}

/// `path` as seen from `page`.
fn resolved(page: &str, path: &str) -> Option<String> {
    let mut parts = PathBuf::from(page);
    let _ = parts.pop();
    for part in Path::new(path.trim_end_matches('/')).components() {
        match part {
            Component::ParentDir => {
                if !parts.pop() {
                    return Some("..".to_owned());
                }
            }
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Some("/".to_owned()),
        }
    }
    let folder = path.ends_with('/') || parts.as_os_str().is_empty();
    if folder {
        parts.push("index.html");
    }
    Some(parts.to_string_lossy().into_owned())
}

/// The values of an attribute, wherever it stands in a page.
fn values<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let start = format!(" {name}=\"");
    let length = start.len();
    let places: Vec<usize> = text.match_indices(start.as_str()).map(|(at, _)| at + length).collect();
    places.into_iter().filter_map(|at| text.get(at..)?.split('"').next())
}

fn gather(
    site: &Path,
    folder: &Path,
    pages: &mut BTreeMap<String, String>,
    files: &mut BTreeSet<String>,
) -> Outcome {
    let failed = |error| Failure::doing(&format!("list `{}`", folder.display()), &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            gather(site, &path, pages, files)?;
            continue;
        }
        let shown = path.strip_prefix(site).unwrap_or(&path).to_string_lossy().into_owned();
        // Two pages of mdBook's own: all others in one, and one that is shown under any address.
        if shown.ends_with(".html") && !matches!(shown.as_str(), "print.html" | "404.html" | "toc.html") {
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            let _ = pages.insert(shown.clone(), text);
        }
        let _ = files.insert(shown);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
