//! Many processes at once that need one session which has ended: how many calls to AWS, and how many codes.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use super::fake::Fake;
use super::place::{Place, Profiles, finish};
use crate::failure::{Failure, Outcome};

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Burst {
    /// How many processes.
    pub(super) processes: usize,
    /// Calls of STS.
    pub(super) calls: u64,
    /// Codes of the MFA device that were asked for.
    pub(super) codes: usize,
    /// Processes that failed.
    pub(super) failed: usize,
    /// From the first start to the last end, in milliseconds.
    pub(super) wall_ms: f64,
}

impl fmt::Display for Burst {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processes, calls, codes, failed, wall_ms } = self;
        write!(
            out,
            "{processes} at once: {calls} calls of STS, {codes} codes asked for, {failed} failed, {wall_ms:.0} ms"
        )
    }
}

/// Forgets the sessions, then starts so many processes that want the same one.
pub(super) fn measure(place: &Place, processes: usize, fake: &mut Fake) -> Outcome<Burst> {
    finish(&mut place.command(&["clear"], Profiles::Few), place.label())?;
    let before = fake.calls("sts.")?;
    forget(place)?;
    let failed_to_start = |error: std::io::Error| Failure::doing(&format!("start {}", place.label()), &error);
    let started = Instant::now();
    let mut children = Vec::new();
    for _ in 0..processes {
        let mut command = place.command(&["exec", "boss", "--", "true"], Profiles::Few);
        children.push(command.stderr(std::process::Stdio::null()).spawn().map_err(failed_to_start)?);
    }
    let mut failed = 0;
    for mut child in children {
        let ended = child.wait().map_err(|error| Failure::doing("wait for a process", &error))?;
        failed += usize::from(!ended.success());
    }
    let wall_ms = started.elapsed().as_secs_f64() * 1e3;
    let codes = std::fs::read_to_string(place.asked()).map_or(0, |text| text.lines().count());
    Ok(Burst { processes, calls: fake.calls("sts.")?.saturating_sub(before), codes, failed, wall_ms })
}

/// Codes that were asked for before do not count.
fn forget(place: &Place) -> Outcome {
    match std::fs::remove_file(place.asked()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::doing("forget the codes of before", &error))
        }
        _ => Ok(()),
    }
}
