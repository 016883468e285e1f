//! A profile of the program's own work, for the builds that are shipped.
//!
//! An instrumented program is built, does what it mostly does in use (calls through the gateway with small and large answers,
//! checks and requests at the agent's socket, commands for AWS), and what it counted is merged into one file.

use std::path::{Path, PathBuf};

use super::build::{MADE_WITH, ORDER, PROFILE, compile, host, libraries};
use crate::bench::train;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// `profile [--built FOLDER]`.
pub(super) fn run(root: &Path, flags: &[&str]) -> Outcome {
    let (folder, built) = match flags {
        [] => (root.join("target/profiled"), None),
        // What an earlier run built, with its counters going to `FOLDER/raw`.
        ["--built", folder] => (root.join(folder), Some(())),
        _ => return Err(Failure::new("usage: cargo xtask profile [--built FOLDER]")),
    };
    let merge = tool(root)?;
    let raw = folder.join("raw");
    if raw.exists() {
        std::fs::remove_dir_all(&raw).map_err(|error| Failure::doing("forget the profile before", &error))?;
    }
    std::fs::create_dir_all(&raw).map_err(|error| Failure::doing("make `target/profiled`", &error))?;
    let program = match built {
        Some(()) => folder.join(host(root)?).join("dist/doorward"),
        None => compile(root, &folder, &format!("-Cprofile-generate={}", raw.display()))?,
    };
    train::run(root, &program, SECONDS)?;
    let merged = folder.join("doorward.profdata");
    let (merged_text, raw_text) = (merged.to_string_lossy(), raw.to_string_lossy());
    Program::at(root, &merge, &["merge", "--sparse", "-o", &merged_text, &raw_text]).run()?;
    pack(root, &merged, PROFILE)?;
    let shown = Program::at(root, &merge, &["show", "--all-functions", &merged_text]).output()?;
    let order = folder.join("doorward.order");
    super::write(&order, &order_of(&shown))?;
    pack(root, &order, ORDER)?;
    super::write(&root.join(MADE_WITH), &(libraries(root)? + "\n"))?;
    println!("wrote {PROFILE} and {ORDER}; the next `cargo xtask dist` and every bench use it");
    Ok(())
}

/// The names of the functions that ran, a line each, in the order in which the profile has them.
///
/// `shown` is what `llvm-profdata show --all-functions` prints: a name behind two spaces and with a colon, then what was counted,
/// further in. A function that only one unit of code can see has that unit in front of its name.
pub(super) fn order_of(shown: &str) -> String {
    let mut seen = std::collections::HashSet::new();
    let names = shown.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names = names.filter(|name| !name.starts_with(' '));
    let names = names.map(|name| name.rsplit(';').next().unwrap_or(name));
    names.filter(|name| seen.insert(*name)).map(|name| format!("{name}\n")).collect()
}

fn pack(root: &Path, file: &Path, to: &str) -> Outcome {
    let command = format!("gzip -n9c \"$0\" > {to}");
    Program::new(root, "sh", &["-c", &command, &file.to_string_lossy()]).run()
}

/// `llvm-profdata` of the compiler that is used: another one may write another format.
fn tool(root: &Path) -> Outcome<PathBuf> {
    let folder = Program::new(root, "rustc", &["--print", "target-libdir"]).output()?;
    let file = Path::new(folder.trim()).with_file_name("bin").join("llvm-profdata");
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::new("`llvm-profdata` is not there: `rustup component add llvm-tools`"))
}

/// How long each kind of work is done.
const SECONDS: u64 = 8;
