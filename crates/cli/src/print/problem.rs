//! Failures, printed: `error: ...`, what it came from, and the next thing to type.

use std::io::Write;

use serde_json::{Value, json};

use super::{BAD, BOLD, DIM, styled};
use crate::failure::{Failure, Kind};
use crate::print::Printer;

/// Prints a failure where its reader looks: programs on stdout, people on stderr.
pub(crate) fn print(failure: &Failure, printer: Printer) {
    match failure.kind {
        Kind::Silent | Kind::ReaderGone => {}
        _ if printer.is_json() && taken(failure, printer) => {}
        // Nothing can be done about output that nobody takes.
        _ => drop(write!(anstream::stderr().lock(), "{}", text(failure))),
    }
}

/// Prints it for programs. Where stdout takes nothing it has to be said elsewhere; a reader that went away has no use for it.
fn taken(failure: &Failure, printer: Printer) -> bool {
    match printer.json(&document(failure)) {
        Ok(()) => !super::is_closed(),
        Err(unprinted) => unprinted.kind == Kind::ReaderGone,
    }
}

/// The text for people.
pub(crate) fn text(failure: &Failure) -> String {
    let mut text = format!("{} {}\n", styled(BAD, "error:"), clean(&failure.message));
    for cause in &failure.causes {
        text.push_str(&format!("  {} {}\n", styled(DIM, "caused by:"), clean(cause)));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("{} {}\n", styled(BOLD, "hint:"), clean(hint)));
    }
    if let Kind::Refused(_, Some(evidence)) = failure.kind {
        text.push_str(&format!("{}\n", styled(DIM, &format!("evidence: {evidence}"))));
    }
    text
}

/// The document for programs.
pub(crate) fn document(failure: &Failure) -> Value {
    let (status, code, evidence) = match failure.kind {
        Kind::Usage => ("failed", "usage", None),
        Kind::Refused(model::Code::Denied, evidence) => ("denied", "denied", evidence),
        Kind::Refused(code, evidence) => ("refused", code.as_str(), evidence),
        Kind::Failed | Kind::Silent | Kind::ReaderGone => ("failed", "failed", None),
    };
    json!({
        "status": status,
        "error": {
            "code": code,
            "message": failure.message,
            "causes": failure.causes,
            "hint": failure.hint,
            "evidence": evidence,
        },
    })
}

/// Text from elsewhere must not steer the terminal that it is printed on, nor read otherwise than it is.
pub(crate) fn clean(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c if model::hides(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        out
    })
}
