//! Reading what decisions are made from, whole or not at all.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use catalog::Catalog;
use model::{CapabilityId, Code, IntegrationName, Refusal, SecretRef, TenantName};
use policy::{ActionEffect, ActionSpec, Descriptions, Grant, Grants, Policies, Rules, Rulings, Source};
use secrets::{Bindings, Declared, Secrets};
use serde::{Deserialize, Serialize};
use store::{Batch, Record, Storage, Table};

use super::rulings::Kept;
use super::{Broker, Overlay, Reading, Settings, refused};

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

impl PolicyRow {
    /// As it is shown.
    pub(crate) fn shown(&self, name: &str) -> serde_json::Value {
        serde_json::json!({ "name": name, "changed": self.changed, "text": self.text })
    }

    /// The tag of what is shown.
    fn tag(&self, name: &str) -> String {
        crate::etag(self.shown(name).to_string().as_bytes())
    }
}

pub(super) fn catalog(layer: &Path, overlay: &Overlay, former: Option<&Catalog>) -> Result<Catalog, Refusal> {
    // Only a folder that is not there is none: one that can't be looked at may hold what makes the rules stricter.
    let layer = match std::fs::metadata(layer) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        _ => Some(layer),
    };
    let former: Vec<&Catalog> = overlay.read.iter().chain(former).collect();
    Catalog::layered(layer, &overlay.integrations, &former)
        .map_err(|error| refused(&error, Code::BadRequest, error.hint()))
}

/// The policies, compiled now or when a call needs them.
pub(super) fn rules(
    storage: &Arc<dyn Storage>,
    catalog: &Catalog,
    settings: &Settings,
    rulings: &Arc<Kept>,
) -> Result<Rules, Refusal> {
    let Reading::OnDemand { build } = &settings.reading else {
        return Ok(Rules::ready(Arc::new(policies(&**storage, catalog, settings.development)?)));
    };
    let stored: Vec<_> = stored(&**storage)?.into_iter().map(|(_, name, row)| (name, row)).collect();
    let fingerprint = fingerprint((build, settings.development), &stored, catalog);
    let catalog = catalog.clone();
    let reveals = settings.development;
    let standard = (catalog.clone(), reveals);
    let compiled = Box::new(move || compile(&catalog, &stored, reveals));
    let rules = Rules::on_demand(fingerprint, compiled, Some(Arc::clone(rulings) as Arc<dyn Rulings>));
    Ok(rules.mended_by(Box::new(move || compile(&standard.0, &[], standard.1))))
}

/// A digest of all that policies are compiled from: what is built in, what is stored, and the user's own integrations.
fn fingerprint(
    (build, reveals): (&[u8], bool),
    stored: &[(String, PolicyRow)],
    catalog: &Catalog,
) -> crypto::Digest {
    let mut hasher = crypto::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(bytes);
    };
    part(build);
    part(&[u8::from(reveals)]);
    for (name, row) in stored {
        part(name.as_bytes());
        part(row.text.as_bytes());
    }
    part(catalog.layer_digest());
    hasher.finish()
}

/// The policies of all tenants and the default ones, compiled against the catalogue's operations.
pub(super) fn policies(storage: &dyn Storage, catalog: &Catalog, reveals: bool) -> Result<Policies, Refusal> {
    let stored: Vec<_> = stored(storage)?.into_iter().map(|(_, name, row)| (name, row)).collect();
    compile(catalog, &stored, reveals)
}

/// Whether the stored policies compile with these integrations.
///
/// # Errors
/// What is wrong with them.
pub fn check_policies(storage: &dyn Storage, catalog: &Catalog) -> Result<(), Refusal> {
    policies(storage, catalog, false).map(drop)
}

fn stored(storage: &dyn Storage) -> Result<Vec<(TenantName, String, PolicyRow)>, Refusal> {
    let mut stored = Vec::new();
    for tenant in storage.tenants(Table::Policies).map_err(|error| unreadable(&error))? {
        let rows = store::all::<PolicyRow>(storage, &tenant).map_err(|error| unreadable(&error))?;
        stored.extend(rows.into_iter().map(|(name, row)| (tenant.clone(), name, row)));
    }
    Ok(stored)
}

