//! What the command lines of other programs ([`foreign`]) need of this machine: its environment, a browser, a list to pick from.

pub(crate) mod assistantctl;
pub(crate) mod picker;
pub(crate) mod vault;

pub(crate) use foreign::{Environment, aws_vault, kingpin, links, opener};

/// The environment of this process.
pub(crate) fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the defaults of a foreign command line are variables; this is its edge"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
