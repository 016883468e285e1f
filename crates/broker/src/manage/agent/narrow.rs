//! `agent.narrow`: a capability with a name that comes from another one, and is never wider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{CapabilityId, Code, GrantId, Refusal};
use policy::files::ResourceName;
use policy::{Caveat, Named, Reach, Token, mint};
use serde_json::json;

use super::ask::Narrow;
use super::request::{actions, shown, unread, wrong};
use super::row::{Row, reach};
use super::{Asker, answered, constraints, json as strict, key, known, took};
use crate::broker::refused;
use crate::manage::{Done, Managing};

pub(crate) async fn narrow(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let started = Instant::now();
    let asked: Narrow = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    let line = known(&broker, &asker, &tenant, &asked.capability_id)?;
    let Some(parent) = line.last().filter(|parent| parent.held_by(&asker.facts.holder).is_some()) else {
        return Err(Refusal::new(Code::NotFound, "capability not found"));
    };
    let now = broker.now();
    let id = CapabilityId::new(now, broker.random()?);
    let request = format!("req_{}", id.to_string().trim_start_matches("cap_"));
    let denied = |message: String| denied(&message, parent, (&request, started));
    if let Some(over) = over(&line, now) {
        return Ok(denied(over));
    }
    let child = match child(&asked, parent, (id, now))? {
        Ok(child) => child,
        Err(message) => return Ok(denied(message)),
    };
    let root = key(managing)?;
    let row = row(&asked, (parent, &child), &request, (now, broker.agent().config.issuer.clone()));
    // The token of the child is what the chain of tokens allows; so it can't be wider, whatever stands above.
    let token = match chained(&root, &line, &child) {
        Ok(token) => token,
        Err(error @ policy::Error::Wider(_)) => return Ok(denied(error.to_string())),
        Err(error) => return Err(refused(&error, Code::BadRequest, error.hint())),
    };
    let written = row.step(&root, &tenant).ok_or_else(|| wrong("the capability can't be written down"))?;
    broker.rows().commit(vec![written.0]).await?;
    broker.grants().name(&child).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    // It may have been revoked while the row was written.
    if let Some(revoked) = broker.grants().lineage(parent.id).as_deref().and_then(|line| over(line, now)) {
        let why = super::row::Revoked { at: now, by: "doorward".to_owned(), reason: Some(revoked.clone()) };
        super::revoke::subtree(&broker, &root, &tenant, (id, &why)).await?;
        return Ok(denied(revoked));
    }
    let mut capability = shown(&row, 0, &written.1);
    if row.bearer
        && let Some(map) = capability.as_object_mut()
    {
        map.insert("token".to_owned(), token.expose(ToOwned::to_owned).into());
    }
    let fields = [
        ("status", "granted".to_owned()),
        ("capability", id.to_string()),
        ("parent", parent.id.to_string()),
        ("reach", row.reach().map(ToString::to_string).unwrap_or_default()),
    ];
    let value = json!({
        "capability": capability, "status": "granted", "message": "Capability granted successfully",
        "request_id": request, "processing_time": took(started), "issues": [],
    });
    Ok(answered(value, &fields))
}

/// What is written down of a child.
fn row(
    asked: &Narrow,
    (parent, child): (&Named, &Named),
    request: &str,
    (issued, issuer): (model::Timestamp, String),
) -> Row {
    Row {
        id: child.id,
        parent: Some(parent.id),
        principal: parent.principal.clone(),
        identity: parent.identity.to_string(),
        identity_source: "parent".to_owned(),
        holder: child.holder.clone(),
        bearer: child.bearer,
        caveats: child.caveats.clone(),
        issuer,
        issued,
        expires: child.expires,
        uses: child.uses,
        request: request.to_owned(),
        purpose: asked.purpose.clone().filter(|text| !text.is_empty()),
        metadata: None,
        constraints: asked.constraints.as_ref().map(|given| given.0.clone()).filter(|given| !given.is_null()),
        revoked: None,
    }
}

