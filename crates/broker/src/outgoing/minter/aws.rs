//! Sessions of roles of AWS, assumed with a stored key.
//!
//! The key signs the question for the session and nothing else. The session is named after whoever calls, so that AWS' own records
//! say who it was; so each caller has a session of its own.

use std::sync::Arc;

use aws::Lease;
use aws::sts::{AssumeRole, FORM, assume_role_body, assumed_from};
use bytes::Bytes;
use catalog::{Assume, AuthScheme, SigV4};
use crypto::sigv4::{Payload, Request as Unsigned, Rules, Signer};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use memory::Secret;
use model::{Code, Refusal, Timestamp};
use net::Body;
use secrets::Mask;
use zeroize::Zeroizing;

use super::{Kept, Minter, Reach, Served, authorization, bare, kept};
use crate::outgoing::tokens::Taken;
use crate::outgoing::{Assumed, Minted, Slot};

/// The session for one scheme of a call, and by whom it was made where that was just now.
pub(crate) async fn session(
    minter: &Minter<'_>,
    scheme: usize,
    (whole, sigv4, assume): (&AuthScheme, &SigV4, &Assume),
) -> Result<(Served, Option<String>), Refusal> {
    let broker = minter.worker.broker();
    let name = session_name(&assume.session, minter.permit.principal().as_str());
    let at = (minter.permit.tenant().clone(), minter.integration.name().clone(), scheme, name.clone());
    let from = minter.imprint(whole);
    let slot = match minter.kept {
        Kept::Shared => broker.outgoing().tokens().slot(at, from),
        Kept::Fresh => Slot::alone(from),
    };
    let (token, made) = match slot.take(broker.now()).await? {
        Taken::Have(token) => (token, None),
        Taken::Make(mut making, old) => {
            let made = minter.assumed(whole, (sigv4, assume), &name).await;
            if let Err(refusal) = &made {
                tracing::warn!(integration = %minter.integration.name(), code = %refusal.code, "no role was assumed");
            }
            let fresh = made.is_ok().then(|| format!("aws_session {}", assume.endpoint.authority));
            (slot.keep(&mut making, made, old, broker.now())?, fresh)
        }
    };
    Ok((Served { scheme, token, slot }, made))
}

impl Minter<'_> {
    async fn assumed(
        &self,
        whole: &AuthScheme,
        (sigv4, assume): (&SigV4, &Assume),
        name: &str,
    ) -> Result<Minted, Refusal> {
        let now = self.worker.broker().now();
        let key = self.stored_key(sigv4)?;
        let asks = AssumeRole {
            role_arn: &assume.role,
            session_name: name,
            duration: Some(assume.lasts),
            external_id: assume.external_id.as_deref(),
            ..AssumeRole::default()
        };
        let request = signed(&key, assume, assume_role_body(&asks), now)?;
        let reply = self.ask(&assume.endpoint.authority, Reach::Service, request).await?;
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let assumed = assumed_from(status, &reply.body).map_err(|error| {
            let text = self.without(&error.to_string(), &reply.sent);
            let message = format!("`{}` can't be assumed for `{}`: {text}", assume.role, self.integration.name());
            Refusal::new(Code::SourceUnavailable, message)
                .hint("the stored key needs `sts:AssumeRole` on the role, and the role has to trust whoever owns the key")
        })?;
        let Lease { access_key_id, secret_access_key, session_token, expiration } = assumed.lease;
        let (Some(token), Some(ends)) = (session_token, expiration) else {
            return Err(Refusal::new(Code::SourceUnavailable, "the session of a role has no end"));
        };
        let unmaskable = |error: secrets::Unmaskable| {
            Refusal::new(Code::SourceUnavailable, format!("a session can't be used: {error}"))
        };
        let (of_secret, of_token) =
            (Mask::new(&secret_access_key).map_err(unmaskable)?, Mask::new(&token).map_err(unmaskable)?);
        let masks: Vec<&Mask> = [&of_secret, &of_token]
            .into_iter()
            .chain(self.sources(whole).map(|opened| &**opened.mask()))
            .collect();
        let mask = Arc::new(Mask::join(&masks).map_err(unmaskable)?);
        let session = Assumed { access_key_id, token, arn: assumed.arn };
        Ok(Minted::new(secret_access_key, mask, now, ends).of_session(session))
    }

    fn stored_key(&self, sigv4: &SigV4) -> Result<Lease, Refusal> {
        let secret = |field: &str| self.with_text(field, |text| kept(text.as_bytes()))?;
        Ok(Lease {
            access_key_id: self.with_text(&sigv4.access_key_id, ToOwned::to_owned)?,
            secret_access_key: secret(&sigv4.secret_access_key)?,
            session_token: sigv4.session_token.as_deref().map(secret).transpose()?,
            expiration: None,
        })
    }
}

/// The question for a session, signed with the key.
fn signed(
    key: &Lease,
    assume: &Assume,
    body: Zeroizing<Vec<u8>>,
    now: Timestamp,
) -> Result<http::Request<Body>, Refusal> {
    let (path, query) = assume.endpoint.path.split_once('?').unwrap_or((&assume.endpoint.path, ""));
    let host = assume.endpoint.authority.host_header();
    let signer = Signer {
        access_key_id: &key.access_key_id,
        secret: &key.secret_access_key,
        token: key.session_token.as_ref(),
        region: &assume.region,
        service: "sts",
        rules: Rules::STANDARD,
    };
    let headers = [("content-type", FORM), ("host", host.as_str())];
    let unsigned =
        Unsigned { method: "POST", path, query, headers: &headers, payload: Payload::Bytes(&body) };
    let done = signer.sign(&unsigned, now).map_err(|error| {
        Refusal::new(Code::SecretMissing, format!("the stored key of AWS can't be used: {error}"))
            .hint("store the id and the secret of the access key anew: `doorward secret rotate`")
    })?;
    let mut request = bare(Method::POST, &assume.endpoint.path)?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    put(&mut request, "x-amz-date", done.date.as_bytes())?;
    if let Some(token) = &key.session_token {
        put_token(&mut request, token)?;
    }
    authorization(&mut request, &Zeroizing::new(done.authorization.into_bytes()))?;
    *request.body_mut() = Body::full(Bytes::from_owner(body));
    Ok(request)
}

#[expect(
    clippy::disallowed_methods,
    reason = "puts the token of a stored session on the question for a role"
)]
fn put_token(request: &mut http::Request<Body>, token: &Secret) -> Result<(), Refusal> {
    token.expose(|token| put(request, "x-amz-security-token", token))
}

fn put(request: &mut http::Request<Body>, name: &'static str, value: &[u8]) -> Result<(), Refusal> {
    let value = HeaderValue::from_bytes(value);
    let mut value =
        value.map_err(|_| Refusal::new(Code::SecretMissing, "a credential can't stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(HeaderName::from_static(name), value);
    Ok(())
}

/// The name of a session: AWS takes 2 to 64 characters of few kinds.
fn session_name(template: &str, principal: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    let mut name: String = template.replace("{principal}", principal).chars().map(plain).take(64).collect();
    while name.len() < 2 {
        name.push('-');
    }
    name
}

#[cfg(test)]
mod tests;
