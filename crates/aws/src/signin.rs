//! Sign-in to the web console with the credentials of a session.
//!
//! Source: the AWS IAM user guide, "Enable custom identity broker access to the AWS console". The token that the sign-in
//! service gives stands for the session for 15 minutes, so a login address is as secret as the session.

use http::Method;
use memory::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::form::{Form, escaped};
use crate::wire::json::{Object, SecretText};
use crate::wire::{Call, Endpoint, Error, Partition, Repeat, Wire};

/// The console of a region, and the sign-in service of its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    partition: &'static Partition,
    region: Option<Box<str>>,
    sign_in: Endpoint,
}

impl Console {
    /// The console of a region; without one, the page from which the console picks one itself.
    ///
    /// # Errors
    /// [`Error::Endpoint`] when the region is none.
    pub fn of(region: Option<&str>) -> Result<Self, Error> {
        let region = region.map(str::trim).filter(|region| !region.is_empty());
        let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if let Some(text) = region.filter(|region| region.len() > 63 || !region.bytes().all(label)) {
            return Err(Error::Endpoint { text: text.into(), expected: "a region, such as `eu-central-1`" });
        }
        let partition = Partition::of(region.unwrap_or_default());
        let sign_in = Endpoint::at(&format!("https://{}", partition.sign_in), "")?;
        Ok(Self { partition, region: region.map(Into::into), sign_in })
    }

    /// The same with another sign-in service.
    #[must_use]
    pub fn with_sign_in(self, sign_in: Endpoint) -> Self {
        Self { sign_in, ..self }
    }

    /// The page to come to: a service's, such as `ec2`, or the console's first one. Without a region it is the latter.
    #[must_use]
    pub fn destination(&self, path: Option<&str>) -> String {
        let domain = self.partition.console;
        let Some(region) = &self.region else { return format!("https://{domain}/") };
        let path = path.map(|path| path.trim_start_matches('/')).filter(|path| !path.is_empty());
        let (path, mark) = match path {
            // A path with a query of its own gets the region as one more parameter.
            Some(path) => (path, if path.contains('?') { '&' } else { '?' }),
            None => ("console/home", '?'),
        };
        format!("https://{region}.{domain}/{path}{mark}region={region}")
    }

    /// `getSigninToken`: what stands for a session in a login address. The session has to have a session token.
    ///
    /// # Errors
    /// [`Error::SignIn`] when the service refuses it, or see [`Error`].
    pub async fn token(&self, wire: &Wire, lease: &Lease) -> Result<Secret, Error> {
        let operation = "signin:getSigninToken";
        let wrong = |what| Error::Input { operation, what };
        let token = lease.session_token.as_ref();
        let token = token.ok_or(wrong("a long-lived key: the console wants a session"))?;
        let session = Object::with_room(4096)
            .text("sessionId", &lease.access_key_id)
            .secret("sessionKey", &lease.secret_access_key)
            .and_then(|session| session.secret("sessionToken", token))
            .ok_or(wrong("credentials that are not text"))?
            .end();
        let query = Form::new().pair("Action", "getSigninToken").pair("Session", &session).end();
        let mut target = Zeroizing::new(String::with_capacity(query.len() + 16));
        target.push_str("/federation?");
        target.push_str(&query);
        let call = Call {
            operation,
            endpoint: &self.sign_in,
            method: Method::GET,
            target,
            headers: Vec::new(),
            body: Zeroizing::default(),
            signed_by: None,
            repeat: Repeat::Harmless,
        };
        let reply = wire.call(call).await.map_err(|error| match &error {
            Error::Refused(fault) => http::StatusCode::from_u16(fault.status()).map_or(error, Error::SignIn),
            _ => error,
        })?;
        let answer: Answer =
            serde_json::from_slice(&reply.body).map_err(|_| reply.wrong("has no token in it"))?;
        Ok(answer.token.0)
    }

    /// The address that signs in and comes to `destination`. `issuer` names whoever made it.
    ///
    /// # Errors
    /// [`Error::Input`] when the token is not text.
    pub fn login_url(
        &self,
        issuer: &str,
        destination: &str,
        token: &Secret,
    ) -> Result<Zeroizing<String>, Error> {
        let query = Form::new()
            .pair("Action", "login")
            .pair("Issuer", issuer)
            .pair("Destination", destination)
            .secret("SigninToken", token)
            .ok_or(Error::Input { operation: "signin:login", what: "a token that is not text" })?
            .end();
        Ok(Zeroizing::new(format!("{}/federation?{}", self.sign_in.url(), *query)))
    }

    /// The address that ends the session of the browser before it goes on to a login address.
    #[must_use]
    pub fn logout_url(&self, login_url: &str) -> Zeroizing<String> {
        // The whole login address is one value: what is escaped in it is escaped once more.
        let escaped = escaped(login_url);
        Zeroizing::new(format!("{}/oauth?Action=logout&redirect_uri={}", self.sign_in.url(), *escaped))
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SigninToken")]
    token: SecretText,
}

#[cfg(test)]
mod tests;
