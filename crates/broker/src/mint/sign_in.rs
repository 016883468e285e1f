//! A person signs in to IAM Identity Center with a browser. Done by the door, before a call that needs it.

use std::time::Duration;

use aws::oidc::redirect::{REGISTERED, Redirect};
use aws::oidc::{Error, Grant, Oidc, RegisterAs, Registration, Token, pkce};
use aws::profile::Sso;
use aws::wire::{Endpoint, Wire};

/// Shows a person the page where they sign in.
pub trait Browser: Send + Sync {
    /// Shows the page: opens it where that is wanted, prints what has to be read.
    fn show(&self, sign_in: &SignIn<'_>);

    /// Whether the browser is on this machine and comes back to it; else a code is confirmed anywhere.
    fn comes_back(&self) -> bool;
}

/// A sign-in that waits for a person.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// The page.
    pub page: &'a str,
    /// The code to compare, where there is one.
    pub code: Option<&'a str>,
}

/// Lets a person sign in.
///
/// # Errors
/// What the service said, or that nobody signed in.
pub async fn sign_in(
    wire: &Wire,
    endpoint: &Endpoint,
    sso: &Sso,
    browser: &dyn Browser,
) -> Result<(Token, Registration), Error> {
    // AWS refuses the code flow without scopes.
    if browser.comes_back() && !sso.scopes.is_empty() {
        with_code(wire, endpoint, sso, browser).await
    } else {
        with_device(wire, endpoint, sso, browser).await
    }
}

/// The authorization code with PKCE (RFC 7636): the browser comes back to this machine.
async fn with_code(
    wire: &Wire,
    endpoint: &Endpoint,
    sso: &Sso,
    browser: &dyn Browser,
) -> Result<(Token, Registration), Error> {
    let oidc = Oidc::new(wire, endpoint);
    let grants = [Grant::AuthorizationCode, Grant::RefreshToken];
    let ask = RegisterAs {
        name: CLIENT,
        scopes: &sso.scopes,
        grants: &grants,
        redirect: Some(REGISTERED),
        issuer: Some(&sso.start_url),
    };
    let registration = oidc.register(&ask).await?;
    let (pkce, state) = (pkce::Pkce::generate()?, pkce::State::generate()?);
    let redirect = Redirect::open()?;
    let uri = redirect.uri();
    let page =
        pkce::authorization_url(endpoint, &registration.client_id, &uri, &sso.scopes, (&state, &pkce))?;
    browser.show(&SignIn { page: &page, code: None });
    let exchange = async |code| oidc.exchange(&registration, &code, &uri, &pkce).await;
    let token = redirect.exchanged(state, PATIENCE, exchange).await??;
    Ok((token, registration))
}

/// The device code (RFC 8628): a page anywhere, and a code to compare.
async fn with_device(
    wire: &Wire,
    endpoint: &Endpoint,
    sso: &Sso,
    browser: &dyn Browser,
) -> Result<(Token, Registration), Error> {
    let oidc = Oidc::new(wire, endpoint);
    let grants = [Grant::DeviceCode, Grant::RefreshToken];
    let ask = RegisterAs {
        name: CLIENT,
        scopes: &sso.scopes,
        grants: if sso.scopes.is_empty() { &[] } else { &grants },
        redirect: None,
        issuer: None,
    };
    let registration = oidc.register(&ask).await?;
    let device = oidc.start_device(&registration, &sso.start_url).await?;
    let page = device.verification_uri_complete.as_deref().unwrap_or(&device.verification_uri);
    browser.show(&SignIn { page, code: Some(&device.user_code) });
    let token = oidc.wait_for(&registration, &device).await?;
    Ok((token, registration))
}

/// As what we register: people who move over know the name on the page.
const CLIENT: &str = "aws-vault";
/// As long as a person may take in the browser.
const PATIENCE: Duration = Duration::from_secs(600);
