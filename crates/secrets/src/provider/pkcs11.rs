//! An AES key on a token as a key provider, by PKCS #11: a hardware security module, a smart card, `SoftHSM`.
//!
//! The key never leaves the token. It seals with AES-GCM, and the home is the authenticated data. The library that speaks to
//! the token is code that runs with our rights, so it has to be ours or the system's. The token is chosen by a PKCS #11 URI
//! (RFC 7512), in which a PIN never stands.
//!
//! Source: PKCS #11 3.0, "AES-GCM"; RFC 7512.

mod token;

use std::path::{Path, PathBuf};

use memory::Secret;
use zeroize::Zeroizing;

use self::token::Asked;
use super::KeyProvider;
use super::choice::{KeyChoice, Wrong, absolute, decoded};
use super::facts::{Facts, Pin, TokenKey};
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use super::private;
use crate::source::{Environment, Setup, Trouble, copied};

/// One key on a token.
struct Pkcs11 {
    module: PathBuf,
    key: TokenKey,
    pin: Pin,
    typed: Option<Secret>,
    environment: Environment,
}

/// The key that was chosen: `pkcs11:token=LABEL;object=LABEL?module-path=/PATH&pin-source=file:/PATH`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    if choice.option("pin-value").is_some() {
        return Err(Wrong::new("a PIN is not written here: `pin-source` says where it is"));
    }
    choice.options(&["module-path", "pin-source"])?;
    let key = attributes(choice.place("`token=LABEL;object=LABEL`")?)?;
    if key.object.is_none() && key.id.is_none() {
        return Err(Wrong::new("`object` or `id` names the key"));
    }
    let module = choice.option("module-path");
    let module =
        module.ok_or_else(|| Wrong::new("`module-path` names the library that speaks to the token"))?;
    let module = absolute(module, "`module-path`")?;
    let pin = match choice.option("pin-source") {
        Some("prompt") => Pin::Prompt,
        Some(source) => match source.split_once(':') {
            Some(("file", path)) => Pin::File(absolute(path, "`pin-source`")?),
            Some(("env", name)) if !name.is_empty() => Pin::Env(name.to_owned()),
            _ => return Err(Wrong::new("`pin-source` is `file:/PATH`, `env:NAME` or `prompt`")),
        },
        None => {
            return Err(Wrong::new(
                "`pin-source` says where the PIN is: `file:/PATH`, `env:NAME` or `prompt`",
            ));
        }
    };
    if pin == Pin::Prompt && typed.is_none() {
        return Err(Wrong::new("nobody typed the PIN"));
    }
    Ok(of(&module, &key, &pin, (setup, typed.take())))
}

/// A key on a token.
pub(super) fn of(
    module: &Path,
    key: &TokenKey,
    pin: &Pin,
    (setup, typed): (&Setup, Option<Secret>),
) -> Box<dyn KeyProvider> {
    let (module, key, pin, environment) =
        (module.to_owned(), key.clone(), pin.clone(), setup.environment.clone());
    Box::new(Kept(Pkcs11 { module, key, pin, typed, environment }))
}

/// The path attributes of a PKCS #11 URI.
fn attributes(path: &str) -> Result<TokenKey, Wrong> {
    let mut key = TokenKey::default();
    for pair in path.split(';') {
        let (name, value) = pair.split_once('=').ok_or_else(|| Wrong::new("its parts are `NAME=VALUE`"))?;
        let place = match name {
            "token" => &mut key.token,
            "serial" => &mut key.serial,
            "object" => &mut key.object,
            "id" => &mut key.id,
            "type" if value == "secret-key" => continue,
            _ => {
                return Err(Wrong::new(
                    "its parts are `token`, `serial`, `object`, `id` and `type=secret-key`",
                ));
            }
        };
        let value = match name {
            "id" => crypto::to_hex(&percent_encoding::percent_decode_str(value).collect::<Vec<u8>>()),
            _ => decoded(value)?,
        };
        if place.replace(value).is_some() {
            return Err(Wrong::new("one of its parts stands there twice"));
        }
    }
    Ok(key)
}

impl Pkcs11 {
    fn pin(&self) -> Result<Secret, Trouble> {
        let memory = |_| Trouble::Wrong("there is no guarded memory for the PIN");
        match &self.pin {
            Pin::File(path) => private::text(path),
            Pin::Env(name) => {
                let text = self.environment.text(name).map(Zeroizing::new);
                let text = text.ok_or_else(|| Trouble::setting(format!("`{name}` has no PIN")))?;
                Secret::new(text.as_bytes().to_vec()).map_err(memory)
            }
            Pin::Prompt => match &self.typed {
                Some(typed) => {
                    copied(typed).map_err(|_| Trouble::Wrong("there is no guarded memory for the PIN"))
                }
                None => Err(Trouble::setting("nobody typed the PIN of the token")),
            },
        }
    }
}

impl Keeps for Pkcs11 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let asked = Asked::new(&self.module, &self.key, self.pin()?)?;
        let wrapped = asked.seal(payload.as_bytes(), home.bound())?;
        Ok(Facts::Pkcs11 {
            home: *home,
            module: self.module.clone(),
            key: self.key.clone(),
            pin: self.pin.clone(),
            wrapped: crypto::to_base64(&wrapped),
        })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::Pkcs11 { home, module, key, pin: _, wrapped } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let wrapped =
            crypto::from_base64(wrapped).map_err(|_| Trouble::Wrong("what it sealed is not base 64"))?;
        Asked::new(module, key, self.pin()?)?.open(&wrapped, home.bound())
    }
}

pub(super) const NAME: &str = "pkcs11";
