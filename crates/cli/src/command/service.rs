//! `doorward doctor SERVICE`: which program is found and its version, whether the credential is there, which permissions can be
//! seen by a harmless call.
//!
//! A call is harmless that is a read of low risk without inputs, or with those that its file has for this. Where a service answers questions
//! about what a credential may do, it is asked those of the file. A permission that nothing shows is listed as not seen. Each of them goes the broker's path and leaves evidence, as any other.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::ProgramSetup;
use catalog::{InputField, Integration, Operation, Program, Right};
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
pub(crate) fn check(context: &Context, name: &IntegrationName, stated: &[(String, String)]) -> Outcome {
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
    let permissions = permissions(context, &integration, (ready, stated))?;
    let denied = permissions.iter().any(|one| at(one, "granted") == &json!(false));
    // One that can't start is tried at each call all the same.
    let broken = program.as_ref().is_some_and(|program| !at(program, "problem").is_null());
    let ok = ready && !denied && !broken;
    let document = json!({
        "service": name,
        "program": program,
        "credential": { "ready": ready, "missing": missing },
        "permissions": permissions,
        "ok": ok,
    });
    context.printer.answer(&document, described)?;
    if ok { Ok(()) } else { Err(Failure::silent()) }
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
            let said = version(setup, found, program.version()).and_then(|(sandbox, version)| {
                let meant = program.is_meant(version.as_deref().unwrap_or_default());
                meant.map(|()| (sandbox, version)).map_err(Failure::new)
            });
            match said {
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
        changes: false,
        sockets: false,
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

/// Every permission that an operation needs, with what harmless calls say about it: that it is granted or not, or that none shows it.
fn permissions(
    context: &Context,
    integration: &Integration,
    (ready, stated): (bool, &[(String, String)]),
) -> Outcome<Vec<Value>> {
    let all = || integration.operations().iter().filter(|(_, one)| !one.scopes().is_empty());
    let mut seen: Vec<Value> = Vec::new();
    let mut answers = Answers::new();
    let harmless: Vec<_> = all().filter(|(_, one)| ready && is_harmless(one)).take(MOST).collect();
    let questions = if ready { integration.rights() } else { &[] };
    if !harmless.is_empty() || !questions.is_empty() {
        let management = Management::open(context)?;
        for (name, one) in harmless {
            let done =
                management.perform((integration.name(), name), one.tried_with().clone(), &Who::default());
            let (granted, why) = match done {
                Ok(done) if !done.failed => (Some(true), String::new()),
                Ok(done) => {
                    let denied = matches!(at(&done.value, "status").as_u64(), Some(401 | 403));
                    (denied.then_some(false), cell(at(&done.value, "failed")))
                }
                Err(failure) => (None, failure.message),
            };
            seen.push(row(name, one.scopes(), granted, &why));
        }
        answers = answered(&management, integration, questions, stated);
        management.close()?;
    }
    for (permission, (operation, granted, why)) in &answers {
        seen.push(row(operation, &[permission], *granted, why));
    }
    let known =
        |name: &OperationName| seen.iter().any(|row| at(row, "operation").as_str() == Some(name.as_str()));
    let rest: Vec<Value> = all()
        .filter(|(name, _)| !known(name))
        .map(|(name, one)| {
            let told =
                |permission: &String| answers.get(permission.as_str()).and_then(|(_, granted, _)| *granted);
            match one.scopes().iter().map(told).collect::<Option<Vec<bool>>>() {
                Some(all) => {
                    row(name, one.scopes(), Some(all.iter().all(|granted| *granted)), "the service says so")
                }
                None => row(name, one.scopes(), None, "no harmless call shows it"),
            }
        })
        .collect();
    seen.extend(rest);
    Ok(seen)
}

/// What the service says of permissions: each with the operation that was asked, the answer, and why there is none.
type Answers<'a> = BTreeMap<&'a str, (&'a OperationName, Option<bool>, String)>;

/// Asks the service what the credential may do. `stated` goes with each question that takes it, such as a namespace.
fn answered<'a>(
    management: &Management,
    integration: &'a Integration,
    questions: &'a [Right],
    stated: &[(String, String)],
) -> Answers<'a> {
    let mut asked: BTreeMap<(&OperationName, Inputs), Result<Value, String>> = BTreeMap::new();
    let mut answers = Answers::new();
    for question in questions {
        let operation = question.operation();
        let takes = |name: &str| {
            integration.operations().get(operation).is_some_and(|one| one.inputs().contains_key(name))
        };
        let mut inputs = question.inputs().clone();
        inputs.extend(stated.iter().filter(|(name, _)| takes(name)).cloned());
        let said =
            asked.entry((operation, inputs)).or_insert_with_key(|(operation, inputs)| {
                match management.perform((integration.name(), operation), inputs.clone(), &Who::default()) {
                    Ok(done) if !done.failed => Ok(done.value),
                    Ok(done) => Err(cell(at(&done.value, "failed"))),
                    Err(failure) => Err(failure.message),
                }
            });
        let (granted, why) = match said {
            Ok(said) => (question.is_granted(said), String::new()),
            Err(why) => (None, why.clone()),
        };
        let _ = answers.insert(question.name(), (operation, granted, why));
    }
    answers
}

fn row(
    operation: &OperationName,
    permissions: &[impl AsRef<str>],
    granted: Option<bool>,
    why: &str,
) -> Value {
    let permissions: Vec<&str> = permissions.iter().map(AsRef::as_ref).collect();
    json!({ "operation": operation.as_str(), "permissions": permissions, "granted": granted, "why": why })
}

/// Whether a call of it changes nothing and tells little: a read of low risk without inputs, or with those that its file has for this.
fn is_harmless(operation: &Operation) -> bool {
    let complete = |(name, input): (&String, &InputField)| {
        !input.required() || input.default().is_some() || operation.tried_with().contains_key(name)
    };
    operation.access() == Access::Read
        && operation.risk() == Risk::Low
        && operation.inputs().iter().all(complete)
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
    let mut rows = at(value, "permissions").clone();
    for row in rows.as_array_mut().into_iter().flatten().filter(|row| at(row, "granted").is_null()) {
        row["granted"] = json!("not seen");
    }
    let seen = table::of(&rows, &columns, "No operation of this service says which permissions it needs.\n");
    format!("{facts}\n{seen}")
}

/// Calls that are made at most.
const MOST: usize = 8;