impl Broker {
    /// Writes a policy, or removes it, after the whole set without the former one compiles. What is in force is what was
    /// compiled. One may be removed from a set that can't be compiled without it either, which is `None` then. Blocks.
    pub(crate) fn change_policy(
        &self,
        tenant: &TenantName,
        name: &str,
        row: Option<PolicyRow>,
        expected: Option<&str>,
    ) -> Result<Option<Arc<Policies>>, Refusal> {
        let _writing = self.writing();
        let storage = &**self.storage();
        let mut all = stored(storage)?;
        if let Some(expected) = expected {
            let known = all.iter().find(|(whose, known, _)| whose == tenant && known == name);
            if known.map(|(_, _, row)| row.tag(name)).as_deref() != Some(expected) {
                let message = format!("the policy `{name}` is another one than that which was seen");
                return Err(Refusal::new(Code::Conflict, message)
                    .because("changed")
                    .hint("look at it again"));
            }
        }
        all.retain(|(whose, known, _)| whose != tenant || known != name);
        let batch = match &row {
            Some(row) => store::put(Batch::new(), tenant, name, row).map_err(|error| unreadable(&error))?,
            None => Batch::new().delete(PolicyRow::TABLE, tenant, name.as_bytes()),
        };
        let removes = row.is_none();
        all.extend(row.map(|row| (tenant.clone(), name.to_owned(), row)));
        let all: Vec<_> = all.into_iter().map(|(_, name, row)| (name, row)).collect();
        let compiled = match compile(&self.catalog(), &all, self.reveals()) {
            Ok(compiled) => Arc::new(compiled),
            Err(_) if removes && self.policies().is_err() => {
                storage.commit(&batch).map_err(|error| unreadable(&error))?;
                return Ok(None);
            }
            Err(refusal) => return Err(refusal),
        };
        let _way_back = self.way_back(name, &compiled)?;
        storage.commit(&batch).map_err(|error| unreadable(&error))?;
        self.rules.store(Arc::new(Rules::ready(Arc::clone(&compiled))));
        Ok(Some(compiled))
    }

    /// Compiles the policies as they would be with this one; nothing is written. Blocks.
    ///
    /// # Errors
    /// When those that are stored can't be read. What is wrong with the set is in the answer.
    pub(crate) fn try_policy(
        &self,
        tenant: &TenantName,
        name: &str,
        text: String,
    ) -> Result<Result<Policies, policy::Error>, Refusal> {
        let mut all = stored(&**self.storage())?;
        all.retain(|(whose, known, _)| whose != tenant || known != name);
        let mut all: Vec<_> = all.into_iter().map(|(_, name, row)| (name, row)).collect();
        all.push((name.to_owned(), PolicyRow { text, changed: self.now() }));
        Ok(compiled(&self.catalog(), &all, self.reveals()))
    }

    /// Writes a grant; it counts from when it is durable. Blocks.
    pub(crate) fn keep_grant(&self, grant: Grant) -> Result<(), Refusal> {
        let _writing = self.writing();
        let (tenant, key, row) = (grant.tenant.clone(), grant.id.to_string(), GrantRow(grant));
        let batch = store::put(Batch::new(), &tenant, &key, &row).map_err(|error| unreadable(&error))?;
        self.storage().commit(&batch).map_err(|error| unreadable(&error))?;
        self.grants().put(row.0);
        Ok(())
    }
}

/// Compiles policies, which proves them valid.
fn compile(catalog: &Catalog, stored: &[(String, PolicyRow)], reveals: bool) -> Result<Policies, Refusal> {
    compiled(catalog, stored, reveals).map_err(|error| refused(&error, Code::BadRequest, error.hint()))
}

fn compiled(
    catalog: &Catalog,
    stored: &[(String, PolicyRow)],
    reveals: bool,
) -> Result<Policies, policy::Error> {
    let mut sources = vec![Source::DEFAULT];
    if reveals {
        sources.push(Source::REVEALS);
    }
    sources.extend(stored.iter().map(|(name, row)| Source { name, text: &row.text }));
    Policies::compile_for(&sources, Arc::new(Operations(catalog.clone())))
}

/// A catalogue, as policies and the lending of secrets see it: read when they ask.
pub struct Operations(pub Catalog);

impl Descriptions for Operations {
    fn digest(&self) -> crypto::Digest {
        let mut hasher = crypto::Hasher::new();
        hasher.update(Catalog::builtin_digest());
        hasher.update(self.0.layer_digest());
        hasher.finish()
    }

    fn names(&self) -> Vec<IntegrationName> {
        self.0.names()
    }

