//! The schema: entity types and groups from the file beside, one action per operation of the catalogue.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{Access, Risk};

use super::{ActionEffect, ActionSpec};
use crate::Error;

/// What stands in the file.
const BASE: &str = include_str!("schema.cedarschema");

/// Every operation by `integration/operation`, with an `unknown` one for each integration.
pub(super) fn operations(specs: &[ActionSpec]) -> Result<BTreeMap<String, ActionSpec>, Error> {
    let mut all = BTreeMap::new();
    let own = "doorward".parse()?;
    let unknown = |integration, effect| -> Result<ActionSpec, Error> {
        let operation = UNKNOWN.parse()?;
        Ok(ActionSpec { integration, operation, access: Access::Write, risk: Risk::High, effect })
    };
    all.insert(RESERVED.to_owned(), unknown(own, ActionEffect::Disclose)?);
    for spec in specs {
        let name = format!("{}/{}", spec.integration, spec.operation);
        match all.get(&name) {
            Some(known) if known != spec => return Err(Error::Operation(name)),
            _ => all.insert(name, spec.clone()),
        };
    }
    for spec in specs {
        let name = format!("{}/{UNKNOWN}", spec.integration);
        let described = unknown(spec.integration.clone(), ActionEffect::Use)?;
        all.entry(name).or_insert(described);
    }
    Ok(all)
}

/// The whole schema as text. Names can't break out of their quotes: their types allow no quote and no back slash.
pub(super) fn text(operations: &BTreeMap<String, ActionSpec>) -> Result<String, Error> {
    let open =
        BASE.trim_end().strip_suffix('}').ok_or_else(|| Error::Schema("no closing brace".to_owned()))?;
    let mut text = open.to_owned();
    let mut before = None;
    for (name, spec) in operations.iter().filter(|(name, _)| *name != RESERVED) {
        if spec.integration.as_str() != "doorward" && before != Some(&spec.integration) {
            writeln!(text, "  action \"{}/*\";", spec.integration).map_err(wrong)?;
            before = Some(&spec.integration);
        }
        let groups = match spec.effect {
            ActionEffect::Use => "",
            ActionEffect::Manage => ", \"manage\"",
            ActionEffect::Agent => ", \"manage\", \"agent\"",
            ActionEffect::Disclose => ", \"manage\", \"disclose\"",
            ActionEffect::NoSession => ", \"manage\", \"disclose\", \"no-session\"",
        };
        writeln!(
            text,
            "  action \"{name}\" in [\"{}/*\", \"{}\", \"risk:{}\"{groups}] appliesTo {{ principal: Principal, \
             resource: Resource, context: Facts }};",
            spec.integration, spec.access, spec.risk
        )
        .map_err(wrong)?;
    }
    text.push_str("}\n");
    Ok(text)
}

pub(super) fn wrong(source: impl std::fmt::Display) -> Error {
    Error::Schema(source.to_string())
}

/// The operation of whatever nobody described.
const UNKNOWN: &str = "unknown";
/// Stands in the file already.
const RESERVED: &str = "doorward/unknown";
