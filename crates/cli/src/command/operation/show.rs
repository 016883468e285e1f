//! What operations there are, and what one takes.

use catalog::{Around, Integration, Operation};
use model::{IntegrationName, OperationName};
use serde_json::{Value, json};

use super::{described_as, no_such};
use crate::args::operation::List;
use crate::command::integration::catalog;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::print::table::{self, at, cell};

pub(super) fn list(context: &Context, args: &List) -> Outcome {
    let catalog = catalog(context)?;
    let mut rows = Vec::new();
    for name in catalog.names().iter().filter(|name| args.service.as_ref().is_none_or(|one| one == *name)) {
        let described = catalog.described(name).map_err(|error| Failure::of(&error))?;
        let integration = described.integration();
        if integration.internal() {
            continue;
        }
        if !described.is_addressed() && args.service.is_some() {
            Printer::say(&unaddressed(name));
        }
        let operations = integration.operations().iter();
        for (name, operation) in
            operations.filter(|(_, one)| args.access.is_none_or(|access| access == one.access()))
        {
            rows.push(row(integration, name, operation));
        }
    }
    if rows.is_empty()
        && let Some(service) = &args.service
    {
        // Nothing of that name, or a file that can't be read: both are said.
        let _ = catalog.described(service).map_err(|error| Failure::of(&error))?;
    }
    context.printer.answer(&json!({ "operations": rows }), |value| {
        let columns = [
            ("operation", "name"),
            ("access", "access"),
            ("risk", "risk"),
            ("program", "program"),
            ("title", "title"),
        ];
        table::of(at(value, "operations"), &columns, "There is none.")
    })
}

/// What has to be written before an operation of this service can be performed.
fn unaddressed(name: &IntegrationName) -> String {
    format!(
        "`{name}` lives at an address of your own, which is not written yet. Write it into `integrations/{name}.yaml` of your home:\n\
         \n    name: {name}\n    extends: {name}\n    domain: {name}.example.com\n"
    )
}

fn row(integration: &Integration, name: &OperationName, operation: &Operation) -> Value {
    json!({
        "name": format!("{}.{name}", integration.name()),
        "title": operation.title(),
        "access": operation.access().as_str(),
        "risk": operation.risk().as_str(),
        "guard": operation.guard(),
        "program": operation.cli().map(catalog::Cli::program),
        "http": operation.method().is_some(),
    })
}

pub(super) fn one(context: &Context, name: &str) -> Outcome {
    let catalog = catalog(context)?;
    let (described, name) = described_as(&catalog, name)?;
    let integration = described.integration();
    let operation = integration.operations().get(&name).ok_or_else(|| no_such(integration, &name))?;
    if !described.is_addressed() {
        Printer::say(&unaddressed(integration.name()));
    }
    let mut document = row(integration, &name, operation);
    let inputs: Vec<Value> = operation
        .inputs()
        .iter()
        .map(|(name, field)| {
            json!({
                "name": name,
                "type": field.kind().as_str(),
                "required": field.required(),
                "pattern": field.pattern(),
                "default": field.default(),
                "title": field.title(),
            })
        })
        .collect();
    let template = operation.cli().map(|cli| {
        json!({ "program": cli.program(), "args": cli.template(), "evidence": cli.evidence().collect::<Vec<_>>() })
    });
    let facts = json!({
        "inputs": inputs,
        "cli": template,
        "request": operation.method().map(|method| json!({ "method": method.as_str(), "paths": operation.paths() })),
        "why_no_request": operation.why(),
        "evidence": operation.evidence().collect::<Vec<_>>(),
        "before": beside(operation.before()),
        "after": beside(operation.after()),
        "scopes": operation.scopes(),
        "docs": operation.docs(),
    });
    if let (Some(all), Some(more)) = (document.as_object_mut(), facts.as_object()) {
        all.extend(more.clone());
    }
    context.printer.answer(&document, shown)
}

/// The reads beside a write.
fn beside(all: &[Around]) -> Vec<Value> {
    let one = |around: &Around| json!({ "operation": around.operation().as_str(), "fields": around.fields().map(|(name, _)| name).collect::<Vec<_>>() });
    all.iter().map(one).collect()
}

fn reads(value: &Value) -> String {
    let one = |read: &Value| format!("{} ({})", cell(at(read, "operation")), cell(at(read, "fields")));
    value.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// What holds an operation back, for people.
fn held_back(guard: &str) -> String {
    match guard {
        "break_glass" => "an emergency: `--break-glass --reason TEXT`".to_owned(),
        "disabled" => "disabled until `enable` of the integration's file names it".to_owned(),
        _ => String::new(),
    }
}

fn shown(value: &Value) -> String {
    let list = |key: &str| cell(at(value, key));
    let words =
        at(value, "cli.args").as_array().map(|args| args.iter().map(cell).collect::<Vec<_>>().join(" "));
    let command = words.map(|words| format!("{} {words}", list("cli.program"))).unwrap_or_default();
    let request = at(value, "request.paths").as_array().into_iter().flatten();
    let request: Vec<String> =
        request.map(|path| format!("{} {}", list("request.method"), cell(path))).collect();
    let facts = table::facts(&[
        ("operation", list("name")),
        ("title", list("title")),
        ("access", list("access")),
        ("risk", list("risk")),
        ("held back", held_back(&list("guard"))),
        ("command", command),
        ("request", request.join(", ")),
        ("no request", list("why_no_request")),
        ("evidence", list("evidence")),
        ("read before", reads(at(value, "before"))),
        ("read after", reads(at(value, "after"))),
        ("permissions", list("scopes")),
        ("docs", list("docs")),
    ]);
    let columns = [
        ("input", "name"),
        ("type", "type"),
        ("required", "required"),
        ("pattern", "pattern"),
        ("default", "default"),
        ("title", "title"),
    ];
    format!("{facts}\n{}", table::of(at(value, "inputs"), &columns, "It takes no inputs."))
}
