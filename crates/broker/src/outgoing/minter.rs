//! Makes the tokens of integrations whose credential is made on the way.
//!
//! One family: a token endpoint of OAuth 2, GitHub Apps, Google Cloud, Azure, and tokens that are signed here. What is sent and
//! what comes back is written and read by `cloud`; here it is sent, through the same guard as any call: https, or plain http to
//! a private address that the integration allows; no redirect is followed; size and time are bounded.

mod aws;
mod clouds;
mod oauth2;
mod question;
mod signed_in;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use catalog::{AuthScheme, Derived, Endpoint, Integration, JwtAlgorithm, TokenSource};
use cloud::{Answered, Sent, Token};
use crypto::{TokenKey, TokenSignature};
use evidence::Receipt;
use http::HeaderValue;
use http::header::{ACCEPT, USER_AGENT};
use memory::Secret;
use model::{Authority, Code, Refusal, Retry, Timestamp};
use net::body::{Bounds, collect_bounded};
use net::{Dial, Private, Verify};
use policy::Permit;
use secrets::{Mask, Opened};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) use aws::session;
use question::{Question, Reply, authorization, bare, bearer, form};
pub(crate) use signed_in::place_of_profile;

use super::tokens::{Making, Taken};
use super::{Made, Minted, Slot};
use crate::Worker;

/// A call that a token is made for: its proofs, and the secrets that it was lent.
pub(crate) struct Minter<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) permit: &'a Permit,
    pub(crate) receipt: &'a Receipt,
    pub(crate) integration: &'a Integration,
    pub(crate) lent: &'a [Opened],
    pub(crate) kept: Kept,
}

/// Whether a token may be one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It may, and a new one is kept for others.
    Shared,
    /// It is made for this call alone: whether its credential still works is the question.
    Fresh,
}

/// A token for one scheme of a call.
pub(crate) struct Served {
    /// Which of the integration's auth schemes.
    pub(crate) scheme: usize,
    pub(crate) token: Arc<Minted>,
    pub(crate) slot: Arc<Slot>,
}

/// Whom a request may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A service, as the integration's own upstream.
    Service,
    /// A metadata service of this machine.
    Metadata,
}

/// The token of one scheme, and whether it was made just now and by whom.
pub(crate) async fn mint(
    minter: &Minter<'_>,
    scheme: usize,
    derived: &Derived,
) -> Result<(Served, Option<String>), Refusal> {
    let broker = minter.worker.broker();
    let narrowed = match &derived.source {
        TokenSource::GithubApp(_) => minter.narrowed(),
        _ => None,
    };
    let narrowing = narrowed.as_ref().map(Value::to_string).unwrap_or_default();
    let at = (minter.permit.tenant().clone(), minter.integration.name().clone(), scheme, narrowing);
    let from = minter.imprint(&AuthScheme::Derived(Box::new(derived.clone())));
    let slot = match minter.kept {
        Kept::Shared => broker.outgoing().tokens().slot(at, from),
        Kept::Fresh => Slot::alone(from),
    };
    let now = broker.now();
    let (token, made) = match slot.take(now).await? {
        Taken::Have(token) => (token, None),
        Taken::Make(mut making, old) => {
            let made = minter.make((derived, narrowed), &mut making, now).await;
            if let Err(refusal) = &made {
                tracing::warn!(integration = %minter.integration.name(), code = %refusal.code, "no token was made");
            }
            let place = format!("{} {}", derived.source.word(), minter.place(&derived.source));
            let asked = made.as_ref().is_ok_and(|made| made.made == Made::Asked);
            let fresh = asked.then(|| place.trim_end().to_owned());
            (slot.keep(&mut making, made, old, broker.now())?, fresh)
        }
    };
    Ok((Served { scheme, token, slot }, made))
}

