//! Capabilities: asked for, listed, revoked, looked at.

use std::sync::Arc;
use std::time::Duration;

use model::{CapabilityId, Code, GrantId, Inputs, IntegrationName, OperationName, PrincipalName, Refusal};
use policy::{Caveat, Foretold, Grant, GrantState, Token, Verified, mint, verify};
use serde_json::{Value, json};
use store::Batch;

use super::{Managing, Question, unstored, waiting};
use crate::broker::{Broker, RevocationRow, refused};
use crate::caveats;

/// The answer holds the capability: a bearer, shown once, and not a stored secret.
pub(super) async fn request(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let (now, tenant) = (broker.now(), managing.admitted.permit.tenant().clone());
    let principal: PrincipalName = managing.input("for")?.parse().map_err(|error| wrong(&error))?;
    let mut words = managing.inputs.clone();
    words.remove("for");
    let label = words.remove("label");
    words.entry("expires".to_owned()).or_insert_with(|| USUAL.to_owned());
    let presets = Presets::taken(&mut words)?;
    let mut asked = caveats::read(&words, now)?;
    asked.extend(presets.caveats(&broker)?);
    let giver = managing.admitted.permit.principal().clone();
    let wanted = Wanted { principal, asked, label, giver };
    let Made { token, row, narrowing } = give(managing, &tenant, wanted).await?;
    let said: Vec<String> = row.caveats.iter().map(ToString::to_string).collect();
    Ok(
        json!({ "token": token.as_str(), "grant": row.id, "capability": narrowing, "for": row.principal, "expires": row.expires, "caveats": said }),
    )
}

/// A capability that is to be made.
pub(super) struct Wanted {
    pub(super) principal: PrincipalName,
    pub(super) asked: Vec<Caveat>,
    pub(super) label: Option<String>,
    pub(super) giver: PrincipalName,
}

/// A capability that was made, with the row behind it.
pub(super) struct Made {
    pub(super) token: zeroize::Zeroizing<String>,
    pub(super) row: Grant,
    pub(super) narrowing: CapabilityId,
}

/// Makes a capability and keeps its grant.
pub(super) async fn give(
    managing: &Managing<'_>,
    tenant: &model::TenantName,
    wanted: Wanted,
) -> Result<Made, Refusal> {
    let broker = managing.worker.broker();
    let now = broker.now();
    let Wanted { principal, asked, label, giver } = wanted;
    check_names(broker, &asked)?;
    let expires = expiry(&asked, now)?;
    let (id, narrowing) = (GrantId::new(now, broker.random()?), CapabilityId::new(now, broker.random()?));
    let root = managing
        .unsealed
        .capability_root(tenant)
        .ok_or_else(|| Refusal::new(Code::Sealed, "the broker is sealed"))?;
    let token = mint(&root, tenant, id, &asked, narrowing)
        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    let row = Grant {
        id,
        tenant: tenant.clone(),
        principal,
        caveats: asked,
        created: now,
        expires: Some(expires),
        state: GrantState::Active,
        label,
        giver: Some(giver),
    };
    keep(broker, row.clone()).await?;
    let token = token.expose(|text| zeroize::Zeroizing::new(text.to_owned()));
    Ok(Made { token, row, narrowing })
}

pub(super) fn list(managing: &Managing<'_>) -> Value {
    let (tenant, now) = (managing.admitted.permit.tenant(), managing.worker.broker().now());
    let holder = managing.inputs.get("holder");
    let mut grants = managing.worker.broker().grants().all();
    grants.retain(|grant| {
        grant.tenant == *tenant && holder.is_none_or(|name| name == grant.principal.as_str())
    });
    grants.sort_by_key(|grant| grant.id);
    let shown: Vec<Value> = grants
        .iter()
        .map(|grant| {
            let state = match grant.state {
                GrantState::Revoked { .. } => "revoked",
                GrantState::Suspended => "suspended",
                GrantState::Active if grant.expires.is_some_and(|end| end <= now) => "expired",
                GrantState::Active => "active",
            };
            let caveats: Vec<String> = grant.caveats.iter().map(ToString::to_string).collect();
            json!({
                "grant": grant.id, "for": grant.principal, "state": state, "created": grant.created,
                "expires": grant.expires, "caveats": caveats, "label": grant.label, "giver": grant.giver,
            })
        })
        .collect();
    json!({ "grants": shown })
}

/// The answer holds the narrowed capability. Whoever holds the one that came along could have made it without us.
pub(super) fn narrow(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let now = broker.now();
    let (token, _ours) = presented(managing)?;
    let asked = caveats::read(managing.inputs, now)?;
    check_names(&broker, &asked)?;
    let narrowing = CapabilityId::new(now, broker.random()?);
    let narrowed = Token::narrow(&token, &asked, narrowing)
        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    let said: Vec<String> = asked.iter().map(ToString::to_string).collect();
    Ok(json!({ "token": narrowed.expose(ToOwned::to_owned), "capability": narrowing, "caveats": said }))
}

