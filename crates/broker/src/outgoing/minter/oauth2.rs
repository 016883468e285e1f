//! Token endpoints of OAuth 2: client credentials, refresh tokens that rotate, assertions.
//!
//! A refresh token that came with an access token is durable before that access token is used. Where it can't be stored, it
//! stays in memory and is stored first thing the next time; nothing is given out before.

use std::time::Duration;

use catalog::{Assertion, ClientAuth, Grant, OAuth2};
use cloud::{Form, Granted, Token};
use memory::Secret;
use model::{Code, Refusal, Retry, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrets::Claim;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Making, Minter, Reach, authorization, form, shown, unique};

impl Minter<'_> {
    pub(super) async fn oauth2(
        &self,
        oauth2: &OAuth2,
        making: &mut Making,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        match &oauth2.grant {
            Grant::RefreshToken(field) => self.refreshed(oauth2, field, making, now).await,
            Grant::ClientCredentials | Grant::JwtBearer(_) => {
                let granted = self.granted(oauth2, None, now).await?;
                granted.map(|granted| granted.token).map_err(|error| self.refused(&error))
            }
        }
    }

    async fn granted(
        &self,
        oauth2: &OAuth2,
        refresh: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Result<Granted, cloud::Error>, Refusal> {
        let mut fields = Form::new();
        match (&oauth2.grant, refresh) {
            (Grant::JwtBearer(assertion), _) => {
                let signed = self.assertion(oauth2, assertion, now)?;
                fields.text("grant_type", JWT_BEARER).secret("assertion", &signed);
            }
            (_, Some(token)) => {
                fields.text("grant_type", "refresh_token");
                #[expect(clippy::disallowed_methods, reason = "puts the refresh token into the form")]
                token.expose(|bytes| {
                    fields.secret("refresh_token", str::from_utf8(bytes).unwrap_or_default().trim());
                });
            }
            (_, None) => {
                fields.text("grant_type", "client_credentials");
            }
        }
        fields
            .maybe("scope", oauth2.scope.as_deref())
            .maybe("audience", oauth2.audience.as_deref())
            .maybe("resource", oauth2.resource.as_deref());
        for (name, value) in &oauth2.extra {
            fields.text(name, value);
        }
        let basic = self.client(oauth2, &mut fields, now)?;
        let mut question = form(&oauth2.endpoint.path, fields)?;
        if let Some(basic) = basic {
            authorization(&mut question.request, &basic)?;
        }
        let reply = self.ask(&oauth2.endpoint.authority, Reach::Service, question).await?;
        let place = shown(&oauth2.endpoint);
        Ok(self.told((&place, &reply, now), |answered| answered.oauth2()))
    }

    /// How the client proves itself: in the form, or in the header that is given back.
    fn client(
        &self,
        oauth2: &OAuth2,
        fields: &mut Form,
        now: Timestamp,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        let id = oauth2.client_id.as_deref();
        match &oauth2.client_auth {
            ClientAuth::None => {
                fields.maybe("client_id", id);
                Ok(None)
            }
            ClientAuth::Body(field) => {
                fields.maybe("client_id", id);
                self.with_text(field, |secret| {
                    fields.secret("client_secret", secret);
                })?;
                Ok(None)
            }
            ClientAuth::PrivateKey(assertion) => {
                let signed = self.assertion(oauth2, assertion, now)?;
                fields.maybe("client_id", id);
                fields.text("client_assertion_type", CLIENT_BEARER).secret("client_assertion", &signed);
                Ok(None)
            }
            // RFC 6749, section 2.3.1: both are encoded as in a form before they are joined.
            ClientAuth::Basic(field) => self.with_text(field, |secret| {
                let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
                let pair = Zeroizing::new(format!("{}:{}", escaped(id.unwrap_or_default()), escaped(secret)));
                let text = Zeroizing::new(crypto::to_base64(pair.as_bytes()));
                Some(Zeroizing::new([b"Basic ".as_slice(), text.as_bytes()].concat()))
            }),
        }
    }

    fn assertion(
        &self,
        oauth2: &OAuth2,
        assertion: &Assertion,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, Refusal> {
        let issuer = assertion.issuer.as_deref().or(oauth2.client_id.as_deref()).unwrap_or_default();
        let place = shown(&oauth2.endpoint);
        let claims = json!({
            "iss": issuer,
            "sub": assertion.subject.as_deref().unwrap_or(issuer),
            "aud": assertion.audience.as_deref().unwrap_or(&place),
            "iat": cloud::seconds(now),
            "exp": cloud::seconds(now.after(LIFE)),
            "jti": unique()?,
        });
        self.signed((assertion.algorithm, &assertion.key, assertion.key_id.as_deref()), &claims)
    }

    /// With a refresh token: claims it, tries the newest and then the one before, and keeps what came in its place before
    /// anything is used.
    async fn refreshed(
        &self,
        oauth2: &OAuth2,
        field: &str,
        making: &mut Making,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let unsealed = self.worker.broker().unsealed()?;
        let secrets = unsealed.secrets();
        if let Some(unstored) = making.unstored.take() {
            let claim = self.claim(field).await?;
            if let Err(error) = secrets.settle_renewal(&claim, None, Some(&unstored)).await {
                making.unstored = Some(unstored);
                return Err(unkept(&error));
            }
        }
        let claim = self.claim(field).await?;
        let mut last = None;
        for token in &claim.tokens {
            let granted = match self.granted(oauth2, Some(token), now).await {
                Ok(Ok(granted)) => granted,
                Ok(Err(cloud::Error::Refused(fault))) if fault.code == "invalid_grant" => {
                    last = Some(cloud::Error::Refused(fault));
                    continue;
                }
                Ok(Err(error)) => {
                    let _ = secrets.settle_renewal(&claim, None, None).await;
                    return Err(self.refused(&error));
                }
                Err(refusal) => {
                    let _ = secrets.settle_renewal(&claim, None, None).await;
                    return Err(refusal);
                }
            };
            let renewed = granted.refresh.filter(|renewed| is_another(renewed, token));
            if let Err(error) = secrets.settle_renewal(&claim, Some(token), renewed.as_ref()).await {
                making.unstored = renewed;
                return Err(unkept(&error));
            }
            return Ok(granted.token);
        }
        let _ = secrets.settle_renewal(&claim, None, None).await;
        let refusal = last.map(|error| self.refused(&error));
        let refusal =
            refusal.unwrap_or_else(|| Refusal::new(Code::SecretMissing, "there is no refresh token"));
        Err(refusal.hint(
            "sign in at the service once more, and store the new refresh token: `doorward secret rotate`",
        ))
    }

    /// Claims the refresh token of a field.
    async fn claim(&self, field: &str) -> Result<Claim, Refusal> {
        self.claim_at(&format!("{}/{field}", self.integration.name()), field).await
    }

    /// Claims what is kept at a place, waiting a little for another process that has it.
    pub(super) async fn claim_at(&self, place: &str, field: &str) -> Result<Claim, Refusal> {
        let unsealed = self.worker.broker().unsealed()?;
        let mut waited = Duration::ZERO;
        loop {
            let claimed =
                unsealed.secrets().claim_renewal((self.permit, self.receipt), (place, self.secret(field)?));
            match claimed.await {
                Ok(claim) => return Ok(claim),
                Err(secrets::Error::Conflict { .. }) if waited < LONGEST_WAIT => {
                    tokio::time::sleep(WAIT).await;
                    waited += WAIT;
                }
                Err(error) => return Err(unkept(&error)),
            }
        }
    }
}

/// Compared in constant time, as both are secrets.
#[expect(clippy::disallowed_methods, reason = "compares a refresh token with the one in whose place it came")]
fn is_another(one: &Secret, other: &Secret) -> bool {
    one.expose(|one| other.expose(|other| crypto::same(one, other).is_err()))
}

pub(super) fn unkept(error: &secrets::Error) -> Refusal {
    let refusal =
        Refusal::new(Code::SourceUnavailable, format!("the refresh token can't be renewed: {error}"));
    refusal.retry(Retry::Safe)
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How long an assertion is good.
const LIFE: Duration = Duration::from_mins(5);
const WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
