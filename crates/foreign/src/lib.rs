//! Command lines of other programs: started through a link of their name, the binary speaks theirs.
//!
//! [`kingpin`] is the parser, and knows no program; [`aws_vault`] is the command line of one. A command line becomes plain
//! structs here; what they do is for the flows of the binary, which `doorward aws` uses as well. [`links`] makes the links under
//! whose names they are spoken. [`integrations`] and [`allowlist`] speak as programs written in Go do ([`flags`]), and edit the
//! files of a gateway with [`yaml`].
//!
//! # Invariants
//!
//! - A foreign command line keeps its own words, exit statuses and texts of errors: scripts read them.
//! - Parsing touches nothing: the environment comes in as a function, profile names as another.
//! - A code of an MFA device is wiped on drop and never shown by `Debug`.

pub mod allowlist;
pub mod aws_vault;
pub mod flags;
pub mod integrations;
pub mod kingpin;
pub mod links;
pub mod opener;
pub mod yaml;

/// How the parser looks into the environment: an unset variable and an empty one are the same.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Text from elsewhere must not steer the terminal that it is printed on.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
