//! The order in which operations are tried: narrower paths first.

use std::collections::{BTreeMap, BTreeSet};

use model::{Method, OperationName};

use super::Origin;
use crate::file::File;
use crate::{Error, Operation, path};

/// One path of one operation.
struct Ruled<'a> {
    name: &'a OperationName,
    place: usize,
    method: Method,
    template: &'a path::Template,
    operation: &'a Operation,
}

/// Narrower paths first. Two operations that could be one request would leave it to chance which rules count; where they have
/// the same path, what their bodies always have has to tell them apart.
pub(super) fn order(
    file: &File,
    origin: &Origin,
    operations: &mut BTreeMap<OperationName, Operation>,
) -> Result<Vec<(OperationName, usize)>, Error> {
    let mut shared: BTreeSet<OperationName> = BTreeSet::new();
    let mut ruled: Vec<Ruled<'_>> = Vec::new();
    for (name, operation) in operations.iter().filter(|(_, operation)| operation.is_placed()) {
        let Some(rule) = &operation.rule else { continue };
        ruled.extend(rule.paths.iter().enumerate().map(|(place, template)| Ruled {
            name,
            place,
            method: rule.method,
            template,
            operation,
        }));
    }
    for (at, one) in ruled.iter().enumerate() {
        for other in ruled.iter().skip(at + 1) {
            if one.method != other.method || !one.template.overlaps(other.template) {
                continue;
            }
            if one.template == other.template && is_told_apart(one.operation, other.operation) {
                shared.extend([one.name.clone(), other.name.clone()]);
            } else if one.name != other.name && one.template.narrower(other.template).is_none() {
                let line = |name: &str| file.operations.get(name).map_or(0, |entry| entry.referenced.line());
                let line = line(one.name.as_str()).max(line(other.name.as_str()));
                let problem = format!(
                    "`{}` and `{}` could match the same request, and neither is narrower",
                    one.name, other.name
                );
                return Err(origin.wrong(line, problem));
            }
        }
    }
    ruled.sort_by_cached_key(|one| one.template.widths());
    let order = ruled.into_iter().map(|one| (one.name.clone(), one.place)).collect();
    for (name, operation) in operations {
        operation.shared = shared.contains(name);
    }
    Ok(order)
}

/// Whether no body can be that of both, or one of them is the one of all other bodies.
fn is_told_apart(one: &Operation, other: &Operation) -> bool {
    if one.fixed.is_empty() != other.fixed.is_empty() {
        return true;
    }
    one.fixed
        .iter()
        .any(|(path, value)| other.fixed.iter().any(|(own, differs)| own == path && differs != value))
}
