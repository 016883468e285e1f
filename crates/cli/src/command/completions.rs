//! `doorward completions`: what a shell needs to complete our command line.

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::failure::Outcome;
use crate::print::Printer;

/// Prints the completions. They are made whole first: the library ends the process where a pipe is closed.
pub(crate) fn run(args: &Completions) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "doorward", &mut text);
    Printer::text(&String::from_utf8_lossy(&text))
}
