//! Embeds `integrations/*.yaml` and `cases/*.yaml`: one sorted table of name, integration and cases, read when used.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "a build script gets its folder from the environment and writes one file"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let mut table = String::from("&[\n");
    for name in names(&root.join("integrations"))? {
        let integration = root.join("integrations").join(format!("{name}.yaml"));
        let cases = root.join("cases").join(format!("{name}.yaml"));
        // A missing case file is found by a test that names it; here it is an empty list.
        let cases = if cases.is_file() { format!("include_str!({cases:?})") } else { "\"[]\"".to_owned() };
        writeln!(
            table,
            "    Entry {{ name: {name:?}, text: include_str!({integration:?}), cases: {cases} }},"
        )?;
    }
    table.push_str("]\n");
    println!("cargo::rerun-if-changed=integrations");
    println!("cargo::rerun-if-changed=cases");
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("embedded.rs"), table)?;
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a file name is not UTF-8")?;
            names.push(stem.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
