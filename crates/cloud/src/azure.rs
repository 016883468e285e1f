//! Microsoft Entra: a service principal with a client secret, a certificate, or a token of another issuer.
//!
//! Sources: "OAuth 2.0 client credentials flow on the Microsoft identity platform", "Microsoft identity platform application
//! authentication certificate credentials" (learn.microsoft.com/entra/identity-platform).

use std::time::Duration;

use crypto::{RsaKey, certificate_of_pem, sha256, to_base64url};
use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::assertion::{seconds, signed};
use crate::form::Form;
use crate::talk::{Answer, Asked, Place, SecretText};
use crate::{Error, Talk, Token};

/// A service principal, and how it proves who it is.
pub struct Principal {
    tenant: String,
    client: String,
    proof: Proof,
}

enum Proof {
    Password(Secret),
    Certificate {
        key: RsaKey,
        thumbprint: String,
    },
    /// A token of another issuer that Entra trusts; it comes with each call.
    Federated,
}

impl Principal {
    /// Reads a stored document: what `az ad sp create-for-rbac` prints, the same in the names of the SDKs, or with
    /// `certificate` (PEM of certificate and private key) in place of a password; with neither, `federated: true`.
    ///
    /// # Errors
    /// [`Error::Key`] when it is something else.
    pub fn read(stored: &Secret) -> Result<Self, Error> {
        #[expect(clippy::disallowed_methods, reason = "reads the document of the principal into its parts")]
        stored.expose(Self::parse)
    }

    /// The same from bytes that were lent.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn parse(stored: &[u8]) -> Result<Self, Error> {
        let wrong = |why| Error::Key { expected: "service principal", why };
        let document = serde_json::from_slice::<Document>(stored);
        let Document { tenant, client, password, certificate, federated } =
            document.map_err(|_| wrong("it is not the JSON of one"))?;
        let name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        };
        if !name(&tenant) || !name(&client) {
            return Err(wrong("its tenant or client id is none"));
        }
        let proof = match (password, certificate, federated) {
            (Some(password), None, false) => Proof::Password(password.0),
            (None, Some(pem), false) => {
                let key = RsaKey::from_pem(&pem.0).map_err(|_| wrong("its private key can't be read"))?;
                let der = certificate_of_pem(&pem.0).map_err(|_| wrong("its certificate can't be read"))?;
                Proof::Certificate { key, thumbprint: to_base64url(&sha256(&[&der])) }
            }
            (None, None, true) => Proof::Federated,
            _ => return Err(wrong("it has to have one of password, certificate and `federated: true`")),
        };
        Ok(Self { tenant, client, proof })
    }

    /// The client id.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// The path of its tenant's token endpoint, below a sign-in service.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.tenant)
    }

    /// Whether it proves itself by a token of another issuer.
    #[must_use]
    pub const fn is_federated(&self) -> bool {
        matches!(self.proof, Proof::Federated)
    }

    /// An access token for a resource, such as `https://management.azure.com/`. `assertion` is the token of the other issuer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn token(
        &self,
        talk: &Talk,
        authority: &str,
        (resource, assertion): (&str, Option<&Secret>),
        now: Timestamp,
    ) -> Result<Token, Error> {
        let authority = authority.trim_end_matches('/');
        let place = Place::of(&format!("{authority}{}", self.path()))?;
        let form = self.form(&place.shown(), (resource, assertion), now)?;
        let (body, sent) = form.parts();
        let asked = Asked { place: &place, kind: FORM, body, sent, bearer: None };
        talk.ask::<Answer>(asked).await?.access(&place, now)
    }

    /// What is sent to the token endpoint at this address.
    ///
    /// # Errors
    /// When it can't prove itself.
    pub fn form(
        &self,
        address: &str,
        (resource, assertion): (&str, Option<&Secret>),
        now: Timestamp,
    ) -> Result<Form, Error> {
        // What managed identities call a resource is a scope here: the same with `/.default` behind it.
        let scope = if resource.ends_with("/.default") {
            resource.to_owned()
        } else {
            format!("{resource}/.default")
        };
        let mut form = Form::new();
        form.text("grant_type", "client_credentials").text("client_id", &self.client).text("scope", &scope);
        match (&self.proof, assertion) {
            (Proof::Password(password), _) => add_secret(&mut form, "client_secret", password),
            (Proof::Certificate { key, thumbprint }, _) => {
                let signed = self.assertion(key, thumbprint, address, now)?;
                form.text("client_assertion_type", BEARER).secret("client_assertion", &signed);
            }
            (Proof::Federated, Some(assertion)) => {
                form.text("client_assertion_type", BEARER);
                add_secret(&mut form, "client_assertion", assertion);
            }
            (Proof::Federated, None) => {
                let why = "it proves itself by a token of another issuer, and none came with the call";
                return Err(Error::Key { expected: "principal that can prove itself here", why });
            }
        }
        Ok(form)
    }

    fn assertion(
        &self,
        key: &RsaKey,
        thumbprint: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, Error> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        let claims = json!({
            "aud": address,
            "iss": self.client,
            "sub": self.client,
            "jti": to_base64url(&crypto::array::<16>()?),
            "iat": seconds(now),
            "nbf": seconds(now),
            "exp": seconds(now.after(LIFE)),
        });
        Ok(Zeroizing::new(signed(&header, &claims, |message| key.sign_ps256(message))?))
    }
}

/// The address of a cloud by its name: `public`, `usgov` or `china`.
#[must_use]
pub fn authority_of(cloud: &str) -> Option<&'static str> {
    match cloud {
        "public" => Some("https://login.microsoftonline.com"),
        "usgov" => Some("https://login.microsoftonline.us"),
        "china" => Some("https://login.chinacloudapi.cn"),
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "puts the client's proof into the form of the token request")]
fn add_secret(form: &mut Form, name: &str, value: &Secret) {
    value.expose(|bytes| {
        form.secret(name, str::from_utf8(bytes).unwrap_or_default().trim());
    });
}

#[derive(Deserialize)]
struct Document {
    #[serde(alias = "tenantId", alias = "tenant_id")]
    tenant: String,
    #[serde(rename = "appId", alias = "clientId", alias = "client_id")]
    client: String,
    #[serde(alias = "clientSecret", alias = "client_secret")]
    password: Option<SecretText>,
    certificate: Option<SecretText>,
    #[serde(default)]
    federated: bool,
}

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const FORM: &str = "application/x-www-form-urlencoded";
const LIFE: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests;
