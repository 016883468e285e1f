//! The constraints of a request as caveats.

use model::Refusal;
use policy::Caveat;
use serde_json::Value;

pub(super) fn caveats(constraints: &Value) -> Result<Vec<Caveat>, Refusal> {
    match constraints {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) if map.is_empty() => Ok(Vec::new()),
        _ => Err(super::request::wrong("constraints are not understood by this version yet")),
    }
}
