//! The flags of the bench of the API.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// What `bench api --help` prints.
pub(super) const HELP: &str = "\
Measures the API for tenants over a PostgreSQL of its own, with 10 tenants and with many.

Usage: cargo xtask bench api [FLAGS]

  --tenants N        how many is many, default 1000
  --credentials N    credentials that each tenant has, 1 to 10, default 4; with `--by api` at most 4
  --by api|filler    how many tenants are made: through the API, which is measured then, or, much faster, by
                     `crates/broker/examples/fill_tenants.rs`; default api
  --threads N        callers at once, default 4
  --program PATH     measure this program instead of building the one that is shipped
  --filler PATH      fill with this program instead of building the one of `--by filler`
";

/// How many tenants are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Api,
    Filler,
}

/// How to measure.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) tenants: usize,
    pub(super) credentials: usize,
    pub(super) threads: usize,
    pub(super) by: By,
    pub(super) program: Option<PathBuf>,
    pub(super) filler: Option<PathBuf>,
}

impl Settings {
    /// Reads the flags; an unknown one is refused.
    pub(super) fn parse(flags: &[&str]) -> Outcome<Self> {
        let mut settings =
            Self { tenants: 1_000, credentials: 4, threads: 4, by: By::Api, program: None, filler: None };
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| Failure::new(format!("`{flag}` needs a value")))?;
            match *flag {
                "--tenants" => settings.tenants = number(flag, value, 10..=1_000_000)?,
                "--credentials" => settings.credentials = number(flag, value, 1..=10)?,
                "--threads" => settings.threads = number(flag, value, 1..=256)?,
                "--by" if *value == "api" => settings.by = By::Api,
                "--by" if *value == "filler" => settings.by = By::Filler,
                "--filler" => settings.filler = Some(PathBuf::from(value)),
                "--program" => settings.program = Some(PathBuf::from(value)),
                _ => return Err(Failure::new(format!("there is no flag `{flag}`; see `bench api --help`"))),
            }
        }
        if settings.by == By::Api && settings.credentials > 4 {
            return Err(Failure::new("more than 4 credentials need `--by filler`"));
        }
        Ok(settings)
    }
}

fn number(flag: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Outcome<usize> {
    let read = value.parse().ok().filter(|number| range.contains(number));
    read.ok_or_else(|| {
        Failure::new(format!("`{flag}` is a number from {} to {}", range.start(), range.end()))
    })
}
