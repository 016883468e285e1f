//! Runs a finished command as an operation: a program that somebody else wrote, with a secret that is ours to keep.
//!
//! Whoever calls this has the program found ([`Programs`]), a private folder for its files ([`Room`]), and the command made; what
//! comes back ([`Ran`]) is what the program said and how it ended. Nothing here decides anything, knows of integrations or
//! policies, or searches the output for secrets: that is done above.
//!
//! The program starts in a sandbox ([`Sandbox`]): in namespaces of its own, without a network, with a file system that has
//! programs and libraries in it and nothing of the user's, with few system calls. What it may reach it reaches through a relay
//! ([`net::relay`]) that leads to the hosts of the operation. Between the sandbox and the program is our own executable, started
//! again ([`inside`]): it sets limits, closes the door behind itself, and becomes the program. What is the same for every run
//! is made once: the filter of system calls, and a copy of the machine's settings.
//!
//! # Invariants
//!
//! - There is no shell. An argument is an argument.
//! - The environment of the program is what the command says and nothing else. Arguments, environment and the words of every
//!   process between us and the program hold no stored secret: those are in files of the room.
//! - Files of a room are for its owner only, on a memory file system where there is one, and wiped when the run is over,
//!   however it ends; what a killed broker left is wiped by the next one.
//! - Output is bounded: what is too much is read, counted and dropped.
//! - When a run is over, every process that it started is gone, or is being ended by the kernel with its namespace.
//! - A sandbox that does not work is an error. Without one a program runs only where somebody said so.

mod capture;
mod channel;
mod command;
mod error;
mod look_up;
mod room;
mod running;
pub mod sandbox;
mod stage;
mod turns;

pub use capture::Captured;
pub use command::{Command, Exit, Limits, Ran};
pub use error::Error;
pub use look_up::{Absent, Program, Programs};
pub use room::{Room, Rooms};
pub use sandbox::{Kind, Sandbox, Setup, Wanted};
pub use stage::{WORD, inside};
pub use turns::{Turn, Turns};
