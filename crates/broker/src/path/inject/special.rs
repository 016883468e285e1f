//! What happens to a request before an integration's rarer credentials are on it.

use catalog::{AuthScheme, Integration};
use model::Refusal;
use net::Body;

use super::Draft;
use super::replace::Swaps;
use super::sign::aws;
use super::target::Written;
use crate::path::resolve::Lent;

/// Replaces what the caller wrote for the credential, and drops the caller's own credentials.
pub(super) fn prepare(
    draft: &mut Draft,
    written: &mut Written<'_>,
    integration: &Integration,
    lent: &Lent,
) -> Result<(), Refusal> {
    if draft.whole.is_none() {
        draft.whole = lent.special().and_then(|special| special.body.clone());
    }
    if integration.auth().iter().any(|scheme| matches!(scheme, AuthScheme::SigV4(_))) {
        draft.signing = Some(aws::asked(&draft.headers)?);
    }
    let swaps = Swaps::of(integration, lent)?;
    let ours = swaps.headers(&mut draft.headers)?;
    super::prepare(&mut draft.headers, integration);
    draft.headers.extend(ours);
    swaps.target(written, integration.base_path().len());
    if let Some(whole) = &draft.whole
        && let Some(changed) = swaps.body(&draft.headers, whole, integration.limits().body)?
    {
        let changed = bytes::Bytes::from(changed);
        draft.body = Body::full(changed.clone());
        draft.whole = Some(changed);
    }
    Ok(())
}
