//! The flags of the bench of operations.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// What `bench op --help` prints.
pub(super) const HELP: &str = "\
Measures what an operation by name costs over its bare program and its bare request, and many at once.

Usage: cargo xtask bench op [FLAGS]

  --rounds N         programs that are run each way, default 50; requests are twenty times as many
  --parallel N       reads at once, default 1000
  --program PATH     measure this program instead of building the one that is shipped
";

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rounds: usize,
    pub(super) parallel: usize,
    pub(super) program: Option<PathBuf>,
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let mut settings = Self { rounds: 50, parallel: 1000, program: None };
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--rounds" => settings.rounds = number(flag, value)?,
                "--parallel" => settings.parallel = number(flag, value)?,
                "--program" => settings.program = Some(PathBuf::from(value)),
                _ => return Err(Failure::new(format!("there is no flag `{flag}`; see `bench op --help`"))),
            }
        }
        Ok(settings)
    }
}

fn number(flag: &str, value: &str) -> Outcome<usize> {
    let number = value.parse().ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| Failure::new(format!("`{flag}` takes a number from 1 to 10000")))
}
