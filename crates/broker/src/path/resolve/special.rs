//! The rare half of step 6: one of several secrets, the body where it is signed, what a second try needs.

use std::sync::Arc;

use bytes::Bytes;
use catalog::{AuthScheme, Within};
use evidence::Receipt;
use http::HeaderMap;
use http_body::Body as _;
use model::{Access, Authority, Code, Method, Refusal, Timestamp};
use secrets::Opened;

use super::{Lent, open, refused};
use crate::Worker;
use crate::inbound::Asked;
use crate::outgoing::{Assumed, Challenge, Kept, Minted, Minter, Served, Turn, mint, session};
use crate::path::admit::Admitted;
use crate::path::inject::sign::{aws, oauth1};

/// What a call has beside its secrets, where its integration has more than plain auth schemes.
pub(crate) struct Special {
    /// The whole body, where a scheme changes or signs it.
    pub(crate) body: Option<Bytes>,
    /// The credentials that serve this call, of those that take turns.
    pub(crate) turns: Vec<(Turn, std::time::Duration)>,
    /// Those of them that do not serve it, and are looked for in the reply all the same.
    pub(crate) beside: Vec<Opened>,
    /// The tokens that were made for this call or before.
    pub(crate) tokens: Vec<Served>,
    /// The challenge of a service that wants Digest.
    pub(crate) challenge: Option<Arc<Challenge>>,
    /// What is put back for a second try; `None` where there is none.
    pub(crate) saved: Option<Saved>,
    /// Where the call goes.
    pub(crate) authority: Option<Authority>,
    /// When the call was resolved.
    pub(crate) now: Timestamp,
}

impl Special {
    /// The token of one of the integration's schemes, by its place among them.
    pub(crate) fn token(&self, scheme: usize) -> Option<&Minted> {
        self.tokens.iter().find(|served| served.scheme == scheme).map(|served| &*served.token)
    }
}

impl Special {
    /// A token that was made for a program's run, and is taken back after it.
    pub(crate) fn for_run(&self, integration: &catalog::Integration) -> Option<Arc<Minted>> {
        let taken_back = |served: &&Served| match integration.auth().get(served.scheme) {
            Some(AuthScheme::Derived(derived)) => derived.source.is_taken_back(),
            _ => false,
        };
        self.tokens.iter().find(taken_back).map(|served| Arc::clone(&served.token))
    }

    /// The session of a role that was assumed, with its secret access key.
    pub(crate) fn session(&self) -> Option<(&Assumed, &Minted)> {
        self.tokens.iter().find_map(|served| Some((served.token.session.as_ref()?, &*served.token)))
    }
}

