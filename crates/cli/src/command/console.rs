//! `doorward console`: a link by which whoever types it signs in to the console, once.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::args::broker::Console;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::print::Printer;
use crate::print::table::{at, cell};
use crate::settings::environment;

/// Asks the running broker for the link, and opens it.
pub(crate) fn run(context: &Context, args: &Console) -> Outcome {
    let hint = "`doorward up --api 127.0.0.1:8000` opens API and console beside the gateway, `doorward serve` without one";
    let running = Running::find(context)?
        .ok_or_else(|| Failure::new("no broker is running in this home").hint(hint))?;
    let status = running.status()?;
    let place = at(&status, "doors.console").as_str().map(ToOwned::to_owned);
    let place =
        place.ok_or_else(|| Failure::new("the running broker has no API, and so no console").hint(hint))?;
    let answered = context.ask("session.link", &[])?;
    let code = cell(at(&answered.value, "code"));
    // Behind the `#`, so that it is in no log of a server and in no referrer.
    let link = format!("{place}#code={code}");
    let wanted = !args.no_open && !context.printer.is_json() && has_desktop();
    let opened = wanted && open(&context.home()?.folder().join(PAGE), &link)?;
    let document = json!({ "url": link, "expires": at(&answered.value, "expires"), "opened": opened });
    context.printer.answer(&document, |value: &Value| format!("{}\n", cell(at(value, "url"))))?;
    if !context.printer.is_json() {
        Printer::say("It opens the console once, within two minutes.");
    }
    Ok(())
}

fn has_desktop() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| environment(name).is_some())
}

/// Hands a page to the desktop that leads to the link. Arguments are for everybody to see in the list of processes, and whoever
/// is quicker would be signed in; the page is for its owner only.
fn open(page: &Path, link: &str) -> Outcome<bool> {
    let text = format!(
        "<!doctype html><meta name=\"referrer\" content=\"no-referrer\"><meta http-equiv=\"refresh\" content=\"0;url={link}\"><title>Doorward</title>\n"
    );
    store::files::replace(page, text.as_bytes(), 0o600)?;
    let started = Command::new("xdg-open")
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Ok(started.is_ok())
}

/// The page in the home. What stands in it is spent when it has led somewhere.
const PAGE: &str = "console.html";
