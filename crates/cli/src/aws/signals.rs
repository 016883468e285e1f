//! Signals that reach this process while a child runs beside it: they are meant for the child, and end nothing here.

use std::io;

use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};

/// The signals that arrive from now on.
pub(super) struct Signals {
    arrived: Receiver<Signal>,
}

impl Signals {
    /// Listens to all that can be passed on. What was ignored when this process was started (`nohup`, the background of a
    /// script) stays ignored, as it does in the child: a listener would give the child its default back.
    pub(super) fn listen() -> io::Result<Self> {
        let (sender, arrived) = channel(QUEUE);
        let ignored = ignored();
        for &one in PASSED {
            if ignored & bit(one) != 0 {
                continue;
            }
            let mut heard = signal(SignalKind::from_raw(one.as_raw()))?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while heard.recv().await.is_some() {
                    if sender.send(one).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { arrived })
    }

    /// The next one that the child has not had yet.
    pub(super) async fn next(&mut self) -> Signal {
        loop {
            match self.arrived.recv().await {
                // The terminal has told the child already, and a second one means more than one to many programs.
                Some(Signal::INT | Signal::QUIT) if is_foreground() => {}
                Some(signal) => return signal,
                None => std::future::pending().await,
            }
        }
    }
}

/// Passes a signal on to a child, if it is still there.
pub(super) fn pass(signal: Signal, child: Option<u32>) {
    if let Some(pid) = child.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Whether keys of the terminal reach this process, and the child with it.
fn is_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    let group = terminal.ok().and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    group == Some(rustix::process::getpgrp())
}

/// What this process ignores, a bit for each signal.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

fn bit(signal: Signal) -> u64 {
    u32::try_from(signal.as_raw() - 1).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or_default()
}

/// All but those that no process may hear (KILL, STOP), that tell of a fault in this process (SEGV, BUS, FPE, ILL, TRAP, SYS,
/// XFSZ), that are about its own children, sockets and terminal (CHLD, PIPE, TSTP, TTIN, TTOU), and the numbered ones.
const PASSED: &[Signal] = &[
    Signal::TERM,
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::WINCH,
    Signal::CONT,
    Signal::XCPU,
    Signal::URG,
    Signal::IO,
    Signal::ABORT,
    #[cfg(target_os = "linux")]
    Signal::POWER,
    #[cfg(target_os = "linux")]
    Signal::STKFLT,
];
const QUEUE: usize = 64;
