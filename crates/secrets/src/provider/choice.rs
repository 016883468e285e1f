//! How a key provider is chosen: `NAME`, `NAME:PLACE`, `NAME:PLACE?OPTION=VALUE&OPTION=VALUE`.
//!
//! For a token this is the form of RFC 7512, a PKCS #11 URI. A secret never stands in it.

use std::fmt;

use memory::Secret;
use percent_encoding::percent_decode_str;

use super::KeyProvider;
use super::list::{KEY_PROVIDERS, Listed};
use crate::Setup;

/// A key provider as somebody chose it.
pub struct KeyChoice {
    listed: &'static Listed,
    place: Option<String>,
    options: Vec<(String, String)>,
}

/// Why a choice makes no sense, for people.
#[derive(Debug)]
pub struct Wrong(String);

impl Wrong {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl KeyChoice {
    /// Reads a choice.
    ///
    /// # Errors
    /// When there is no such provider, or it is not of the form.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let (front, query) = text.split_once('?').map_or((text, None), |(front, query)| (front, Some(query)));
        let (name, place) = front.split_once(':').map_or((front, None), |(name, place)| (name, Some(place)));
        let listed = KEY_PROVIDERS.iter().find(|listed| listed.name == name);
        let listed = listed.ok_or_else(|| {
            let known: Vec<_> = KEY_PROVIDERS.iter().map(|listed| listed.name).collect();
            let shown: String = name.escape_debug().take(40).collect();
            Wrong::new(format!("there is no key provider `{shown}`; known are {}", known.join(", ")))
        })?;
        let mut options = Vec::new();
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            let form = || Wrong::new("behind `?` stands `OPTION=VALUE`, or several with `&` between");
            let (name, value) = pair.split_once('=').ok_or_else(form)?;
            if options.iter().any(|(known, _)| known == name) {
                return Err(Wrong::new(format!("the option `{}` stands there twice", name.escape_debug())));
            }
            options.push((name.to_owned(), decoded(value)?));
        }
        let place = place.filter(|place| !place.is_empty()).map(str::to_owned);
        Ok(Self { listed, place, options })
    }

    /// The name of the provider.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.listed.name
    }

    /// What somebody has to type for it; `None` where nobody has to.
    #[must_use]
    pub fn asks(&self) -> Option<&'static str> {
        match self.listed.name {
            super::passphrase::NAME => Some("Passphrase"),
            super::pkcs11::NAME if self.option("pin-source") == Some("prompt") => Some("PIN of the token"),
            _ => None,
        }
    }

    /// The provider. A key file that is not there is made; nothing else is asked or made yet.
    ///
    /// # Errors
    /// When the place or an option is not what this provider takes.
    pub fn provider(&self, setup: &Setup, mut typed: Option<Secret>) -> Result<Box<dyn KeyProvider>, Wrong> {
        (self.listed.make)(self, setup, &mut typed).map_err(|Wrong(what)| {
            Wrong(format!("`{}`: {what}; it is chosen like `{}`", self.listed.name, self.listed.example))
        })
    }

    /// Nothing behind the name.
    pub(super) fn plain(&self) -> Result<(), Wrong> {
        if self.place.is_some() {
            return Err(Wrong::new("nothing stands behind its name"));
        }
        self.options(&[])
    }

    /// What stands behind the colon.
    pub(super) fn place(&self, what: &str) -> Result<&str, Wrong> {
        self.place.as_deref().ok_or_else(|| Wrong::new(format!("behind the colon stands {what}")))
    }

    pub(super) fn has_place(&self) -> bool {
        self.place.is_some()
    }

    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Only these options.
    pub(super) fn options(&self, known: &[&str]) -> Result<(), Wrong> {
        match self.options.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(Wrong::new(format!("it has no option `{}`", name.escape_debug())))
            }
            Some((name, _)) => Err(Wrong::new(format!(
                "it has no option `{}`, only {}",
                name.escape_debug(),
                known.join(", ")
            ))),
        }
    }
}

/// The text of a percent-encoded part.
pub(super) fn decoded(text: &str) -> Result<String, Wrong> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| Wrong::new("a part of it is no text"))?;
    if text.chars().any(char::is_control) {
        return Err(Wrong::new("a part of it holds control characters"));
    }
    Ok(text.into_owned())
}

/// An absolute path.
pub(super) fn absolute(text: &str, what: &str) -> Result<std::path::PathBuf, Wrong> {
    let path = std::path::PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(Wrong::new(format!("the path of {what} is not absolute"))) }
}
