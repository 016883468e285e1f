//! The constraints of a request as caveats. What can't be held is refused, never taken along unread.

use model::{Code, Refusal};
use policy::{Caveat, of_constraints};
use serde_json::Value;

pub(super) fn caveats(constraints: &Value) -> Result<Vec<Caveat>, Refusal> {
    of_constraints(constraints).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))
}
