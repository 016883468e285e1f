//! Providers that keep one wrapping key of the home: they are asked once to seal it and once with each unlocking, and
//! everything below goes on without them.

use super::facts::Facts;
use super::home_id::HomeId;
use super::payload::Payload;
use super::{KeyProvider, KeyWrap};
use crate::Error;
use crate::source::Trouble;

use std::sync::Arc;
use zeroize::Zeroizing;

/// A place that seals the wrapping key of a home.
pub(super) trait Keeps: Send + Sync {
    /// Its name in settings.
    fn name(&self) -> &'static str;

    /// Seals it, bound to the home as far as the place can do that; the facts say how it is opened again.
    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble>;

    /// Opens it again.
    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble>;
}

/// Such a place as a key provider.
pub(super) struct Kept<P>(pub(super) P);

impl<P: Keeps> Kept<P> {
    fn failed(&self, why: Trouble) -> Error {
        Error::Provider { provider: self.0.name(), why: Arc::new(why) }
    }
}

impl<P: Keeps> KeyProvider for Kept<P> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn facts(&self, home: &HomeId) -> Result<Facts, Error> {
        self.0.seal(&Payload::fresh(home)?, home).map_err(|why| self.failed(why))
    }

    fn ready(&self, facts: &Facts) -> Result<Box<dyn KeyWrap>, Error> {
        let Some(home) = facts.home().filter(|_| facts.provider() == self.0.name()) else {
            return Err(Error::Unlock(self.0.name()));
        };
        let opened = self.0.open(facts).map_err(|why| self.failed(why))?;
        let key = Payload::key(&opened, home).map_err(|why| self.failed(why))?;
        Ok(Box::new(key))
    }
}
