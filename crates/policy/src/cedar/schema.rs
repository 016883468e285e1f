//! The schema: entity types and groups from the file beside, and the actions that policies can tell apart.
//!
//! What no policy names needs no action of its own: operations that policies can't tell apart share one. So the schema
//! grows with what policies speak of and not with the catalogue, and a file of the catalogue is read when one of its
//! operations is named or called.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use model::{Access, IntegrationName, OperationName, Risk};

use super::{ActionEffect, ActionSpec};
use crate::Error;

/// What stands in the file.
const BASE: &str = include_str!("schema.cedarschema");

/// What the operations of integrations are, told when it is asked for.
pub trait Descriptions: Send + Sync {
    /// A digest of everything that can be told here.
    fn digest(&self) -> crypto::Digest;

    /// The names of all integrations.
    fn names(&self) -> Vec<IntegrationName>;

    /// The operations of one integration; none where there is no such integration.
    ///
    /// # Errors
    /// When its description can't be read.
    fn operations(&self, integration: &IntegrationName) -> Result<Vec<ActionSpec>, Error>;
}

/// A list of operations.
#[derive(Debug)]
pub(super) struct Listed(BTreeMap<IntegrationName, BTreeMap<OperationName, ActionSpec>>);

impl Listed {
    /// Refuses an operation that is described twice, differently.
    pub(super) fn new(specs: &[ActionSpec]) -> Result<Self, Error> {
        let mut all: BTreeMap<IntegrationName, BTreeMap<OperationName, ActionSpec>> = BTreeMap::new();
        for spec in specs {
            let of_integration = all.entry(spec.integration.clone()).or_default();
            match of_integration.get(&spec.operation) {
                Some(known) if known != spec => {
                    return Err(Error::Operation(format!("{}/{}", spec.integration, spec.operation)));
                }
                _ => of_integration.insert(spec.operation.clone(), spec.clone()),
            };
        }
        Ok(Self(all))
    }
}

impl Descriptions for Listed {
    fn digest(&self) -> crypto::Digest {
        let mut hasher = crypto::Hasher::new();
        for spec in self.0.values().flat_map(BTreeMap::values) {
            let ActionSpec { integration, operation, access, risk, effect } = spec;
            let parts =
                [integration.as_str(), operation.as_str(), access.as_str(), risk.as_str(), word(*effect)];
            hasher.update(parts.join(" ").as_bytes());
            hasher.update(b"\n");
        }
        hasher.finish()
    }

    fn names(&self) -> Vec<IntegrationName> {
        self.0.keys().cloned().collect()
    }

    fn operations(&self, integration: &IntegrationName) -> Result<Vec<ActionSpec>, Error> {
        Ok(self.0.get(integration).map(|all| all.values().cloned().collect()).unwrap_or_default())
    }
}

/// The operations of one integration, with the one that stands for whatever nobody described.
pub(super) fn operations(
    described: &dyn Descriptions,
    integration: &IntegrationName,
) -> Result<BTreeMap<OperationName, ActionSpec>, Error> {
    let own = integration.as_str() == OWN;
    let mut all: BTreeMap<_, _> =
        described.operations(integration)?.into_iter().map(|spec| (spec.operation.clone(), spec)).collect();
    if !all.is_empty() || own {
        let operation: OperationName = UNKNOWN.parse()?;
        let effect = if own { ActionEffect::Disclose } else { ActionEffect::Use };
        let unknown = ActionSpec {
            integration: integration.clone(),
            operation: operation.clone(),
            access: Access::Write,
            risk: Risk::High,
            effect,
        };
        all.entry(operation).or_insert(unknown);
    }
    Ok(all)
}

/// The schema, as text, and what is needed to find the action behind an operation.
pub(super) struct Shown {
    /// The whole schema. Names can't break out of their quotes: their types allow no quote and no back slash.
    pub(super) text: String,
    /// The ids of all its actions that an operation may be.
    pub(super) actions: Vec<String>,
    behind: Behind,
}

/// Finds the action behind an operation.
pub(super) struct Behind {
    /// Operations with an action of their own: `integration/operation`.
    own: BTreeSet<String>,
    /// Integrations whose group some policy names.
    grouped: BTreeSet<IntegrationName>,
}

impl Behind {
    /// The id of the action of an operation.
    pub(super) fn action(&self, spec: &ActionSpec) -> String {
        let name = format!("{}/{}", spec.integration, spec.operation);
        if name == RESERVED || self.own.contains(&name) {
            return name;
        }
        let group = self.grouped.get(&spec.integration).map_or("", IntegrationName::as_str);
        shared(group, spec.access, spec.risk, spec.effect)
    }
}

impl Shown {
    pub(super) fn into_behind(self) -> Behind {
        self.behind
    }

    /// Writes the schema. `named` are the ids of the actions that policies name, in a scope or a condition.
    ///
    /// # Errors
    /// When a policy names an action that operations share, which is nothing to speak of; or when an integration that it
    /// names can't be read.
    pub(super) fn new(described: &dyn Descriptions, named: &BTreeSet<String>) -> Result<Self, Error> {
        if let Some(reserved) = named.iter().find(|name| name.starts_with(SHARED)) {
            return Err(Error::Schema(format!("`{reserved}` is not the name of an operation")));
        }
        let open =
            BASE.trim_end().strip_suffix('}').ok_or_else(|| Error::Schema("no closing brace".to_owned()))?;
        let behind = Behind::of(described, named)?;
        let (mut text, mut actions) = (open.to_owned(), vec![RESERVED.to_owned()]);
        for group in &behind.grouped {
            if group.as_str() != OWN {
                writeln!(text, "  action \"{group}/*\";").map_err(wrong)?;
            }
        }
        let groups = std::iter::once(None).chain(behind.grouped.iter().map(Some));
        for (group, (access, risk, effect)) in
            groups.flat_map(|group| shapes().map(move |shape| (group, shape)))
        {
            let id = shared(group.map_or("", IntegrationName::as_str), access, risk, effect);
            write_action(&mut text, &id, group, (access, risk, effect)).map_err(wrong)?;
            actions.push(id);
        }
        for (id, spec) in behind.specs(described)? {
            let group = behind.grouped.get(&spec.integration);
            write_action(&mut text, &id, group, (spec.access, spec.risk, spec.effect)).map_err(wrong)?;
            actions.push(id);
        }
        text.push_str("}\n");
        Ok(Self { text, actions, behind })
    }
}

