//! The reference pages that are written by the program itself: `docs/reference`.
//!
//! The whole folder is generated. `doorward generate DIR` writes it, and this task compares or copies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome, none_of};
use crate::program::Program;

const REFERENCE: &str = "docs/reference";

/// What to do with a page that is out of date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Report it.
    Check,
}

/// Pages by their path below the folder.
type Pages = BTreeMap<PathBuf, Vec<u8>>;

/// Generates the pages and writes or compares them.
pub(crate) fn run(root: &Path, mode: Mode) -> Outcome {
    let fresh = generated(root)?;
    let folder = root.join(REFERENCE);
    let present = if folder.is_dir() { pages_in(&folder)? } else { Pages::new() };
    match mode {
        Mode::Check => {
            let problems = differences(&fresh, &present);
            none_of(&problems)
                .map_err(|failure| Failure::new(format!("{failure}; run `cargo xtask generate`")))
        }
        Mode::Write => write(&folder, &fresh, &present),
    }
}

/// What the program writes now.
fn generated(root: &Path) -> Outcome<Pages> {
    let folder = root.join("target/generated");
    let doing = format!("empty `{}`", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| Failure::doing(&doing, &error))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing(&doing, &error))?;
    let shown = folder.to_string_lossy();
    Program::cargo(
        root,
        &["run", "--quiet", "--package", "cli", "--bin", "doorward", "--", "generate", &shown],
    )
    .run()?;
    let pages = pages_in(&folder)?;
    if pages.is_empty() {
        return Err(Failure::new("`doorward generate` wrote no page"));
    }
    Ok(pages)
}

fn pages_in(folder: &Path) -> Outcome<Pages> {
    let failed = |error: std::io::Error| Failure::doing(&format!("read `{}`", folder.display()), &error);
    let mut pages = Pages::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(&current).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed)?;
            if let Ok(name) = path.strip_prefix(folder) {
                pages.insert(name.to_path_buf(), bytes);
            }
        }
    }
    Ok(pages)
}

/// One line for each page that is not as it should be.
fn differences(fresh: &Pages, present: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, bytes) in fresh {
        let shown = format!("{REFERENCE}/{}", name.display());
        match present.get(name) {
            Some(old) if old == bytes => {}
            Some(old) => problems.push(format!("{shown}:{}: is out of date", first_difference(old, bytes))),
            None => problems.push(format!("{shown}: is missing")),
        }
    }
    for name in present.keys().filter(|name| !fresh.contains_key(*name)) {
        problems.push(format!("{REFERENCE}/{}: is no longer generated", name.display()));
    }
    problems
}

/// The number of the first line that differs.
fn first_difference(old: &[u8], new: &[u8]) -> usize {
    let lines = |bytes: &'_ [u8]| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    1 + old.iter().zip(&new).take_while(|(old, new)| old == new).count()
}

fn write(folder: &Path, fresh: &Pages, present: &Pages) -> Outcome {
    for (name, bytes) in fresh.iter().filter(|(name, bytes)| present.get(*name) != Some(*bytes)) {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|error| Failure::doing(&format!("write `{}`", path.display()), &error))?;
        println!("wrote {REFERENCE}/{}", name.display());
    }
    for name in present.keys().filter(|name| !fresh.contains_key(*name)) {
        let path = folder.join(name);
        std::fs::remove_file(&path)
            .map_err(|error| Failure::doing(&format!("remove `{}`", path.display()), &error))?;
        println!("removed {REFERENCE}/{}", name.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
