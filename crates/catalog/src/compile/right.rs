//! Questions about what the credential may do: that they are reads of the file which tell little, with inputs that these take.

use model::{Access, Inputs, OperationName, Risk};

use super::unknown;
use crate::file::RightEntry;
use crate::right::At;
use crate::{Integration, Right, input, nearest};

pub(super) fn right(entry: &RightEntry, integration: &Integration) -> Result<Right, String> {
    let RightEntry { permission, operation, inputs, at, granted } = entry;
    let operation: OperationName = operation.parse().map_err(|error: model::ParseError| error.to_string())?;
    let found = integration
        .operations
        .get(&operation)
        .ok_or_else(|| unknown(operation.as_str(), &integration.operations))?;
    if (found.access, found.risk) != (Access::Read, Risk::Low) {
        return Err(format!(
            "`{operation}` is no read of low risk, and asking for permissions changes nothing"
        ));
    }
    let (_, inputs) = integration
        .checked(&operation, Inputs::from_iter(inputs.clone()))
        .map_err(|refusal| refusal.message)?;
    let at = match at.strip_prefix("evidence:") {
        Some(field) if found.evidence().any(|known| known == field) => At::Evidence(field.to_owned()),
        Some(field) => return Err(format!("the evidence of `{operation}` has no {}", nearest::shown(field))),
        None if at.starts_with('/') => At::Output(at.clone()),
        None => return Err("`at` is a JSON pointer such as `/status/allowed`, or `evidence:NAME`".to_owned()),
    };
    let granted = input::pattern(granted)?;
    Ok(Right { name: permission.clone(), operation, inputs, at, granted })
}
