//! The flags of the bench of the commands for AWS.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// What `bench aws --help` prints.
pub(super) const HELP: &str = "\
Measures the commands for AWS as whole processes, beside an aws-vault where one is installed.

Usage: cargo xtask bench aws [FLAGS]

  --rounds N         runs of each command, default 15
  --parallel N       how many run at once for one session that has ended, default 200
  --seconds N        length of the load on the ECS server, default 5
  --program PATH     measure this program instead of building the one that is shipped
  --beside PATH      the aws-vault to measure beside it; else the first on PATH that is not our own link
";

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rounds: usize,
    pub(super) parallel: usize,
    pub(super) seconds: u64,
    pub(super) program: Option<PathBuf>,
    pub(super) beside: Option<PathBuf>,
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let mut settings = Self { rounds: 15, parallel: 200, seconds: 5, program: None, beside: None };
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--rounds" => settings.rounds = number(flag, value, 1..=1000)?,
                "--parallel" => settings.parallel = number(flag, value, 1..=1000)?,
                "--seconds" => settings.seconds = number(flag, value, 1..=60)? as u64,
                "--program" => settings.program = Some(PathBuf::from(value)),
                "--beside" => settings.beside = Some(PathBuf::from(value)),
                _ => return Err(Failure::new(format!("there is no flag `{flag}`; see `bench aws --help`"))),
            }
        }
        Ok(settings)
    }
}

fn number(flag: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Outcome<usize> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        Failure::new(format!("`{flag}` takes a number from {} to {}", range.start(), range.end()))
    })
}

#[cfg(test)]
mod tests;
