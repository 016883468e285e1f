//! Step 2: which operation of which integration. What the catalogue does not describe is a write called `unknown`.

use std::sync::Arc;

use bytes::Bytes;
use catalog::Integration;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use http_body::Body as _;
use model::{Call, Code, EvidenceId, OperationName, Proof, Refusal};

use crate::broker::{Broker, Edition};
use crate::inbound::astray::{self, NoneAstray};
use crate::inbound::{Asked, Forward, Inbound, Looked, OneMethod, Operate};
use crate::path::identify::Identified;
use crate::path::lists;

/// A call and the integration that it belongs to.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) integration: Arc<Integration>,
    pub(crate) call: Call,
    /// Where the request has the path of an operation, and can't be read as one.
    pub(crate) unread: Option<Box<Unread>>,
}

/// A request that may be an operation to the service, and can't be read as one here: it is `unknown`.
#[derive(Debug)]
pub(crate) struct Unread {
    /// The operations that have its path.
    pub(crate) meant: Vec<OperationName>,
    /// Why it can't be read. Then a rule of a list, which goes by the request itself, may allow it, and nothing else. Without it the
    /// request says more than the operation takes, as a name in its query that nobody described, and may be allowed as any other.
    pub(crate) refusal: Option<Refusal>,
}

/// Finds the call. Reads the body only where the operation has inputs in it or a rule of a list asks for it, and puts it back as
/// it was.
pub(crate) async fn call(
    (broker, edition): (&Broker, &Edition),
    id: EvidenceId,
    identified: &Identified,
    inbound: &mut Inbound,
) -> Result<Found, Refusal> {
    match &mut inbound.asked {
        Asked::Operate(operate) => named((broker, edition), id, operate),
        Asked::Forward(forward) => {
            let NoneAstray { .. } = forward.none_astray()?;
            let mut integration = edition.integration(&forward.integration)?;
            if let Some(candidate) = forward.led.as_ref().and_then(|led| led.candidate()) {
                integration = Arc::new(integration.keeping(candidate));
            }
            if let Some((operation, inputs)) = forward.led.as_ref().and_then(|led| led.asks()).cloned() {
                let call = integration.named(id, &operation, inputs.clone())?;
                forward.write(integration.named_body(&operation, inputs)?);
                return Ok(Found { integration, call, unread: None });
            }
            forward.signed_in_head(&integration, broker.now())?;
            let OneMethod { .. } = match forward.method_in_head()? {
                Looked::Settled(proof) => proof,
                // Boxed, as it is large.
                Looked::InForm => Box::pin(forward.method_in_form(integration.limits())).await?,
            };
            if forward.upgrade.is_some() {
                return tunnel(id, integration, forward);
            }
            let listed = || lists::want_body(edition.lists(), identified, &integration, forward);
            let body = if is_bodiless(forward) {
                Some(Bytes::new())
            } else if integration.route(forward.method, &forward.target).wants_body()
                || integration.is_told_by_body(forward.method, &content_types(forward)?)
                || listed()
            {
                if let Some(refusal) = forward.packed()
                    && !listed()
                {
                    let destination = named_destination(&integration, forward)?;
                    return unread(id, identified, Arc::clone(&integration), (forward, destination), refusal);
                }
                let body = Box::pin(forward.readable(integration.limits())).await?;
                let NoneAstray { .. } = astray::none_in_body(&body)?;
                Some(body)
            } else {
                None
            };
            described(id, identified, integration, (forward, body.as_deref()))
        }
    }
}

/// The call of an operation by its name.
fn named(
    (broker, edition): (&Broker, &Edition),
    id: EvidenceId,
    operate: &Operate,
) -> Result<Found, Refusal> {
    let integration = edition.integration(&operate.integration)?;
    let call = integration.named(id, &operate.operation, broker.spelled(operate)?)?;
    if call.request().is_some() {
        if operate.payload.is_some() {
            let message =
                format!("`{}` takes inputs only, and something else came with them", call.operation());
            return Err(Refusal::new(Code::BadRequest, message));
        }
        let NoneAstray { .. } = astray::none_in_inputs(call.inputs())?;
    }
    Ok(Found { integration, call, unread: None })
}

/// The call of a request that asks for another protocol: whatever it says, the frames behind it can say anything.
fn tunnel(id: EvidenceId, integration: Arc<Integration>, forward: &Forward) -> Result<Found, Refusal> {
    let destination = named_destination(&integration, forward)?;
    let call = integration.opaque(id, (forward.method, &forward.target), destination)?;
    let types = content_types(forward)?;
    let (method, target) = (forward.method, &forward.target);
    let asked = catalog::Asked { method, target, content_types: &types, body: None };
    let unread = beside(&integration, &call, (forward, &asked))?;
    Ok(Found { integration, call, unread })
}