    fn operations(&self, integration: &IntegrationName) -> Result<Vec<ActionSpec>, policy::Error> {
        let found = match self.0.get(integration) {
            Ok(found) => found,
            // It lives at an address of the user's own, which nobody gave yet; or there is no such integration.
            Err(catalog::Error::Domain { .. } | catalog::Error::Unknown { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(policy::Error::Schema(error.to_string())),
        };
        let spec = |operation: &catalog::Operation| ActionSpec {
            integration: integration.clone(),
            operation: operation.name().clone(),
            access: operation.access(),
            risk: operation.risk(),
            effect: match operation.effect() {
                catalog::Effect::Use => ActionEffect::Use,
                catalog::Effect::Manage => ActionEffect::Manage,
                catalog::Effect::Agent => ActionEffect::Agent,
                catalog::Effect::Tenancy => ActionEffect::Tenancy,
                catalog::Effect::Enrol => ActionEffect::Enrol,
                catalog::Effect::Credential => ActionEffect::Credential,
                catalog::Effect::Session => ActionEffect::Session,
                catalog::Effect::Disclose => ActionEffect::Disclose,
                catalog::Effect::NoSession => ActionEffect::NoSession,
                catalog::Effect::BreakGlass => ActionEffect::BreakGlass,
            },
        };
        let mut specs: Vec<ActionSpec> = found.operations().values().map(spec).collect();
        if specs.is_empty() {
            // One of the user's own may describe none. Then there is the one that stands for everything.
            let operation = UNKNOWN.parse().map_err(|_| policy::Error::Schema(UNKNOWN.to_owned()))?;
            let (access, risk, effect) = (model::Access::Write, model::Risk::High, ActionEffect::Use);
            specs.push(ActionSpec { integration: integration.clone(), operation, access, risk, effect });
        }
        Ok(specs)
    }
}

/// Loads the grants of all tenants that have some.
pub(super) fn grants(storage: &dyn Storage, grants: &Grants) -> Result<(), Refusal> {
    let wrong = |error: store::Error| unreadable(&error);
    let (mut rows, mut revoked) = (Vec::new(), Vec::new());
    for tenant in storage.tenants(Table::Grants).map_err(wrong)? {
        rows.extend(
            store::all_under::<GrantRow>(storage, &tenant, GRANTS)
                .map_err(wrong)?
                .into_iter()
                .map(|(_, row)| row.0),
        );
    }
    for tenant in storage.tenants(Table::Revocations).map_err(wrong)? {
        revoked.extend(
            store::all::<RevocationRow>(storage, &tenant).map_err(wrong)?.into_iter().map(|(_, row)| row.id),
        );
    }
    grants.replace(rows, revoked);
    Ok(())
}

/// Makes sure of it at once that the integrations may have the secrets that they declare, where everything is read at once.
pub(super) fn bound_at_once(settings: &Settings, secrets: &Secrets, catalog: &Catalog) -> OnceLock<()> {
    let bound = OnceLock::new();
    if settings.reading == Reading::AtOnce {
        secrets.bind(bindings(catalog));
        let _ = bound.set(());
    }
    bound
}

/// Which integration may use which secrets: those that its file declares.
pub(super) fn bindings(catalog: &Catalog) -> Bindings {
    Bindings::declared(Arc::new(Operations(catalog.clone())))
}

impl Declared for Operations {
    fn references(&self, integration: &IntegrationName) -> Vec<SecretRef> {
        let Ok(found) = self.0.get(integration) else { return Vec::new() };
        let lent = |field: &str| {
            let checked =
                found.incoming().iter().flat_map(catalog::Incoming::fields).any(|used| used == field);
            !checked || found.auth().iter().flat_map(catalog::AuthScheme::fields).any(|used| used == field)
        };
        let fields = found.secrets().iter().filter(|(name, _)| lent(name));
        fields.map(|(_, field)| field.reference.clone()).collect()
    }

    fn checked(&self, integration: &IntegrationName) -> Vec<SecretRef> {
        let Ok(found) = self.0.get(integration) else { return Vec::new() };
        let fields = found.incoming().iter().flat_map(catalog::Incoming::fields);
        fields.filter_map(|field| Some(found.secrets().get(field)?.reference.clone())).collect()
    }
}

/// The operation of everything that no operation describes.
const UNKNOWN: &str = "unknown";
/// What the keys of grants begin with; those of capabilities with names stand in the same table.
const GRANTS: &[u8] = b"grt_";

pub(super) fn unreadable(error: &store::Error) -> Refusal {
    refused(error, Code::SourceUnavailable, error.hint())
}
