//! How we sign in to a Vault, and how the token that we get is kept valid.
//!
//! A token is renewed when half of its life is over, and another sign-in follows where it can't be. A token that somebody
//! gave us is used as it is: whoever made it decides how long it lasts.

use memory::Secret;
use model::{SecretRef, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::talk::{Talk, Token};
use crate::source::config::{Vault, VaultAuth};
use crate::source::lender::own;
use crate::source::{Environment, Lender, Trouble, copied};

/// How we sign in, and the token of the last time.
pub(crate) struct Login {
    way: VaultAuth,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Token,
    begun: Timestamp,
}

impl Login {
    pub(crate) fn new(config: &Vault, environment: &Environment) -> Result<Self, Trouble> {
        let way = match &config.auth {
            Some(way) => way.clone(),
            None if environment.text("VAULT_TOKEN").is_some() => {
                VaultAuth::Token { token: named("env:VAULT_TOKEN")? }
            }
            None => {
                let why = "nobody said how to sign in to Vault: set `auth` under `[vault]` in `sources.toml`, or `VAULT_TOKEN`";
                return Err(Trouble::setting(why));
            }
        };
        Ok(Self { way, held: Mutex::default() })
    }

    /// A token that is valid now. One that signs in does it for all who wait.
    pub(crate) async fn token(&self, talk: &Talk, lender: &dyn Lender) -> Result<Secret, Trouble> {
        if let VaultAuth::Token { token } = &self.way {
            return own(lender, token).await;
        }
        let mut held = self.held.lock().await;
        let now = lender.now();
        if let Some(known) = held.as_mut()
            && (known.is_young(now) || known.renewed(talk, now).await?)
        {
            return copy(&known.token.secret);
        }
        let token = self.sign_in(talk, lender).await?;
        let copied = copy(&token.secret);
        *held = Some(Held { token, begun: now });
        copied
    }

    /// Forgets the token of the last sign-in; whether there was one.
    pub(crate) async fn forget(&self) -> bool {
        self.held.lock().await.take().is_some()
    }

    async fn sign_in(&self, talk: &Talk, lender: &dyn Lender) -> Result<Token, Trouble> {
        let (mount, usual, form) = match &self.way {
            VaultAuth::Token { .. } => return Err(Trouble::Wrong("a token does not sign in")),
            VaultAuth::AppRole { role, secret, mount } => {
                let secret = match secret {
                    Some(secret) => Some(own(lender, secret).await?),
                    None => None,
                };
                let secret = secret.as_ref().map(|secret| ("secret_id", secret));
                (mount, "approle", form(("role_id", role), secret)?)
            }
            VaultAuth::Kubernetes { role, mount, token } => {
                let token = match token {
                    Some(token) => token.clone(),
                    None => named(SERVICE_ACCOUNT)?,
                };
                let token = own(lender, &token).await?;
                (mount, "kubernetes", form(("role", role), Some(("jwt", &token)))?)
            }
            VaultAuth::Jwt { role, mount, token } => {
                let token = own(lender, token).await?;
                (mount, "jwt", form(("role", role), Some(("jwt", &token)))?)
            }
        };
        talk.sign_in(mount.as_deref().unwrap_or(usual), form, lender.now()).await
    }
}

impl Held {
    /// Whether less than half of its life is over.
    fn is_young(&self, now: Timestamp) -> bool {
        let Some(end) = self.token.ends else { return true };
        now >= self.begun && now.since(self.begun) < end.since(self.begun) / 2
    }

    /// Whether Vault made it last longer. Out of reach, it is used to its end.
    async fn renewed(&mut self, talk: &Talk, now: Timestamp) -> Result<bool, Trouble> {
        if self.token.ends.is_some_and(|end| now >= end) || !self.token.renewable {
            return Ok(false);
        }
        match talk.renew_token(&self.token.secret).await {
            Ok(more) if !more.is_zero() => {
                self.token.ends = Some(now.after(more));
                self.begun = now;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) if error.is_passing() => Err(error),
            Err(_) => Ok(false),
        }
    }
}

/// `{NAME: TEXT, NAME: SECRET}`, with room for all of it, so that no growing leaves a part of the secret behind.
#[expect(clippy::disallowed_methods, reason = "puts the proof into the document of the sign-in")]
fn form((name, text): (&str, &str), secret: Option<(&str, &Secret)>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let wrong = || Trouble::setting("the credential for Vault is no text");
    let mut form = Zeroizing::new(Vec::with_capacity(ROOM));
    form.extend_from_slice(format!("{{\"{name}\":{}", Value::from(text)).as_bytes());
    if let Some((name, secret)) = secret {
        form.extend_from_slice(format!(",\"{name}\":").as_bytes());
        secret.expose(|bytes| {
            let text = std::str::from_utf8(bytes.trim_ascii()).map_err(|_| wrong())?;
            serde_json::to_writer(&mut *form, text).map_err(|_| wrong())
        })?;
    }
    form.push(b'}');
    Ok(form)
}

fn copy(secret: &Secret) -> Result<Secret, Trouble> {
    copied(secret).map_err(|_| Trouble::Wrong("there is no guarded memory for the token of its source"))
}

fn named(reference: &str) -> Result<SecretRef, Trouble> {
    reference.parse().map_err(|_| Trouble::Wrong("the usual place of a credential is no reference"))
}

const SERVICE_ACCOUNT: &str = "file:/var/run/secrets/kubernetes.io/serviceaccount/token";
const ROOM: usize = 32 * 1024;
