//! `doorward approval`: what waits for somebody's yes, and the answer.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::approval::{Approval, As, Decide};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::{Answered, Management, Who};
use crate::print::table::{self, at, cell};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Approval) -> Outcome {
    match args {
        Approval::List { state, who } => list(context, &state, &who),
        Approval::Show { id, wait: None, who } => {
            let answered = ask(context, &who, "approval.show", &[("id", &id.to_string())])?;
            context.printer.answer(&answered.value, shown)
        }
        Approval::Show { id, wait: Some(wait), who } => waited(context, &id.to_string(), &wait, &who),
        Approval::Approve(args) => decide(context, "approve", args),
        Approval::Deny(args) => decide(context, "deny", args),
        Approval::Relay { listen, every } => crate::relay::run(context, listen, &every),
    }
}

fn list(context: &Context, state: &str, who: &As) -> Outcome {
    let answered = ask(context, who, "approval.list", &[("state", state)])?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("approval", "id"),
            ("state", "state"),
            ("for", "for"),
            ("operation", "operation"),
            ("resource", "resource"),
            ("risk", "risk"),
            ("break glass", "break_glass"),
            ("expires", "expires"),
            ("by", "decided_by"),
        ];
        table::of(at(value, "approvals"), &columns, "Nothing waits for an approval.")
    })
}

fn decide(context: &Context, decision: &str, args: Decide) -> Outcome {
    let Decide { id, reason, who } = args;
    let id = id.to_string();
    let mut inputs = vec![("id", id.as_str()), ("decision", decision)];
    inputs.extend(reason.as_deref().map(|reason| ("reason", reason)));
    let answered = ask(context, &who, "approval.decide", &inputs)?;
    context.printer.answer(&answered.value, |value| {
        let (what, whom) = (cell(at(value, "operation")), cell(at(value, "for")));
        match decision {
            "approve" if at(value, "state") == "pending" => format!(
                "Approved, and others have to as well: {} of {} did ({}).",
                at(value, "agreed").as_array().map_or(0, Vec::len),
                cell(at(value, "approvers")),
                cell(at(value, "agreed")),
            ),
            "approve" => {
                format!("Approved: `{whom}` may do `{what}` once, until {}.", cell(at(value, "expires")))
            }
            _ => format!("Denied: `{whom}` may not do `{what}`."),
        }
    })
}

/// Waits until somebody decides. Each look is a call of its own, so they are not many.
fn waited(context: &Context, id: &str, wait: &str, who: &As) -> Outcome {
    let patience = model::parse_duration(wait)?;
    let (who, management) = (Who::of(who)?, Management::open(context)?);
    let began = Instant::now();
    let last = loop {
        let inputs = [("id".to_owned(), id.to_owned())].into();
        let answered = management.operate_as(&who, "approval.show", inputs, None)?;
        let left = patience.saturating_sub(began.elapsed());
        if cell(at(&answered.value, "state")) != "pending" || left.is_zero() {
            break answered;
        }
        std::thread::sleep(left.min(BETWEEN));
    };
    management.close()?;
    context.printer.answer(&last.value, shown)?;
    match cell(at(&last.value, "state")).as_str() {
        "approved" => Ok(()),
        "pending" => Err(Failure::new(format!("nobody decided about `{id}` within {wait}"))),
        state => Err(Failure::new(format!("`{id}` is {state}"))),
    }
}

/// Everything that whoever decides has to know.
fn shown(value: &Value) -> String {
    let what = at(value, "what");
    let facts = [
        ("approval", cell(at(value, "id"))),
        ("state", cell(at(value, "state"))),
        ("for", cell(at(value, "principal"))),
        ("grant", cell(at(value, "grant"))),
        ("operation", format!("{}/{}", cell(at(what, "integration")), cell(at(what, "operation")))),
        ("resource", cell(at(what, "resource"))),
        ("access", cell(at(what, "access"))),
        ("risk", cell(at(what, "risk"))),
        ("request", cell(at(what, "request"))),
        ("program", cell(at(what, "program"))),
        ("break glass", cell(at(value, "break_glass"))),
        ("purpose", cell(at(value, "purpose"))),
        ("policies", cell(at(value, "policies"))),
        ("asked", cell(at(value, "asked"))),
        ("expires", cell(at(value, "expires"))),
        ("digest", cell(at(value, "digest"))),
        ("evidence", cell(at(value, "evidence"))),
        ("approvers", approvers(value)),
        ("decided by", cell(at(value, "decided.by"))),
        ("reason", cell(at(value, "decided.reason"))),
    ];
    let mut text = table::facts(&facts);
    let named: Vec<(&str, String)> = at(what, "inputs")
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), cell(value)))
        .collect();
    if !named.is_empty() {
        text.push_str(&format!("\nInputs:\n{}", table::facts(&named)));
    }
    let headers = at(what, "headers").as_array().into_iter().flatten();
    let headers: String =
        headers.map(|header| format!("{}\n", model::shown(&cell(header)).replacen(", ", ": ", 1))).collect();
    if !headers.is_empty() {
        text.push_str(&format!("\nHeaders:\n{}", crate::print::problem::clean(&headers)));
    }
    let body = at(what, "body");
    if !body.is_null() {
        let more = if at(body, "cut").as_bool() == Some(true) { ", not all of it shown" } else { "" };
        text.push_str(&format!("\nBody, {} bytes{more}:\n", cell(at(body, "bytes"))));
        text.push_str(&crate::print::problem::clean(&cell(at(body, "text"))));
        text.push('\n');
    }
    text
}

/// Who said yes of how many; nothing where one is enough.
pub(super) fn approvers(value: &Value) -> String {
    let needed = at(value, "approvers").as_u64().unwrap_or(1);
    let agreed = at(value, "agreed").as_array().map(Vec::as_slice).unwrap_or_default();
    // A list names them, a single one has their answers.
    let names = agreed.iter().map(|one| one.as_str().map_or_else(|| cell(at(one, "by")), ToOwned::to_owned));
    let names: Vec<_> = names.collect();
    match (needed, names.as_slice()) {
        (..=1, _) => String::new(),
        (_, []) => format!("0 of {needed}"),
        (_, names) => format!("{} of {needed}: {}", names.len(), names.join(", ")),
    }
}

/// One operation, asked by somebody.
pub(super) fn ask(
    context: &Context,
    who: &As,
    operation: &str,
    inputs: &[(&str, &str)],
) -> Outcome<Answered> {
    ask_as(context, &Who::of(who)?, operation, inputs)
}

/// The same, where more is said of who asks.
pub(super) fn ask_as(
    context: &Context,
    who: &Who,
    operation: &str,
    inputs: &[(&str, &str)],
) -> Outcome<Answered> {
    let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    context.operate_as(who, operation, inputs, None)
}

const BETWEEN: Duration = Duration::from_secs(2);
