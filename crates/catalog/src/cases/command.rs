//! A named operation as a request with its body, and as a command.

use std::collections::BTreeMap;

use model::{Call, Code};
use serde_json::Value;

use super::{Case, CommandEntry};
use crate::body::json;
use crate::{Integration, Text};

/// Notes what is not as the case says: what, as it is, as it should be.
pub(super) type Same<'a> = &'a mut dyn FnMut(&str, String, Option<String>);

/// Compares body and command.
pub(super) fn compare(
    integration: &Integration,
    case: &Case,
    call: &Call,
    same: Same<'_>,
) -> Result<(), String> {
    if let Some(sends) = &case.sends {
        let message = integration
            .named_body(call.operation(), call.inputs().clone())
            .map_err(|refusal| format!("the body is refused: {}", refusal.message))?;
        let headers: BTreeMap<String, String> = message.headers.into_iter().collect();
        let wanted = sends.with.as_ref().map(|wanted| format!("{wanted:?}"));
        same("the set of headers of the operation", format!("{headers:?}"), wanted);
        let body = message.body.unwrap_or_default();
        if let Some(wanted) = &sends.body {
            same("the body that is sent", read(&body, wanted), Some(written(wanted)));
        }
    }
    let operation = integration.operations().get(call.operation()).ok_or("there is no such operation")?;
    match (&case.cli, operation.cli()) {
        // With these inputs the program does something else.
        (Some(wanted), Some(cli)) if !cli.suits(call.inputs()) => {
            let said = wanted.refused.clone().unwrap_or_else(|| "a command".to_owned());
            same("what comes of the command", Code::SourceUnavailable.as_str().to_owned(), Some(said));
            Ok(())
        }
        (Some(wanted), Some(cli)) => match (cli.command(call.inputs()), &wanted.refused) {
            (Ok(command), None) => {
                let argv: Vec<String> = std::iter::once(cli.program().to_owned())
                    .chain(command.args.iter().map(Text::to_string))
                    .collect();
                same("the command", format!("{argv:?}"), Some(format!("{:?}", wanted.argv)));
                let nothing = Value::String(String::new());
                let stdin = wanted.stdin.as_ref().unwrap_or(&nothing);
                let given = command.stdin.unwrap_or_default();
                same("what the program reads", read(given.as_bytes(), stdin), Some(written(stdin)));
                let files = wanted.files.clone().unwrap_or_default();
                same("the set of files", format!("{:?}", command.files), Some(format!("{files:?}")));
                same("the folder", format!("{:?}", command.folder), Some(format!("{:?}", wanted.folder)));
                printed(integration, call, wanted, same)
            }
            (Err(refusal), Some(code)) => {
                let wanted = format!("{:?}", Code::from_word(code));
                same("what comes of the command", format!("{:?}", Some(refusal.code)), Some(wanted));
                Ok(())
            }
            (Err(refusal), None) => Err(format!("the command is refused: {}", refusal.message)),
            (Ok(_), Some(_)) => Err("the command is not refused".to_owned()),
        },
        (Some(_), None) => Err("no program does this operation".to_owned()),
        (None, _) => Ok(()),
    }
}

fn printed(
    integration: &Integration,
    call: &Call,
    wanted: &CommandEntry,
    same: Same<'_>,
) -> Result<(), String> {
    let Some(prints) = &wanted.prints else {
        return if wanted.evidence.is_some() {
            Err("`evidence` without `prints`".to_owned())
        } else {
            Ok(())
        };
    };
    let printed = text(prints);
    let cli = integration.operations().get(call.operation()).and_then(crate::Operation::cli);
    let found: BTreeMap<String, String> = cli
        .map(|cli| cli.fields(printed.as_bytes(), printed.as_bytes()))
        .unwrap_or_default()
        .into_iter()
        .collect();
    let evidence = wanted.evidence.clone().unwrap_or_default();
    same("the evidence of the command", format!("{found:?}"), Some(format!("{evidence:?}")));
    if let Some(wanted) = &wanted.shown {
        let shown = shown(integration, call, printed.as_bytes())?;
        same("what is shown", read(&shown, wanted), Some(written(wanted)));
    }
    Ok(())
}

/// A reply, or what a program printed, without what is secret in it.
pub(super) fn shown(integration: &Integration, call: &Call, body: &[u8]) -> Result<Vec<u8>, String> {
    let operation = integration.operations().get(call.operation()).ok_or("there is no such operation")?;
    operation.shown(body).map_err(|refusal| refusal.message)
}

/// A text as it is compared with what the case has: JSON without regard to the order of keys.
pub(super) fn read(text: &[u8], wanted: &Value) -> String {
    match (wanted, json::read(text)) {
        (Value::String(_), _) | (_, Err(_)) => String::from_utf8_lossy(text).into_owned(),
        (_, Ok(json)) => format!("{json:?}"),
    }
}

/// What the case has, as it is compared.
pub(super) fn written(wanted: &Value) -> String {
    read(text(wanted).as_bytes(), wanted)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
