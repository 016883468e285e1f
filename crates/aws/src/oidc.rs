//! Sign-in for IAM Identity Center: device code and PKCE, refresh.
//!
//! Source: the AWS IAM Identity Center OIDC API reference; RFC 8628 (device code), RFC 7636 (PKCE), RFC 8252 (loopback
//! redirect). Nothing here opens a browser or prints: the caller shows what [`Device`] or
//! [`authorization_url`](pkce::authorization_url) say.
//!
//! # Invariants
//!
//! - What spends a code or a refresh token is not sent again when it may have been performed.
//! - A redirect is believed only with the state that this process made, compared in constant time.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::wire::json::{Object, SecretText};
use crate::wire::{Call, Endpoint, Error as WireError, Repeat, Reply, Wire};

mod device;
mod error;
pub mod pkce;
pub mod redirect;

pub use error::Error;

/// Asks the sign-in service at one place.
pub struct Oidc<'a> {
    wire: &'a Wire,
    endpoint: &'a Endpoint,
}

/// As what this program registers itself.
#[derive(Clone, Copy)]
pub struct RegisterAs<'a> {
    /// The name that people see on the page where they agree.
    pub name: &'a str,
    /// What is asked for, such as `sso:account:access`. AWS gives refresh tokens only where it is not empty.
    pub scopes: &'a [String],
    /// The ways of signing in; empty is the device code.
    pub grants: &'a [Grant],
    /// Where the browser comes back to: [`redirect::REGISTERED`] for PKCE.
    pub redirect: Option<&'a str>,
    /// The start URL; PKCE needs it.
    pub issuer: Option<&'a str>,
}

/// A way to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A code that is typed, or confirmed, in a browser anywhere.
    DeviceCode,
    /// A browser on this machine that comes back with a code.
    AuthorizationCode,
    /// A token that renews itself.
    RefreshToken,
}

/// This program as it is registered.
pub struct Registration {
    /// Its id.
    pub client_id: String,
    /// What it proves itself with.
    pub client_secret: Secret,
    /// When it has to register again.
    pub expires: Timestamp,
}

/// A sign-in that waits for a person.
pub struct Device {
    /// What stands for it towards AWS.
    pub device_code: Secret,
    /// What the person compares, or types.
    pub user_code: String,
    /// The page.
    pub verification_uri: String,
    /// The page with the code in it.
    pub verification_uri_complete: Option<String>,
    /// When it ends.
    pub expires: Timestamp,
    /// How long to wait between two questions.
    pub interval: Duration,
}

/// The token of a sign-in.
pub struct Token {
    /// What [`crate::sso`] is asked with.
    pub access: Secret,
    /// What renews it, where AWS gave one.
    pub refresh: Option<Secret>,
    /// When it ends.
    pub expires: Timestamp,
}

impl<'a> Oidc<'a> {
    /// The sign-in service at this endpoint.
    #[must_use]
    pub const fn new(wire: &'a Wire, endpoint: &'a Endpoint) -> Self {
        Self { wire, endpoint }
    }

