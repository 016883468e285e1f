//! A broker that runs over the home of a place, so that commands ask it instead of opening the home.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::place::{Place, Profiles};
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// A running broker; told to stop when dropped.
pub(super) struct Broker(Child);

impl Broker {
    /// Starts `program` and waits until it is ready.
    pub(super) fn start(place: &Place, program: &Path) -> Outcome<Self> {
        let words = ["up", "--json", "--gateway", "127.0.0.1:0", "--threads", "1"];
        let mut command = place.inside(program, &words, Profiles::Few);
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = started.map_err(|error| Failure::doing("start a broker", &error))?;
        let said = child.stdout.take().map(BufReader::new);
        let broker = Self(child);
        let mut lines = said.ok_or_else(|| Failure::new("the broker has no output"))?.lines();
        match lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("\"ready\""))) {
            Some(_) => Ok(broker),
            None => Err(Failure::new("the broker ended before it was ready")),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        if Program::new(Path::new("."), "kill", &["-TERM", &id]).run().is_err() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}
