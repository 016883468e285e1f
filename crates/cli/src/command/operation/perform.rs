//! Performs an operation by name, by the running broker or here, and prints what came of it.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use memory::Secret;
use serde_json::Value;

use super::Named;
use crate::args::operation::Run;
use crate::command::integration::catalog;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::{Management, Performed, Who};
use crate::print::Printer;
use crate::print::table::{at, cell};
use crate::typed;

pub(super) fn run(context: &Context, args: &Run) -> Outcome {
    let catalog = catalog(context)?;
    let named = Named::find(&catalog, &args.name)?;
    let inputs = named.inputs(args)?;
    let capability = args.capability.as_deref().map(capability).transpose()?;
    let who = Who::presenting(capability.as_ref())?.approved(&args.approved)?;
    let waiting = Waiting::for_a_while(&named.shown());
    let management = Management::open(context)?;
    let done = management.perform((named.integration.name(), &named.name), inputs, &who);
    let closed = management.close();
    drop(waiting);
    let Performed { evidence, mut value, failed } = done?;
    closed?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("evidence".to_owned(), evidence.to_string().into());
        fields.insert("status_of_operation".to_owned(), if failed { "failed" } else { "done" }.into());
    }
    context.printer.answer(&value, printed)?;
    if !context.printer.is_json() {
        Printer::say(&talk(&value));
    }
    if failed { Err(Failure::silent()) } else { Ok(()) }
}

fn printed(value: &Value) -> String {
    match at(value, "output") {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// How it was done, and what the program said beside its output.
fn talk(value: &Value) -> String {
    let mut text = String::new();
    for line in cell(at(value, "stderr")).lines() {
        text.push_str(&format!("{line}\n"));
    }
    for host in at(value, "hosts_refused").as_array().into_iter().flatten() {
        text.push_str(&format!("It asked for `{}`, which is no host of this operation.\n", cell(host)));
    }
    let failed = cell(at(value, "failed"));
    if !failed.is_empty() {
        text.push_str(&format!("error: {failed}\n"));
    }
    text.push_str(&format!("Used {}; evidence {}.", cell(at(value, "used")), cell(at(value, "evidence"))));
    text
}

/// The capability in a file: as text, or the answer of a request with one.
pub(super) fn capability(path: &Path) -> Outcome<Secret> {
    let text = typed::text(path)?;
    let text = text.trim();
    let found = if text.starts_with('{') {
        let document: Value = serde_json::from_str(text).map_err(|error| {
            Failure::doing(format!("`{}` is neither a capability nor JSON with one", path.display()), &error)
        })?;
        let places = ["/capability/token", "/token"];
        places.iter().find_map(|place| document.pointer(place)?.as_str()).map(ToOwned::to_owned)
    } else {
        Some(text.to_owned())
    };
    let found = found.ok_or_else(|| {
        Failure::new(format!("there is no capability in `{}`", path.display()))
            .hint("`doorward capability request --output FILE` writes one")
    })?;
    Secret::new(found.into_bytes()).map_err(|error| Failure::of(&error))
}

/// A sign of life for whoever waits longer than a second at a terminal.
struct Waiting(Option<(mpsc::Sender<()>, std::thread::JoinHandle<()>)>);

impl Waiting {
    fn for_a_while(name: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (over, wait) = mpsc::channel();
        let text = format!("{name} ...");
        let thread = std::thread::spawn(move || {
            if wait.recv_timeout(Duration::from_secs(1)) != Err(mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            let bar = ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
                .with_message(text);
            bar.enable_steady_tick(Duration::from_millis(120));
            let _ = wait.recv();
            bar.finish_and_clear();
        });
        Self(Some((over, thread)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((over, thread)) = self.0.take() {
            drop(over);
            let _ = thread.join();
        }
    }
}
