//! Reading what decisions are made from, whole or not at all.

use std::path::Path;

use catalog::Catalog;
use model::{CapabilityId, Code, Refusal, TenantName};
use policy::{ActionEffect, ActionSpec, Grant, Grants, Policies, Source};
use secrets::Bindings;
use serde::{Deserialize, Serialize};
use store::{Record, Storage, Table};

use super::refused;

/// A grant as a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct GrantRow(pub(crate) Grant);

impl Record for GrantRow {
    const TABLE: Table = Table::Grants;
}

/// A revoked narrowing as a row; the key is its id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationRow {
    pub(crate) id: CapabilityId,
    pub(crate) at: model::Timestamp,
}

impl Record for RevocationRow {
    const TABLE: Table = Table::Revocations;
}

/// A policy file as a row; the key is its name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyRow {
    pub(crate) text: String,
    pub(crate) changed: model::Timestamp,
}

impl Record for PolicyRow {
    const TABLE: Table = Table::Policies;
}

pub(super) fn catalog(layer: &Path) -> Result<Catalog, Refusal> {
    let layer = layer.is_dir().then_some(layer);
    Catalog::load(layer).map_err(|error| refused(&error, Code::BadRequest, error.hint()))
}

/// The policies of all tenants and the default ones, compiled against the catalogue's operations.
pub(crate) fn policies(storage: &dyn Storage, catalog: &Catalog) -> Result<Policies, Refusal> {
    let mut stored = Vec::new();
    for tenant in storage.tenants(Table::Policies).map_err(|error| unreadable(&error))? {
        stored.extend(store::all::<PolicyRow>(storage, &tenant).map_err(|error| unreadable(&error))?);
    }
    compile(catalog, &stored)
}

/// Compiles policies, which proves them valid.
pub(crate) fn compile(catalog: &Catalog, stored: &[(String, PolicyRow)]) -> Result<Policies, Refusal> {
    let mut sources = vec![Source::DEFAULT];
    sources.extend(stored.iter().map(|(name, row)| Source { name, text: &row.text }));
    Policies::compile(&sources, &actions(catalog)?)
        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))
}

fn actions(catalog: &Catalog) -> Result<Vec<ActionSpec>, Refusal> {
    let mut actions = Vec::new();
    for name in catalog.names() {
        let integration =
            catalog.get(&name).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
        actions.extend(integration.operations().values().map(|operation| ActionSpec {
            integration: name.clone(),
            operation: operation.name().clone(),
            access: operation.access(),
            risk: operation.risk(),
            effect: match (integration.internal(), operation.name().as_str()) {
                (true, "secret.reveal") => ActionEffect::Disclose,
                (true, _) => ActionEffect::Manage,
                (false, _) => ActionEffect::Use,
            },
        }));
    }
    Ok(actions)
}

/// Loads the grants of all tenants; says which tenants there are.
pub(super) fn grants(
    storage: &dyn Storage,
    own: &TenantName,
    grants: &Grants,
) -> Result<Vec<TenantName>, Refusal> {
    let wrong = |error: store::Error| unreadable(&error);
    let mut tenants = vec![own.clone()];
    let (mut rows, mut revoked) = (Vec::new(), Vec::new());
    for tenant in storage.tenants(Table::Grants).map_err(wrong)? {
        rows.extend(
            store::all::<GrantRow>(storage, &tenant).map_err(wrong)?.into_iter().map(|(_, row)| row.0),
        );
        if !tenants.contains(&tenant) {
            tenants.push(tenant);
        }
    }
    for tenant in storage.tenants(Table::Revocations).map_err(wrong)? {
        revoked.extend(
            store::all::<RevocationRow>(storage, &tenant).map_err(wrong)?.into_iter().map(|(_, row)| row.id),
        );
    }
    grants.replace(rows, revoked);
    Ok(tenants)
}

/// Which integration may use which secrets.
pub(super) fn bindings(catalog: &Catalog, tenants: &[TenantName]) -> Result<Bindings, Refusal> {
    let mut bindings = Bindings::new();
    for name in catalog.names() {
        let integration =
            catalog.get(&name).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
        for field in integration.secrets().values() {
            for tenant in tenants {
                bindings = bindings.bind(tenant, &name, field.reference.clone());
            }
        }
    }
    Ok(bindings)
}

fn unreadable(error: &store::Error) -> Refusal {
    refused(error, Code::SourceUnavailable, error.hint())
}
