//! What is looked for in the reply to one call: every secret that was lent to it, and every token that was made of one.

use std::sync::Arc;

use catalog::{AuthScheme, Basic, Integration};
use model::{Code, Refusal};
use secrets::{Mask, Opened, Unmaskable};

use crate::path::resolve::Lent;

/// What masks all of them; `None` where nothing was lent.
pub(super) fn mask(integration: &Integration, lent: &Lent) -> Result<Option<Arc<Mask>>, Refusal> {
    let unmaskable = |error: Unmaskable| Refusal::new(Code::SecretMissing, error.to_string());
    let tokens = lent.special().map(|special| special.tokens.as_slice()).unwrap_or_default();
    let only = integration.auth().len() == 1;
    match (lent.all(), tokens) {
        ([], []) => Ok(None),
        ([one], []) => of(one, integration).map(Some).map_err(unmaskable),
        // It finds what the token was made from as well.
        (_, [served]) if only => Ok(Some(Arc::clone(&served.token.mask))),
        (several, tokens) => {
            let several = several.iter().map(|opened| of(opened, integration));
            let several = several.collect::<Result<Vec<_>, _>>().map_err(unmaskable)?;
            let all = several.iter().chain(tokens.iter().map(|served| &served.token.mask));
            let all: Vec<&Mask> = all.map(|mask| &**mask).collect();
            Mask::join(&all).map(|joined| Some(Arc::new(joined))).map_err(unmaskable)
        }
    }
}

/// A service may repeat the password of a pair without the user name.
fn of(opened: &Opened, integration: &Integration) -> Result<Arc<Mask>, Unmaskable> {
    let is_pair = integration.auth().iter().filter_map(joined).any(|choice| {
        let mut declared = choice.fields().filter_map(|field| integration.secrets().get(field));
        declared.any(|declared| declared.reference == *opened.reference())
    });
    if is_pair { opened.pair_mask() } else { Ok(Arc::clone(opened.mask())) }
}

/// The fields of a scheme that hold `user:password`.
fn joined(scheme: &AuthScheme) -> Option<&catalog::Choice> {
    let pair = match scheme {
        AuthScheme::Basic { pair, .. } => pair,
        AuthScheme::Digest(digest) => &digest.pair,
        AuthScheme::ProxyBasic(proxy) => &proxy.pair,
        _ => return None,
    };
    match pair {
        Basic::Joined { secret } => Some(secret),
        Basic::Named { .. } | Basic::Fields { .. } => None,
    }
}