/// The answer to somebody who gets no child.
fn denied(message: &str, parent: &Named, (request, started): (&str, Instant)) -> Done {
    let fields =
        [("status", "denied".to_owned()), ("parent", parent.id.to_string()), ("reason", message.to_owned())];
    let value = json!({
        "status": "denied", "message": message, "request_id": request, "processing_time": took(started),
        "issues": [{ "severity": "error", "code": "DENIED", "message": message }],
    });
    Done { code: Some(Code::Denied), ..answered(value, &fields) }
}

/// Why nothing can come from a capability any more.
fn over(line: &[Named], now: model::Timestamp) -> Option<String> {
    line.iter().find_map(|named| match named.state {
        policy::NamedState::Active if named.expires > now => None,
        policy::NamedState::Active => Some(format!("Capability expired at {}", super::stamp(named.expires))),
        policy::NamedState::Revoked { at } => Some(format!("Capability was revoked at {}", super::stamp(at))),
        policy::NamedState::Forged => Some("the stored capability was changed by somebody else".to_owned()),
    })
}

/// What is asked for; the inner error is a denial.
fn child(
    asked: &Narrow,
    parent: &Named,
    (id, now): (CapabilityId, model::Timestamp),
) -> Result<Result<Named, String>, Refusal> {
    let Some(former) = reach(&parent.caveats) else { return Err(wrong("the capability reaches nothing")) };
    let resource: ResourceName = match asked.resource.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => text.parse().map_err(unread)?,
        None => former.resource().clone(),
    };
    let wanted = match asked.actions.as_deref().filter(|words| !words.is_empty()) {
        Some(words) => actions(words)?,
        None => former.actions().collect(),
    };
    let mut caveats = vec![Caveat::Reach(Reach::new(wanted, resource).map_err(unread)?)];
    if let Some(constraints) = &asked.constraints {
        caveats.extend(constraints::caveats(&constraints.0)?);
    }
    let expires = match asked.ttl.unwrap_or(0) {
        0 => parent.expires,
        seconds => {
            let seconds = u64::try_from(seconds).map_err(|_| wrong("ttl cannot be negative"))?;
            now.after(Duration::from_secs(seconds))
        }
    };
    let uses = match asked.max_uses.unwrap_or(0) {
        0 => parent.uses,
        uses => u32::try_from(uses).map_err(|_| wrong("max_uses is a number from 1 to 4294967295"))?,
    };
    let holder = match asked.run.as_deref().filter(|text| !text.is_empty()) {
        // What is bound to a run already never comes to another one.
        Some(_) if parent.holder.run().is_some() => return Ok(Err("it belongs to a run already".to_owned())),
        Some(text) => parent.holder.clone().and_run(text.parse().map_err(unread)?),
        None => parent.holder.clone(),
    };
    let bearer = asked.bearer.unwrap_or(false);
    if bearer && !parent.bearer {
        return Ok(Err("a capability that is bound to its holder gives no token for others".to_owned()));
    }
    if expires > parent.expires {
        return Ok(Err(format!(
            "it would outlive the one that it comes from, which ends at {}",
            super::stamp(parent.expires)
        )));
    }
    Ok(Ok(Named {
        id,
        parent: Some(parent.id),
        holder,
        bearer,
        caveats,
        expires,
        uses,
        used: 0,
        state: policy::NamedState::Active,
        ..parent.clone()
    }))
}

/// The token of a capability that comes from this line.
fn chained(key: &crypto::MacKey, line: &[Named], child: &Named) -> Result<Token, policy::Error> {
    let (root, rest) = line.split_first().ok_or(policy::Error::Malformed("it comes from nothing"))?;
    let grant = GrantId::from_bytes(root.id.to_bytes());
    let mut token = mint(key, &root.tenant, grant, &root.all_caveats(), root.id)?;
    for named in rest.iter().chain(std::iter::once(child)) {
        token = token.narrow(&named.all_caveats(), named.id)?;
    }
    Ok(token)
}