impl Minter<'_> {
    async fn make(
        &self,
        (derived, narrowed): (&Derived, Option<Value>),
        making: &mut Making,
        now: Timestamp,
    ) -> Result<Minted, Refusal> {
        let mut of_profile = None;
        let token = match &derived.source {
            TokenSource::OAuth2(oauth2) => self.oauth2(oauth2, making, now).await?,
            TokenSource::GithubApp(app) => self.github_app(app, narrowed, now).await?,
            TokenSource::GoogleServiceAccount(account) => self.google_service_account(account, now).await?,
            TokenSource::GcpMetadata(metadata) => self.gcp_metadata(metadata, now).await?,
            TokenSource::GcpWorkloadIdentity(identity) => self.gcp_workload_identity(identity, now).await?,
            TokenSource::AzureManagedIdentity(identity) => self.azure_managed_identity(identity, now).await?,
            TokenSource::AzureServicePrincipal(principal) => {
                self.azure_service_principal(principal, now).await?
            }
            TokenSource::JwtSigned(signed) => self.jwt_signed(signed, now)?,
            TokenSource::VaultLogin(login) => self.vault_login(login, now).await?,
            TokenSource::SignedIn(signed) => {
                // Boxed, as it is rare and large.
                let (token, profile) = Box::pin(self.signed_in(signed, making, now)).await?;
                of_profile = Some(profile);
                token
            }
        };
        let Token { value, ends } = token;
        let unmaskable = |error: secrets::Unmaskable| {
            Refusal::new(Code::SourceUnavailable, format!("a token that was made can't be used: {error}"))
        };
        let own = Mask::new(&value).map_err(unmaskable)?;
        let whole = AuthScheme::Derived(Box::new(derived.clone()));
        let masks = std::iter::once(&own).chain(self.sources(&whole).map(|opened| &**opened.mask()));
        let masks: Vec<&Mask> = masks.chain(of_profile.iter().flat_map(|profile| &profile.masks)).collect();
        let mask = Arc::new(Mask::join(&masks).map_err(unmaskable)?);
        let minted = Minted::new(value, mask, now, ends);
        Ok(match of_profile {
            Some(profile) => minted.of(profile.id, profile.made),
            None => minted,
        })
    }

    /// The secrets that a token is made from.
    fn sources(&self, scheme: &AuthScheme) -> impl Iterator<Item = &Opened> {
        let fields: Vec<String> = scheme.fields().map(ToOwned::to_owned).collect();
        fields.into_iter().filter_map(|field| self.secret(&field).ok())
    }

    /// What a token is made from, told apart without keeping it.
    fn imprint(&self, scheme: &AuthScheme) -> [u8; 32] {
        let mut from = Zeroizing::new(format!("{scheme:?} {}", self.integration.authority()).into_bytes());
        for opened in self.sources(scheme) {
            #[expect(clippy::disallowed_methods, reason = "another secret makes another token")]
            opened.expose(|bytes| {
                from.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                from.extend_from_slice(bytes);
            });
        }
        self.worker.broker().outgoing().imprints().tag(&[&from])
    }

    fn secret(&self, field: &str) -> Result<&Opened, Refusal> {
        let wanted = self.integration.secrets().get(field);
        let found =
            wanted.and_then(|wanted| self.lent.iter().find(|opened| *opened.reference() == wanted.reference));
        found.ok_or_else(|| crate::path::resolve::missing(field))
    }

    /// Lends the text of a field.
    fn with_text<R>(&self, field: &str, use_it: impl FnOnce(&str) -> R) -> Result<R, Refusal> {
        let opened = self.secret(field)?;
        #[expect(clippy::disallowed_methods, reason = "a token is made from it")]
        opened.expose(|bytes| match str::from_utf8(bytes) {
            Ok(text) => Ok(use_it(text.trim())),
            Err(_) => Err(Refusal::new(Code::SecretMissing, format!("the secret `{field}` is not text"))),
        })
    }

    fn key(&self, algorithm: JwtAlgorithm, field: &str) -> Result<(TokenSignature, TokenKey), Refusal> {
        let signature = match algorithm {
            JwtAlgorithm::RS256 => TokenSignature::Rs256,
            JwtAlgorithm::ES256 => TokenSignature::Es256,
            JwtAlgorithm::EdDsa => TokenSignature::EdDsa,
            JwtAlgorithm::HS256 => TokenSignature::Hs256,
        };
        let opened = self.secret(field)?;
        #[expect(clippy::disallowed_methods, reason = "reads the key that signs the token")]
        let key = opened.expose(|bytes| TokenKey::read(signature, bytes));
        let key = key.map_err(|_| {
            let message = format!("the secret `{field}` is no key for {}", signature.name());
            Refusal::new(Code::SecretMissing, message)
                .hint("store a private key as PEM without a passphrase; for HS256 at least 32 bytes")
        })?;
        Ok((signature, key))
    }

    /// A JSON Web Token.
    fn signed(
        &self,
        (algorithm, key, key_id): (JwtAlgorithm, &str, Option<&str>),
        claims: &Value,
    ) -> Result<Zeroizing<String>, Refusal> {
        let (signature, key) = self.key(algorithm, key)?;
        let mut header = json!({ "alg": signature.name(), "typ": "JWT" });
        if let (Some(header), Some(id)) = (header.as_object_mut(), key_id) {
            header.insert("kid".to_owned(), id.into());
        }
        let signed = cloud::signed(&header, claims, |message| key.sign(message));
        signed.map(Zeroizing::new).map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))
    }

    fn jwt_signed(&self, signed: &catalog::JwtSigned, now: Timestamp) -> Result<Token, Refusal> {
        let ends = now.after(signed.ttl);
        let mut claims = json!({
            "iat": cloud::seconds(now), "nbf": cloud::seconds(now), "exp": cloud::seconds(ends), "jti": unique()?,
        });
        if let Some(claims) = claims.as_object_mut() {
            let named = [("iss", &signed.issuer), ("sub", &signed.subject), ("aud", &signed.audience)];
            for (name, value) in named {
                claims.extend(value.clone().map(|value| (name.to_owned(), Value::from(value))));
            }
            claims.extend(signed.claims.clone());
        }
        let token = self.signed((signed.algorithm, &signed.key, signed.key_id.as_deref()), &claims)?;
        Ok(Token { value: kept(token.as_bytes())?, ends })
    }

    /// Sends a request to an endpoint, and reads the whole answer.
    async fn ask(
        &self,
        authority: &Authority,
        reach: Reach,
        question: impl Into<Question>,
    ) -> Result<Reply, Refusal> {
        let (mut request, sent) = question.into().parts();
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(OURS));
        request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let private = match reach {
            Reach::Metadata => Private::Metadata,
            Reach::Service if self.integration.dangerous_allow_private() => Private::Allowed,
            Reach::Service => Private::Refused,
        };
        // A service whose certificate is not checked is one thing, whoever hands out its tokens another.
        let own = self.integration.authority() == authority && self.integration.tls_insecure_skip_verify();
        let verify = if own { Verify::Skipped } else { Verify::Checked };
        // So that the authorities count that the integration's file names.
        let known = self.worker.broker().upstreams().of(self.integration, None);
        let way = match known.filter(|_| self.integration.authority() == authority) {
            Some(known) => known.way(None)?,
            None => None,
        };
        let dial = Dial { authority: authority.clone(), private, verify, connect: CONNECT, way };
        let reply = self.worker.upstream().send(&dial, request, HEAD).await;
        let reply = reply.map_err(|error| {
            let code = match error {
                net::Error::Address { .. } => Code::AddressForbidden,
                _ => Code::SourceUnavailable,
            };
            let refusal = Refusal::new(code, format!("no token from `{authority}`: {error}"));
            if code == Code::SourceUnavailable { refusal.retry(Retry::Safe) } else { refusal }
        })?;
        let (parts, body) = reply.into_parts();
        let bounds = Bounds { bytes: MOST, frame: HEAD, whole: HEAD };
        let body = collect_bounded(body, bounds).await.map_err(|error| {
            Refusal::new(Code::SourceUnavailable, format!("no token from `{authority}`: {error}"))
                .retry(Retry::Safe)
        })?;
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body, sent })
    }

    /// Reads an answer. What the endpoint said is searched for the secrets that it was sent before anybody sees it.
    fn told<T>(
        &self,
        (place, reply, now): (&str, &Reply, Timestamp),
        read: impl FnOnce(&Answered<'_>) -> Result<T, cloud::Error>,
    ) -> Result<T, cloud::Error> {
        let hide = |text: &str| self.without(text, &reply.sent);
        read(&Answered { place, status: reply.status, body: &reply.body, asked: now, hide: &hide })
    }

    /// What a caller is told when there is no token.
    fn refused(&self, error: &cloud::Error) -> Refusal {
        let text = self.without(&error.to_string(), &Sent::default());
        let name = self.integration.name();
        let refusal =
            Refusal::new(Code::SourceUnavailable, format!("there is no token for `{name}`: {text}"));
        let refusal = match error {
            cloud::Error::Key { .. } => refusal.because(NOT_TAKEN),
            cloud::Error::Refused(fault) if matches!(fault.status, 400 | 401 | 403) => {
                refusal.because(NOT_TAKEN)
            }
            _ => refusal,
        };
        match error.hint() {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }

    /// A text without what the call was lent, and without what an endpoint was sent: parts of what was lent, what was signed with it.
    fn without(&self, text: &str, sent: &Sent) -> String {
        let lent: Vec<&Mask> = self.lent.iter().map(|opened| &**opened.mask()).collect();
        secrets::said_without_all(text, sent, &lent)
    }

    /// Who hands out the tokens of a source, for the evidence.
    fn place(&self, source: &TokenSource) -> String {
        match source {
            TokenSource::OAuth2(oauth2) => oauth2.endpoint.authority.to_string(),
            TokenSource::GithubApp(_) | TokenSource::VaultLogin(_) => {
                self.integration.authority().to_string()
            }
            TokenSource::GoogleServiceAccount(account) => account.endpoint.authority.to_string(),
            TokenSource::GcpMetadata(metadata) => metadata.endpoint.authority.to_string(),
            TokenSource::GcpWorkloadIdentity(identity) => identity.endpoint.authority.to_string(),
            TokenSource::SignedIn(signed) => signed.endpoint.authority.to_string(),
            TokenSource::AzureServicePrincipal(principal) => principal.endpoint.authority.to_string(),
            TokenSource::AzureManagedIdentity(_) | TokenSource::JwtSigned(_) => String::new(),
        }
    }
}

fn kept(bytes: &[u8]) -> Result<Secret, Refusal> {
    Secret::new(bytes.to_vec()).map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))
}

/// A `jti`.
fn unique() -> Result<String, Refusal> {
    let random =
        crypto::array::<16>().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    Ok(crypto::to_base64url(&random))
}

/// An endpoint as people and assertions name it.
fn shown(endpoint: &Endpoint) -> String {
    format!("{}{}", endpoint.authority, endpoint.path)
}

const CONNECT: Duration = Duration::from_secs(5);
const HEAD: Duration = Duration::from_secs(10);
/// Largest answer, in bytes.
const MOST: usize = 256 * 1024;
/// Why there is no token: whoever hands them out does not take the credential, and would not take it later either.
pub(crate) const NOT_TAKEN: &str = "the credential is not taken";
const OURS: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
