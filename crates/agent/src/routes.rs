//! What is served on the socket. A new route is a variant here and an arm in `door`.

use std::collections::btree_map::Entry;

use http::Method;
use model::{CapabilityId, Code, Inputs, IntegrationName, OperationName, ParseError, Refusal, RunId, Target};

use crate::runs::{After, Keep};

/// A request, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Perform a named operation.
    Operate(IntegrationName, OperationName, Inputs),
    /// Which operations does a capability speak of?
    Offers,
    /// What state is the broker in?
    Status,
    /// The numbers.
    Metrics,
    /// Take the keys.
    Unseal,
    /// Stop.
    Drain,
    /// Open a run.
    Open(Opening),
    /// End a run.
    End(RunId),
    /// What belongs to a run calls a service.
    Forward(IntegrationName, Target),
    /// Talk with a program of the owner's that has a wish.
    Wish,
}

/// The run that is to be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Its name.
    pub(crate) run: RunId,
    /// The capability that it gets a narrowing of; where none is named, the body is a bearer.
    pub(crate) capability: Option<CapabilityId>,
    /// Whether it goes on without its launcher.
    pub(crate) keep: Keep,
    /// What becomes of the capability that was named.
    pub(crate) after: After,
}

/// Why there is no route.
#[derive(Debug)]
pub(crate) enum Unrouted {
    /// The request has no reading, or names nothing.
    Refused(Refusal),
    /// There is something under this path, for this method only.
    Method(&'static str),
}

/// Reads method and target of a request.
pub(crate) fn read(method: &Method, target: &Target) -> Result<Route, Unrouted> {
    let mut segments = target.segments();
    let named = [segments.next(), segments.next(), segments.next(), segments.next(), segments.next()];
    let route = match named {
        [Some("v1"), Some("operations"), Some(integration), Some(operation), None] => {
            let (integration, operation) = (integration.parse(), operation.parse());
            return match (only(method, &Method::POST, "POST"), integration, operation) {
                (Err(unrouted), _, _) => Err(unrouted),
                (Ok(()), Ok(integration), Ok(operation)) => {
                    Ok(Route::Operate(integration, operation, inputs(target)?))
                }
                (Ok(()), Err(error), _) | (Ok(()), _, Err(error)) => {
                    Err(Refusal::new(Code::BadRequest, error.to_string()).into())
                }
            };
        }
        [Some("v1"), Some("status"), None, ..] => only(method, &Method::GET, "GET").map(|()| Route::Status),
        [Some("v1"), Some("operations"), None, ..] => {
            only(method, &Method::GET, "GET").map(|()| Route::Offers)
        }
        [Some("v1"), Some("metrics"), None, ..] => only(method, &Method::GET, "GET").map(|()| Route::Metrics),
        [Some("v1"), Some("unseal"), None, ..] => only(method, &Method::POST, "POST").map(|()| Route::Unseal),
        [Some("v1"), Some("drain"), None, ..] => only(method, &Method::POST, "POST").map(|()| Route::Drain),
        [Some("v1"), Some("wish"), None, ..] => only(method, &Method::POST, "POST").map(|()| Route::Wish),
        [Some("v1"), Some("runs"), None, ..] => {
            return only(method, &Method::POST, "POST").and_then(|()| opening(target)).map(Route::Open);
        }
        [Some("v1"), Some("runs"), Some(run), Some("end"), None] => {
            let run = run.parse().map_err(|error: ParseError| malformed(&error))?;
            only(method, &Method::POST, "POST").map(|()| Route::End(run))
        }
        [Some(first), ..] if first != "v1" => return forward(first, target),
        _ => Err(nothing()),
    }?;
    if target.query().is_some() {
        return Err(Refusal::new(Code::BadRequest, "this path of the socket takes no inputs").into());
    }
    Ok(route)
}

/// A request to a service: the first segment names the integration, as at the gateway.
fn forward(first: &str, target: &Target) -> Result<Route, Unrouted> {
    let integration = first.parse().map_err(|_| nothing())?;
    let prefix = target.path().get(..=first.len()).unwrap_or_default();
    let target = target.strip_prefix(prefix).ok_or_else(nothing)?;
    Ok(Route::Forward(integration, target))
}

fn opening(target: &Target) -> Result<Opening, Unrouted> {
    let mut given = inputs(target)?;
    let wrong = |error: ParseError| Unrouted::from(malformed(&error));
    let run = given.remove("run").ok_or_else(|| Refusal::new(Code::BadRequest, "the run has no name"))?;
    let run = run.parse().map_err(wrong)?;
    let capability = given.remove("capability").map(|name| name.parse().map_err(wrong)).transpose()?;
    let keep = match given.remove("keep").as_deref() {
        None => Keep::No,
        Some("group") => Keep::InItsGroup,
        Some(_) => return Err(Refusal::new(Code::BadRequest, "`keep` is `group`, or left out").into()),
    };
    let after = match given.remove("after").as_deref() {
        None => After::Stays,
        Some("revoke") => After::Revoked,
        Some(_) => return Err(Refusal::new(Code::BadRequest, "`after` is `revoke`, or left out").into()),
    };
    match given.keys().next() {
        None => Ok(Opening { run, capability, keep, after }),
        Some(_) => {
            let message = "a run has the inputs `run`, `capability`, `keep` and `after`";
            Err(Refusal::new(Code::BadRequest, message).into())
        }
    }
}

fn malformed(error: &ParseError) -> Refusal {
    Refusal::new(Code::BadRequest, format!("a name is malformed: expected {}", error.expected()))
}

fn nothing() -> Unrouted {
    Refusal::new(Code::NotFound, "nothing is served under this path of the socket").into()
}

/// The inputs of an operation. A name that is there twice has two readings.
fn inputs(target: &Target) -> Result<Inputs, Unrouted> {
    let mut inputs = Inputs::new();
    for (name, value) in target.pairs() {
        match inputs.entry(name.into_owned()) {
            Entry::Vacant(free) if !free.key().is_empty() => drop(free.insert(value.into_owned())),
            Entry::Vacant(_) => return Err(Refusal::new(Code::BadRequest, "an input has no name").into()),
            // The value is not repeated: somebody may have put a secret there by mistake.
            Entry::Occupied(taken) => {
                let message = format!("the input `{}` is there more than once", taken.key());
                return Err(Refusal::new(Code::BadRequest, message).into());
            }
        }
    }
    Ok(inputs)
}

fn only(method: &Method, allowed: &Method, shown: &'static str) -> Result<(), Unrouted> {
    if method == allowed { Ok(()) } else { Err(Unrouted::Method(shown)) }
}

impl From<Refusal> for Unrouted {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[cfg(test)]
mod tests;
