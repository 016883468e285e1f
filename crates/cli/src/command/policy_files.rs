//! `doorward policy check-files`: the policy files of an agent, checked and asked without an agent.

use model::Clock;
use policy::Answer;
use policy::files::{Action, Decision, Facts, ProcessFact, Question, ResourceName, Set};
use serde_json::{Value, json};

use crate::args::policy::CheckFiles;
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Reads the folder as an agent would, and answers the question where there is one.
pub(crate) fn check(context: &Context, args: &CheckFiles) -> Outcome {
    let set = Set::load(&args.folder)?;
    let decision = args.resource.as_ref().map(|resource| decide(&set, args, resource)).transpose()?;
    let allowed = decision.as_ref().is_none_or(|decision| decision.decision == Answer::Allow);
    let document = json!({
        "ok": true,
        "policies": set.len(),
        "rules": set.rules(),
        "warnings": set.warnings(),
        "decision": decision.as_ref().map(written),
    });
    context.printer.answer(&document, |_| {
        let mut text: String = set.warnings().iter().map(|warning| format!("warning: {warning}\n")).collect();
        text.push_str(&format!(
            "`{}` is valid: {} policies, {} rules that hold.",
            args.folder.display(),
            set.len(),
            set.rules()
        ));
        if let Some(decision) = &decision {
            let word = if decision.decision == Answer::Allow { "allow" } else { "deny" };
            text.push_str(&format!("\n{word}: {}", decision.reasoning));
            for condition in &decision.conditions {
                text.push_str(&format!("\n  where {condition}"));
            }
        }
        text
    })?;
    if allowed { Ok(()) } else { Err(Failure::silent()) }
}

fn decide(set: &Set, args: &CheckFiles, resource: &str) -> Outcome<Decision> {
    let resource: ResourceName = resource.parse()?;
    let actions = args.actions.iter().map(|word| word.parse()).collect::<Result<Vec<Action>, _>>()?;
    let mut facts = Facts { address: args.address, ..Facts::default() };
    for pair in &args.environment {
        let (name, value) = split(pair)?;
        facts.environment.insert(name.to_owned(), value.to_owned());
    }
    for pair in &args.process {
        let (name, value) = split(pair)?;
        let fact = ProcessFact::ALL.into_iter().find(|fact| fact.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = ProcessFact::ALL.into_iter().map(ProcessFact::as_str).collect();
            Failure::usage(format!("a process has no fact `{name}`, only `{}`", known.join("`, `")))
        })?;
        facts.process.insert(fact, value.to_owned());
    }
    let now = match &args.at {
        Some(time) => time.parse()?,
        None => broker::SystemClock::default().now(),
    };
    let question = Question {
        resource: &resource,
        actions: &actions,
        identity: &args.identity,
        also: &[],
        facts: &facts,
        now,
    };
    Ok(set.decide(&question))
}

fn split(pair: &str) -> Outcome<(&str, &str)> {
    pair.split_once('=').ok_or_else(|| Failure::usage(format!("`{pair}` is not written `NAME=VALUE`")))
}

fn written(decision: &Decision) -> Value {
    json!({
        "decision": decision.decision,
        "applied_policies": decision.applied_policies,
        "applied_rules": decision.applied_rules,
        "conditions": decision.conditions,
        "reasoning": decision.reasoning,
    })
}
