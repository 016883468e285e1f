//! What the files say of themselves: version, time, machine, and the libraries that are compiled in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::build::host;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// What is known of this build.
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) triple: String,
    /// Seconds since 1970: the commit's.
    pub(super) time: String,
    pub(super) packages: Vec<Package>,
}

/// A library that is compiled in, or one of our own crates.
#[derive(Deserialize, Clone)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) manifest_path: PathBuf,
    /// Where it came from; ours came from nowhere.
    pub(super) source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Facts {
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let triple = host(root)?;
        let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", &triple];
        let text = Program::cargo(root, &arguments).output()?;
        let metadata: Metadata =
            serde_json::from_str(&text).map_err(|error| Failure::doing("read `cargo metadata`", &error))?;
        let packages = compiled_in(&metadata)?;
        let cli = packages.iter().find(|package| package.name == "cli");
        let version = cli.map(|package| package.version.clone());
        let version = version.ok_or_else(|| Failure::new("there is no crate `cli`"))?;
        let time = Program::new(root, "git", &["log", "-1", "--format=%ct"]).output()?.trim().to_owned();
        Ok(Self { version, triple, time, packages })
    }

    /// How Debian and Go call this kind of processor.
    pub(super) fn processor(&self) -> &str {
        match self.triple.split('-').next() {
            Some("x86_64") => "amd64",
            Some("aarch64") => "arm64",
            other => other.unwrap_or("unknown"),
        }
    }

    /// `doorward-VERSION-TRIPLE`.
    pub(super) fn stem(&self) -> String {
        format!("doorward-{}-{}", self.version, self.triple)
    }
}

/// `cli` and all that it is linked from; what only builds or tests it is not in it.
fn compiled_in(metadata: &Metadata) -> Outcome<Vec<Package>> {
    let edges: BTreeMap<&str, Vec<&str>> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| {
            let normal =
                node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            (node.id.as_str(), normal.map(|edge| edge.pkg.as_str()).collect())
        })
        .collect();
    let cli = metadata.packages.iter().find(|package| package.name == "cli" && package.source.is_none());
    let cli = cli.ok_or_else(|| Failure::new("there is no crate `cli`"))?;
    let mut reached = BTreeSet::from([cli.id.as_str()]);
    let mut open = vec![cli.id.as_str()];
    while let Some(id) = open.pop() {
        for next in edges.get(id).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    let mut packages: Vec<Package> =
        metadata.packages.iter().filter(|package| reached.contains(package.id.as_str())).cloned().collect();
    packages.sort_by(|left, right| (&left.name, &left.version).cmp(&(&right.name, &right.version)));
    Ok(packages)
}
