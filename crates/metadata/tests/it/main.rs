//! The servers from the outside: raw requests for each rule, and the real SDKs of the clouds.

#[cfg(test)]
mod alias;
#[cfg(test)]
mod azure;
#[cfg(test)]
mod ec2;
#[cfg(test)]
mod ecs;
#[cfg(test)]
mod gcp;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod house;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod speed;

/// Notes that a check can't be made here; `docs/checks/not-here.toml` lists on which machines that may be.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip(check: &str, reason: &str) {
    use std::io::Write as _;
    println!("skipped {check}: {reason}");
    if let Some(file) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(file).unwrap();
        writeln!(file, "{check}\t{reason}").unwrap();
    }
}
