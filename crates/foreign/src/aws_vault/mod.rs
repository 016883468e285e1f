//! The command line of aws-vault: its grammar, what it means, and what it prints.
//!
//! [`read()`] turns words into an [`command::Invocation`]; the flows that run it are elsewhere, and `doorward aws` uses the
//! same ones. [`print`](mod@print) has the forms of output that scripts read byte for byte.

pub mod command;
pub mod grammar;
pub mod print;
mod read;
mod stores;

pub use read::{Asked, World, globals, read};

/// Variables that hold secrets of ours. No program that we start gets to see them, whatever else it inherits.
pub const OUR_SECRETS: &[&str] = &[
    "AWS_VAULT_FILE_PASSPHRASE",
    "AWS_VAULT_OP_CONNECT_TOKEN",
    "OP_CONNECT_TOKEN",
    "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "PROTON_PASS_PERSONAL_ACCESS_TOKEN",
];
