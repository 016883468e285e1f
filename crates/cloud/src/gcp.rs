//! Google Cloud: the key file of a service account, and the tokens that it gets.
//!
//! Sources: "Using OAuth 2.0 for server to server applications" (developers.google.com/identity/protocols/oauth2),
//! `projects.serviceAccounts.generateAccessToken` and `generateIdToken` of the IAM Service Account Credentials API.

use std::time::Duration;

use crypto::RsaKey;
use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::json;
use zeroize::Zeroizing;

use crate::assertion::{end_of, seconds, signed};
use crate::talk::{Answer, Asked, Place, SecretText};
use crate::{Error, Sent, Talk, Token};

/// A service account with its key.
pub struct Account {
    email: String,
    project: Option<String>,
    key_id: Option<String>,
    key: RsaKey,
}

/// Where Google is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpPlaces {
    token: Place,
    iam: String,
}

impl GcpPlaces {
    /// Google's own addresses, or others instead.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn new(token: Option<&str>, iam: Option<&str>) -> Result<Self, Error> {
        let iam = iam.unwrap_or(IAM).trim_end_matches('/').to_owned();
        Place::of(&iam)?;
        Ok(Self { token: Place::of(token.unwrap_or(TOKEN))?, iam })
    }

    fn of_account(&self, email: &str, method: &str) -> Result<Place, Error> {
        // An address of e-mail has nothing to escape; whatever else was typed must not change the path.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
        if email.is_empty() || !email.bytes().all(plain) {
            return Err(Error::Address {
                address: email.to_owned(),
                why: "it is not the email of a service account",
            });
        }
        Place::of(&format!("{}/v1/projects/-/serviceAccounts/{email}:{method}", self.iam))
    }
}

impl Account {
    /// Reads a key file as the console writes it.
    ///
    /// # Errors
    /// [`Error::Key`] when it is something else. A `token_uri` in it is not followed: keys go to Google.
    pub fn read(stored: &Secret) -> Result<Self, Error> {
        #[expect(clippy::disallowed_methods, reason = "reads the key file into the key")]
        stored.expose(Self::parse)
    }

    /// The same from bytes that were lent.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn parse(stored: &[u8]) -> Result<Self, Error> {
        let wrong = |why| Error::Key { expected: "key file of a service account", why };
        let file = serde_json::from_slice::<KeyFile>(stored).map_err(|error| {
            wrong(match error.classify() {
                Category::Data => "a field that each has is missing in it, or is no text",
                Category::Io | Category::Syntax | Category::Eof => "it is not the JSON of one",
            })
        })?;
        if file.kind != "service_account" {
            return Err(wrong("its `type` is not `service_account`"));
        }
        let key =
            RsaKey::from_pem(&file.private_key.0).map_err(|_| wrong("its private key can't be read"))?;
        Ok(Self { email: file.client_email, project: file.project_id, key_id: file.private_key_id, key })
    }

    /// The email of the account.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The project of the account.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// An access token with these scopes.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn access_token(
        &self,
        talk: &Talk,
        places: &GcpPlaces,
        scopes: &[String],
        now: Timestamp,
    ) -> Result<Token, Error> {
        let claim = ("scope", scopes.join(" "));
        self.exchange(talk, places, claim, now).await?.access(&places.token, now)
    }

    /// An identity token for an audience.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn identity_token(
        &self,
        talk: &Talk,
        places: &GcpPlaces,
        audience: &str,
        now: Timestamp,
    ) -> Result<Token, Error> {
        let answer = self.exchange(talk, places, ("target_audience", audience.to_owned()), now).await?;
        let wrong = |what| Error::Reply { place: places.token.shown(), what };
        identity(answer.id_token.ok_or_else(|| wrong("has no identity token in it"))?, wrong)
    }

    /// The assertion that is exchanged for a token at the endpoint `audience`: a scope, or a target audience.
    ///
    /// # Errors
    /// When the key can't sign.
    pub fn assertion(
        &self,
        audience: &str,
        (name, value): (&str, String),
        now: Timestamp,
    ) -> Result<Zeroizing<String>, Error> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (Some(id), Some(header)) = (&self.key_id, header.as_object_mut()) {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let mut claims = json!({
            "iss": self.email,
            "sub": self.email,
            "aud": audience,
            "iat": seconds(now),
            "exp": seconds(now.after(LIFE)),
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.insert(name.to_owned(), value.into());
        }
        Ok(Zeroizing::new(signed(&header, &claims, |message| self.key.sign_rs256(message))?))
    }

    async fn exchange(
        &self,
        talk: &Talk,
        places: &GcpPlaces,
        (name, value): (&str, String),
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let assertion = self.assertion(&places.token.shown(), (name, value), now)?;
        let mut body = Zeroizing::new(Vec::with_capacity(assertion.len() + 128));
        body.extend_from_slice(
            b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
        );
        body.extend_from_slice(assertion.as_bytes());
        let mut sent = Sent::default();
        sent.push(assertion.as_bytes());
        talk.ask(Asked { place: &places.token, kind: FORM, body, sent, bearer: None }).await
    }
}

