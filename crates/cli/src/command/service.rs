//! `doorward doctor SERVICE`: which program is found and its version, whether the credential is there, which permissions can be
//! seen by a harmless call.
//!
//! A call is harmless that is a read of low risk without inputs. Each of them goes the broker's path and leaves evidence, as any other.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::ProgramSetup;
use catalog::{Integration, Program};
use model::{Access, Inputs, IntegrationName, OperationName, Risk};
use runner::{Command, Exit, Limits, Programs, Rooms, Sandbox, Setup};
use serde_json::{Value, json};

use super::integration::catalog;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::{Management, Who};
use crate::print::table::{self, at, cell};
use crate::wire;

/// Looks at one service.
pub(crate) fn check(context: &Context, name: &IntegrationName) -> Outcome {
    let catalog = catalog(context)?;
    let integration = catalog
        .get(name)
        .map_err(|error| Failure::of(&error).maybe_hint(error.hint().map(ToString::to_string)))?;
    let setup = context.settings()?.programs;
    let program = integration.program().map(|program| seen(&setup, program));
    let listed = context.ask("integration.list", &[])?.value;
    let rows = at(&listed, "integrations").as_array();
    let row = rows.into_iter().flatten().find(|row| cell(at(row, "name")) == name.as_str());
    let missing = row.map_or(Value::Null, |row| at(row, "missing").clone());
    let ready = row.is_some_and(|row| at(row, "ready").as_bool() == Some(true));
    let permissions = if ready { permissions(context, &integration)? } else { Vec::new() };
    let denied = permissions.iter().any(|one| at(one, "granted") == &json!(false));
    let document = json!({
        "service": name,
        "program": program,
        "credential": { "ready": ready, "missing": missing },
        "permissions": permissions,
        "ok": ready && !denied,
    });
    context.printer.answer(&document, described)?;
    if ready && !denied { Ok(()) } else { Err(Failure::silent()) }
}

/// Where the program is, and what it says of its version.
fn seen(setup: &ProgramSetup, program: &Program) -> Value {
    let programs = Programs::on(setup.path.clone(), Some(&setup.own));
    match programs.find(program.program()) {
        Err(absent) => {
            let passed: Vec<String> =
                absent.passed_over.iter().map(|(path, why)| format!("{}: {why}", path.display())).collect();
            json!({ "name": program.program(), "found": null, "passed_over": passed })
        }
        Ok(found) => {
            let place = found.path().display().to_string();
            match version(setup, found, program.version()) {
                Ok((sandbox, version)) => {
                    json!({ "name": program.program(), "found": place, "sandbox": sandbox, "version": version })
                }
                Err(error) => json!({ "name": program.program(), "found": place, "problem": error.message }),
            }
        }
    }
}

/// Runs it for its version, in the sandbox of operations and without a credential.
fn version(
    setup: &ProgramSetup,
    program: runner::Program,
    args: &[String],
) -> Outcome<(&'static str, Option<String>)> {
    let failed = |error: runner::Error| Failure::of(&error);
    let rooms = Rooms::among(&setup.rooms).map_err(failed)?;
    let room = rooms.make().map_err(failed)?;
    let wanted = Setup {
        wanted: setup.sandbox,
        readable: setup.readable.clone(),
        own: setup.own.clone(),
        bubblewrap: runner::sandbox::bubblewrap(&setup.path),
    };
    let sandbox = Sandbox::probe(wanted, &rooms).map_err(failed)?;
    if args.is_empty() {
        return Ok((sandbox.kind().as_str(), None));
    }
    let command = Command {
        program,
        args: args.to_vec(),
        environment: Vec::new(),
        stdin: None,
        folder: None,
        limits: Limits { time: Duration::from_secs(20), stdout: 4096, ..Limits::default() },
        hosts: Vec::new(),
        private: net::Private::Refused,
    };
    let ran = wire::runtime()?.block_on(sandbox.run(&room, command)).map_err(failed)?;
    room.wipe().map_err(failed)?;
    if ran.exit != Exit::Status(0) {
        return Err(Failure::new("it could not say its version"));
    }
    let said = [&ran.stdout.bytes[..], &ran.stderr.bytes[..]].concat();
    let text = String::from_utf8_lossy(&said);
    Ok((
        sandbox.kind().as_str(),
        text.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()),
    ))
}

/// What harmless calls say about permissions.
fn permissions(context: &Context, integration: &Integration) -> Outcome<Vec<Value>> {
    let harmless: BTreeMap<&OperationName, &[String]> = integration
        .operations()
        .iter()
        .filter(|(_, one)| one.access() == Access::Read && one.risk() == Risk::Low)
        .filter(|(_, one)| one.inputs().values().all(|input| !input.required() || input.default().is_some()))
        .filter(|(_, one)| !one.scopes().is_empty())
        .map(|(name, one)| (name, one.scopes()))
        .take(MOST)
        .collect();
    if harmless.is_empty() {
        return Ok(Vec::new());
    }
    let management = Management::open(context)?;
    let mut seen = Vec::new();
    for (name, scopes) in harmless {
        let done = management.perform((integration.name(), name), Inputs::new(), &Who::default());
        let (granted, why) = match done {
            Ok(done) if !done.failed => (Some(true), String::new()),
            Ok(done) => {
                let denied = matches!(at(&done.value, "status").as_u64(), Some(401 | 403));
                (denied.then_some(false), cell(at(&done.value, "failed")))
            }
            Err(failure) => (None, failure.message),
        };
        seen.push(json!({ "operation": name, "permissions": scopes, "granted": granted, "why": why }));
    }
    management.close()?;
    Ok(seen)
}

fn described(value: &Value) -> String {
    let ready = at(value, "credential.ready").as_bool() == Some(true);
    let credential = if ready {
        "is there".to_owned()
    } else {
        format!("is missing: {}", cell(at(value, "credential.missing")))
    };
    let found = match at(value, "program") {
        Value::Null => "it has none".to_owned(),
        program if at(program, "found").is_null() => {
            format!("`{}` is not on the path {}", cell(at(program, "name")), cell(at(program, "passed_over")))
        }
        program => cell(at(program, "found")),
    };
    let facts = table::facts(&[
        ("service", cell(at(value, "service"))),
        ("program", found),
        ("version", cell(at(value, "program.version"))),
        ("sandbox", cell(at(value, "program.sandbox"))),
        ("problem", cell(at(value, "program.problem"))),
        ("credential", credential),
    ]);
    let columns =
        [("operation", "operation"), ("permissions", "permissions"), ("granted", "granted"), ("why", "why")];
    let seen = table::of(
        at(value, "permissions"),
        &columns,
        "No permission of this service can be seen by a harmless call.\n",
    );
    format!("{facts}\n{seen}")
}

/// Calls that are made at most.
const MOST: usize = 8;
