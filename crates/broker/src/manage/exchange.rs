//! An access token of the configured issuer becomes capabilities, one for each grant of the settings that fits it.
//!
//! Behind that the token is for nothing: calls are made with the capabilities, which end with it, are narrowed, listed and revoked as
//! all others, and stand in the evidence under the name of whose token it was.

use std::sync::Arc;

use model::{Code, PrincipalName, Refusal, TenantName, Timestamp};
use policy::{Caveat, GrantState};
use serde_json::{Value, json};

use super::capabilities::{Made, Wanted, give};
use super::{Done, Managing};
use crate::caveats;
use crate::people::tokens::{self, Shown};

/// `capability.exchange`. The answer holds the capabilities: bearers, each shown once.
pub(super) async fn run(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let token = managing.payload()?.into_secret();
    let worker = Arc::clone(managing.worker);
    let broker = worker.broker();
    let issuer = broker.people().issuer().ok_or_else(|| {
        Refusal::new(Code::Unauthenticated, "no issuer of access tokens is set up")
            .hint("`[mcp]` in settings.toml names one")
    })?;
    let Shown { principal, client, until, given } = tokens::shown(&worker, issuer, &token).await?;
    let tenant = broker.settings().tenant.clone();
    let mut capabilities = Vec::new();
    for one in given {
        let label = one.label();
        stands(managing, (&tenant, &principal), &label)?;
        let mut asked = caveats::read(&one.limits, broker.now())?;
        asked.push(Caveat::NotAfter(until));
        let giver = managing.admitted.permit.principal().clone();
        let wanted = Wanted { principal: principal.clone(), asked, label: Some(label), giver };
        let Made { token, row, narrowing: _ } = give(managing, &tenant, wanted).await?;
        capabilities.push(json!({ "token": token.as_str(), "grant": row.id, "scope": one.scope }));
    }
    let mut fields = vec![("for".to_owned(), principal.to_string())];
    fields.extend(client.map(|name| ("client".to_owned(), name)));
    let value: Value = json!({ "for": principal, "until": until.millis(), "capabilities": capabilities });
    Ok(Done { value, fields, code: None })
}

/// Refuses where such a grant of the same person was revoked and would still stand: a revocation is not undone by asking again.
fn stands(
    managing: &Managing<'_>,
    (tenant, principal): (&TenantName, &PrincipalName),
    label: &str,
) -> Result<(), Refusal> {
    let broker = managing.worker.broker();
    let now: Timestamp = broker.now();
    let revoked = broker.grants().all().into_iter().any(|grant| {
        grant.tenant == *tenant
            && grant.principal == *principal
            && grant.label.as_deref() == Some(label)
            && grant.state != GrantState::Active
            && grant.expires.is_none_or(|end| now < end)
    });
    if revoked {
        let message = format!("what `{principal}` was given (`{label}`) was taken back");
        return Err(
            Refusal::new(Code::Revoked, message).hint("it can be given anew when it would have ended")
        );
    }
    Ok(())
}
