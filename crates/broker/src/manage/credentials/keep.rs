//! Keeping a credential: its bytes in the store of secrets, its row beside them, and which one of a provider is in use.
//!
//! One that is tried first is kept before, because it goes to its provider from the store of secrets; one that nobody is asked about is one commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::Provider;
use memory::Secret;
use model::{Code, CredentialId, Refusal, SecretName};
use secrets::Disclosure;
use serde_json::Value;
use store::Batch;
use tenancy::{Begun, CredentialRow, How, Settled, Status, Unvalidated};

use super::answer::{failed, told};
use super::beside::Beside;
use super::request::Asked;
use super::{
    Chosen, Done, Managing, Own, Seen, Stop, Wrong, fingerprint, forget, note, probe, refused, still,
    with_rows,
};

/// Sets a credential up: kept first, then tried, then put in use where it may be.
pub(super) async fn set_up(
    managing: &mut Managing<'_>,
    own: &Own,
    Chosen { all, code, provider }: &Chosen,
    asked: Asked,
) -> Result<Done, Stop> {
    let Asked { credential, name, metadata, skip } = asked;
    let credential = credential.ok_or_else(Wrong::no_credential)?;
    let shaped = match provider.shaped(&credential) {
        Ok(shaped) => shaped,
        Err(misshaped) if provider.kind == SERVICE_ACCOUNT => {
            return Err(Wrong::bad(misshaped.to_string()).into());
        }
        Err(misshaped) => return Ok(failed(code, &misshaped.to_string())),
    };
    let beside = Beside { name: name.as_deref(), metadata: metadata.as_ref() };
    let _apart = beside.without(&credential, &shaped.facts)?;
    let (mut metadata, facts) = (metadata.unwrap_or_default(), shaped.facts);
    if provider.kind == SERVICE_ACCOUNT {
        metadata.extend(facts.iter().map(|(name, fact)| (name.clone(), Value::from(fact.as_str()))));
    }
    all.kept(provider, &mut metadata).map_err(|unkept| Wrong::metadata(&unkept))?;
    let fingerprint = fingerprint(&credential);
    let (id, secret) = named(managing, code, provider)?;
    let bytes = Secret::new(credential.as_bytes().to_vec());
    let bytes = bytes.map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    drop(credential);
    let now = managing.worker.broker().now();
    let mut row = CredentialRow {
        id,
        provider: code.clone(),
        kind: provider.kind.clone(),
        secret,
        name: name.unwrap_or_else(|| called(provider, &facts)),
        status: Status::Pending,
        created: now,
        expires: now.after(LIFE),
        validated: None,
        error: None,
        tried: None,
        facts,
        metadata,
        by: managing.admitted.permit.principal().clone(),
        fingerprint,
        ends: None,
        gone: false,
    };
    if skip {
        return at_once(managing, own, row, bytes).await;
    }
    let (asked, seen) = (code.clone(), Seen::of(managing));
    let begun = with_rows(managing, own, move |rows, plan, now| {
        let _same = still(&seen, &asked, rows.in_use()?.get(&asked), now)?;
        rows.begin(&asked, plan)
    });
    let begun = begun.await?;
    let begun = begun.map_err(Wrong::plan)?;
    let put = managing.unsealed.secrets().put(&own.tenant, &row.secret, bytes, Disclosure::Never).await;
    put.map_err(|error| refused(&error))?;
    let verdict = probe::verdict(managing, &own.tenant, provider, &row).await?;
    note(&mut row, &verdict, now);
    settled(managing, own, row, begun).await
}

/// Keeps a credential that nobody is asked about and puts it in use, bytes and rows in one commit.
async fn at_once(
    managing: &Managing<'_>,
    own: &Own,
    row: CredentialRow,
    bytes: Secret,
) -> Result<Done, Stop> {
    let (written, unsealed, tenant) = (row.clone(), Arc::clone(&managing.unsealed), own.tenant.clone());
    let seen = Seen::of(managing);
    let settled = with_rows(managing, own, move |rows, plan, now| {
        let steps = |used: Option<&CredentialRow>| {
            let _same = still(&seen, &written.provider, used, now)?;
            let made = unsealed.secrets().steps(&tenant, &written.secret, &bytes, Disclosure::Never);
            made.map_err(|error| refused(&error))
        };
        let how = How { unvalidated: Unvalidated::Replaces, begun: None, now };
        rows.settle_with(&written, plan, how, &steps)
    });
    shown(managing, &row, settled.await?)
}

/// Writes what came of a credential whose provider was asked. One that is not kept leaves nothing behind.
async fn settled(managing: &Managing<'_>, own: &Own, row: CredentialRow, begun: Begun) -> Result<Done, Stop> {
    let (written, seen) = (row.clone(), Seen::of(managing));
    let settled = with_rows(managing, own, move |rows, plan, now| {
        let how = How { unvalidated: Unvalidated::Waits, begun: Some(begun), now };
        rows.settle_with(&written, plan, how, &|used| {
            still(&seen, &written.provider, used, now).map(|_same| Batch::new())
        })
    });
    let done = match settled.await {
        Ok(settled) => shown(managing, &row, settled),
        Err(refusal) => Err(refusal.into()),
    };
    if done.is_err()
        && let Err(left) = forget(managing, own, &row).await
    {
        tracing::warn!(tenant = %own.tenant, code = %left.code, "a credential that was not kept left its bytes behind");
    }
    done
}

/// Where a credential ended up, as it is told.
fn shown(managing: &Managing<'_>, row: &CredentialRow, settled: Settled) -> Result<Done, Stop> {
    let now = managing.worker.broker().now();
    match settled {
        Settled::Replaced(before) => Ok(told(row, Some(before), now)),
        Settled::InUse | Settled::Beside => Ok(told(row, None, now)),
        Settled::NoRoom(most) => Err(Wrong::plan(most).into()),
        Settled::Outrun(by) => Err(Wrong::outrun(&row.provider, by.is_some()).into()),
    }
}

/// What a credential is called that was given no name.
fn called(provider: &Provider, facts: &BTreeMap<String, String>) -> String {
    match facts.get("project_id").filter(|_| provider.kind == SERVICE_ACCOUNT) {
        Some(project) => format!("GCP SA ({project})"),
        None => provider.title.clone(),
    }
}

/// The id of a new credential, and the name that binds its bytes to the integration of their provider.
fn named(
    managing: &Managing<'_>,
    code: &str,
    provider: &Provider,
) -> Result<(CredentialId, SecretName), Refusal> {
    let broker = managing.worker.broker();
    let id = CredentialId::of_uuid(broker.now(), broker.random()?);
    let of = provider.integration.as_ref().map_or_else(|| code.to_ascii_lowercase(), ToString::to_string);
    let name = format!("credentials/{of}/{id}").parse();
    let name = name.map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))?;
    Ok((id, name))
}

const SERVICE_ACCOUNT: &str = "SERVICE_ACCOUNT_JSON";
/// Ninety days.
const LIFE: Duration = Duration::from_secs(90 * 86_400);
