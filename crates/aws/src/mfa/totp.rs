//! Codes made of a stored seed (RFC 6238), so that nobody has to be asked.
//!
//! A seed beside the key turns two factors into one; whoever stores it decided that. The documents say so.
//!
//! # Invariants
//!
//! - The key is in guarded memory from the moment when it was read, and lent only to make a code.
//! - Parameters of an `otpauth://` address that are unknown or twice there are refused, because a code made with other
//!   parameters than were meant locks the device.

use std::sync::Arc;

use crypto::otp::{self, Algorithm, Digits};
use memory::Secret;
use model::{Clock, Timestamp};

use super::{Code, Driver, Error, Prompt, Question};

/// What a device was set up with.
pub struct Seed {
    key: Secret,
    algorithm: Algorithm,
    digits: Digits,
    period: u64,
}

impl Seed {
    /// Reads a stored seed: base 32 as AWS shows it, or an `otpauth://totp/…` address
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    ///
    /// # Errors
    /// [`Error::Seed`] for anything else; what was stored is not repeated.
    pub fn read(stored: &Secret) -> Result<Self, Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "reads the key for one-time codes into guarded memory of its own"
        )]
        stored.expose(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| Error::Seed("it is not text"))?.trim();
            match text.split_once("://") {
                None => Self::keyed(text.as_bytes()),
                Some((scheme, rest)) if scheme.eq_ignore_ascii_case("otpauth") => Self::of_address(rest),
                Some(_) => Err(Error::Seed("it is another kind of address than otpauth")),
            }
        })
    }

    /// The code at a moment.
    ///
    /// # Errors
    /// [`Error::Totp`] when the key is too short.
    pub fn code_at(&self, now: Timestamp) -> Result<Code, Error> {
        let seconds = now.millis() / 1000;
        #[expect(clippy::disallowed_methods, reason = "makes a one-time code of its key")]
        let code = self.key.expose(|key| otp::totp(key, seconds, self.period, self.algorithm, self.digits));
        Code::read(code.map_err(Error::Totp)?.as_bytes())
    }

    /// When the code after that of `now` begins. AWS takes a code once, so a second one has to wait for it.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Timestamp {
        let step = self.period.saturating_mul(1000);
        let current = now.millis().checked_div(step).unwrap_or(0);
        Timestamp::from_millis(current.saturating_add(1).saturating_mul(step))
    }

    fn keyed(base32: &[u8]) -> Result<Self, Error> {
        let mut bytes = otp::from_base32(base32).map_err(|_| Error::Seed("the key is not base 32"))?;
        if bytes.len() < SHORTEST_KEY {
            return Err(Error::Seed("the key is shorter than ten bytes"));
        }
        let key = Secret::new(std::mem::take(&mut *bytes))
            .map_err(|_| Error::Seed("there is no guarded memory left for it"))?;
        Ok(Self { key, algorithm: Algorithm::default(), digits: Digits::default(), period: 30 })
    }

    /// What stands behind `otpauth://`.
    fn of_address(rest: &str) -> Result<Self, Error> {
        let (kind, parameters) = rest.split_once('?').ok_or(Error::Seed("the address has no secret"))?;
        let kind = kind.split('/').next().unwrap_or_default();
        if !kind.eq_ignore_ascii_case("totp") {
            return Err(Error::Seed("it is not for codes by time"));
        }
        let parameters = Parameters::read(parameters.split('#').next().unwrap_or_default())?;
        let Parameters { secret, algorithm, digits, period } = parameters;
        let secret = secret.ok_or(Error::Seed("the address has no secret"))?;
        let mut seed = Self::keyed(secret.as_bytes())?;
        seed.algorithm = algorithm.map_or(Ok(seed.algorithm), hash)?;
        seed.digits = match digits {
            None => seed.digits,
            Some(text) => text
                .parse()
                .ok()
                .and_then(Digits::of)
                .ok_or(Error::Seed("its number of digits is not 6, 7 or 8"))?,
        };
        seed.period = match period {
            None => seed.period,
            Some(text) => text
                .parse()
                .ok()
                .filter(|period| (1..=LONGEST_PERIOD).contains(period))
                .ok_or(Error::Seed("its period is not a number of seconds"))?,
        };
        Ok(seed)
    }
}

/// Makes codes of a seed by the clock.
pub struct Totp {
    seed: Seed,
    clock: Arc<dyn Clock>,
}

impl Totp {
    /// Codes of this seed.
    #[must_use]
    pub fn new(seed: Seed, clock: Arc<dyn Clock>) -> Self {
        Self { seed, clock }
    }
}

impl Prompt for Totp {
    fn name(&self) -> &'static str {
        Driver::Totp.name()
    }

    fn ask(&self, _: &Question<'_>) -> Result<Code, Error> {
        self.seed.code_at(self.clock.now())
    }
}

/// The parameters of an address, as written. The secret needs no decoding: base 32 and `=` have nothing to escape but the
/// padding, which is stripped in its escaped form.
#[derive(Default)]
struct Parameters<'a> {
    secret: Option<&'a str>,
    algorithm: Option<&'a str>,
    digits: Option<&'a str>,
    period: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn read(text: &'a str) -> Result<Self, Error> {
        let mut found = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or(Error::Seed("the address has a parameter without value"))?;
            let slot = match name {
                "secret" => &mut found.secret,
                "algorithm" => &mut found.algorithm,
                "digits" => &mut found.digits,
                "period" => &mut found.period,
                // Names for people; they have no part in the code.
                "issuer" | "image" => continue,
                _ => return Err(Error::Seed("the address has an unknown parameter")),
            };
            if slot.replace(value).is_some() {
                return Err(Error::Seed("the address has a parameter twice"));
            }
        }
        found.secret = found.secret.map(|secret| secret.trim_end_matches("%3D").trim_end_matches("%3d"));
        Ok(found)
    }
}

fn hash(name: &str) -> Result<Algorithm, Error> {
    let known = [("SHA1", Algorithm::Sha1), ("SHA256", Algorithm::Sha256), ("SHA512", Algorithm::Sha512)];
    let found = known.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    found.map(|(_, algorithm)| *algorithm).ok_or(Error::Seed("its algorithm is not SHA1, SHA256 or SHA512"))
}

const SHORTEST_KEY: usize = 10;
const LONGEST_PERIOD: u64 = 3600;

#[cfg(test)]
mod tests;
