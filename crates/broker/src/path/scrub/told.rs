//! What an operation by name gave, in one shape: whether a program or a request did it, how it ended, what came of it.
//!
//! Whether it was done is judged here, by the exit status or the status of the reply, and by nothing that stands in the output.

use catalog::{Cli, Operation, Outline, Output, Seen};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use model::{Access, Code, Refusal};
use runner::{Captured, Exit, Ran};
use secrets::Mask;
use serde_json::{Map, Value, json};

use super::{Body, Scrubbed, decoded};
use crate::path::admit::Admitted;
use crate::path::perform::Run;

/// An answer without the credential.
pub(crate) struct Told {
    pub(crate) value: Value,
    pub(crate) fields: Vec<(String, String)>,
    /// The status of the reply, where it was a request.
    pub(crate) status: Option<u16>,
    /// What the manifest says that it printed, for a write. What led to a read is told at once.
    pub(crate) outline: Option<Outline>,
    /// It was not done.
    pub(crate) failed: bool,
    /// What it waits for is not there yet: it is asked again.
    pub(crate) early: bool,
    pub(crate) hits: u64,
    pub(crate) bytes: u64,
}

/// Of a program.
pub(super) fn of_program(run: Run, admitted: &Admitted) -> Result<Told, Refusal> {
    let Run { ran: Ran { exit, stdout, stderr, took: _, sandbox, refused }, mask } = run;
    let operation = operation(admitted)?;
    let cli = operation.cli().ok_or_else(|| Refusal::new(Code::NotFound, "the operation has no command"))?;
    let code = match exit {
        Exit::Status(code) => code,
        Exit::TimedOut => u8::MAX,
    };
    let failed = !cli.is_done(code);
    let total = stdout.total;
    let mask = mask.as_deref();
    let mut hits = 0;
    let said = masked(&stderr.bytes, mask, &mut hits);
    let cut = stdout.is_cut() && cli.output() != Output::Text;
    let text = masked(&stdout.bytes, mask, &mut hits);
    let (mut output, shown) = if cut {
        // Half of a document is none. What was done is told by the exit status all the same.
        (Value::Null, Vec::new())
    } else {
        // A failed program prints what it likes; where something secret could stand in that, nothing is shown.
        match operation.shown(&text) {
            Ok(shown) => (printed(cli.output(), &shown), shown),
            Err(_) if failed || admitted.permit.call().access() == Access::Write => (Value::Null, Vec::new()),
            Err(refusal) => return Err(refusal),
        }
    };
    decoded::search(&mut output, mask, &mut hits);
    let kept = if failed || stdout.is_cut() { Vec::new() } else { scrubbed(cli.fields(&shown, &text), mask) };
    let led = admitted.inbound.led();
    let compared = led.is_some() || admitted.beside.is_some();
    let outline = if failed || cut || !compared { None } else { cli.outline(&text) };
    if let (Some(led), Some(outline)) = (led, &outline) {
        led.note(outline.clone());
    }
    let mut value = shape("cli", output, &kept);
    value.insert("exit".to_owned(), code.into());
    value.insert("sandbox".to_owned(), sandbox.as_str().into());
    notes(&mut value, cli, (&stdout, &said), &refused);
    if failed {
        let message = format!("`{}` ended with status {code}", cli.program());
        value.insert("failed".to_owned(), message.into());
    }
    let mut fields = vec![("exit".to_owned(), code.to_string())];
    if let Some(host) = refused.first() {
        fields.push(("host_refused".to_owned(), host.clone()));
    }
    fields.extend(kept);
    let value = Value::Object(value);
    Ok(Told { value, fields, status: None, outline, failed, early: false, hits, bytes: total })
}

/// What a person wants to know besides.
fn notes(value: &mut Map<String, Value>, cli: &Cli, (stdout, said): (&Captured, &[u8]), refused: &[String]) {
    if !said.is_empty() {
        value.insert("stderr".to_owned(), String::from_utf8_lossy(said).into());
    }
    if stdout.is_cut() {
        value.insert("cut".to_owned(), true.into());
        value.insert("printed".to_owned(), stdout.total.into());
    }
    if !refused.is_empty() {
        value.insert("hosts_refused".to_owned(), json!(refused));
        tracing::info!(
            program = cli.program(),
            ?refused,
            "a program asked for hosts that its operation does not have"
        );
    }
}

