//! What is looked for in the reply to one call: every secret that was lent to it, every token that was made of one, and the inputs that are
//! secrets.

use std::sync::Arc;

use catalog::{AuthScheme, Basic, Integration};
use memory::Secret;
use model::{Code, Refusal, TenantName};
use policy::Permit;
use secrets::{Mask, Opened, Unmaskable};

use crate::broker::Broker;
use crate::path::resolve::Lent;

/// What masks all of them; `None` where nothing is secret.
pub(super) fn mask(
    broker: &Broker,
    integration: &Integration,
    lent: &Lent,
    permit: &Permit,
) -> Result<Option<Arc<Mask>>, Refusal> {
    let (call, unmaskable) =
        (permit.call(), |error: Unmaskable| Refusal::new(Code::SecretMissing, error.to_string()));
    let own = of_lent(broker, (permit.tenant(), integration), lent).map_err(unmaskable)?;
    if !integration.takes_secrets() {
        return Ok(own);
    }
    with_inputs(own, integration.secret_texts(call.operation(), call.inputs())).map_err(unmaskable)
}

fn of_lent(
    broker: &Broker,
    (tenant, integration): (&TenantName, &Integration),
    lent: &Lent,
) -> Result<Option<Arc<Mask>>, Unmaskable> {
    let tokens = lent.special().map(|special| special.tokens.as_slice()).unwrap_or_default();
    let beside = lent.special().map(|special| special.beside.as_slice()).unwrap_or_default();
    let only = integration.auth().len() == 1;
    match (lent.all(), tokens, beside) {
        ([], [], []) => Ok(None),
        ([one], [], []) => of(one, integration).map(Some),
        // It finds what the token was made from as well.
        (_, [served], []) if only => Ok(Some(Arc::clone(&served.token.mask))),
        (several, tokens, beside) => {
            let several = several.iter().chain(beside).map(|opened| of(opened, integration));
            let tokens = tokens.iter().map(|served| Ok(Arc::clone(&served.token.mask)));
            let all = several.chain(tokens).collect::<Result<Vec<_>, _>>()?;
            let masks = broker.outgoing().masks();
            let joined = masks.joined((tenant.clone(), integration.name().clone()), all);
            // Nothing of it stays where the broker was sealed meanwhile.
            if broker.unsealed().is_err() {
                masks.clear();
            }
            joined.map(Some)
        }
    }
}

/// The same with the inputs that are secrets. One that is too short can't be told apart from other text.
#[cold]
fn with_inputs(own: Option<Arc<Mask>>, texts: Vec<String>) -> Result<Option<Arc<Mask>>, Unmaskable> {
    let mut masks = Vec::new();
    for text in texts {
        let secret = Secret::new(text.into_bytes()).map_err(|_| Unmaskable::Memory)?;
        match Mask::new(&secret) {
            Ok(mask) => masks.push(mask),
            Err(Unmaskable::Short) => {}
            Err(error) => return Err(error),
        }
    }
    if masks.is_empty() {
        return Ok(own);
    }
    let all: Vec<&Mask> = own.as_deref().into_iter().chain(&masks).collect();
    Mask::join(&all).map(|joined| Some(Arc::new(joined)))
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