/// The capability that came along, which was issued here.
fn presented(managing: &mut Question<'_>) -> Result<(Token, Verified), Refusal> {
    let text = managing.payload()?.text()?;
    let token = Token::parse(text.trim()).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
    if token.tenant() != managing.admitted.permit.tenant() {
        return Err(foreign());
    }
    let root = managing.unsealed.capability_root(token.tenant()).ok_or_else(foreign)?;
    let verified = verify(&token, &root)?;
    Ok((token, verified))
}

fn foreign() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the capability was not issued here, or was changed")
}

/// Revokes a grant with all its narrowings, or one narrowing with all below it.
pub(super) async fn revoke(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let (now, tenant) = (broker.now(), managing.admitted.permit.tenant().clone());
    let id = managing.input("id")?;
    if let Ok(narrowing) = id.parse::<CapabilityId>() {
        let row = RevocationRow { id: narrowing, at: now };
        let batch = store::put(Batch::new(), &tenant, &narrowing.to_string(), &row)
            .map_err(|error| unstored(&error))?;
        // First in memory: whatever becomes of the row, it is over for this process.
        broker.grants().revoke_narrowing(narrowing);
        waiting(move || broker.storage().commit(&batch).map_err(|error| unstored(&error))).await?;
        return Ok(json!({ "id": narrowing, "state": "revoked" }));
    }
    let missing =
        || Refusal::new(Code::NotFound, "there is no such grant").hint("`doorward capability list`");
    let grant: GrantId = id.parse().map_err(|_| missing())?;
    let known = broker.grants().find(grant).filter(|known| known.tenant == tenant).ok_or_else(missing)?;
    let mut row = Grant::clone(&known);
    row.state = GrantState::Revoked { at: now };
    // First in memory: whatever becomes of the row, it is over for this process.
    broker.grants().revoke(grant, now);
    keep(&broker, row).await?;
    Ok(json!({ "id": grant, "state": "revoked" }))
}

/// Says what a capability is and whether it stands. Consumes no use.
pub(super) fn validate(managing: &mut Question<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let (_, verified) = presented(managing)?;
    let grant = broker.grants().find(verified.grant()).ok_or_else(foreign)?;
    let now = broker.now();
    let over = verified.blocks().iter().flat_map(|block| &block.caveats).find_map(|caveat| match caveat {
        Caveat::NotAfter(end) if *end <= now => Some(*end),
        _ => None,
    });
    let state = match (&grant.state, over) {
        (GrantState::Revoked { .. }, _) => "revoked",
        (GrantState::Suspended, _) => "suspended",
        (GrantState::Active, Some(_)) => "expired",
        (GrantState::Active, None) if broker.grants().any_revoked(verified.narrowings()) => "revoked",
        (GrantState::Active, None) => "active",
    };
    let blocks: Vec<Value> = verified
        .blocks()
        .iter()
        .map(|block| {
            let caveats: Vec<String> = block.caveats.iter().map(ToString::to_string).collect();
            json!({ "capability": block.narrowing, "caveats": caveats })
        })
        .collect();
    let mut value = json!({ "valid": state == "active", "state": state, "grant": grant.id, "for": grant.principal, "blocks": blocks });
    let call =
        managing.inputs.get("integration").map(|integration| foretold(managing, integration, &verified));
    if let (Some(call), Some(fields)) = (call.transpose()?, value.as_object_mut()) {
        fields.insert("call".to_owned(), call);
    }
    Ok(value)
}

/// What the caveats of a capability say about a call before it is made.
fn foretold(managing: &Question<'_>, integration: &str, verified: &Verified) -> Result<Value, Refusal> {
    let wrong = |error: &dyn std::error::Error| Refusal::new(Code::BadRequest, error.to_string());
    let broker = managing.worker.broker();
    let name: IntegrationName = integration.parse().map_err(|error: model::ParseError| wrong(&error))?;
    let operation = managing.inputs.get("operation").map_or("", String::as_str);
    let operation: OperationName = operation.parse().map_err(|error: model::ParseError| wrong(&error))?;
    let inputs = managing.inputs.get("inputs").map_or(Ok(Inputs::new()), |text| serde_json::from_str(text));
    let found = broker.catalog().get(&name).map_err(|error| refused(&error, Code::NotFound, error.hint()))?;
    let id = managing.admitted.permit.call().id();
    // Inputs that are secret were left out, and without them there may be no call.
    let call = found.named(id, &operation, inputs.map_err(|error| wrong(&error))?).ok();
    let mut told =
        [(Foretold::Kept, Vec::new()), (Foretold::Broken, Vec::new()), (Foretold::Open, Vec::new())];
    for caveat in verified.blocks().iter().flat_map(|block| &block.caveats) {
        let said = call.as_ref().map_or(Foretold::Open, |call| caveat.foretold(call, broker.now()));
        told.iter_mut().filter(|(of, _)| *of == said).for_each(|(_, all)| all.push(caveat.to_string()));
    }
    let [(_, kept), (_, broken), (_, open)] = told;
    Ok(json!({ "kept": kept, "broken": broken, "open": open }))
}

