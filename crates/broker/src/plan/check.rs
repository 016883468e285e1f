//! From a file to a plan: every call is one that the catalogue has, with inputs that it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use catalog::Catalog;
use model::{Access, Code, EvidenceId, Inputs, Refusal, Risk};
use policy::MOST_APPROVERS;

use super::file::{Expect, File, Stage, StepEntry, Text};
use super::row::{Call, Plan, Step, text_digest};

/// The plan of a file whose parameters are filled in, and its risk: the highest of its calls.
///
/// # Errors
/// `bad_request` that names the step.
pub(crate) fn checked(file: File, catalog: &Catalog) -> Result<(Plan, Risk), Refusal> {
    let File { summary, intent, trigger, context, parameters: _, on_failure, approvers, steps } = file;
    let wrong = |message: &str| Refusal::new(Code::BadRequest, message);
    if summary.trim().is_empty() || summary.contains(char::is_control) {
        return Err(wrong("the summary of a plan is one line"));
    }
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Err(wrong(&format!("a plan has 1 to {MOST_STEPS} steps")));
    }
    let approvers = approvers.unwrap_or(NonZeroU8::MIN);
    if approvers.get() > MOST_APPROVERS {
        return Err(wrong(&format!("`approvers` of a plan is 1 to {MOST_APPROVERS}")));
    }
    let mut ids = BTreeSet::new();
    let mut checked = Vec::with_capacity(steps.len());
    for entry in steps {
        let id = entry.id.clone();
        let sound = !id.is_empty()
            && id.len() <= 64
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        if !sound {
            return Err(wrong("the id of a step is 1 to 64 lower-case letters, digits, `-` and `_`"));
        }
        if !ids.insert(id.clone()) {
            return Err(wrong(&format!("two steps have the id `{id}`")));
        }
        checked.push(step(entry, catalog).map_err(|refusal| within(&id, refusal))?);
    }
    let calls = || {
        checked.iter().flat_map(|step| {
            let more = step.preconditions.iter().chain(&step.verify).chain(&step.rollback);
            more.chain([&step.act])
        })
    };
    let risk = calls().map(|call| call.risk).max().unwrap_or(Risk::High);
    let names: BTreeSet<&str> = calls().filter_map(|call| Some(call.operation.split_once('/')?.0)).collect();
    let services =
        names.into_iter().filter_map(|name| Some((name.to_owned(), text_digest(catalog, name)?))).collect();
    let context = context.into_iter().map(|(name, text)| (name, text.0)).collect();
    let plan = Plan { summary, intent, trigger, context, on_failure, approvers, services, steps: checked };
    Ok((plan, risk))
}

fn step(entry: StepEntry, catalog: &Catalog) -> Result<Step, Refusal> {
    let StepEntry { id, operation, inputs, stage, expect, preconditions, verify, rollback } = entry;
    let act = call(&operation, inputs, expect, catalog)?;
    if stage == Stage::Verify && act.access == Access::Write {
        let message = format!("`{operation}` writes, so it is no step of the stage `verify`");
        return Err(Refusal::new(Code::BadRequest, message));
    }
    if act.access == Access::Write && act.expect.within.is_some() {
        let message = format!("`{operation}` writes, so it is not asked again: `within` is for reads");
        return Err(Refusal::new(Code::BadRequest, message));
    }
    let read = |check: super::file::CheckEntry| {
        let call = call(&check.operation, check.inputs, check.expect, catalog)?;
        match call.access {
            Access::Read => Ok(call),
            Access::Write => {
                let message = format!("`{}` writes; preconditions and `verify` only read", call.operation);
                Err(Refusal::new(Code::BadRequest, message))
            }
        }
    };
    let preconditions = preconditions.into_iter().map(&read).collect::<Result<_, _>>()?;
    let verify = verify.into_iter().map(&read).collect::<Result<Vec<_>, _>>()?;
    let rollback =
        rollback.map(|undo| call(&undo.operation, undo.inputs, Expect::default(), catalog)).transpose()?;
    let step = Step { id, stage, preconditions, act, verify, rollback };
    if step.preconditions.len() + step.verify.len() > MOST_CHECKS {
        return Err(Refusal::new(Code::BadRequest, format!("a step has at most {MOST_CHECKS} checks")));
    }
    Ok(step)
}

/// A call with inputs as the catalogue takes them.
fn call(
    operation: &str,
    inputs: BTreeMap<String, Text>,
    expect: Expect,
    catalog: &Catalog,
) -> Result<Call, Refusal> {
    let wrong = |message: String| Refusal::new(Code::BadRequest, message);
    let (integration, name) = operation
        .split_once('/')
        .ok_or_else(|| wrong(format!("`{operation}` is no operation")).hint("`integration/operation`"))?;
    let unreadable = |error: model::ParseError| wrong(error.to_string());
    let (integration, name) = (integration.parse().map_err(unreadable)?, name.parse().map_err(unreadable)?);
    let found = catalog
        .get(&integration)
        .map_err(|error| crate::broker::refused(&error, Code::BadRequest, error.hint()))?;
    if found.internal() {
        return Err(wrong(format!(
            "a plan can't do `{operation}`: it acts on services, not on Doorward itself"
        )));
    }
    let inputs: Inputs = inputs.into_iter().map(|(name, text)| (name, text.0)).collect();
    let call = found.named(EvidenceId::from_bytes([0; 16]), &name, inputs)?;
    let (access, risk, inputs) = (call.access(), call.risk(), call.inputs().clone());
    Ok(Call { operation: format!("{integration}/{name}"), inputs, access, risk, expect })
}

fn within(step: &str, refusal: Refusal) -> Refusal {
    let told = Refusal::new(refusal.code, format!("step `{step}`: {}", refusal.message));
    match refusal.hint {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

const MOST_STEPS: usize = 100;
/// Of one step.
const MOST_CHECKS: usize = 20;