/// The access token of another account, with the token of one that may impersonate it.
///
/// # Errors
/// See [`Error`].
pub(crate) async fn impersonated_access(
    talk: &Talk,
    places: &GcpPlaces,
    (own, email): (&Token, &str),
    scopes: &[String],
) -> Result<Token, Error> {
    let place = places.of_account(email, "generateAccessToken")?;
    let body = json!({ "scope": scopes, "lifetime": "3600s" }).to_string().into_bytes().into();
    let answer: Generated = talk
        .ask(Asked { place: &place, kind: JSON, body, sent: Sent::default(), bearer: Some(&own.value) })
        .await?;
    let wrong = |what| Error::Reply { place: place.shown(), what };
    let value = answer.access_token.ok_or_else(|| wrong("has no access token in it"))?.0;
    let ends = answer.expire_time.as_deref().and_then(|text| text.parse().ok());
    Ok(Token { value, ends: ends.ok_or_else(|| wrong("does not say when its token ends"))? })
}

/// The identity token of another account, with the token of one that may impersonate it.
///
/// # Errors
/// See [`Error`].
pub(crate) async fn impersonated_identity(
    talk: &Talk,
    places: &GcpPlaces,
    (own, email): (&Token, &str),
    audience: &str,
) -> Result<Token, Error> {
    let place = places.of_account(email, "generateIdToken")?;
    let body = json!({ "audience": audience, "includeEmail": true }).to_string().into_bytes().into();
    let answer: Generated = talk
        .ask(Asked { place: &place, kind: JSON, body, sent: Sent::default(), bearer: Some(&own.value) })
        .await?;
    let wrong = |what| Error::Reply { place: place.shown(), what };
    identity(answer.token.ok_or_else(|| wrong("has no token in it"))?, wrong)
}

impl Account {
    /// A token of this account, or of one that it impersonates.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn token(
        &self,
        talk: &Talk,
        places: &GcpPlaces,
        (wanted, impersonated): (&Wanted, Option<&str>),
        now: Timestamp,
    ) -> Result<Token, Error> {
        let Some(email) = impersonated else {
            return match wanted {
                Wanted::Access(scopes) => self.access_token(talk, places, scopes, now).await,
                Wanted::Identity(audience) => self.identity_token(talk, places, audience, now).await,
            };
        };
        let own = self.access_token(talk, places, &[PLATFORM.to_owned()], now).await?;
        match wanted {
            Wanted::Access(scopes) => impersonated_access(talk, places, (&own, email), scopes).await,
            Wanted::Identity(audience) => impersonated_identity(talk, places, (&own, email), audience).await,
        }
    }
}

/// What is wanted of Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An access token with these scopes.
    Access(Vec<String>),
    /// An identity token for this audience.
    Identity(String),
}

fn identity(token: SecretText, wrong: impl Fn(&'static str) -> Error) -> Result<Token, Error> {
    #[expect(clippy::disallowed_methods, reason = "reads when the token ends")]
    let ends = token.0.expose(end_of);
    Ok(Token {
        value: token.0,
        ends: ends.ok_or_else(|| wrong("has a token that does not say when it ends"))?,
    })
}

#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    project_id: Option<String>,
    /// Google tries every key of the account where it is not there.
    private_key_id: Option<String>,
    private_key: SecretText,
    client_email: String,
}

#[derive(Deserialize)]
struct Generated {
    #[serde(rename = "accessToken")]
    access_token: Option<SecretText>,
    #[serde(rename = "expireTime")]
    expire_time: Option<String>,
    token: Option<SecretText>,
}

const TOKEN: &str = "https://oauth2.googleapis.com/token";
const IAM: &str = "https://iamcredentials.googleapis.com";
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The longest that Google takes an assertion for.
const LIFE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
