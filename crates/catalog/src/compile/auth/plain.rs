//! Schemes that write a secret into one place.

use super::{Entry, missing, text};
use crate::auth::Within;
use crate::file::{AuthEntry, AuthWord};
use crate::{AuthScheme, Basic, Choice, Find, Replace};

impl Entry<'_> {
    pub(super) fn plain(&self) -> Result<AuthScheme, String> {
        let AuthEntry { scheme, name, prefix, suffix, .. } = self.entry;
        match scheme {
            AuthWord::Header => {
                let Some(_) = name else { return Err(missing("name")) };
                Ok(AuthScheme::Header {
                    name: self.header()?,
                    prefix: self.prefix("")?,
                    secret: self.choice()?,
                })
            }
            AuthWord::Basic => {
                let (name, prefix) = (self.header()?, self.prefix("Basic ")?);
                Ok(AuthScheme::Basic { name, prefix, pair: self.pair()? })
            }
            AuthWord::Query => {
                Ok(AuthScheme::Query { name: text(name.as_ref(), "name")?, secret: self.choice()? })
            }
            AuthWord::Path => {
                let (prefix, suffix) =
                    (prefix.clone().unwrap_or_default(), suffix.clone().unwrap_or_default());
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
                if (prefix.is_empty() && suffix.is_empty())
                    || !prefix.chars().chain(suffix.chars()).all(plain)
                {
                    return Err(
                        "`path` has a `prefix` or a `suffix`, of letters, digits, `-` and `_`".to_owned()
                    );
                }
                Ok(AuthScheme::Path { prefix, suffix, secret: self.choice()? })
            }
            AuthWord::PathEnd => Ok(AuthScheme::PathEnd { secret: self.choice()? }),
            AuthWord::Cookie => {
                let name = text(name.as_ref(), "name")?;
                // RFC 6265, section 4.1.1: a token.
                let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
                if !name.bytes().all(token) {
                    return Err("the name of a cookie is letters, digits and some signs".to_owned());
                }
                Ok(AuthScheme::Cookie { name, secret: self.choice()? })
            }
            AuthWord::Replace => self.replace(),
            _ => Ok(AuthScheme::Bearer { secret: self.choice()? }),
        }
    }

    /// User name and password.
    pub(super) fn pair(&self) -> Result<Basic, String> {
        let AuthEntry { secret, username, username_secret, password_secret, .. } = self.entry;
        match (secret, username, username_secret, password_secret) {
            (Some(_), None, None, None) => Ok(Basic::Joined { secret: self.choice()? }),
            (None, Some(username), None, Some(password)) => {
                if username.is_empty() || username.contains(':') || username.chars().any(char::is_control) {
                    return Err("a user name of Basic is not empty and has no `:`".to_owned());
                }
                Ok(Basic::Named { username: username.clone(), password: password.clone() })
            }
            (None, None, Some(username), password) => {
                Ok(Basic::Fields { username: username.clone(), password: password.clone() })
            }
            _ => {
                Err("`basic` has either `secret`, or `username` and `password_secret`, or `username_secret`"
                    .to_owned())
            }
        }
    }

    fn replace(&self) -> Result<AuthScheme, String> {
        let AuthEntry { find, find_secret, within, .. } = self.entry;
        let find = match (find, find_secret) {
            (Some(text), None) => {
                check_placeholder(text)?;
                Find::Text(text.clone())
            }
            (None, Some(field)) => Find::Secret(field.clone()),
            _ => return Err("`replace` has either `find` or `find_secret`".to_owned()),
        };
        let within =
            within.clone().unwrap_or_else(|| vec![Within::Path, Within::Query, Within::Header, Within::Body]);
        if within.is_empty() {
            return Err("`within` is empty, so nothing would be replaced".to_owned());
        }
        let secret: Choice = self.choice()?;
        if let Find::Secret(field) = &find
            && secret.fields().any(|one| one == field)
        {
            return Err("the placeholder is the credential itself".to_owned());
        }
        Ok(AuthScheme::Replace(Box::new(Replace { find, secret, within })))
    }
}

/// A placeholder that is short is found in what nobody meant; one with signs that mean something in an address, in JSON or in
/// HTML would be written in several ways.
fn check_placeholder(text: &str) -> Result<(), String> {
    if crate::auth::is_placeholder(text.as_bytes()) {
        return Ok(());
    }
    Err("a placeholder is 8 to 128 letters, digits and `-._~{}$@:!*()`".to_owned())
}
