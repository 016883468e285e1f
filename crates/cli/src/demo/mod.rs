//! `doorward demo`: everything in a few seconds, in a home that is thrown away.
//!
//! The broker runs as a child process of this same program and is asked the way a person would ask it, so that what is
//! shown is what everybody gets. Each step checks what it claims; the demo succeeds only where every step held.

mod broker;
mod curl;
mod interrupt;
mod service;
mod stage;
mod steps;

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::args::broker::Demo;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::{BAD, BOLD, DIM, GOOD, Printer, styled};

use interrupt::Interrupt;
use stage::Stage;

/// What a step found: whether it held, in a sentence.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The sentence.
    pub(crate) text: String,
    /// The command line that did it, to copy.
    pub(crate) command: Option<String>,
}

/// Plays every step.
pub(crate) fn run(context: &Context, args: &Demo) -> Outcome {
    let folder = tempfile::Builder::new()
        .prefix("doorward-demo-")
        .tempdir()
        .map_err(|error| Failure::doing("could not make a folder for the demo", &error))?;
    let interrupt = Interrupt::listen()?;
    let began = Instant::now();
    let printer = context.printer;
    if !printer.is_json() {
        Printer::text(&format!(
            "{}\nAn agent needs to use a service. It must never hold the service's secret.\n",
            styled(BOLD, "Doorward, in a few seconds")
        ))?;
    }
    let played = play(folder.path(), printer, &interrupt);
    let (result, stage) = match played {
        Ok(stage) => (Ok(()), Some(stage)),
        Err(failure) => (Err(failure), None),
    };
    if result.is_ok() {
        finale(printer, began)?;
    }
    if let Some(stage) = stage {
        if args.keep {
            keep(&stage, printer, &interrupt)?;
        }
        stage.end()?;
    }
    folder.close().map_err(|error| Failure::doing("could not remove the folder of the demo", &error))?;
    result
}

/// The steps in order; the first that does not hold ends the demo.
fn play(folder: &Path, printer: Printer, interrupt: &Interrupt) -> Outcome<Stage> {
    let mut stage = step(printer, "start", || Stage::set(folder))?;
    for (name, act) in steps::ALL {
        interrupt.none_yet()?;
        step(printer, name, || act(&mut stage).map(|shown| ((), shown)))?;
    }
    Ok(stage)
}

/// Takes one step, and says how it went.
fn step<T>(printer: Printer, name: &str, act: impl FnOnce() -> Outcome<(T, Shown)>) -> Outcome<T> {
    let began = Instant::now();
    let result = act();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok((made, Shown { text, command })) => {
            if printer.is_json() {
                printer.json(
                    &json!({ "step": name, "ok": true, "ms": millis, "text": text, "command": command }),
                )?;
            } else {
                let time = styled(DIM, &format!("{millis} ms"));
                let mut lines = format!("{} {text}  {time}\n", styled(GOOD, "✓"));
                for line in command.iter().flat_map(|command| command.lines()) {
                    lines.push_str(&format!("  {}\n", styled(DIM, line)));
                }
                Printer::text(&lines)?;
            }
            Ok(made)
        }
        Err(failure) => {
            if printer.is_json() {
                printer
                    .json(&json!({ "step": name, "ok": false, "ms": millis, "text": failure.to_string() }))?;
            } else {
                Printer::text(&format!("{} step `{name}` did not hold\n", styled(BAD, "✗")))?;
            }
            Err(failure)
        }
    }
}

fn finale(printer: Printer, began: Instant) -> Outcome {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if printer.is_json() {
        return printer.json(&json!({ "step": "done", "ok": true, "ms": millis }));
    }
    Printer::text(&format!(
        "\n{} {}\n\nNext: `doorward up` starts a broker of your own, `doorward integration list` shows what it can talk to.\n\
         Then: `doorward secret put slack/token`, `doorward capability request --for my-agent --integrations slack`.\n",
        styled(GOOD, "Every step held."),
        styled(DIM, &format!("{:.1} s", began.elapsed().as_secs_f64()))
    ))
}

/// Leaves everything running until Ctrl-C.
fn keep(stage: &Stage, printer: Printer, interrupt: &Interrupt) -> Outcome {
    let (home, url, capability) = (stage.home().display(), stage.gateway(), stage.capability_file());
    if printer.is_json() {
        let capability = capability.display().to_string();
        printer.json(&json!({ "step": "keep", "ok": true, "home": home.to_string(), "gateway": url, "capability": capability }))?;
    } else {
        Printer::text(&format!(
            "\nThe broker goes on until Ctrl-C. In another terminal:\n\
             export DOORWARD_HOME={home}\n\
             doorward status\n\
             curl -H \"Authorization: Bearer $(cat {capability})\" {url}/notes/notes\n",
            capability = capability.display()
        ))?;
    }
    interrupt.wait();
    Ok(())
}
