//! Licences, sources and bans of everything that is compiled in, by cargo-deny and `deny.toml`.

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::program::Program;
use crate::setup;

/// Runs every check that needs no network.
pub(crate) fn run(root: &Path) -> Outcome {
    check(root, &["bans", "licenses", "sources"])
}

/// Runs the check against the database of advisories that is on this machine.
pub(crate) fn advisories(root: &Path) -> Outcome {
    check(root, &["advisories"])
}

/// Whether cargo-deny has a database of advisories on this machine. It is fetched by `cargo deny fetch`, not by us.
pub(crate) fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(Path::new(&home).join(".cargo"))
    });
    home.is_some_and(|home| ["advisory-db", "advisory-dbs"].iter().any(|name| home.join(name).is_dir()))
}

fn check(root: &Path, which: &[&str]) -> Outcome {
    let tool = setup::tool("cargo-deny")
        .ok_or_else(|| Failure::new("cargo-deny is not installed; `cargo xtask setup` installs it"))?;
    let mut arguments = vec!["--offline", "--all-features", "check", "--hide-inclusion-graph"];
    arguments.extend(which);
    Program::at(root, &tool, &arguments).run()
}
