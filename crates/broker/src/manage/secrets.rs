//! Secrets go in. None of these gives one back but [`reveal`].

use memory::Secret;
use model::{Code, Refusal, SecretName, parse_duration};
use secrets::{Disclosure, Version};
use serde_json::{Value, json};

use super::Managing;

pub(super) async fn put(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let disclosure = match managing.inputs.get("disclosable").map(String::as_str) {
        Some("true") => Disclosure::Disclosable,
        _ => Disclosure::Never,
    };
    let secret = payload(managing)?;
    stands(managing, &name, &secret)?;
    let tenant = managing.admitted.permit.tenant();
    let version = managing.unsealed.secrets().put(tenant, &name, secret, disclosure).await;
    Ok(stored(&name, &version.map_err(|error| refused(&error))?))
}

pub(super) async fn rotate(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let overlap = match managing.inputs.get("overlap") {
        None => std::time::Duration::ZERO,
        Some(text) => {
            parse_duration(text).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?
        }
    };
    let secret = payload(managing)?;
    stands(managing, &name, &secret)?;
    let tenant = managing.admitted.permit.tenant();
    let version = managing.unsealed.secrets().rotate(tenant, &name, secret, overlap).await;
    Ok(stored(&name, &version.map_err(|error| refused(&error))?))
}

/// What is to be stored: what came, or an imprint of it.
fn payload(managing: &mut Managing<'_>) -> Result<Secret, Refusal> {
    let imprinted = managing.inputs.get("imprint").is_some_and(|given| given == "true");
    let secret = managing.payload()?.into_secret();
    if !imprinted {
        return Ok(secret);
    }
    managing.unsealed.secrets().imprint(&secret).map_err(|error| {
        refused(&error).hint("an imprint is of a random text of at least 16 bytes; generate one")
    })
}

/// Sees that a secret can stand where it will, for what its name says by itself: `slack/token` is for `slack`, unless the file of that says
/// something else. What other integrations name is looked at when the doors open, and by `doorward doctor`.
fn stands(managing: &Managing<'_>, name: &SecretName, secret: &Secret) -> Result<(), Refusal> {
    let whose = name.as_str().split('/').next().unwrap_or_default();
    let Ok(whose) = whose.parse::<model::IntegrationName>() else { return Ok(()) };
    let Ok(integration) = managing.worker.broker().edition().integration(&whose) else { return Ok(()) };
    let reference = format!("store:{name}");
    for (field, _) in integration.secrets().iter().filter(|(_, one)| one.reference.as_str() == reference) {
        crate::broker::stands(&integration, field).check(secret).map_err(|why| {
            let message = format!("the secret `{name}` can't serve `{}`: {why}", integration.name());
            Refusal::new(Code::BadRequest, message).hint("store it as one line, without a line end behind it")
        })?;
    }
    Ok(())
}

pub(super) async fn forget(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let tenant = managing.admitted.permit.tenant();
    managing.unsealed.secrets().forget(tenant, &name).await.map_err(|error| refused(&error))?;
    Ok(json!({ "name": name, "state": "forgotten" }))
}

/// Shows a secret that was stored as disclosable. The one operation that hands out what is stored; policies deny it unless they
/// say otherwise, and its record is of a type of its own.
#[expect(clippy::disallowed_methods, reason = "this operation is the disclosure, after permit and receipt")]
pub(super) async fn reveal(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let reference: model::SecretRef = format!("store:{name}")
        .parse()
        .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))?;
    let (permit, receipt) = (&managing.admitted.permit, managing.receipt);
    let shown = managing.unsealed.secrets().disclose(permit, receipt, &reference).await;
    let shown = shown.map_err(|error| refused(&error))?;
    Ok(shown.expose(|bytes| match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "value": text }),
        Err(_) => json!({ "value_base64": crypto::to_base64(bytes) }),
    }))
}

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let tenant = managing.admitted.permit.tenant();
    let listed = managing.unsealed.secrets().list(tenant).await.map_err(|error| refused(&error))?;
    Ok(json!({ "secrets": listed }))
}

fn name(managing: &Managing<'_>) -> Result<SecretName, Refusal> {
    managing
        .input("name")?
        .parse()
        .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

fn stored(name: &SecretName, version: &Version) -> Value {
    json!({ "name": name, "reference": format!("store:{name}"), "version": version.n, "created": version.created })
}

/// Whoever manages secrets named one that is not there, or sent one that can't be: that is no missing credential of a call.
fn refused(error: &secrets::Error) -> Refusal {
    let code = match error {
        secrets::Error::Missing(_) => Code::NotFound,
        secrets::Error::Unfit { .. } => Code::BadRequest,
        _ => error.code(),
    };
    crate::broker::refused(error, code, error.hint())
}
