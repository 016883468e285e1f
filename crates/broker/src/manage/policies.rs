//! Policies: written only after the whole set compiles, so that a bad file never replaces a good one.

use std::sync::Arc;

use model::{Code, Inputs, Refusal, Resource, SecretName};
use policy::{OWNER, Policies, PrincipalKind, Question};
use serde_json::{Value, json};

use super::{Managing, unstored, waiting};
use crate::broker::PolicyRow;

pub(super) async fn put(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let (name, text) = (name(managing)?, managing.payload()?.text()?);
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    let row = PolicyRow { text, changed: broker.now() };
    let expected = managing.inputs.get("seen").cloned();
    waiting(move || {
        let compiled = broker.change_policy(&tenant, &name, Some(row), expected.as_deref())?;
        let compiled = compiled.as_deref();
        let warnings = compiled.map_or(&[][..], Policies::warnings);
        Ok(json!({ "name": name, "version": compiled.map(|set| set.version().to_string()), "warnings": warnings }))
    })
    .await
}

/// Compiles the set as it would be with this policy. That it does not compile is an answer.
pub(super) async fn check(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let (name, text) = (name(managing)?, managing.payload()?.text()?);
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    waiting(move || {
        Ok(match broker.try_policy(&tenant, &name, text)? {
            Ok(compiled) => json!({ "valid": true, "warnings": compiled.warnings(), "errors": [] }),
            Err(error) => json!({ "valid": false, "warnings": [], "errors": [placed(&error)] }),
        })
    })
    .await
}

/// What is wrong with a policy, and where.
fn placed(error: &policy::Error) -> Value {
    match error {
        policy::Error::Policy { source_name, line, column, message } => {
            json!({ "name": source_name, "line": line, "column": column, "message": message })
        }
        other => json!({ "name": null, "line": null, "column": null, "message": other.to_string() }),
    }
}

pub(super) async fn forget(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    let expected = managing.inputs.get("seen").cloned();
    waiting(move || {
        let known =
            store::get::<PolicyRow>(&**broker.storage(), &tenant, &name).map_err(|error| unstored(&error))?;
        if known.is_none() {
            return Err(missing(&name));
        }
        let _compiled = broker.change_policy(&tenant, &name, None, expected.as_deref())?;
        Ok(json!({ "name": name, "state": "forgotten" }))
    })
    .await
}

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    waiting(move || {
        let rows = store::all::<PolicyRow>(&**broker.storage(), &tenant).map_err(|error| unstored(&error))?;
        let policies = broker.policies();
        let rules: Vec<Value> = policies
            .iter()
            .flat_map(|set| set.rules())
            .map(|(id, place)| json!({ "id": id, "place": place }))
            .collect();
        // What can't be compiled is listed all the same, so that it can be mended.
        let wrong = policies.as_ref().err().map(|refusal| refusal.message.clone());
        let warnings = policies.as_ref().map_or(&[][..], |set| set.warnings()).iter().cloned().chain(wrong);
        let warnings: Vec<String> = warnings.collect();
        let version = policies.as_ref().ok().map(|set| set.version().to_string());
        let files: Vec<Value> = rows
            .iter()
            .map(|(name, row)| json!({ "name": name, "changed": row.changed, "text": row.text }))
            .collect();
        Ok(json!({ "version": version, "policies": files, "rules": rules, "warnings": warnings }))
    })
    .await
}

pub(super) async fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    waiting(move || {
        let row =
            store::get::<PolicyRow>(&**broker.storage(), &tenant, &name).map_err(|error| unstored(&error))?;
        let row = row.ok_or_else(|| missing(&name))?;
        Ok(row.shown(&name))
    })
    .await
}

fn missing(name: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no policy `{name}`")).hint("`doorward policy list`")
}

pub(super) fn explain(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let wrong = |error: &dyn std::error::Error| Refusal::new(Code::BadRequest, error.to_string());
    let broker = managing.worker.broker();
    let principal = managing.inputs.get("for").map_or(broker.owner().as_str(), String::as_str);
    let operation = match (managing.inputs.get("integration"), managing.inputs.get("operation")) {
        (Some(integration), Some(operation)) => format!("{integration}/{operation}"),
        (None, Some(operation)) => operation.clone(),
        _ => {
            return Err(Refusal::new(Code::BadRequest, "the input `operation` is missing")
                .hint("`--operation slack/chat.post`"));
        }
    };
    let roles = match managing.inputs.get("roles") {
        Some(roles) => roles.split(',').map(|role| role.trim().to_owned()).collect(),
        None if principal == broker.owner().as_str() => vec![OWNER.to_owned()],
        None => Vec::new(),
    };
    let question = Question {
        tenant: managing.admitted.permit.tenant().clone(),
        principal: principal.parse().map_err(|error: model::ParseError| wrong(&error))?,
        kind: PrincipalKind::Unknown,
        roles,
        operation,
        resource: managing
            .inputs
            .get("resource")
            .map_or(Ok(Resource::any()), |text| text.parse())
            .map_err(|error: model::ParseError| wrong(&error))?,
        integration_kind: None,
        context: policy::Circumstances { now: broker.now(), inputs: Inputs::new(), ..Default::default() },
        expect: None,
    };
    let mut explanation = broker.policies()?.evaluate(&question).map_err(|error| wrong(&error))?;
    if explanation.approval {
        explanation.approvers = explanation.approvers.max(broker.least_approvers().get());
    }
    serde_json::to_value(&explanation).map_err(|error| wrong(&error))
}

fn name(managing: &Managing<'_>) -> Result<String, Refusal> {
    let name: SecretName = managing
        .input("name")?
        .parse()
        .map_err(|_| Refusal::new(Code::BadRequest, "a policy's name is lower-case words joined by `/`"))?;
    Ok(name.to_string())
}
