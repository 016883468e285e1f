//! A proof that the one who asks for a token is the one who sent the browser (RFC 7636), and where the browser is sent.

use crypto::{sha256, to_base64url};
use memory::Secret;
use zeroize::Zeroize;

use super::Error;
use crate::wire::form::Form;
use crate::wire::{Endpoint, Error as WireError};

/// The secret of one sign-in, and its hash.
pub struct Pkce {
    verifier: Secret,
    challenge: String,
}

/// A random text that comes back with the browser.
pub struct State(Secret);

impl Pkce {
    /// A fresh secret: 64 characters with 384 bits in them.
    ///
    /// # Errors
    /// When the system has no random bytes or no guarded memory.
    pub fn generate() -> Result<Self, Error> {
        Self::of(random_text::<48>()?)
    }

    /// The hash: `S256`.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The secret, for the exchange of the code.
    #[must_use]
    pub const fn verifier(&self) -> &Secret {
        &self.verifier
    }

    pub(super) fn of(verifier: String) -> Result<Self, Error> {
        let challenge = to_base64url(&sha256(&[verifier.as_bytes()]));
        Ok(Self { verifier: secret(verifier)?, challenge })
    }
}

impl State {
    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no random bytes or no guarded memory.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self(secret(random_text::<32>()?)?))
    }

    /// The text, for the address of the page.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The page that the browser is sent to. It comes back to `redirect_uri` with a code and the state.
///
/// # Errors
/// When the state is not text, which it is.
pub fn authorization_url(
    endpoint: &Endpoint,
    client_id: &str,
    redirect_uri: &str,
    scopes: &[String],
    (state, pkce): (&State, &Pkce),
) -> Result<String, Error> {
    let scopes = if scopes.is_empty() { DEFAULT_SCOPE.to_owned() } else { scopes.join(" ") };
    let query = Form::new()
        .pair("response_type", "code")
        .pair("client_id", client_id)
        .pair("redirect_uri", redirect_uri)
        .secret("state", state.secret())
        .ok_or(WireError::Input { operation: "sso-oidc:Authorize", what: "a state that is not text" })?
        .pair("code_challenge_method", "S256")
        .pair("scopes", &scopes)
        .pair("code_challenge", pkce.challenge())
        .end();
    Ok(format!("{}/authorize?{}", endpoint.url(), *query))
}

fn random_text<const N: usize>() -> Result<String, Error> {
    let mut bytes: [u8; N] = crypto::array().map_err(WireError::from)?;
    let text = to_base64url(&bytes);
    bytes.zeroize();
    Ok(text)
}

fn secret(text: String) -> Result<Secret, Error> {
    Ok(Secret::new(text.into_bytes()).map_err(WireError::from)?)
}

/// What a sign-in asks for where nothing else is said.
pub const DEFAULT_SCOPE: &str = "sso:account:access";