async fn keep(broker: &Arc<Broker>, grant: Grant) -> Result<(), Refusal> {
    let broker = Arc::clone(broker);
    waiting(move || broker.keep_grant(grant)).await
}

/// Ready-made narrowings that were asked for: `preset: slack/post_channels`, `params: {"channels": "C1,C2"}`.
struct Presets {
    names: Vec<String>,
    params: std::collections::BTreeMap<String, String>,
}

impl Presets {
    fn taken(words: &mut Inputs) -> Result<Self, Refusal> {
        let names =
            words.remove("preset").map(|list| list.split(',').map(|name| name.trim().to_owned()).collect());
        let mut params = std::collections::BTreeMap::new();
        if let Some(text) = words.remove("params") {
            params = serde_json::from_str(&text).map_err(|error| {
                Refusal::new(
                    Code::BadRequest,
                    format!("the parameters of the preset are not a JSON object of texts: {error}"),
                )
            })?;
        }
        Ok(Self { names: names.unwrap_or_default(), params })
    }

    fn caveats(&self, broker: &Broker) -> Result<Vec<Caveat>, Refusal> {
        let mut all = Vec::new();
        let catalog = broker.catalog();
        for name in &self.names {
            let (integration, preset) = name.split_once('/').ok_or_else(|| {
                Refusal::new(
                    Code::BadRequest,
                    "a preset is written `integration/preset`, such as `slack/post_channels`",
                )
            })?;
            let integration = integration.parse().map_err(|error| wrong(&error))?;
            let found =
                catalog.get(&integration).map_err(|error| refused(&error, Code::NotFound, error.hint()))?;
            let narrowing = found.capabilities().get(preset).ok_or_else(|| {
                Refusal::new(Code::NotFound, format!("`{integration}` has no preset `{preset}`"))
                    .hint(format!("`doorward integration show {integration}`"))
            })?;
            let allowances = narrowing
                .expand(&self.params)
                .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
            all.push((integration, allowances));
        }
        match all.as_slice() {
            [] => Ok(Vec::new()),
            [(integration, allowances)] => caveats::of_allowances(integration, allowances),
            _ => Err(Refusal::new(Code::BadRequest, "one preset at a time")
                .hint("ask for one capability for each")),
        }
    }
}

/// A capability for something that the catalogue does not have is a mistake, and would only be noticed when it is used.
fn check_names(broker: &Broker, asked: &[Caveat]) -> Result<(), Refusal> {
    let catalog = broker.catalog();
    let known = |name: &model::IntegrationName| {
        catalog.get(name).map_err(|error| refused(&error, Code::NotFound, error.hint()))
    };
    for caveat in asked {
        match caveat {
            Caveat::Integrations(names) => names.iter().try_for_each(|name| known(name).map(|_| ()))?,
            Caveat::Operations(patterns) => {
                for pattern in patterns {
                    let integration = known(pattern.integration())?;
                    let text = pattern.to_string();
                    let operation = text.split_once('/').map(|(_, operation)| operation).unwrap_or_default();
                    let exact = !operation.contains('*') && operation != "unknown";
                    if exact && !integration.operations().keys().any(|name| name.as_str() == operation) {
                        let message = format!("`{}` has no operation `{operation}`", pattern.integration());
                        return Err(Refusal::new(Code::NotFound, message)
                            .hint(format!("`doorward integration show {}`", pattern.integration())));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn expiry(asked: &[Caveat], now: model::Timestamp) -> Result<model::Timestamp, Refusal> {
    let ends = asked.iter().filter_map(|caveat| match caveat {
        Caveat::NotAfter(end) => Some(*end),
        _ => None,
    });
    let end = ends.min().unwrap_or(now);
    if end <= now {
        return Err(Refusal::new(Code::BadRequest, "the capability would be over before it begins"));
    }
    if end > now.after(LONGEST) {
        return Err(
            Refusal::new(Code::BadRequest, "a capability lasts 90 days at most").hint("`--expires 90d`")
        );
    }
    Ok(end)
}

fn wrong(error: &model::ParseError) -> Refusal {
    Refusal::new(Code::BadRequest, error.to_string())
}

/// How long a capability lasts where nobody says.
const USUAL: &str = "1h";
const LONGEST: Duration = Duration::from_secs(90 * 86_400);
