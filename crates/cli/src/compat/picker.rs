//! Picks a profile with the arrow keys.
//!
//! # Invariants
//!
//! - Everything is shown on stderr. Without a terminal at stdin and stderr nothing is written at all: stdout may be captured.

use std::io::{self, IsTerminal, Write};

use dialoguer::Select;

use crate::print::problem::clean;

/// Nothing was picked. The text is what aws-vault says.
#[derive(Debug, thiserror::Error)]
#[error("unable to select a 'profile'. Try --help")]
pub(crate) struct NotPicked {
    /// Why not.
    #[source]
    pub(crate) source: io::Error,
}

/// Asks which of the names is meant.
///
/// # Errors
/// Without a terminal, without names, and when nobody chose.
pub(crate) fn pick(names: &[String]) -> Result<String, NotPicked> {
    let none = |kind, text: &'static str| NotPicked { source: io::Error::new(kind, text) };
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(none(io::ErrorKind::UnexpectedEof, "there is no terminal"));
    }
    if names.is_empty() {
        return Err(none(io::ErrorKind::NotFound, "there are no profiles"));
    }
    let shown: Vec<String> = names.iter().map(|name| clean(name).replace(['\n', '\t'], "\u{fffd}")).collect();
    let question = Select::new().with_prompt("Choose AWS profile").items(&shown).default(0);
    let picked = crate::typed::asking(|| question.interact_opt());
    let picked = picked.map_err(|dialoguer::Error::IO(source)| {
        // It was hidden for the list, and is shown again only where something was chosen.
        let _ = io::stderr().write_all(b"\x1b[?25h");
        NotPicked { source }
    })?;
    let name = picked.and_then(|index| names.get(index));
    name.cloned().ok_or_else(|| none(io::ErrorKind::Interrupted, "nothing was chosen"))
}

#[cfg(test)]
mod tests;
