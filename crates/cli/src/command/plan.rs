//! `doorward plan`: steps that somebody proposes, somebody else approves, and that run once.

use std::path::Path;

use model::Inputs;
use serde_json::{Map, Value};

use super::approval::ask;
use crate::args::approval::As;
use crate::args::plan::{Decide, Plan, Written};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::{Answered, Who};
use crate::print::table::{self, at, cell};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Plan) -> Outcome {
    match args {
        Plan::Check(args) => {
            let answered = written(context, "plan.check", &args.file, &args.params, &Who::of(&args.who)?)?;
            context.printer.answer(&answered.value, |value| {
                let plan = at(value, "plan");
                format!("{}\n{}", facts(value, plan), steps(at(plan, "steps"), &Value::Null))
            })
        }
        Plan::Create(args) => create(context, &args),
        Plan::List { who } => list(context, &who),
        Plan::Show { id, who } => {
            let answered = ask(context, &who, "plan.show", &[("id", &id.to_string())])?;
            context.printer.answer(&answered.value, shown)
        }
        Plan::Approve(args) => decide(context, "approve", args),
        Plan::Deny(args) => decide(context, "deny", args),
        Plan::Run { id, file, params, who, approved } => {
            let mut inputs = Inputs::from([("id".to_owned(), id.to_string())]);
            if let Some(file) = file {
                let checked = written(context, "plan.check", &file, &params, &Who::of(&who)?)?;
                inputs.insert("digest".to_owned(), cell(at(&checked.value, "digest")));
            }
            ended(
                context,
                &context.operate_as(&Who::of(&who)?.approved(&approved)?, "plan.run", inputs, None)?,
            )
        }
        Plan::Resume { id, step, outcome, who, approved } => {
            let mut inputs = Inputs::from([("id".to_owned(), id.to_string())]);
            inputs.extend(step.map(|step| ("step".to_owned(), step)));
            inputs.extend(outcome.map(|outcome| ("outcome".to_owned(), outcome)));
            ended(
                context,
                &context.operate_as(&Who::of(&who)?.approved(&approved)?, "plan.resume", inputs, None)?,
            )
        }
        Plan::Cancel { id, who } => {
            let answered = ask(context, &who, "plan.cancel", &[("id", &id.to_string())])?;
            context.printer.answer(&answered.value, |value| match cell(at(value, "state")).as_str() {
                "running" => format!("`{id}` ends behind the step that is under way."),
                _ => format!("`{id}` is cancelled."),
            })
        }
    }
}

fn list(context: &Context, who: &As) -> Outcome {
    let answered = ask(context, who, "plan.list", &[])?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("plan", "id"),
            ("state", "state"),
            ("summary", "summary"),
            ("risk", "risk"),
            ("by", "by"),
            ("approved by", "decided_by"),
            ("run by", "run_by"),
        ];
        let empty = "There are no plans. `doorward plan create FILE` proposes one.";
        table::of(at(value, "plans"), &columns, empty)
    })
}

fn create(context: &Context, args: &Written) -> Outcome {
    let answered = written(context, "plan.create", &args.file, &args.params, &Who::of(&args.who)?)?;
    context.printer.answer(&answered.value, |value| {
        let id = cell(at(value, "id"));
        format!(
            "Proposed as `{id}`, {}.\nSomebody else looks at it and approves it: `doorward plan approve {id}`.",
            cell(at(value, "digest"))
        )
    })
}

fn decide(context: &Context, decision: &str, args: Decide) -> Outcome {
    let Decide { id, digest, reason, who } = args;
    let id = id.to_string();
    let digest = match digest {
        Some(digest) => digest,
        None => {
            let plan = ask(context, &who, "plan.show", &[("id", &id)])?.value;
            if !context.printer.is_json() {
                crate::print::Printer::say(&shown(&plan));
            }
            cell(at(&plan, "digest"))
        }
    };
    let mut inputs = vec![("id", id.as_str()), ("decision", decision), ("digest", digest.as_str())];
    inputs.extend(reason.as_deref().map(|reason| ("reason", reason)));
    let answered = ask(context, &who, "plan.decide", &inputs)?;
    context.printer.answer(&answered.value, |value| match decision {
        // Others have to say yes as well.
        "approve" if cell(at(value, "state")) == "proposed" => {
            "Noted. It waits for somebody else's yes as well: `doorward plan show` says how many.".to_owned()
        }
        "approve" => format!("Approved, to be run once until {}.", cell(at(value, "expires"))),
        _ => "Denied.".to_owned(),
    })
}

