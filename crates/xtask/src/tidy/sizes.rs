//! How big a crate may be, and how its header should look.

use std::collections::BTreeMap;

use super::File;

const CRATE_LINES: usize = 10_000;
/// The binary speaks the command lines of several programs, each in its own folder, runs another gateway's files, exports traces, and
/// carries questions to where people answer; and it wires a store, and a table of BigQuery beside it, to all of them.
const CLI_LINES: usize = 29_600;
/// The path with every way to know a caller and to put a credential on a request, and behind it what Doorward does itself:
/// management, minting, the agent's operations, the credentials of tenants, sessions, sign-in elsewhere, webhooks, each in its own folder.
const BROKER_LINES: usize = 36_500;
/// Four languages (capabilities, Cedar, the agent's policy files, allowlists and denylists), each in its own folder; and the grants, with
/// a million capabilities in memory.
const POLICY_LINES: usize = 12_900;
/// Two families, secret sources and key providers, each member in a file of its own. A source and a provider of one service ask
/// it in the same way, so they live together.
const SECRETS_LINES: usize = 13_500;
/// Requests and programs: each operation is described as both, with its own reading and checks of each; and for whom tenants may
/// keep credentials, with what those look like and how they are tried; and the reads beside a write; and XML; and what a request
/// says another time in place of an input; and how manifests differ; and what a credential is asked about itself.
const CATALOG_LINES: usize = 15_500;
/// Lines of code, without comments: what somebody has to read who wants to trust the only unsafe code. A part of it puts the terminal
/// back where a signal ends a question (docs/decisions/0056).
const MEMORY_LINES: usize = 500;

/// Crates that are too big, and crates that don't have the lints of the workspace.
pub(super) fn problems(files: &[File]) -> Vec<String> {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut memory = 0;
    let mut problems = Vec::new();
    for file in files {
        let Some(name) = crate_of(file) else { continue };
        if file.is_rust() && !file.is_test() {
            *lines.entry(name).or_default() += file.text.lines().count();
            if name == "memory" {
                memory += file.code().count();
            }
        }
        // `memory` has the same lints written out, but for unsafe code.
        let manifest = file.path == format!("crates/{name}/Cargo.toml");
        if manifest && name != "memory" && !file.text.contains("[lints]\nworkspace = true\n") {
            problems.push(file.problem(1, "has no `[lints]` with `workspace = true`"));
        }
    }
    for (name, count) in lines {
        let most = match name {
            "cli" => CLI_LINES,
            "broker" => BROKER_LINES,
            "catalog" => CATALOG_LINES,
            "policy" => POLICY_LINES,
            "secrets" => SECRETS_LINES,
            _ => CRATE_LINES,
        };
        if count > most {
            problems.push(format!("crates/{name}: {count} lines; at most {most}"));
        }
    }
    if memory > MEMORY_LINES {
        problems.push(format!("crates/memory: {memory} lines of code; at most {MEMORY_LINES}"));
    }
    problems
}

/// Crates whose header is shorter or longer than a reader wants.
pub(super) fn headers(files: &[File]) -> Vec<String> {
    let mut warnings = Vec::new();
    for file in files {
        if crate_of(file).is_none_or(|name| file.path != format!("crates/{name}/src/lib.rs")) {
            continue;
        }
        let lines = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        if !(10..=40).contains(&lines) {
            warnings.push(format!("{}: the header has {lines} lines; 10 to 40 for a crate", file.path));
        }
    }
    warnings
}

fn crate_of(file: &File) -> Option<&str> {
    file.path.strip_prefix("crates/")?.split_once('/').map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
