//! Which integration a request means, and what of its target belongs to the service.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use model::{IntegrationName, Target};

use crate::browser::Guarded;
use crate::host::{self, Addressed};
use crate::refused::Refused;

/// An integration and the target behind it.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Route {
    pub(crate) integration: IntegrationName,
    pub(crate) target: Target,
}

/// Chooses by header, then by host, then by the first segment of the path. Header and host may both name one, if it is
/// the same.
pub(crate) fn choose(
    _: Guarded,
    named: Option<IntegrationName>,
    addressed: Addressed,
    target: Target,
) -> Result<Route, Refused> {
    match (named, addressed) {
        (Some(header), Addressed::Integration(host)) if header != host => {
            Err(Refused::bad(format!("the header names the integration `{header}` and the host `{host}`"))
                .hint("name it once"))
        }
        (Some(integration), _) | (None, Addressed::Integration(integration)) => {
            Ok(Route { integration, target })
        }
        (None, Addressed::Gateway) => by_path(&target),
        (None, Addressed::Foreign) => Err(host::foreign()),
    }
}

/// What counts in a header that names an integration.
#[derive(Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// Whether the header of other gateways counts.
    pub(crate) compatible: bool,
    /// The names besides their own.
    pub(crate) aliased: &'a dyn Fn(&str) -> Option<IntegrationName>,
}

/// The integration that a header names. Two headers, or two values, have to agree on being one.
pub(crate) fn named(headers: &HeaderMap, naming: Naming<'_>) -> Result<Option<IntegrationName>, Refused> {
    let mut found: Option<&HeaderValue> = None;
    let mut lower = false;
    for name in [&INTEGRATION, &COMPATIBLE] {
        if *name == COMPATIBLE && !naming.compatible {
            continue;
        }
        let mut values = net::headers::all(headers, name);
        let Some(value) = values.next() else { continue };
        if values.next().is_some() || found.is_some_and(|other| other != value) {
            return Err(Refused::bad("the headers name more than one integration").hint("name it once"));
        }
        found = Some(value);
        lower = *name == COMPATIBLE;
    }
    let Some(value) = found else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refused::bad("the integration named by a header is not text"))?;
    // The other gateway reads its header without regard to case.
    let text = if lower { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
    match (naming.aliased)(&text) {
        Some(known) => Ok(Some(known)),
        None => Ok(Some(text.parse()?)),
    }
}

fn by_path(target: &Target) -> Result<Route, Refused> {
    let segment = target.segments().next().unwrap_or_default();
    if segment.is_empty() {
        return Err(Refused::nothing("the request names no integration").hint(FORMS));
    }
    let integration: IntegrationName =
        segment.parse().map_err(|error: model::ParseError| Refused::from(error).hint(FORMS))?;
    let prefix = target.path().get(..=segment.len()).unwrap_or_default();
    let target =
        target.strip_prefix(prefix).ok_or_else(|| Refused::bad("the request target is malformed"))?;
    Ok(Route { integration, target })
}

/// The target of a route as the caller wrote it, where it is sent otherwise: `whole` is all of it as it is sent, before a segment that
/// named the integration was taken off.
pub(crate) fn written(uri: &http::Uri, whole: &Target, target: &Target) -> Option<Box<str>> {
    let written = uri.path_and_query()?.as_str();
    if written == whole.as_str() {
        return None;
    }
    if target == whole {
        return Some(written.into());
    }
    let rest = written.get(written.get(1..)?.find(['/', '?'])? + 1..)?;
    Some(if rest.starts_with('/') { rest.into() } else { format!("/{rest}").into() })
}

static INTEGRATION: HeaderName = HeaderName::from_static("x-doorward-integration");
/// The name under which programs of an older kind of gateway know it.
static COMPATIBLE: HeaderName = HeaderName::from_static("x-at-int");
const FORMS: &str = "name one: `/slack/...`, `Host: slack.localhost` or `X-Doorward-Integration: slack`; `doorward integration list` has them";

#[cfg(test)]
mod tests;
