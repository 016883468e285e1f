//! What token endpoints answer: a token, when it ends, and perhaps a new refresh token. Pure: others send and receive.
//!
//! Sources: RFC 6749, section 5; the REST API of GitHub Apps; "Managed identities for Azure resources"; "Verifying VM identity"
//! and "About VM metadata" of Google Cloud; RFC 8693.

use std::time::Duration;

use memory::Secret;
use model::Timestamp;
use serde::Deserialize;

use crate::assertion::end_of;
use crate::talk::{SecretText, fault};
use crate::{Error, Token};

/// A token, and the refresh token that takes the place of the one that was used.
pub struct Granted {
    /// The access token.
    pub token: Token,
    /// The new refresh token, where the service rotates them.
    pub refresh: Option<Secret>,
}

/// An answer as it came.
pub struct Answered<'a> {
    /// Who answered, for people.
    pub place: &'a str,
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    /// When it was asked for.
    pub asked: Timestamp,
    /// A text of the answer without the secrets that the request had.
    pub hide: &'a dyn Fn(&str) -> String,
}

impl Answered<'_> {
    /// The answer of a token endpoint of OAuth 2, and of the metadata services that answer alike.
    ///
    /// # Errors
    /// [`Error::Refused`] with what the service said, [`Error::Reply`] where it is something else than documented.
    pub fn oauth2(&self) -> Result<Granted, Error> {
        let read: Token2 = self.read()?;
        let value = read.access_token.ok_or_else(|| self.wrong("has no access token in it"))?.0;
        let ends = read.expires_on.and_then(When::instant);
        let ends = ends.or_else(|| Some(self.asked.after(read.expires_in?.duration()?)));
        // RFC 6749 lets a service not say it; such a token is believed for a minute.
        let ends = ends.unwrap_or_else(|| self.asked.after(UNSAID));
        Ok(Granted { token: self.token(value, ends)?, refresh: read.refresh_token.map(|text| text.0) })
    }

    /// The token of an installation of a GitHub App.
    ///
    /// # Errors
    /// As for [`Self::oauth2`].
    pub fn github(&self) -> Result<Token, Error> {
        let read: Installation = self.read()?;
        let ends = read.expires_at.parse().map_err(|_| self.wrong("does not say when its token ends"))?;
        self.token(read.token.0, ends)
    }

    /// The token of a sign-in at HashiCorp Vault or `OpenBao`.
    ///
    /// # Errors
    /// As for [`Self::oauth2`].
    pub fn vault(&self) -> Result<Token, Error> {
        let read: SignedIn = self.read()?;
        let lasts = match read.auth.lease_duration {
            0 => return Err(self.wrong("has a token that never ends")),
            seconds => Duration::from_secs(seconds),
        };
        self.token(read.auth.client_token.0, self.asked.after(lasts))
    }

    /// The access token that Google gives for an account that is impersonated.
    ///
    /// # Errors
    /// As for [`Self::oauth2`].
    pub fn impersonated(&self) -> Result<Token, Error> {
        let read: Impersonated = self.read()?;
        let ends = read.expire_time.parse().map_err(|_| self.wrong("does not say when its token ends"))?;
        self.token(read.access_token.0, ends)
    }

    /// An identity token as the `id_token` of an answer.
    ///
    /// # Errors
    /// As for [`Self::oauth2`].
    pub fn identity(&self) -> Result<Token, Error> {
        let read: Token2 = self.read()?;
        let value = read.id_token.ok_or_else(|| self.wrong("has no identity token in it"))?.0;
        self.signed(value)
    }

    /// An identity token that is the whole body.
    ///
    /// # Errors
    /// As for [`Self::oauth2`].
    pub fn bare(&self) -> Result<Token, Error> {
        if self.status != 200 {
            return Err(Error::Refused(fault(self.place.to_owned(), self.status, self.body, self.hide)));
        }
        let text = self.body.trim_ascii();
        let signed = text.iter().filter(|byte| **byte == b'.').count() == 2;
        if !signed || !text.iter().all(u8::is_ascii_graphic) {
            return Err(self.wrong("is not a token"));
        }
        self.signed(Secret::new(text.to_vec())?)
    }

    fn signed(&self, value: Secret) -> Result<Token, Error> {
        #[expect(clippy::disallowed_methods, reason = "reads when the token ends")]
        let ends = value.expose(end_of);
        self.token(value, ends.ok_or_else(|| self.wrong("has a token that does not say when it ends"))?)
    }

    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        match self.status {
            200 | 201 => {
                serde_json::from_slice(self.body).map_err(|_| self.wrong("is not what the service documents"))
            }
            301..=399 => Err(self.wrong("leads elsewhere, where no credential is sent")),
            status => Err(Error::Refused(fault(self.place.to_owned(), status, self.body, self.hide))),
        }
    }

    /// A token that can stand in a header, and that has not ended already.
    fn token(&self, value: Secret, ends: Timestamp) -> Result<Token, Error> {
        #[expect(clippy::disallowed_methods, reason = "looks for bytes that no header can carry")]
        let fits = value.expose(|bytes| bytes.iter().all(u8::is_ascii_graphic));
        if !fits {
            return Err(self.wrong("has a token that no header can carry"));
        }
        if ends <= self.asked {
            return Err(self.wrong("has a token that has ended already"));
        }
        Ok(Token { value, ends: ends.min(self.asked.after(LONGEST)) })
    }

    fn wrong(&self, what: &'static str) -> Error {
        Error::Reply { place: self.place.to_owned(), what }
    }
}

#[derive(Deserialize)]
struct Token2 {
    access_token: Option<SecretText>,
    id_token: Option<SecretText>,
    refresh_token: Option<SecretText>,
    expires_in: Option<When>,
    expires_on: Option<When>,
}

#[derive(Deserialize)]
struct Installation {
    token: SecretText,
    expires_at: String,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretText,
    lease_duration: u64,
}

#[derive(Deserialize)]
struct Impersonated {
    #[serde(rename = "accessToken")]
    access_token: SecretText,
    #[serde(rename = "expireTime")]
    expire_time: String,
}

/// A number of seconds, which some services write as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    Number(f64),
    Text(String),
}

impl When {
    fn duration(self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        (seconds > 0.0 && seconds.is_finite())
            .then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
    }

    /// Seconds since the epoch, or the date of Azure's older form: `01/31/2020 22:14:10 +00:00`.
    fn instant(self) -> Option<Timestamp> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        };
        let text = text.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Timestamp::from_millis(seconds.checked_mul(1000)?));
        }
        let (date, rest) = text.split_once(' ')?;
        let mut parts = date.split('/');
        let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
        let (time, zone) = rest.trim().rsplit_once(' ').unwrap_or((rest.trim(), "+00:00"));
        let (time, zone) =
            (time.trim(), if zone.contains(':') && zone.starts_with(['+', '-']) { zone } else { "+00:00" });
        format!("{year}-{month:0>2}-{day:0>2}T{time}{zone}").parse().ok()
    }
}

/// How long a token is believed of which nobody says how long it lasts.
const UNSAID: Duration = Duration::from_mins(1);
/// No token lasts longer here; what says so is not believed.
const LONGEST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests;
