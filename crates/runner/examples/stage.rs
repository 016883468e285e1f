//! The smallest program that can be its own sandbox: it does the steps inside, and nothing else. The tests run commands with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    runner::inside(&words).unwrap_or(ExitCode::FAILURE)
}
