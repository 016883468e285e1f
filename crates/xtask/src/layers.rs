//! Who may import whom: the floors of the house, and which crate may use which dependency.
//!
//! The rules are in `layers.toml`; what is so comes from `cargo metadata` and `deny.toml`. Nothing is allowed by being
//! unknown: a crate without a floor and a dependency without a line are problems.

mod table;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::failure::{Failure, Outcome, none_of};
use crate::program::Program;
use table::{Bans, Outside, Table};

/// Checks the workspace against `layers.toml`, and `deny.toml` with it.
pub(crate) fn run(root: &Path) -> Outcome {
    let table = Table::read(&text_of(root, "crates/xtask/layers.toml")?)?;
    let bans = Bans::read(&text_of(root, "deny.toml")?)?;
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"];
    let metadata = Metadata::read(&Program::cargo(root, &arguments).output()?)?;
    let mut problems = imports(&metadata, &table);
    problems.extend(mirrored(&metadata, &table, &bans));
    none_of(&problems)
}

fn text_of(root: &Path, file: &str) -> Outcome<String> {
    std::fs::read_to_string(root.join(file))
        .map_err(|error| Failure::doing(&format!("read `{file}`"), &error))
}

/// The part of `cargo metadata` that matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

impl Metadata {
    fn read(text: &str) -> Outcome<Self> {
        serde_json::from_str(text)
            .map_err(|error| Failure::doing("read the answer of `cargo metadata`", &error))
    }

    fn members(&self) -> BTreeSet<&str> {
        self.packages.iter().map(|package| package.name.as_str()).collect()
    }
}

impl Dependency {
    fn is_of_the_house(&self) -> bool {
        self.path.is_some()
    }

    fn only_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Every import that breaks a rule.
fn imports(metadata: &Metadata, table: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let name = &package.name;
        if !table.floors.contains_key(name) && !table.outside.contains_key(name) {
            problems.push(format!(
                "{name}: has no floor; a new crate needs a decision page and a line in crates/xtask/layers.toml"
            ));
        }
        for dependency in &package.dependencies {
            let why = if dependency.is_of_the_house() {
                inside(name, dependency, table)
            } else {
                from_outside(name, dependency, table)
            };
            problems.extend(why.map(|why| format!("{name}: {why}")));
        }
    }
    problems
}

/// Why `name` may not import its neighbour, if it may not.
fn inside(name: &str, dependency: &Dependency, table: &Table) -> Option<String> {
    let other = dependency.name.as_str();
    match table.outside.get(other) {
        Some(Outside::Nobody) => return Some(format!("imports `{other}`, which nobody may")),
        Some(Outside::Dev) if dependency.only_for_tests() => return None,
        Some(Outside::Dev) => return Some(format!("imports `{other}`, which is a dev-dependency only")),
        None => {}
    }
    let Some(floor) = table.floors.get(other) else {
        return Some(format!("imports `{other}`, which has no floor"));
    };
    let own = match (table.floors.get(name), table.outside.get(name)) {
        (Some(own), _) => own,
        (None, Some(Outside::Dev)) => return None,
        (None, Some(Outside::Nobody)) => {
            return Some(format!("imports `{other}`, but its tasks use no other crate"));
        }
        // Reported once, as a crate without a floor.
        (None, None) => return None,
    };
    if floor >= own {
        return Some(format!(
            "is on floor {own} and imports `{other}` on floor {floor}; imports go downward"
        ));
    }
    let door = *own == table.doors.floor && !dependency.only_for_tests();
    if door && !table.doors.see.iter().any(|seen| seen == other) {
        return Some(format!("is a door and imports `{other}`; a door sees {}", table.doors.see.join(", ")));
    }
    None
}

/// Why `name` may not use a dependency from outside, if it may not.
fn from_outside(name: &str, dependency: &Dependency, table: &Table) -> Option<String> {
    let other = dependency.name.as_str();
    let named = |users: Option<&Vec<String>>| {
        users.is_some_and(|users| users.iter().any(|user| user == name || user == "*"))
    };
    if named(table.dependencies.get(other)) || (dependency.only_for_tests() && named(table.dev.get(other))) {
        return None;
    }
    Some(match table.dependencies.get(other) {
        Some(users) => format!("uses `{other}`, which is for {}", users.join(", ")),
        None => format!("uses `{other}`, which has no line in crates/xtask/layers.toml"),
    })
}

/// Where `deny.toml`, which sees the whole tree, says something else than the table.
fn mirrored(metadata: &Metadata, table: &Table, bans: &Bans) -> Vec<String> {
    let members = metadata.members();
    let mut problems = Vec::new();
    for name in &table.mirror.dependencies {
        let Some(wrappers) = bans.wrappers(name) else {
            problems
                .push(format!("deny.toml: has no ban of `{name}` with wrappers, but layers.toml mirrors it"));
            continue;
        };
        let there: BTreeSet<&str> =
            wrappers.iter().map(String::as_str).filter(|wrapper| members.contains(wrapper)).collect();
        let here: BTreeSet<&str> = table
            .dependencies
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|user| members.contains(user))
            .collect();
        if here != there {
            problems.push(format!("deny.toml: `{name}` is for {there:?}, in layers.toml for {here:?}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
