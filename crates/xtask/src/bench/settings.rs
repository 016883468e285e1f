//! The flags of the bench.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// What `bench proxy --help` prints.
pub(super) const HELP: &str = "\
Measures the gateway beside nginx.

Usage: cargo xtask bench proxy [FLAGS]

  --rounds N         rounds of each target, default 3
  --seconds N        length of one round, default 8
  --warm N           seconds before each round that don't count, default 1
  --connections N    connections of the load, default 32
  --bodies A,B       sizes of the upstream's answers in bytes, default 1024,65536
  --homes A,B        where the evidence is: shm (memory), disk; default shm,disk; none measures nginx alone
  --program PATH     measure this program instead of building the one that is shipped
  --unpinned         let the machine choose the cores
";

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rounds: usize,
    pub(super) seconds: u64,
    pub(super) warm: u64,
    pub(super) connections: usize,
    pub(super) bodies: Vec<usize>,
    pub(super) homes: Vec<Place>,
    pub(super) program: Option<PathBuf>,
    pinned: bool,
}

/// Where a home of the broker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In memory, so that the disk doesn't count.
    Shm,
    /// On the disk of the repository.
    Disk,
}

impl Place {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Shm => "shm",
            Self::Disk => "disk",
        }
    }
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let mut settings = Self {
            rounds: 3,
            seconds: 8,
            warm: 1,
            connections: 32,
            bodies: vec![1024, 65536],
            homes: vec![Place::Shm, Place::Disk],
            program: None,
            // With one core there is nothing to keep apart.
            pinned: std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
        };
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            if *flag == "--unpinned" {
                settings.pinned = false;
                continue;
            }
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--rounds" => settings.rounds = number(flag, value, 1..=99)?,
                "--seconds" => settings.seconds = number(flag, value, 1..=600)? as u64,
                "--warm" => settings.warm = number(flag, value, 1..=60)? as u64,
                "--connections" => settings.connections = number(flag, value, 1..=1000)?,
                "--bodies" => settings.bodies = each(value, |size| number(flag, size, 64..=1 << 24))?,
                "--homes" if *value == "none" => settings.homes = Vec::new(),
                "--homes" => settings.homes = each(value, place)?,
                "--program" => settings.program = Some(PathBuf::from(value)),
                _ => {
                    return Err(Failure::new(format!("there is no flag `{flag}`; see `bench proxy --help`")));
                }
            }
        }
        Ok(settings)
    }

    /// The core of the load and of the upstream, if cores are chosen.
    pub(super) fn load_core(&self) -> Option<usize> {
        self.pinned.then_some(0)
    }

    /// The core of the proxies.
    pub(super) fn proxy_core(&self) -> Option<usize> {
        self.pinned.then_some(1)
    }
}

fn number(flag: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Outcome<usize> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        Failure::new(format!("`{flag}` takes a number from {} to {}", range.start(), range.end()))
    })
}

fn each<T>(value: &str, read: impl Fn(&str) -> Outcome<T>) -> Outcome<Vec<T>> {
    value.split(',').map(read).collect()
}

fn place(name: &str) -> Outcome<Place> {
    let place = [Place::Shm, Place::Disk].into_iter().find(|place| place.label() == name);
    place.ok_or_else(|| Failure::new(format!("a home is in `shm` or on `disk`, not `{name}`")))
}

#[cfg(test)]
mod tests;