impl Behind {
    fn of(described: &dyn Descriptions, named: &BTreeSet<String>) -> Result<Self, Error> {
        let known: BTreeSet<IntegrationName> =
            described.names().into_iter().chain([OWN.parse::<IntegrationName>()?]).collect();
        let (mut own, mut grouped) = (BTreeSet::new(), BTreeSet::new());
        for name in named {
            let Some((integration, operation)) = name.split_once('/') else { continue };
            // What is no name, or unknown, stays out of the schema, and the validator refuses the policy.
            let Ok(integration) = integration.parse::<IntegrationName>() else { continue };
            if !known.contains(&integration) {
                continue;
            }
            if operation == "*" {
                grouped.insert(integration);
            } else if let Ok(operation) = operation.parse::<OperationName>()
                && name != RESERVED
                && operations(described, &integration)?.contains_key(&operation)
            {
                own.insert(name.clone());
            }
        }
        Ok(Self { own, grouped })
    }

    /// The operations that have an action of their own.
    fn specs(&self, described: &dyn Descriptions) -> Result<BTreeMap<String, ActionSpec>, Error> {
        let (mut read, mut specs) = (HashMap::new(), BTreeMap::new());
        for name in &self.own {
            let Some((integration, operation)) = name.split_once('/') else { continue };
            let (integration, operation) =
                (integration.parse::<IntegrationName>()?, operation.parse::<OperationName>()?);
            if !read.contains_key(&integration) {
                read.insert(integration.clone(), Arc::new(operations(described, &integration)?));
            }
            let spec = read.get(&integration).and_then(|all| all.get(&operation));
            specs.extend(spec.map(|spec| (name.clone(), spec.clone())));
        }
        Ok(specs)
    }
}

type Shape = (Access, Risk, ActionEffect);

fn shapes() -> impl Iterator<Item = Shape> {
    [Access::Read, Access::Write].into_iter().flat_map(|access| {
        [Risk::Low, Risk::Medium, Risk::High].into_iter().flat_map(move |risk| {
            let effects = [
                ActionEffect::Use,
                ActionEffect::BreakGlass,
                ActionEffect::Manage,
                ActionEffect::Agent,
                ActionEffect::Tenancy,
                ActionEffect::Enrol,
                ActionEffect::Credential,
                ActionEffect::Session,
                ActionEffect::Disclose,
                ActionEffect::NoSession,
            ];
            effects.into_iter().map(move |effect| (access, risk, effect))
        })
    })
}

fn shared(group: &str, access: Access, risk: Risk, effect: ActionEffect) -> String {
    format!("{SHARED}{group}:{access}:{risk}:{}", word(effect))
}

fn write_action(
    text: &mut String,
    id: &str,
    group: Option<&IntegrationName>,
    (access, risk, effect): Shape,
) -> std::fmt::Result {
    write!(text, "  action \"{id}\" in [")?;
    if let Some(group) = group {
        write!(text, "\"{group}/*\", ")?;
    }
    let groups = match effect {
        ActionEffect::Use => "",
        ActionEffect::BreakGlass => ", \"break-glass\"",
        ActionEffect::Manage => ", \"manage\"",
        ActionEffect::Agent => ", \"manage\", \"agent\"",
        ActionEffect::Tenancy => ", \"manage\", \"tenancy\"",
        ActionEffect::Enrol => ", \"manage\", \"tenancy\", \"enrol\"",
        ActionEffect::Credential => ", \"manage\", \"credential\"",
        ActionEffect::Session => ", \"manage\", \"session\"",
        ActionEffect::Disclose => ", \"manage\", \"disclose\"",
        ActionEffect::NoSession => ", \"manage\", \"disclose\", \"no-session\"",
    };
    writeln!(
        text,
        "\"{access}\", \"risk:{risk}\"{groups}] appliesTo {{ principal: Principal, resource: Resource, context: \
         Facts }};"
    )
}

const fn word(effect: ActionEffect) -> &'static str {
    match effect {
        ActionEffect::Use => "use",
        ActionEffect::BreakGlass => "break-glass",
        ActionEffect::Manage => "manage",
        ActionEffect::Agent => "agent",
        ActionEffect::Tenancy => "tenancy",
        ActionEffect::Enrol => "enrol",
        ActionEffect::Credential => "credential",
        ActionEffect::Session => "session",
        ActionEffect::Disclose => "disclose",
        ActionEffect::NoSession => "no-session",
    }
}

pub(super) fn wrong(source: impl std::fmt::Display) -> Error {
    Error::Schema(source.to_string())
}

/// The operation of whatever nobody described.
const UNKNOWN: &str = "unknown";
/// Doorward itself; its group stands in the file.
const OWN: &str = "doorward";
/// Stands in the file already.
const RESERVED: &str = "doorward/unknown";
/// How the ids of shared actions begin. No operation has such a name: each has a slash.
const SHARED: &str = "shared:";
