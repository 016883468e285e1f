//! The issuer's endpoints: where a person signs in, and where codes and refresh tokens are exchanged (RFC 6749, RFC 7636).

use memory::Secret;
use model::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Error as SignInError, Found, Profile, claims};
use crate::talk::{Asked, Place};
use crate::{Answered, Error, Form, Granted, Talk};

/// The endpoints of an issuer, and the client as whom it is asked.
#[derive(Debug, Clone)]
pub struct Endpoint {
    issuer: String,
    token: Place,
    client: String,
}

/// A code that came back with the browser, and what proves that it was sent for here.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// The code.
    pub code: &'a Secret,
    /// The secret whose hash was in the address of the page.
    pub verifier: &'a Secret,
    /// Where the browser came back to.
    pub redirect: &'a str,
}

impl Endpoint {
    /// The endpoints of an issuer, such as `https://auth.openai.com`.
    ///
    /// # Errors
    /// [`Error::Address`] where it is no address. Plain http is for this machine only.
    pub fn of(issuer: &str, client: &str) -> Result<Self, Error> {
        let issuer = issuer.trim_end_matches('/').to_owned();
        let token = Place::of(&format!("{issuer}/oauth/token"))?;
        let here = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
        if !issuer.starts_with("https://") && !here.iter().any(|start| issuer.starts_with(start)) {
            return Err(Error::Address { address: issuer, why: "plain http is for this machine only" });
        }
        Ok(Self { issuer, token, client: client.to_owned() })
    }

    /// The page where a person signs in; the browser comes back to `redirect` with a code and the state.
    #[must_use]
    pub fn page(&self, redirect: &str, challenge: &str, state: &str) -> String {
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", redirect),
            ("scope", SCOPE),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("state", state),
        ];
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let query: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        format!("{}/oauth/authorize?{}", self.issuer, query.join("&"))
    }

    /// The tokens for a code.
    ///
    /// # Errors
    /// What the issuer said.
    pub async fn exchange(&self, talk: &Talk, code: Code<'_>, now: Timestamp) -> Result<Found, Error> {
        let mut form = Form::new();
        form.text("grant_type", "authorization_code").text("client_id", &self.client);
        secret(&mut form, "code", code.code);
        secret(&mut form, "code_verifier", code.verifier);
        form.text("redirect_uri", code.redirect);
        let Granted { token, refresh } = self.granted(talk, form, now).await?;
        let own = claims::of(&token.value);
        let ends = Some(own.ends.unwrap_or(token.ends));
        Ok(Found { access: token.value, refresh, account: own.account, ends, source: "pkce" })
    }

    /// The sign-in that takes the place of this one, whose refresh token is spent by asking.
    ///
    /// # Errors
    /// What the issuer said, or that there is no refresh token.
    pub async fn renew(&self, talk: &Talk, profile: &Profile, now: Timestamp) -> Result<Profile, Error> {
        let wrong = |what| Error::Reply { place: self.token.shown(), what };
        let refresh =
            profile.refresh.as_ref().ok_or_else(|| wrong("was not asked for: there is no refresh token"))?;
        let mut form = Form::new();
        form.text("grant_type", "refresh_token").text("client_id", &self.client);
        secret(&mut form, "refresh_token", refresh);
        let granted = self.granted(talk, form, now).await?;
        profile.renewed(granted).map_err(|error| match error {
            SignInError::Memory(error) => Error::Memory(error),
            _ => wrong("has no token in it that can be kept"),
        })
    }

    async fn granted(&self, talk: &Talk, form: Form, now: Timestamp) -> Result<Granted, Error> {
        let kind = "application/x-www-form-urlencoded";
        let (body, sent) = form.parts();
        let (reply, sent) = talk.reply(Asked { place: &self.token, kind, body, sent, bearer: None }).await?;
        let place = self.token.shown();
        let (status, hide) = (reply.status().as_u16(), |text: &str| talk.hidden(text, &sent));
        Answered { place: &place, status, body: reply.body(), asked: now, hide: &hide }.oauth2()
    }
}

#[expect(clippy::disallowed_methods, reason = "puts a code or a refresh token into the form")]
fn secret(form: &mut Form, name: &str, secret: &Secret) {
    secret.expose(|bytes| {
        form.secret(name, str::from_utf8(bytes).unwrap_or_default());
    });
}

const SCOPE: &str = "openid profile email offline_access";
const ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
