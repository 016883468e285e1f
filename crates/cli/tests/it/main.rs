//! The binary, asked as people and programs ask it.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod agent_bounds;
#[cfg(test)]
mod agent_edges;
#[cfg(test)]
mod agent_files;
#[cfg(test)]
mod agent_programs;
#[cfg(test)]
mod agent_wire;
#[cfg(test)]
mod approvals;
#[cfg(test)]
mod aws_beside;
#[cfg(test)]
mod aws_waiting;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bigquery;
#[cfg(test)]
mod binding;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod canaries_planted;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod console;
#[cfg(test)]
mod credential_api;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod emergencies;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod gateway_address;
#[cfg(test)]
mod gateway_beside;
#[cfg(test)]
mod gateway_document;
#[cfg(test)]
mod gateway_edges;
#[cfg(test)]
mod gateway_parity;
#[cfg(test)]
mod gateway_peer;
#[cfg(test)]
mod gateway_reasons;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod hidden;
#[cfg(test)]
mod incoming;
#[cfg(test)]
mod inplace;
#[cfg(test)]
mod key_providers;
#[cfg(test)]
mod kill9;
#[cfg(test)]
mod life;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod llm;
#[cfg(test)]
mod llm_door;
#[cfg(test)]
mod making;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod names;
#[cfg(test)]
mod names_readings;
#[cfg(test)]
mod network;
#[cfg(test)]
mod network_wire;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod operations_bounds;
#[cfg(test)]
mod operations_waiting;
#[cfg(test)]
#[path = "../../../xtask/src/setup/place.rs"]
#[expect(dead_code, reason = "the other SDKs have tests of their own")]
mod place;
#[cfg(test)]
mod policy_files;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod programs_beside;
#[cfg(test)]
mod programs_git;
#[cfg(test)]
mod programs_referred;
#[cfg(test)]
mod programs_strings;
#[cfg(test)]
mod programs_tools;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod readings;
#[cfg(test)]
mod run;
#[cfg(test)]
mod session;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod tenant_api;
#[cfg(test)]
mod tenant_api_bounds;
#[cfg(test)]
mod tenant_beside;
#[cfg(test)]
mod tenant_clouds;
#[cfg(test)]
mod tenant_document;
#[cfg(test)]
mod tenant_flights;
#[cfg(test)]
mod tenant_models;
#[cfg(test)]
mod tenant_rounds;
#[cfg(test)]
mod tenant_walls;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod trouble_homes;
#[cfg(test)]
mod typing;
#[cfg(test)]
mod v1;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod written;

use std::path::Path;

use testkit::Doorward;

/// A home that nothing was done in yet.
fn home() -> Doorward {
    Doorward::home(env!("CARGO_BIN_EXE_doorward"))
}

/// How long a test waits for what comes by itself: longer than anything takes on a machine that is slow and busy.
#[cfg(test)]
const HANG: std::time::Duration = std::time::Duration::from_secs(120);

/// Writes a file of the test.
#[cfg(test)]
fn write(path: impl AsRef<Path>, text: &str) {
    store::files::replace(path.as_ref(), text.as_bytes(), 0o600).unwrap();
}

/// How many rounds a torture does: few of them unless `cargo xtask torture` says otherwise.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the number of rounds is told by whoever runs the test")]
fn rounds(usually: u64) -> u64 {
    std::env::var("DOORWARD_ROUNDS").map_or(usually, |text| text.parse().unwrap())
}

/// Writes an integration into a home, before or while a broker runs over it. The name is the one in the text.
#[cfg(test)]
fn write_integration(doorward: &Doorward, text: &str) {
    use std::os::unix::fs::DirBuilderExt;
    let folder = doorward.data().join("integrations");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    let name = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
    write(folder.join(format!("{name}.yaml")), text);
}

/// Notes that a check can't be made here; `docs/checks/not-here.toml` lists on which machines that may be.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip(check: &str, reason: &str) {
    use std::io::Write;
    println!("skipped {check}: {reason}");
    if let Some(path) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{check}\t{reason}").unwrap();
    }
}

/// Whether programs can run in a sandbox here; where they can't, that is said.
#[cfg(test)]
fn has_sandbox(check: &str) -> bool {
    let tried = std::process::Command::new("unshare").args(["-Urn", "true"]).output();
    let works = tried.is_ok_and(|tried| tried.status.success());
    if !works {
        skip(check, "user namespaces are forbidden here, so there is no sandbox");
    }
    works
}