    /// `RegisterClient`. What it gives is good for weeks and may be kept.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn register(&self, ask: &RegisterAs<'_>) -> Result<Registration, Error> {
        let grants: Vec<&str> = ask.grants.iter().map(|grant| grant.name()).collect();
        let mut body = Object::with_room(1024)
            .text("clientName", ask.name)
            .text("clientType", "public")
            .texts("scopes", ask.scopes)
            .texts("grantTypes", &grants)
            .texts("redirectUris", ask.redirect.as_slice());
        if let Some(issuer) = ask.issuer {
            body = body.text("issuerUrl", issuer);
        }
        let reply = self.ask("sso-oidc:RegisterClient", "/client/register", body, Repeat::Harmless).await?;
        let answer: Registered = read(&reply)?;
        let expires = Timestamp::from_millis(answer.expires.saturating_mul(1000));
        Ok(Registration { client_id: answer.id, client_secret: answer.secret.0, expires })
    }

    /// `StartDeviceAuthorization`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_device(&self, me: &Registration, start_url: &str) -> Result<Device, Error> {
        let operation = "sso-oidc:StartDeviceAuthorization";
        let body = me.body(operation)?.text("startUrl", start_url);
        let reply = self.ask(operation, "/device_authorization", body, Repeat::Harmless).await?;
        let answer: Started = read(&reply)?;
        let seconds = answer.interval.filter(|seconds| *seconds > 0).unwrap_or(device::INTERVAL);
        Ok(Device {
            device_code: answer.device_code.0,
            user_code: answer.user_code,
            verification_uri: web_page(&reply, answer.verification_uri)?,
            verification_uri_complete: answer
                .verification_uri_complete
                .map(|page| web_page(&reply, page))
                .transpose()?,
            expires: self.wire.now().after(Duration::from_secs(answer.expires_in)),
            interval: Duration::from_secs(seconds.min(device::LONGEST_INTERVAL)),
        })
    }

    /// `CreateToken` with a refresh token. The old one is spent.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::SignInAgain`] where the refresh token is not good any more.
    pub async fn refresh(&self, me: &Registration, refresh: &Secret) -> Result<Token, Error> {
        let body = me.body(TOKEN)?.text("grantType", Grant::RefreshToken.name());
        let body = body.secret("refreshToken", refresh).ok_or(not_text())?;
        self.token(body).await.map_err(Error::of_spent)
    }

    /// `CreateToken` with the code that the browser came back with.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn exchange(
        &self,
        me: &Registration,
        code: &Secret,
        redirect_uri: &str,
        pkce: &pkce::Pkce,
    ) -> Result<Token, Error> {
        let body = me
            .body(TOKEN)?
            .text("grantType", Grant::AuthorizationCode.name())
            .text("redirectUri", redirect_uri);
        let body = body.secret("code", code).ok_or(not_text())?;
        let body = body.secret("codeVerifier", pkce.verifier()).ok_or(not_text())?;
        self.token(body).await.map_err(Error::of_spent)
    }

    async fn token(&self, body: Object) -> Result<Token, WireError> {
        let reply = self.ask(TOKEN, "/token", body, Repeat::Unperformed).await?;
        let answer: Created = read(&reply)?;
        Ok(Token {
            access: answer.access.0,
            refresh: answer.refresh.map(|text| text.0),
            expires: self.wire.now().after(Duration::from_secs(answer.expires_in)),
        })
    }

    async fn ask(
        &self,
        operation: &'static str,
        path: &str,
        body: Object,
        repeat: Repeat,
    ) -> Result<Reply, WireError> {
        let call = Call {
            operation,
            endpoint: self.endpoint,
            method: Method::POST,
            target: Zeroizing::new(path.to_owned()),
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: Zeroizing::new(body.end().as_bytes().to_vec()),
            signed_by: None,
            repeat,
        };
        self.wire.call(call).await
    }
}

impl Registration {
    fn body(&self, operation: &'static str) -> Result<Object, WireError> {
        Object::with_room(4096)
            .text("clientId", &self.client_id)
            .secret("clientSecret", &self.client_secret)
            .ok_or(WireError::Input { operation, what: "a client secret that is not text" })
    }
}

impl Grant {
    /// As the service calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }
}

const fn not_text() -> WireError {
    WireError::Input { operation: TOKEN, what: "a token that is not text" }
}

fn read<T: for<'de> Deserialize<'de>>(reply: &Reply) -> Result<T, WireError> {
    serde_json::from_slice(&reply.body).map_err(|_| reply.wrong("is not what the sign-in service answers"))
}

/// A page that a browser may be sent to: the address goes to the system's opener, which takes other things as well.
fn web_page(reply: &Reply, page: String) -> Result<String, WireError> {
    let plain = page.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && (page.starts_with("https://") || page.starts_with("http://")) {
        return Ok(page);
    }
    Err(reply.wrong("names a page that is no web page"))
}

#[derive(Deserialize)]
struct Registered {
    #[serde(rename = "clientId")]
    id: String,
    #[serde(rename = "clientSecret")]
    secret: SecretText,
    /// Seconds since the epoch.
    #[serde(rename = "clientSecretExpiresAt")]
    expires: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    device_code: SecretText,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    /// Seconds.
    expires_in: u64,
    /// Seconds.
    interval: Option<u64>,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "accessToken")]
    access: SecretText,
    #[serde(rename = "refreshToken")]
    refresh: Option<SecretText>,
    /// Seconds.
    #[serde(rename = "expiresIn")]
    expires_in: u64,
}

const TOKEN: &str = "sso-oidc:CreateToken";

#[cfg(test)]
mod tests;
