//! A profile of the program's own work, for the builds that are shipped.
//!
//! An instrumented program is built, does what it mostly does in use (calls through the gateway with small and large answers,
//! checks and requests at the agent's socket, commands for AWS), and what it counted is merged into one file.

use std::collections::{HashMap, HashSet};
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
    empty(&raw)?;
    let program = match built {
        Some(()) => folder.join(host(root)?).join("dist/doorward"),
        None => compile(root, &folder, &format!("-Cprofile-generate={}", raw.display()))?,
    };
    let mut kinds = Vec::new();
    train::run(root, &program, SECONDS, &mut || {
        let merged = folder.join(format!("kind-{}.profdata", kinds.len()));
        let (merged_text, raw_text) = (merged.to_string_lossy(), raw.to_string_lossy());
        Program::at(root, &merge, &["merge", "--sparse", "-o", &merged_text, &raw_text]).run()?;
        kinds.push(merged);
        empty(&raw)
    })?;
    let merged = folder.join("doorward.profdata");
    let merged_text = merged.to_string_lossy();
    let texts: Vec<_> = kinds.iter().map(|kind| kind.to_string_lossy()).collect();
    let mut words = vec!["merge", "--sparse", "-o", &*merged_text];
    words.extend(texts.iter().map(|text| &**text));
    Program::at(root, &merge, &words).run()?;
    pack(root, &merged, PROFILE)?;
    let show = |kind: &Path| {
        Program::at(root, &merge, &["show", "--all-functions", &kind.to_string_lossy()]).output()
    };
    let shown = kinds.iter().map(|kind| show(kind)).collect::<Outcome<Vec<String>>>()?;
    let order = folder.join("doorward.order");
    super::write(&order, &order_of(&shown))?;
    pack(root, &order, ORDER)?;
    super::write(&root.join(MADE_WITH), &(libraries(root)? + "\n"))?;
    println!("wrote {PROFILE} and {ORDER}; the next `cargo xtask dist` and every bench use it");
    Ok(())
}

/// The names of the functions that ran, a line each: those that ran in the same kinds of work lie side by side, so that a
/// program that does one of them maps little of the others.
///
/// `shown` is what `llvm-profdata show --all-functions` prints of each kind: a name behind two spaces and with a colon, then what
/// was counted, further in. A function that only one unit of code can see has that unit in front of its name; where link-time
/// optimisation makes it known to other units, its name ends with the unit (`-use-source-filename-for-promoted-locals`).
pub(super) fn order_of(shown: &[String]) -> String {
    let mut ran: HashMap<&str, (u32, usize)> = HashMap::new();
    for (kind, text) in shown.iter().enumerate() {
        let names = text.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
        for name in names.filter(|name| !name.starts_with(' ')) {
            let place = ran.len();
            ran.entry(name).or_insert((0, place)).0 |= 1 << (shown.len() - kind);
        }
    }
    let mut names: Vec<_> = ran.into_iter().collect();
    names.sort_by_key(|(_, (kinds, place))| (std::cmp::Reverse(*kinds), *place));
    let mut seen = HashSet::new();
    let lines = names.into_iter().flat_map(|(name, _)| symbols(name));
    lines.filter(|name| seen.insert(name.clone())).map(|name| name + "\n").collect()
}

/// The names under which the linker may meet a function of the profile.
fn symbols(name: &str) -> Vec<String> {
    let Some((unit, name)) = name.rsplit_once(';') else { return vec![name.to_owned()] };
    let unit: String =
        unit.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    vec![name.to_owned(), format!("{name}.llvm.{unit}")]
}

/// Forgets what was counted so far.
fn empty(raw: &Path) -> Outcome {
    if raw.exists() {
        std::fs::remove_dir_all(raw).map_err(|error| Failure::doing("forget what was counted", &error))?;
    }
    std::fs::create_dir_all(raw).map_err(|error| Failure::doing("make `target/profiled`", &error))
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
