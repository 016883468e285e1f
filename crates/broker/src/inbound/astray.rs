//! A capability that stands where it would go on to the service.
//!
//! Whoever has the text of a capability may use it, so none leaves this house: a request that has one in its target, in a header where none
//! is looked for, in what was read of its body or in an input is refused. It is told by how it begins and how long it is at least, which
//! costs a look at the lengths of a few values: nearly none is as long. A stream that nobody reads here is not searched.

use model::{Code, Inputs, Refusal};

use super::Forward;
use crate::presented;

/// Proof that no capability stands in what was looked at. Only this file makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct NoneAstray(());

impl Forward {
    /// Looks at the target and the headers.
    ///
    /// # Errors
    /// `bad_request` where one stands there.
    pub(crate) fn none_astray(&self) -> Result<NoneAstray, Refusal> {
        if is_in(self.target.path().as_bytes()) {
            return Err(stands("the path"));
        }
        if self.target.query().is_some_and(|query| is_in(query.as_bytes())) {
            return Err(stands("the query"));
        }
        let astray = |name: &http::HeaderName, value: &http::HeaderValue| {
            value.len() >= SHORTEST && !presented::is_place(name) && is_in(value.as_bytes())
        };
        match self.headers.iter().find(|(name, value)| astray(name, value)) {
            Some((name, _)) => Err(stands(&format!("the header `{name}`"))),
            None => Ok(NoneAstray(())),
        }
    }
}

/// Looks at a body that was read.
pub(crate) fn none_in_body(body: &[u8]) -> Result<NoneAstray, Refusal> {
    if is_in(body) { Err(stands("the body")) } else { Ok(NoneAstray(())) }
}

/// Looks at the inputs of an operation of a service.
pub(crate) fn none_in_inputs(inputs: &Inputs) -> Result<NoneAstray, Refusal> {
    match inputs.iter().find(|(_, value)| is_in(value.as_bytes())) {
        Some((name, _)) => Err(stands(&format!("the input `{name}`"))),
        None => Ok(NoneAstray(())),
    }
}

/// Whether a capability stands in a text, also where somebody escaped the `_` in it.
pub(crate) fn is_in(text: &[u8]) -> bool {
    text.len() >= SHORTEST
        && memchr::memmem::find_iter(text, LEAD).any(|at| begins(text.get(at + LEAD.len()..)))
}

/// What follows the lead of a capability: `_`, and base 64 for URLs.
fn begins(rest: Option<&[u8]>) -> bool {
    let Some(rest) = rest else { return false };
    let escaped = || rest.strip_prefix(b"%5F").or_else(|| rest.strip_prefix(b"%5f"));
    let Some(coded) = rest.strip_prefix(b"_").or_else(escaped) else { return false };
    let is_coded = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    coded.iter().take(SHORTEST).take_while(|byte| is_coded(byte)).count() >= CODED
}

#[cold]
fn stands(place: &str) -> Refusal {
    let message = format!("a capability stands in {place}, from where it would go on to the service");
    Refusal::new(Code::BadRequest, message).hint(
        "send it as `Authorization: Bearer cap1_...` and nowhere else; if others saw the request, revoke it",
    )
}

const LEAD: &[u8] = b"cap1";
/// No capability is shorter.
const SHORTEST: usize = LEAD.len() + 1 + CODED;
/// At least so much is coded: tenant, grant, one block and the tag.
const CODED: usize = 88;

#[cfg(test)]
mod tests;
