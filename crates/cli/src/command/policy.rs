//! `doorward policy`: write, list, test and explain policies.

use std::path::Path;
use std::sync::Arc;

use model::Inputs;
use policy::{Explanation, Policies, Question, Source};
use serde_json::json;

use super::policy_files;
use crate::args::policy::{Explain, Policy, Test};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::table::{self, at, cell};
use crate::print::{BAD, GOOD, styled};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Policy) -> Outcome {
    match args {
        Policy::Put { name, file } => put(context, &name, &file),
        Policy::List => list(context),
        Policy::Template { name } => template(context, &name),
        Policy::Forget { name, yes } => forget(context, &name, yes),
        Policy::Test(args) => test(context, &args),
        Policy::Explain(args) => explain(context, &args),
        Policy::CheckFiles(args) => policy_files::check(context, &args),
    }
}

fn put(context: &Context, name: &str, file: &Path) -> Outcome {
    let text = typed::text(file)?;
    let payload = memory::Secret::new(text.into_bytes()).map_err(|error| Failure::of(&error))?;
    let inputs = Inputs::from([("name".to_owned(), name.to_owned())]);
    let answered = context.operate("policy.put", inputs, Some(payload))?;
    context.printer.answer(&answered.value, |value| {
        let warnings = at(value, "warnings").as_array().cloned().unwrap_or_default();
        let warnings: String =
            warnings.iter().map(|warning| format!("warning: {}\n", cell(warning))).collect();
        format!("Policy `{name}` holds from now on.\n{warnings}")
    })
}

fn list(context: &Context) -> Outcome {
    let answered = context.ask("policy.list", &[])?;
    context.printer.answer(&answered.value, |value| {
        let rules = table::of(at(value, "rules"), &[("policy", "id"), ("place", "place")], "");
        let files = table::of(
            at(value, "policies"),
            &[("file", "name"), ("changed", "changed")],
            "Nobody wrote policies; those above hold by default.",
        );
        let wrong: String = at(value, "warnings")
            .as_array()
            .into_iter()
            .flatten()
            .map(|warning| format!("warning: {}\n", cell(warning)))
            .collect();
        format!("{wrong}{rules}\n{files}")
    })
}

fn template(context: &Context, name: &str) -> Outcome {
    let Source { name, text } = if name == "default" { Source::DEFAULT } else { Source::TEAM };
    context.printer.answer(&json!({ "name": name, "text": text }), |_| text.to_owned())
}

fn forget(context: &Context, name: &str, yes: bool) -> Outcome {
    if !yes {
        typed::confirmed(&format!("Remove the policy `{name}`, and what it forbids?"), "--yes")?;
    }
    let answered = context.ask("policy.forget", &[("name", name)])?;
    context.printer.answer(&answered.value, |_| format!("Policy `{name}` holds no more."))
}

fn explain(context: &Context, args: &Explain) -> Outcome {
    let Explain { principal, operation, resource } = args;
    let (integration, name) = operation
        .split_once('/')
        .ok_or_else(|| Failure::usage("an operation is written `integration/operation`"))?;
    let mut inputs = vec![("for", principal.as_str()), ("integration", integration), ("operation", name)];
    if let Some(resource) = resource {
        inputs.push(("resource", resource));
    }
    let answered = context.ask("policy.explain", &inputs)?;
    context.printer.answer(&answered.value, |value| {
        let mut text = format!("{}: {}\n", cell(at(value, "answer")), cell(at(value, "reason")));
        match at(value, "approvers").as_u64() {
            None | Some(0) => {}
            Some(1) => text.push_str("Somebody has to approve it first.\n"),
            Some(several) => {
                text.push_str(&format!("{several} different people have to approve it first.\n"))
            }
        }
        for error in at(value, "errors").as_array().into_iter().flatten() {
            text.push_str(&format!("could not be evaluated: {}\n", cell(error)));
        }
        text
    })
}

/// Needs no broker, and no home: the built-in catalogue, and the user's where there is one.
fn test(context: &Context, args: &Test) -> Outcome {
    let text = typed::text(&args.file)?;
    let shown = args.file.display().to_string();
    let catalog = super::integration::catalog(context)?;
    let sources = [Source::DEFAULT, Source { name: &shown, text: &text }];
    let policies = Policies::compile_for(&sources, Arc::new(broker::Operations(catalog)))?;
    let questions = match &args.questions {
        None => Vec::new(),
        Some(path) => serde_json::from_str::<Vec<Question>>(&typed::text(path)?)
            .map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))?,
    };
    let (mut lines, mut results, mut wrong) = (String::new(), Vec::new(), 0_usize);
    for question in &questions {
        let explanation = policies.evaluate(question)?;
        let holds = question.expect.is_none_or(|expected| expected == explanation.answer);
        wrong += usize::from(!holds);
        lines.push_str(&line(question, &explanation, holds));
        results.push(json!({ "question": question, "explanation": explanation, "ok": holds }));
    }
    let document = json!({ "ok": wrong == 0, "warnings": policies.warnings(), "results": results });
    context.printer.answer(&document, |_| {
        let warnings: String =
            policies.warnings().iter().map(|warning| format!("warning: {warning}\n")).collect();
        format!(
            "{warnings}{lines}`{shown}` is valid; {} questions, {wrong} answered otherwise.",
            questions.len()
        )
    })?;
    if wrong == 0 { Ok(()) } else { Err(Failure::silent()) }
}

fn line(question: &Question, explanation: &Explanation, holds: bool) -> String {
    let mark = if holds { styled(GOOD, "ok  ") } else { styled(BAD, "FAIL") };
    format!(
        "{mark} {} {} {}: {}\n",
        question.principal, question.operation, question.resource, explanation.reason
    )
}