/// How a run ended, as the status of the command.
fn ended(context: &Context, answered: &Answered) -> Outcome {
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("step", "step"),
            ("state", "state"),
            ("evidence", "evidence"),
            ("undone", "undone"),
            ("", "said"),
        ];
        let steps = table::of(at(value, "steps"), &columns, "");
        let why = cell(at(value, "why"));
        let why = if why.is_empty() { why } else { format!(": {why}") };
        format!("{steps}\n`{}` is {}{why}", cell(at(value, "id")), cell(at(value, "state")))
    })?;
    if cell(at(&answered.value, "state")) == "succeeded" { Ok(()) } else { Err(Failure::silent()) }
}

/// Sends a file with its parameters.
fn written(
    context: &Context,
    operation: &str,
    file: &Path,
    params: &[String],
    who: &Who,
) -> Outcome<Answered> {
    let pairs = params.iter().map(|param| {
        let wrong = || Failure::usage("a parameter is written `name=value`").hint("`--param replicas=3`");
        param.split_once('=').map(|(name, value)| (name.to_owned(), Value::from(value))).ok_or_else(wrong)
    });
    let pairs: Map<String, Value> = pairs.collect::<Outcome<_>>()?;
    let mut inputs = Inputs::from([("file".to_owned(), file.display().to_string())]);
    if !pairs.is_empty() {
        inputs.insert("parameters".to_owned(), Value::Object(pairs).to_string());
    }
    let text = typed::text(file)?;
    let payload = memory::Secret::new(text.into_bytes()).map_err(|error| Failure::of(&error))?;
    context.operate_as(who, operation, inputs, Some(payload))
}

/// Everything that whoever approves it has to know.
fn shown(value: &Value) -> String {
    let plan = at(value, "plan");
    format!("{}\n{}", facts(value, plan), steps(at(plan, "steps"), at(value, "progress")))
}

fn facts(value: &Value, plan: &Value) -> String {
    table::facts(&[
        ("plan", cell(at(value, "id"))),
        ("state", cell(at(value, "state"))),
        ("summary", cell(at(plan, "summary"))),
        ("intent", cell(at(plan, "intent"))),
        ("context", cell(at(plan, "context"))),
        ("trigger", cell(at(plan, "trigger"))),
        ("on failure", cell(at(plan, "on_failure"))),
        ("risk", cell(at(value, "risk"))),
        ("digest", cell(at(value, "digest"))),
        ("by", cell(at(value, "by"))),
        ("created", cell(at(value, "created"))),
        ("expires", cell(at(value, "expires"))),
        ("approvers", super::approval::approvers(value)),
        ("decided by", cell(at(value, "decided.by"))),
        ("reason", cell(at(value, "decided.reason"))),
        ("run by", cell(at(value, "run.by"))),
        ("why", cell(at(value, "why"))),
    ])
}

fn steps(steps: &Value, progress: &Value) -> String {
    let mut text = String::new();
    for (nth, step) in steps.as_array().into_iter().flatten().enumerate() {
        let progress = progress.get(nth).unwrap_or(&Value::Null);
        let state = [at(progress, "state"), at(progress, "evidence"), at(progress, "said")].map(cell);
        let state: Vec<&str> = state.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        text.push_str(&format!("{}. {}  {}\n", nth + 1, cell(at(step, "id")), state.join("  ")));
        for check in at(step, "preconditions").as_array().into_iter().flatten() {
            text.push_str(&call("before", check));
        }
        text.push_str(&call("do", at(step, "act")));
        for check in at(step, "verify").as_array().into_iter().flatten() {
            text.push_str(&call("verify", check));
        }
        if !at(step, "rollback").is_null() {
            text.push_str(&call("undo", at(step, "rollback")));
        }
    }
    crate::print::problem::clean(&text)
}

fn call(what: &str, call: &Value) -> String {
    let inputs = at(call, "inputs").as_object().into_iter().flatten();
    let inputs: Vec<String> = inputs.map(|(name, value)| format!("{name}={}", cell(value))).collect();
    let expect = cell(at(call, "expect"));
    let expect = if expect.is_empty() { expect } else { format!("  expects {expect}") };
    format!(
        "   {what:6} {} [{}, {}] {}{expect}\n",
        cell(at(call, "operation")),
        cell(at(call, "access")),
        cell(at(call, "risk")),
        inputs.join(" ")
    )
}
