//! The flags of the bench of the gateway.

use std::path::{Path, PathBuf};

use super::super::settings::{Place, Settings as Rounds};
use super::files::Size;
use crate::failure::{Failure, Outcome};

/// What `bench gateway --help` prints.
pub(super) const HELP: &str = "\
Measures the gateway beside nginx and AuthTranslator, and with many integrations, rules and connections.

Usage: cargo xtask bench gateway [FLAGS]

  --rounds N              rounds of each target, default 3
  --seconds N             length of one round, default 8
  --warm N                seconds before each round that don't count, default 1
  --connections N         connections of the load, default 32
  --bodies A,B            sizes of the upstream's answers in bytes, default 1024,65536
  --home shm|disk         where the evidence is: memory (default) or disk
  --integrations N        how many are many, default 10000
  --rules N               rules of the allowlist for the many, default 100000
  --idle N                connections that do nothing, default 10000; 0 leaves that out
  --authtranslator PATH   the program, where it is not on PATH
  --program PATH          measure this program instead of building the one that is shipped
  --unpinned              let the machine choose the cores
";

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rounds: Rounds,
    pub(super) size: Size,
    pub(super) idle: usize,
    pub(super) translator: Option<PathBuf>,
    pub(super) program: Option<PathBuf>,
    home: Place,
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let (mut shared, mut own) = (Vec::new(), Vec::new());
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            if *flag == "--unpinned" {
                shared.push(*flag);
                continue;
            }
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--rounds" | "--seconds" | "--warm" | "--connections" | "--bodies" => {
                    shared.extend([*flag, *value])
                }
                _ => own.push((*flag, *value)),
            }
        }
        let mut settings = Self {
            rounds: Rounds::parse(&shared)?,
            size: Size { integrations: 10_000, rules: 100_000 },
            idle: 10_000,
            translator: None,
            program: None,
            home: Place::Shm,
        };
        for (flag, value) in own {
            match flag {
                "--home" => settings.home = place(value)?,
                "--integrations" => settings.size.integrations = number(flag, value, 2..=100_000)?,
                "--rules" => settings.size.rules = number(flag, value, 0..=1_000_000)?,
                "--idle" => settings.idle = number(flag, value, 0..=15_000)?,
                "--authtranslator" => settings.translator = Some(PathBuf::from(value)),
                "--program" => settings.program = Some(PathBuf::from(value)),
                _ => {
                    return Err(Failure::new(format!(
                        "there is no flag `{flag}`; see `bench gateway --help`"
                    )));
                }
            }
        }
        Ok(settings)
    }

    /// A folder for a home of this name.
    pub(super) fn home(&self, folder: &Path, name: &str) -> PathBuf {
        let name = format!("doorward-bench-{}-{name}", std::process::id());
        match self.home {
            Place::Shm => Path::new("/dev/shm").join(name),
            Place::Disk => folder.join(name),
        }
    }

    /// Where the homes are, in a word.
    pub(super) fn home_label(&self) -> &'static str {
        self.home.label()
    }
}

fn number(flag: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Outcome<usize> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        Failure::new(format!("`{flag}` takes a number from {} to {}", range.start(), range.end()))
    })
}

fn place(value: &str) -> Outcome<Place> {
    match value {
        "shm" => Ok(Place::Shm),
        "disk" => Ok(Place::Disk),
        _ => Err(Failure::new(format!("`--home` is `shm` or `disk`, not `{value}`"))),
    }
}

#[cfg(test)]
mod tests;
