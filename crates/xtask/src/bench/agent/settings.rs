//! The flags of the bench of the agent.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// What `bench agent --help` prints.
pub(super) const HELP: &str = "\
Measures the agent on its Unix socket, beside a bare echo.

Usage: cargo xtask bench agent [FLAGS]

  --rounds N         rounds, default 3
  --seconds N        length of each load, default 3
  --live N           capabilities that are alive at once at the end, default 1000000; 0 leaves that out
  --home disk|shm    where the home is, default disk
  --program PATH     measure this program instead of building the one that is shipped
";

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rounds: usize,
    pub(super) seconds: u64,
    pub(super) live: u64,
    pub(super) memory: bool,
    pub(super) program: Option<PathBuf>,
    cores: usize,
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut settings =
            Self { rounds: 3, seconds: 3, live: 1_000_000, memory: false, program: None, cores };
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--rounds" => settings.rounds = number(flag, value, 1..=100)?,
                "--seconds" => settings.seconds = number(flag, value, 1..=60)? as u64,
                "--live" => settings.live = number(flag, value, 0..=10_000_000)? as u64,
                "--home" => settings.memory = place(value)?,
                "--program" => settings.program = Some(PathBuf::from(value)),
                _ => {
                    return Err(Failure::new(format!("there is no flag `{flag}`; see `bench agent --help`")));
                }
            }
        }
        Ok(settings)
    }

    /// The core of the echo and the agent, where there is more than one.
    pub(super) fn agent_core(&self) -> Option<usize> {
        (self.cores > 1).then_some(1)
    }

    /// The core of the load.
    pub(super) fn load_core(&self) -> Option<usize> {
        (self.cores > 1).then_some(0)
    }
}

fn place(value: &str) -> Outcome<bool> {
    match value {
        "disk" => Ok(false),
        "shm" => Ok(true),
        _ => Err(Failure::new(format!("`--home` is `disk` or `shm`, not `{value}`"))),
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
