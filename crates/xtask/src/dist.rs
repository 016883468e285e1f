//! What is shipped: the program, built with a profile of its own work, and everything that goes with it.
//!
//! # Invariants
//!
//! - What is measured by the benches is what is shipped: both come from [`build::shipped`].
//! - The same commit gives the same bytes: times are those of the commit, orders are sorted, paths are mapped away.
//! - A file that could not be made here is named in `NOT-BUILT.md`, with the reason and the way to make it.

mod archive;
mod build;
mod compare;
mod facts;
mod licences;
mod linux;
mod notes;
mod profile;
mod sbom;

use std::path::{Path, PathBuf};

pub(crate) use build::shipped;

use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};
use facts::Facts;
use notes::Left;

/// `dist [--program FILE | --twice]`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    let program = match flags {
        [] => shipped(root)?,
        ["--twice"] => return compare::run(root),
        ["--program", file] => root.join(file),
        _ => {
            print!("{HELP}");
            return if flags.contains(&"--help") { Ok(()) } else { Err(Failure::new("unknown flags")) };
        }
    };
    for needed in ["tar", "gzip", "sha256sum", "git"] {
        if find(needed).is_none() {
            return Err(Failure::new(format!("`dist` needs `{needed}`")));
        }
    }
    let facts = Facts::read(root)?;
    let out = root.join("target/ship");
    fresh(&out)?;
    let tree = archive::tree(root, &program, &out, &facts)?;
    let mut left = Left::default();
    let mut made = vec![
        archive::archive(root, &out, &tree, &facts)?,
        archive::vault(&program, &out, &facts)?,
        sbom::write(&out, &facts)?,
    ];
    made.extend(linux::debian(root, &out, &tree, &facts, &mut left)?);
    made.extend(linux::rpm(root, &out, &tree, &facts, &mut left)?);
    archive::homebrew(root, &out, &facts)?;
    made.push("doorward.rb".to_owned());
    notes::write(&out, &facts, &left)?;
    sums(&out, &made)?;
    for name in made.iter().chain(&["SHA256SUMS".to_owned(), "NOT-BUILT.md".to_owned()]) {
        println!("target/ship/{name}");
    }
    Ok(())
}

/// `profile [--built FOLDER]`: works with an instrumented program and keeps what it did as the profile of the next build.
pub(crate) fn profile(root: &Path, flags: &[&str]) -> Outcome {
    profile::run(root, flags)
}

fn fresh(folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| Failure::doing("empty `target/ship`", &error))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| Failure::doing("make `target/ship`", &error))
}

/// `SHA256SUMS`, as `sha256sum --check` reads it.
fn sums(out: &Path, made: &[String]) -> Outcome {
    let mut names: Vec<&str> = made.iter().map(String::as_str).collect();
    names.sort_unstable();
    let text = Program::new(out, "sha256sum", &names).output()?;
    write(&out.join("SHA256SUMS"), &text)
}

fn write(file: &Path, text: &str) -> Outcome {
    std::fs::write(file, text).map_err(|error| Failure::doing(&format!("write `{}`", file.display()), &error))
}

fn read(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::doing(&format!("read `{}`", file.display()), &error))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::doing(&format!("make `{}`", folder.display()), &error))?;
    }
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| Failure::doing(&format!("copy `{}`", from.display()), &error))
}

/// A folder that was filled, relative to nothing.
type Tree = PathBuf;

const HELP: &str = "\
Makes what is shipped, in `target/ship`.

Usage: cargo xtask dist [--program FILE | --twice]

  --program FILE   pack this program instead of building one (for tests of the packing)
  --twice          build twice in two target folders, and compare the two programs byte by byte
";

#[cfg(test)]
mod tests;
