//! Speaks the line protocol with an agent: asks it, prints its answers in the seed's words.
//!
//! `doorward agent …`, `doorward capability …` and the link `vault` all come here; what differs between them is where the
//! agent is looked for and how a failure is said ([`Voice`]).
//!
//! # Invariants
//!
//! - A client needs no home, no network and no runtime: one connection, one line out, one line in.
//! - With `--format json` stdout is one JSON value; a failure is said on stderr as well, because programs look there for
//!   `connection refused`.
//! - A bearer goes into a file for its holder, or to stdout where `--bearer` asked for it; nowhere else.

pub(crate) mod asking;
pub(crate) mod client;
pub(crate) mod how;
pub(crate) mod output;
pub(crate) mod tables;
pub(crate) mod wanted;

use std::path::PathBuf;

use crate::failure::Outcome;
use crate::settings::Lookup;

/// Which command line is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Our own.
    Doorward,
    /// That of the link `vault`.
    Vault,
}

/// Where an agent is looked for: the flag, the variable, else the usual places in their order.
pub(crate) fn places(
    flag: Option<PathBuf>,
    lookup: Lookup<'_>,
    usual: impl FnOnce() -> Outcome<PathBuf>,
) -> Outcome<Vec<PathBuf>> {
    let told = flag.or_else(|| lookup("VAULT_AGENT_SOCKET_PATH").map(PathBuf::from));
    if let Some(path) = told {
        return Ok(vec![path]);
    }
    let system = PathBuf::from("/var/run/vault/agent.sock");
    Ok(usual().map_or_else(|_| vec![system.clone()], |own| vec![own, system.clone()]))
}
