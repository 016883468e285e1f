//! Runs one case: every line of it is compared, and what a request needs but the case lacks is a problem too.

use model::{Call, Code, EvidenceId, Refusal, Target};

use super::{Case, HeaderLines, Inject, SentEntry, command};
use crate::{Asked, Integration, Seen};

/// What came of one case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case, from 1.
    pub place: usize,
    /// What it is called.
    pub name: String,
    /// What is not as the case says; empty where it passed.
    pub problems: Vec<String>,
}

/// Runs cases, in order.
#[must_use]
pub fn run(integration: &Integration, cases: &[Case], inject: Inject<'_>) -> Vec<Outcome> {
    cases
        .iter()
        .enumerate()
        .map(|(at, case)| {
            let mut problems = Vec::new();
            if let Err(problem) = one(integration, case, inject, &mut problems) {
                problems.push(problem);
            }
            Outcome { place: at + 1, name: case.name().to_owned(), problems }
        })
        .collect()
}

fn one(
    integration: &Integration,
    case: &Case,
    inject: Inject<'_>,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let result = match (&case.request, &case.named) {
        (Some(request), None) => asked(integration, case, request)?,
        (None, Some(named)) => {
            let name = named.parse().map_err(|error: model::ParseError| error.to_string())?;
            integration.named(EvidenceId::from_bytes([0; 16]), &name, case.inputs.clone().unwrap_or_default())
        }
        _ => return Err("a case has either `request` or `named`".to_owned()),
    };
    match (result, &case.refused) {
        (Ok(call), None) => compare(integration, case, &call, inject, problems),
        (Err(refusal), Some(code)) => {
            let wanted =
                Code::from_word(code).ok_or_else(|| format!("`{code}` is not the code of a refusal"))?;
            if refusal.code != wanted {
                problems.push(format!("refused with `{}`, not `{wanted}`", refusal.code));
            }
            Ok(())
        }
        (Ok(call), Some(code)) => {
            Err(format!("it is `{}`, but should be refused with `{code}`", call.operation()))
        }
        (Err(refusal), None) => Err(format!("refused with `{}`: {}", refusal.code, refusal.message)),
    }
}

fn asked(integration: &Integration, case: &Case, request: &str) -> Result<Result<Call, Refusal>, String> {
    let (method, target) = request.split_once(' ').ok_or("a request is a method and a path")?;
    let method = method.parse().map_err(|error: model::ParseError| error.to_string())?;
    let target: Target = match target.parse() {
        Ok(target) => target,
        // A target that does not parse is refused before there is an integration; to a case that is the same.
        Err(error) => return Ok(Err(Refusal::new(Code::BadRequest, error.to_string()))),
    };
    let mut content_types: Vec<&str> = Vec::new();
    for (name, lines) in &case.headers {
        if name.eq_ignore_ascii_case("content-type") {
            match lines {
                HeaderLines::One(line) => content_types.push(line),
                HeaderLines::Several(lines) => content_types.extend(lines.iter().map(String::as_str)),
            }
        }
    }
    let body = match &case.body {
        None => Vec::new(),
        Some(serde_json::Value::String(text)) => text.clone().into_bytes(),
        Some(value) => value.to_string().into_bytes(),
    };
    let wants = integration.route(method, &target).wants_body();
    let body = wants.then_some(body.as_slice());
    let asked = Asked { method, target: &target, content_types: &content_types, body };
    Ok(integration.call(EvidenceId::from_bytes([0; 16]), &asked))
}

fn compare(
    integration: &Integration,
    case: &Case,
    call: &Call,
    inject: Inject<'_>,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let mut same = |what: &str, is: String, wanted: Option<String>| match wanted {
        Some(wanted) if wanted != is => problems.push(format!("{what} is `{is}`, not `{wanted}`")),
        _ => {}
    };
    let operation = case.operation.as_ref().or(case.named.as_ref());
    same(
        "the operation",
        call.operation().to_string(),
        Some(operation.ok_or("`operation` is missing")?.clone()),
    );
    same(
        "the access",
        call.access().to_string(),
        Some(case.access.ok_or("`access` is missing")?.to_string()),
    );
    same(
        "the resource",
        call.resource().to_string(),
        Some(case.resource.clone().ok_or("`resource` is missing")?),
    );
    // Those of a named operation are what it is asked with.
    let inputs = case.inputs.as_ref().filter(|_| case.named.is_none());
    same("the set of inputs", format!("{:?}", call.inputs()), inputs.map(|wanted| format!("{wanted:?}")));
    if let (Some(_), Some(SentEntry { refused: Some(code), .. })) = (call.request(), &case.sends) {
        let refused =
            integration.check_said(call.operation(), call.inputs()).err().map(|refusal| refusal.code);
        same("what comes of a request", format!("{refused:?}"), Some(format!("{:?}", Code::from_word(code))));
    } else if call.request().is_some() {
        let wanted = case.sends.as_ref().ok_or("`sends` is missing")?;
        let sent = inject(integration, call);
        same("the URL that is sent", sent.url, Some(wanted.url.clone()));
        let headers = wanted.headers.as_ref().map(|wanted| format!("{wanted:?}"));
        same("the set of headers that are sent", format!("{:?}", sent.headers), headers);
    }
    if case.named.is_some() {
        command::compare(integration, case, call, &mut same)?;
    }
    replied(integration, case, call, &mut same)
}

/// Compares what is made of the reply.
fn replied(
    integration: &Integration,
    case: &Case,
    call: &Call,
    same: command::Same<'_>,
) -> Result<(), String> {
    let Some(reply) = &case.reply else {
        return if case.evidence.is_some() { Err("`evidence` without a `reply`".to_owned()) } else { Ok(()) };
    };
    if !(100..600).contains(&reply.status) {
        return Err("`status` is not a status of HTTP".to_owned());
    }
    let body = match &reply.body {
        None => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let headers = |name: &str| {
        reply.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone())
    };
    let fields = integration.fields(call.operation(), &headers, body.as_bytes());
    let found: std::collections::BTreeMap<String, String> = fields.into_iter().collect();
    let wanted = case.evidence.clone().unwrap_or_default();
    same("the evidence", format!("{found:?}"), Some(format!("{wanted:?}")));
    let operation = integration.operations().get(call.operation());
    let unmet = operation.and_then(|operation| operation.unmet(body.as_bytes()));
    same("what is unmet", format!("{unmet:?}"), Some(format!("{:?}", case.unmet)));
    let poll = operation.and_then(|operation| operation.poll());
    let waits = poll.and_then(|poll| match poll.seen(body.as_bytes()) {
        Seen::There => None,
        Seen::NotYet(why) | Seen::Never(why) => Some(why),
    });
    same("what is waited for", format!("{waits:?}"), Some(format!("{:?}", case.waits)));
    if let Some(shown) = &case.shown {
        let is = command::shown(integration, call, body.as_bytes())?;
        same("what is shown", command::read(&is, shown), Some(command::written(shown)));
    }
    Ok(())
}
