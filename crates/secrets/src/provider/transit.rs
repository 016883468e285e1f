//! A key of the transit engine of `HashiCorp` Vault or `OpenBao` as a key provider.
//!
//! The home is bound as associated data, so the engine opens what it sealed for this home only. We sign in as the secret
//! source `vault:` does: `[vault]` in `sources.toml`, `VAULT_ADDR`, `VAULT_TOKEN`.
//!
//! Source: Vault's HTTP API, "Transit secrets engine", `encrypt` and `decrypt`.

use memory::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::asking::ask;
use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use crate::source::secret_text::SecretText;
use crate::source::vault::login::Login;
use crate::source::vault::talk::Talk;
use crate::source::web::{Reply, safe_path};
use crate::source::{Setup, Trouble, pick};

/// One key.
struct Transit {
    mount: String,
    key: String,
    setup: Setup,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: SecretText,
}

/// The key that was chosen, such as `transit:transit/doorward`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&[])?;
    let form = || Wrong::new("behind the colon stands `MOUNT/KEY`");
    let (mount, key) = choice.place("`MOUNT/KEY`")?.rsplit_once('/').ok_or_else(form)?;
    if safe_path(mount).is_err() || safe_path(key).is_err() {
        return Err(form());
    }
    Ok(of(mount, key, setup))
}

/// A key of the engine at a mount.
pub(super) fn of(mount: &str, key: &str, setup: &Setup) -> Box<dyn KeyProvider> {
    Box::new(Kept(Transit { mount: mount.to_owned(), key: key.to_owned(), setup: setup.clone() }))
}

impl Transit {
    /// `encrypt` or `decrypt`.
    fn does(&self, what: &str, (mount, key): (&str, &str), form: &Form<'_>) -> Result<Reply, Trouble> {
        let path = format!("{}/{what}/{}", safe_path(mount)?, safe_path(key)?);
        ask(&self.setup, async |lender| {
            let talk = Talk::new(&self.setup.config.vault, &self.setup.environment)?;
            let login = Login::new(&self.setup.config.vault, &self.setup.environment)?;
            let token = login.token(&talk, lender).await?;
            talk.write(&path, &token, form.document()).await
        })
    }
}

/// `{NAME: BASE64, "associated_data": BASE64}`.
struct Form<'a> {
    name: &'a str,
    value: Zeroizing<String>,
    bound: String,
}

impl<'a> Form<'a> {
    fn new(name: &'a str, value: Zeroizing<String>, home: &HomeId) -> Self {
        Self { name, value, bound: crypto::to_base64(home.bound().as_bytes()) }
    }

    /// Written at once, so that no growing leaves a part of the key behind. Neither base 64 nor what Vault writes is escaped.
    fn document(&self) -> Zeroizing<Vec<u8>> {
        let Self { name, value, bound } = self;
        let mut document = Zeroizing::new(Vec::with_capacity(value.len() + bound.len() + 64));
        for part in ["{\"", name, "\":\"", value, "\",\"associated_data\":\"", bound, "\"}"] {
            document.extend_from_slice(part.as_bytes());
        }
        document
    }
}

impl Keeps for Transit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let plain = Zeroizing::new(crypto::to_base64(payload.as_bytes()));
        let reply = self.does("encrypt", (&self.mount, &self.key), &Form::new("plaintext", plain, home))?;
        let Answer { data: Encrypted { ciphertext } } = reply.json()?;
        if !is_ciphertext(&ciphertext) {
            return Err(reply.wrong("has no ciphertext in it"));
        }
        let (mount, key) = (self.mount.clone(), self.key.clone());
        Ok(Facts::Transit { home: *home, mount, key, wrapped: ciphertext })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::Transit { home, mount, key, wrapped } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        if !is_ciphertext(wrapped) {
            return Err(Trouble::Wrong("what it sealed is no ciphertext of Vault"));
        }
        let form = Form::new("ciphertext", Zeroizing::new(wrapped.clone()), home);
        let reply = self.does("decrypt", (mount, key), &form)?;
        let Answer { data: Decrypted { plaintext } } = reply.json()?;
        pick::decoded(&plaintext.0).ok_or_else(|| reply.wrong("is not base 64"))
    }
}

/// `vault:v1:BASE64`, and nothing that would have to be escaped.
fn is_ciphertext(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":+/=-_".contains(&byte)) && text.contains(":v")
}

pub(super) const NAME: &str = "transit";
