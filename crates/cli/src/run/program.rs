//! The program of a run: what it is given, its signals, its end.
//!
//! It stays in our group of processes, so that a terminal's signals and job control reach it as they would without us. A signal
//! that was sent to us alone is handed on. As long as it runs we take in orphans, so that everything it started is known by us.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, ExitCode};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use tokio::signal::unix::{SignalKind, signal};

use super::broker::{Opened, SOCKET};
use super::group::Group;
use crate::args::run::Run;
use crate::failure::{Failure, Outcome};
use crate::wire;

/// Starts the program, waits for its end, and says its status as ours.
pub(super) fn run(typed: &Run, opened: &Opened, group: &Group) -> Outcome<ExitCode> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| Failure::doing("could not take in what the program starts", &error))?;
    let runtime = wire::runtime()?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let socket = handle(opened)?;
        let started = command(typed, opened, group, &socket)?.spawn();
        let child = started.map_err(|error| Failure::doing("could not start the program", &error))?;
        drop(socket);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("the program has no number"))?;
        signals.until_ended(pid).await
    })
}

/// A descriptor of the run's socket that can be connected to and nothing else, for programs that don't see its path.
fn handle(opened: &Opened) -> Outcome<OwnedFd> {
    let place = || format!("could not open the socket of the run at `{}`", opened.socket.display());
    let handle = rustix::fs::open(&opened.socket, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())
        .map_err(|error| Failure::doing(place(), &error))?;
    // Handed down to the program: it is the one descriptor of ours that is.
    rustix::io::fcntl_setfd(handle.as_fd(), rustix::io::FdFlags::empty())
        .map_err(|error| Failure::doing(place(), &error))?;
    Ok(handle)
}

fn command(typed: &Run, opened: &Opened, group: &Group, socket: &OwnedFd) -> Outcome<Command> {
    let this = std::env::current_exe().map_err(|error| Failure::doing("could not find ourselves", &error))?;
    let mut command = match group {
        Group::Scope(name) => {
            let mut command = Command::new("systemd-run");
            command
                .args(["--user", "--scope", "--quiet", "--collect", "--unit"])
                .arg(name)
                .arg("--")
                .arg(this);
            command
        }
        Group::Made(_) | Group::None => Command::new(this),
    };
    command.arg("run-inside");
    if let Some(members) = group.members() {
        command.arg("--group").arg(members);
    }
    if !typed.keep {
        command.arg("--tied");
    }
    command.arg("--").args(&typed.command);
    for name in WITHHELD.iter().chain(foreign::aws_vault::OUR_SECRETS) {
        command.env_remove(name);
    }
    command.env(SOCKET, &opened.socket).env(DESCRIPTOR, socket.as_raw_fd().to_string());
    command.env(RUN, opened.run.to_string());
    match opened.capability {
        Some(name) => command.env(NAME, name.to_string()),
        None => command.env_remove(NAME),
    };
    if let Some(mask) = wire::users_umask() {
        rustix::process::umask(mask);
    }
    Ok(command)
}

/// Signals that we hear.
struct Signals {
    heard: Vec<(Signal, tokio::signal::unix::Signal)>,
    children: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Outcome<Self> {
        let on = |kind| signal(kind).map_err(|error| Failure::doing("could not listen for signals", &error));
        let mut heard = Vec::new();
        for one in HANDED_ON {
            heard.push((one, on(SignalKind::from_raw(one.as_raw()))?));
        }
        Ok(Self { heard, children: on(SignalKind::child())? })
    }

    /// Hands signals on until the program has ended.
    async fn until_ended(&mut self, program: Pid) -> Outcome<ExitCode> {
        loop {
            if let Some(code) = reap(program)? {
                return Ok(code);
            }
            let Self { heard, children } = self;
            let any = std::future::poll_fn(|cx| {
                let found = heard.iter_mut().find_map(|(one, stream)| match stream.poll_recv(cx) {
                    std::task::Poll::Ready(Some(())) => Some(*one),
                    _ => None,
                });
                found.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
            });
            tokio::select! {
                one = any => if !reached_already(one) {
                    // It may have ended just now; then there is nobody to tell.
                    let _ = rustix::process::kill_process(program, one);
                },
                _ = children.recv() => {}
            }
        }
    }
}

/// Takes every child that has ended, also those that were taken in; the status of the program when it is among them.
fn reap(program: Pid) -> Outcome<Option<ExitCode>> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == program => return Ok(Some(code(status))),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(error) => return Err(Failure::doing("could not wait for the program", &error)),
        }
    }
}

/// Its own status, or 128 and the number of the signal that ended it.
fn code(status: WaitStatus) -> ExitCode {
    let code =
        status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What a terminal sends goes to every process of the group, so the program has it already.
fn reached_already(one: Signal) -> bool {
    let from_terminal = one == Signal::INT || one == Signal::QUIT || one == Signal::WINCH;
    from_terminal
        && rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|front| front == rustix::process::getpgrp())
}

/// Signals that the program gets when they are sent to us.
const HANDED_ON: [Signal; 7] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::WINCH];
/// Variables that lead to a bearer, or to another agent.
const WITHHELD: &[&str] = &["CAPABILITY_FILE", "DOORWARD_CAPABILITY", "VAULT_TOKEN"];
/// The variables that the program finds.
const DESCRIPTOR: &str = "DOORWARD_AGENT_FD";
const RUN: &str = "DOORWARD_RUN";
const NAME: &str = "CAPABILITY_ID";
