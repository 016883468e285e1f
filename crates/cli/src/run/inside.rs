//! The step inside: the process that was started for the program joins the control group and becomes the program.
//!
//! It is a step of its own, because a process can be moved between its start and the program's first instruction only by itself.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::Signal;

use crate::args::run::RunInside;
use crate::failure::{Failure, Outcome};

/// Becomes the program; comes back only when that failed.
pub(super) fn run(typed: RunInside) -> Outcome<ExitCode> {
    let RunInside { group, tied, command } = typed;
    if tied {
        tie()?;
    }
    if let Some(members) = group {
        let moved =
            std::fs::OpenOptions::new().write(true).open(&members).and_then(|mut file| file.write_all(b"0"));
        moved.map_err(|error| {
            Failure::doing(format!("could not join the control group `{}`", members.display()), &error)
        })?;
    }
    let mut words = command.into_iter();
    let Some(program) = words.next() else { return Err(Failure::usage("there is no program to start")) };
    let error = Command::new(&program).args(words).exec();
    // As a shell says it: not found, or found and not to be started.
    let (status, said) = match error.kind() {
        std::io::ErrorKind::NotFound => (127, "was not found"),
        _ => (126, "could not be started"),
    };
    crate::print::Printer::say(&format!("error: `{}` {said}: {error}", program.to_string_lossy()));
    Ok(ExitCode::from(status))
}

/// Has the kernel end this process when the command that started it does, so that nothing goes on without the run.
fn tie() -> Outcome {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| Failure::doing("could not tie the program to this command", &error))?;
    Ok(())
}
