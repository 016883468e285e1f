//! The constraints of a request as caveats.

use model::Refusal;
use policy::Caveat;
use serde_json::Value;

pub(super) fn caveats(constraints: &Value) -> Result<Vec<Caveat>, Refusal> {
    policy::of_constraints(constraints).map_err(|error| super::request::wrong(error.to_string()))
}
