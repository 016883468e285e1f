//! One test, many times over: the promises that a single round can't show.
//!
//! Each name stands for the tests of one crate whose names begin with `torture_NAME`. They read the number of rounds from
//! the environment variable `DOORWARD_ROUNDS`; without it, as in `cargo xtask test`, they do a few.

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::program::Program;
use crate::test::Tally;

/// One thing to torture.
struct Torture {
    name: &'static str,
    /// The crate whose tests do it: `cargo test --package KRATE --release torture_NAME`.
    krate: &'static str,
    rounds: u64,
    about: &'static str,
}

const LIST: &[Torture] = &[
    Torture {
        name: "kill9",
        krate: "cli",
        rounds: 10_000,
        about: "kill the broker at any moment; nothing acknowledged is lost",
    },
    Torture {
        name: "postgres",
        krate: "cli",
        rounds: 200,
        about: "kill PostgreSQL under the load of a broker; nothing acknowledged is lost or doubled",
    },
    Torture {
        name: "commits",
        krate: "store",
        rounds: 200,
        about: "kill PostgreSQL or cut its connections under commits; each is there once or not at all",
    },
    Torture {
        name: "tamper",
        krate: "evidence",
        rounds: 100_000,
        about: "change the evidence anywhere; verification sees it",
    },
    Torture {
        name: "canaries",
        krate: "cli",
        rounds: 1_000,
        about: "plant secrets; none is seen in any output or file",
    },
    Torture {
        name: "names",
        krate: "cli",
        rounds: 1_000_000,
        about: "odd names and targets; one spelling or a refusal",
    },
    Torture {
        name: "smuggling",
        krate: "cli",
        rounds: 20,
        about: "messages that programs read differently, to real servers; one reading or a refusal",
    },
    Torture {
        name: "binding",
        krate: "cli",
        rounds: 20_000,
        about: "name one destination here and another there; no credential goes elsewhere",
    },
    Torture {
        name: "malformed",
        krate: "cli",
        rounds: 300_000,
        about: "bytes that are no request, at every door; no panic, no hang",
    },
    Torture {
        name: "narrowing",
        krate: "policy",
        rounds: 1_000_000,
        about: "narrow capabilities; none ever gets wider",
    },
    Torture {
        name: "policy",
        krate: "policy",
        rounds: 1_000_000,
        about: "damage policy files; each is read whole or refused with a line",
    },
];

/// The variable that tells a test how many rounds to do.
const ROUNDS: &str = "DOORWARD_ROUNDS";

/// `torture NAME [--rounds N]` or `torture --list`.
pub(crate) fn run(root: &Path, flags: &[&str]) -> Outcome {
    let (name, rounds) = match flags {
        ["--list"] => {
            print!("{}", list());
            return Ok(());
        }
        [name] => (*name, None),
        [name, "--rounds", rounds] => (*name, Some(parsed(rounds)?)),
        _ => return Err(Failure::new("say `torture NAME [--rounds N]` or `torture --list`")),
    };
    let Some(torture) = LIST.iter().find(|torture| torture.name == name) else {
        let names: Vec<&str> = LIST.iter().map(|torture| torture.name).collect();
        return Err(Failure::new(format!("there is no torture `{name}`, only {}", names.join(", "))));
    };
    let rounds = rounds.unwrap_or(torture.rounds).to_string();
    let filter = format!("torture_{name}");
    let arguments = ["test", "--package", torture.krate, "--release", &filter, "--", "--nocapture"];
    let program = Program::cargo(root, &arguments).env(ROUNDS, &rounds);
    println!("{ROUNDS}={rounds} {}", program.shown());
    let mut tally = Tally::default();
    program.read_along(|line| tally.read(line))?;
    // A filter that fits no test makes cargo happy; it must not make us so.
    if tally.passed == 0 {
        return Err(Failure::new(format!("no test `{filter}...` ran in crates/{}", torture.krate)));
    }
    Ok(())
}

fn parsed(rounds: &str) -> Outcome<u64> {
    match rounds.parse() {
        Ok(0) | Err(_) => Err(Failure::new(format!("`{rounds}` is no number of rounds"))),
        Ok(rounds) => Ok(rounds),
    }
}

fn list() -> String {
    let line = |torture: &Torture| {
        let Torture { name, krate, rounds, about } = torture;
        format!("{name:<10} {rounds:>8} rounds, crates/{krate}: {about}\n")
    };
    LIST.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