/// The call that a request is, once all of it is there that has to be looked at.
fn described(
    id: EvidenceId,
    identified: &Identified,
    integration: Arc<Integration>,
    (forward, body): (&Forward, Option<&[u8]>),
) -> Result<Found, Refusal> {
    let types = content_types(forward)?;
    let asked =
        catalog::Asked { method: forward.method, target: &forward.target, content_types: &types, body };
    let destination = named_destination(&integration, forward)?;
    let call = integration.call_to(id, &asked, destination);
    let names = forward.headers.keys().map(HeaderName::as_str);
    match call.and_then(|call| integration.by_itself(call, names)) {
        Ok(call) => {
            let unread = beside(&integration, &call, (forward, &asked))?;
            Ok(Found { integration, call, unread })
        }
        Err(refusal) => unread(id, identified, integration, (forward, destination), refusal),
    }
}

/// The operations that a request which is `unknown` may be to the service all the same: it has their path and says more than they
/// take, or has it but for letter case, or says their word where the service looks for one. What a policy says about one of them holds for
/// it too, which step 3 looks at.
fn beside(
    integration: &Integration,
    call: &Call,
    (forward, asked): (&Forward, &catalog::Asked<'_>),
) -> Result<Option<Box<Unread>>, Refusal> {
    if !integration.is_unknown(call) {
        return Ok(None);
    }
    let header = |name: &str| {
        let said = forward.headers.iter().filter(|(known, _)| known.as_str() == name);
        said.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let mut meant = integration.told(asked, &header)?;
    let is_plain = forward.upgrade.is_none();
    let is_odd = forward.target.query().is_some() || !is_plain || is_odd(forward.target.path());
    if is_odd || integration.guards_undescribed() {
        meant.extend(integration.resembled(forward.method, &forward.target, is_plain)?);
    }
    Ok((!meant.is_empty()).then(|| Box::new(Unread { meant, refusal: None })))
}

/// What can't be read as the operation whose path it has is none that anybody could be allowed by its name. Where lists alone say
/// what a caller may do, a rule of theirs about the request itself may still allow it; step 3 looks at that.
#[cold]
fn unread(
    id: EvidenceId,
    identified: &Identified,
    integration: Arc<Integration>,
    (forward, destination): (&Forward, Option<&str>),
    refusal: Refusal,
) -> Result<Found, Refusal> {
    if !matches!(identified.caller.proof(), Proof::Incoming | Proof::Anonymous) {
        return Err(refusal);
    }
    let meant = integration.meant(forward.method, &forward.target)?;
    // A target that can be read in two ways, or holds what a credential stands in, is refused here again.
    match integration.opaque(id, (forward.method, &forward.target), destination) {
        Ok(call) if refusal.code == Code::BadRequest && !meant.is_empty() => {
            Ok(Found { integration, call, unread: Some(Box::new(Unread { meant, refusal: Some(refusal) })) })
        }
        _ => Err(refusal),
    }
}

/// Whether a service may read a path as that of an operation which it is not to us.
fn is_odd(path: &str) -> bool {
    path.len() > 1
        && (path.ends_with('/') || path.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'%'))
}

/// The host that a call names, where the integration leaves it to each call.
fn named_destination<'a>(
    integration: &Integration,
    forward: &'a Forward,
) -> Result<Option<&'a str>, Refusal> {
    match integration.wildcard() {
        None => Ok(None),
        Some(_) => destination(forward),
    }
}

/// The host that a call names, where it has to name one. Named twice, it could be read in two ways.
fn destination(forward: &Forward) -> Result<Option<&str>, Refusal> {
    let mut named =
        [&DESTINATION, &COMPATIBLE].into_iter().flat_map(|name| net::headers::all(&forward.headers, name));
    let wrong = |message| Refusal::new(Code::BadRequest, message);
    let first = named.next().map(HeaderValue::to_str).transpose();
    let first = first.map_err(|_| wrong("invalid destination: it is not text"))?;
    if named.next().is_some() { Err(wrong("invalid destination: it is named twice")) } else { Ok(first) }
}

/// Whether it is known without a look at the operation that there is no input in the body.
fn is_bodiless(forward: &Forward) -> bool {
    forward.body.is_end_stream() && !net::headers::has(&forward.headers, &CONTENT_ENCODING)
}

fn content_types(forward: &Forward) -> Result<Vec<&str>, Refusal> {
    let types = net::headers::all(&forward.headers, &CONTENT_TYPE);
    let unreadable = |_| Refusal::new(Code::BadRequest, "the content type is not text");
    types.map(|value| value.to_str().map_err(unreadable)).collect()
}

static DESTINATION: HeaderName = HeaderName::from_static("x-doorward-destination");
/// The name under which programs of an older kind of gateway know it.
static COMPATIBLE: HeaderName = HeaderName::from_static("x-at-destination");