/// The caller's request before a credential was on it.
pub(crate) struct Saved {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Opens what is needed. Of several that take turns the first is opened that can be.
pub(super) async fn secrets(
    worker: &Worker,
    admitted: &mut Admitted,
    receipt: &Receipt,
) -> Result<Lent, Refusal> {
    let body = whole_body(admitted).await?;
    let saved = saved(admitted, body.as_ref());
    let at = (admitted.permit.tenant().clone(), admitted.integration.name().clone());
    let authority = admitted.permit.call().request().map(|(_, authority, _)| authority.clone());
    let challenge = worker.broker().outgoing().challenges().get(&at);
    let unsealed = worker.broker().unsealed()?;
    worker.broker().bound()?;
    let now = worker.broker().now();
    let mut opened: Vec<Opened> = Vec::new();
    let (mut turns, mut beside) = (Vec::new(), Vec::new());
    for scheme in admitted.integration.auth() {
        if let Some(choice) = scheme.choice().filter(|choice| choice.is_rotation()) {
            let of = (admitted.permit.tenant(), admitted.integration.name());
            let order = worker.broker().outgoing().turns().order(of, choice, now);
            let (field, one) = first_of(unsealed.secrets(), (admitted, receipt), &order).await?;
            let turn = Turn { tenant: of.0.clone(), integration: of.1.clone(), field: field.to_owned() };
            turns.push((turn, choice.rest()));
            beside.extend(known(unsealed.secrets(), (admitted, receipt), (&order, field)).await);
            opened.push(one);
        }
        let chosen: Vec<&str> = scheme.choice().into_iter().flat_map(catalog::Choice::fields).collect();
        let rotates = chosen.len() > 1;
        for field in scheme.fields().filter(|field| !(rotates && chosen.contains(field))) {
            let Some(wanted) = admitted.integration.secrets().get(field) else { continue };
            if opened.iter().any(|opened| *opened.reference() == wanted.reference) {
                continue;
            }
            let lent = open(unsealed.secrets(), (admitted, receipt), &wanted.reference).await;
            opened.push(lent.map_err(|error| refused(&error))?);
        }
    }
    let (tokens, made) = tokens(worker, admitted, receipt, &opened).await?;
    admitted.notes.extend(made.into_iter().map(|made| (MINTED.to_owned(), made)));
    admitted.notes.retain(|(name, _)| name != PROFILE);
    let profiles = tokens.iter().filter_map(|served| served.token.profile.clone());
    admitted.notes.extend(profiles.map(|profile| (PROFILE.to_owned(), profile)));
    admitted.notes.retain(|(name, _)| name != SESSION && name != SESSION_KEY);
    for session in tokens.iter().filter_map(|served| served.token.session.as_ref()) {
        admitted.notes.push((SESSION.to_owned(), session.arn.clone()));
        admitted.notes.push((SESSION_KEY.to_owned(), session.access_key_id.clone()));
    }
    admitted.notes.retain(|(name, _)| name != CREDENTIAL);
    let served: Vec<&str> = turns.iter().map(|(turn, _)| turn.field.as_str()).collect();
    if !served.is_empty() {
        admitted.notes.push((CREDENTIAL.to_owned(), served.join(" ")));
    }
    Ok(Lent {
        opened,
        special: Some(Box::new(Special { body, turns, beside, tokens, challenge, saved, authority, now })),
    })
}

/// The tokens of schemes whose credential is made on the way, and what was made just now.
async fn tokens(
    worker: &Worker,
    admitted: &Admitted,
    receipt: &Receipt,
    lent: &[Opened],
) -> Result<(Vec<Served>, Vec<String>), Refusal> {
    let (permit, integration) = (&admitted.permit, &*admitted.integration);
    let tried = admitted.inbound.led().is_some_and(|led| led.candidate().is_some());
    let kept = if tried { Kept::Fresh } else { Kept::Shared };
    let mut minter = Minter { worker, permit, receipt, integration, lent, kept };
    let (mut all, mut made) = (Vec::new(), Vec::new());
    for (place, scheme) in integration.auth().iter().enumerate() {
        let (served, fresh) = match scheme {
            AuthScheme::Derived(derived) => {
                let for_run = admitted.way.is_some() && derived.source.is_taken_back();
                minter.kept = if for_run { Kept::Fresh } else { kept };
                mint(&minter, place, derived).await?
            }
            AuthScheme::SigV4(sigv4) => match &sigv4.assume {
                // Boxed, as it is rare and large.
                Some(assume) => Box::pin(session(&minter, place, (scheme, sigv4, assume))).await?,
                None => continue,
            },
            _ => continue,
        };
        all.push(served);
        made.extend(fresh);
    }
    Ok((all, made))
}

/// The first that can be opened. What can't be is skipped, but a sealed broker has none at all.
async fn first_of<'a>(
    secrets: &secrets::Secrets,
    call: (&Admitted, &Receipt),
    order: &[&'a str],
) -> Result<(&'a str, Opened), Refusal> {
    let mut first_error = None;
    for field in order {
        let Some(wanted) = call.0.integration.secrets().get(*field) else { continue };
        match open(secrets, call, &wanted.reference).await {
            Ok(opened) => return Ok((field, opened)),
            Err(error) if error.code() == Code::Sealed => return Err(refused(&error)),
            Err(error) => {
                tracing::warn!(reference = %wanted.reference, code = %error.code(), "a secret of several was skipped");
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error
        .map_or_else(|| Refusal::new(Code::SecretMissing, "there is no secret"), |error| refused(&error)))
}

/// Those of several that are there without asking anybody. What can't be had now was not sent either.
async fn known(
    secrets: &secrets::Secrets,
    (admitted, receipt): (&Admitted, &Receipt),
    (several, serving): (&[&str], &str),
) -> Vec<Opened> {
    let mut known = Vec::new();
    for field in several.iter().filter(|field| **field != serving) {
        let Some(wanted) = admitted.integration.secrets().get(*field) else { continue };
        known.extend(secrets.beside(&admitted.permit, receipt, &wanted.reference).await.ok().flatten());
    }
    known
}

/// The body, read whole, where a scheme has to see it.
async fn whole_body(admitted: &mut Admitted) -> Result<Option<Bytes>, Refusal> {
    let integration = Arc::clone(&admitted.integration);
    let Asked::Forward(forward) = &mut admitted.inbound.asked else {
        // Written from inputs when it is injected.
        return Ok(None);
    };
    let length = forward.body.size_hint().exact();
    let authority = admitted
        .permit
        .call()
        .request()
        .map_or_else(|| integration.authority(), |(_, authority, _)| authority);
    for scheme in integration.auth() {
        let wanted = match scheme {
            AuthScheme::Hmac(_) | AuthScheme::Oci(_) => true,
            AuthScheme::Replace(replace) => replace.within.contains(&Within::Body),
            AuthScheme::SigV4(_) => aws::reads_body(&forward.headers, length, (&integration, authority))?,
            AuthScheme::OAuth1(_) => oauth1::is_form(&forward.headers),
            // What is longer is sent once only.
            AuthScheme::Digest(_) => length.is_some_and(|length| length <= MOST_REPEATED),
            _ => false,
        };
        if wanted {
            return forward.whole(integration.limits()).await.map(Some);
        }
    }
    Ok(None)
}

/// What a second try needs. A read without a body may be sent twice; and so may anything to a service that wants Digest, whose
/// challenge says that nothing was done, where the body is here.
fn saved(admitted: &Admitted, body: Option<&Bytes>) -> Option<Saved> {
    let call = admitted.permit.call();
    let (method, ..) = call.request()?;
    let auth = admitted.integration.auth();
    let read = call.access() == Access::Read && matches!(method, Method::Get | Method::Head);
    let again = auth.iter().any(|scheme| match scheme {
        AuthScheme::Digest(_) => true,
        AuthScheme::Derived(_) => read,
        other => read && other.choice().is_some_and(catalog::Choice::is_rotation),
    });
    if !again {
        return None;
    }
    match &admitted.inbound.asked {
        Asked::Forward(forward) => {
            let digest = auth.iter().any(|scheme| matches!(scheme, AuthScheme::Digest(_)));
            let body = match body {
                Some(body) if digest || body.is_empty() => body.clone(),
                None if forward.body.is_end_stream() => Bytes::new(),
                _ => return None,
            };
            Some(Saved { headers: forward.headers.clone(), body })
        }
        Asked::Operate(_) => Some(Saved { headers: HeaderMap::new(), body: Bytes::new() }),
    }
}

/// A longer body is not kept for a second try.
const MOST_REPEATED: u64 = 1 << 20;
/// The field of the evidence that says which of several served.
const CREDENTIAL: &str = "credential";
/// The field of the evidence that says whose sign-in served.
const PROFILE: &str = "profile";
/// The field of the evidence that says which session of a role served, and the one with the id of its key: AWS' own records have both.
const SESSION: &str = "session";
const SESSION_KEY: &str = "session_key";
/// The field of the evidence that says which token was made, and by whom.
const MINTED: &str = "minted";
