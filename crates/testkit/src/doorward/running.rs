//! A broker that is running.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{HANG, Reaped};
use crate::upstream::locked;

/// A broker that said that it is ready. Killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Reaped,
    /// The line by which it said so.
    pub ready: Value,
    /// Where its gateway is: `http://127.0.0.1:PORT`; empty where it has none.
    pub gateway_url: String,
    /// Where its socket is.
    pub socket: PathBuf,
    ends: Vec<mpsc::Receiver<()>>,
}

impl Running {
    #[track_caller]
    pub(super) fn start(mut command: Command, printed: &Arc<Mutex<Vec<u8>>>) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = format!("{command:?}");
        let mut child = Reaped(command.spawn().unwrap_or_else(|error| panic!("cannot run {shown}: {error}")));
        let (said, ready) = mpsc::channel();
        let stdout = child.0.stdout.take().expect("standard output was asked for");
        let stderr = child.0.stderr.take().expect("standard error was asked for");
        let ends =
            vec![follow(stdout, Arc::clone(printed), Some(said)), follow(stderr, Arc::clone(printed), None)];
        let Ok(ready) = ready.recv_timeout(HANG) else {
            let status = child.0.try_wait();
            let printed = String::from_utf8_lossy(&locked(printed)).into_owned();
            panic!("{shown} did not become ready ({status:?}); printed so far:\n{printed}");
        };
        let text = |name: &str| {
            let text = ready.get(name).and_then(Value::as_str);
            text.unwrap_or_else(|| panic!("no `{name}` in {ready}")).to_owned()
        };
        let gateway_url = ready.get("gateway").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { gateway_url, socket: text("socket").into(), ready, child, ends }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Asks it to stop, and waits; fails the test when that takes more than five minutes.
    #[track_caller]
    pub fn stop(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Asks it to read its catalogue and policies again.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// The same while others still hold it; [`Self::kill9`] waits for its end.
    pub fn kill_now(&self) {
        self.signal(Signal::KILL);
    }

    /// Kills it as a power cut would.
    #[track_caller]
    pub fn kill9(mut self) -> ExitStatus {
        self.child.0.kill().expect("the test kit works");
        self.ended()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("the test kit works");
        // The child is not waited for before this, so its number is still its own.
        kill_process(pid, signal).expect("the test kit works");
    }

    #[track_caller]
    fn ended(mut self) -> ExitStatus {
        let status =
            self.child.wait(HANG).unwrap_or_else(|| panic!("the broker did not stop within {HANG:?}"));
        for end in &self.ends {
            // What it printed last is kept before anybody looks for canaries.
            let _ = end.recv_timeout(HANG);
        }
        status
    }
}

/// Keeps what is printed, line by line, and gives the line that says `ready` to `said`.
fn follow(
    from: impl Read + Send + 'static,
    printed: Arc<Mutex<Vec<u8>>>,
    mut said: Option<mpsc::Sender<Value>>,
) -> mpsc::Receiver<()> {
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let _end = end;
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            locked(&printed).extend_from_slice(&line);
            let ready = serde_json::from_slice::<Value>(&line)
                .ok()
                .filter(|line| line.get("event").is_some_and(|event| event == "ready"));
            if let Some(ready) = ready
                && let Some(said) = said.take()
            {
                let _ = said.send(ready);
            }
            line.clear();
        }
    });
    ended
}