/// Of a reply.
pub(super) fn of_reply(
    scrubbed: Scrubbed,
    admitted: &Admitted,
    mask: Option<&Mask>,
) -> Result<Told, Refusal> {
    let Scrubbed { head, body, fields, mut hits, denied: _ } = scrubbed;
    let operation = operation(admitted)?;
    let status = head.status();
    let whole = match body {
        Body::Whole(bytes) => Some(bytes),
        Body::Stream(_) => None,
    };
    let (unmet, early) = judged(admitted, operation, &head, whole.as_deref());
    let unmet = unmet.map(|message| decoded::text(message, mask, &mut hits));
    let failed = unmet.is_some();
    let read = admitted.permit.call().access() == Access::Read;
    let mut output = match &whole {
        None if read && !failed => {
            let message =
                format!("the reply of `{}` is longer than what is given whole", admitted.integration.name());
            return Err(Refusal::new(Code::UpstreamReply, message)
                .hint("ask for less, or send the request through the gateway"));
        }
        None => Value::Null,
        Some(bytes) => match operation.shown(bytes) {
            Ok(shown) => printed(operation.output(), &shown),
            Err(_) if failed || !read => Value::Null,
            Err(refusal) => return Err(refusal),
        },
    };
    decoded::search(&mut output, mask, &mut hits);
    let mut value = shape("http", output, &fields);
    value.insert("status".to_owned(), status.as_u16().into());
    if whole.is_none() {
        value.insert("cut".to_owned(), true.into());
    }
    if let Some(message) = unmet {
        value.insert("failed".to_owned(), message.into());
    }
    let mut all = vec![("used".to_owned(), "http".to_owned())];
    all.extend(fields);
    let bytes = whole.map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let (value, status) = (Value::Object(value), Some(status.as_u16()));
    Ok(Told { value, fields: all, status, outline: None, failed, early, hits, bytes })
}

/// Why it was not done, and whether it is asked again.
fn judged(
    admitted: &Admitted,
    operation: &Operation,
    head: &Response<()>,
    whole: Option<&[u8]>,
) -> (Option<String>, bool) {
    let unmet = match whole {
        _ if !head.status().is_success() => Some(answered(admitted, head.status())),
        _ if operation.reads_reply() && is_page(head) => Some(paged(admitted)),
        // Some services say with a good status that they did not do it.
        Some(bytes) => operation.unmet(bytes),
        None => None,
    };
    if unmet.is_some() {
        return (unmet, false);
    }
    match whole.and_then(|bytes| waited(admitted, operation, bytes)) {
        Some(Seen::NotYet(why)) => (Some(why), true),
        Some(Seen::Never(why)) => (Some(why), false),
        Some(Seen::There) | None => (None, false),
    }
}

/// What a reply says of what is waited for. A read beside a write tells how it is, and waits for nothing.
fn waited(admitted: &Admitted, operation: &Operation, body: &[u8]) -> Option<Seen> {
    operation.poll().filter(|_| admitted.inbound.led().is_none()).map(|poll| poll.seen(body))
}

fn answered(admitted: &Admitted, status: StatusCode) -> String {
    let reason = status.canonical_reason().map_or_else(String::new, |reason| format!(" ({reason})"));
    let elsewhere = if status.is_redirection() { ", which leads elsewhere and is not followed" } else { "" };
    format!("`{}` answered {}{reason}{elsewhere}", admitted.integration.name(), status.as_u16())
}

/// Whether a page for people came, as login pages and proxies send it with any status.
fn is_page(head: &Response<()>) -> bool {
    let kind = head.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    kind.get(..HTML.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(HTML))
}

fn paged(admitted: &Admitted) -> String {
    format!("`{}` answered with a page for people instead of what its API says", admitted.integration.name())
}

fn operation(admitted: &Admitted) -> Result<&Operation, Refusal> {
    let operation = admitted.integration.operations().get(admitted.permit.call().operation());
    operation.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such operation any more"))
}

fn shape(used: &str, output: Value, fields: &[(String, String)]) -> Map<String, Value> {
    let fields: Map<String, Value> =
        fields.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let mut value = Map::new();
    value.insert("used".to_owned(), used.into());
    value.insert("output".to_owned(), output);
    value.insert("evidence_fields".to_owned(), Value::Object(fields));
    value
}

/// What was printed: as JSON where it is such, else as the text that it is.
fn printed(output: Output, bytes: &[u8]) -> Value {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    match output {
        Output::Text => text().into(),
        Output::Json if bytes.is_empty() => Value::Null,
        Output::Json => serde_json::from_slice(bytes).unwrap_or_else(|_| text().into()),
        Output::Lines => {
            let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
            let values: Result<Vec<Value>, _> = values.collect();
            values.map_or_else(|_| text().into(), Value::Array)
        }
    }
}

fn masked(bytes: &[u8], mask: Option<&Mask>, hits: &mut u64) -> Vec<u8> {
    match mask.and_then(|mask| mask.text(bytes)) {
        Some(found) => {
            *hits += found.hits;
            found.bytes
        }
        None => bytes.to_vec(),
    }
}

/// What escapes hid from the search in the whole is searched once more, for evidence stays.
fn scrubbed(fields: Vec<(String, String)>, mask: Option<&Mask>) -> Vec<(String, String)> {
    let again = |(name, value): (String, String)| {
        let found = mask.and_then(|mask| mask.text(value.as_bytes()));
        (name, found.map_or(value, |found| String::from_utf8_lossy(&found.bytes).into_owned()))
    };
    fields.into_iter().map(again).collect()
}

const HTML: &[u8] = b"text/html";
