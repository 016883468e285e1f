//! A passphrase as a key provider: stretched with Argon2id. Salt and cost are authenticated with every wrapped key.

use crypto::Cost;
use memory::Secret;

use super::{Facts, HomeId, KeyProvider, KeyWrap};
use crate::Error;

/// A passphrase that somebody typed.
pub struct Passphrase {
    text: Secret,
    cost: Cost,
}

impl Passphrase {
    /// A passphrase at the usual cost: about half a second.
    #[must_use]
    pub const fn new(text: Secret) -> Self {
        Self { text, cost: Cost::USUAL }
    }

    /// The same at another cost for what it wraps anew. Below [`Cost::FLOOR`] nothing is accepted.
    #[must_use]
    pub const fn at(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

impl KeyProvider for Passphrase {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self, _home: &HomeId) -> Result<Facts, Error> {
        let Cost { memory, passes, lanes } = self.cost;
        let salt = crypto::to_hex(&crypto::array::<32>()?);
        Ok(Facts::Passphrase { salt, memory, passes, lanes })
    }

    #[expect(clippy::disallowed_methods, reason = "stretches the passphrase to a key")]
    fn ready(&self, facts: &Facts) -> Result<Box<dyn KeyWrap>, Error> {
        let Facts::Passphrase { salt, memory, passes, lanes } = facts else {
            return Err(Error::Unlock(NAME));
        };
        let wrong = || Error::damaged("the salt of the passphrase");
        let salt: [u8; 32] = crypto::from_hex(salt).map_err(|_| wrong())?.try_into().map_err(|_| wrong())?;
        let cost = Cost { memory: *memory, passes: *passes, lanes: *lanes };
        // An empty passphrase would wrap the keys with public facts alone.
        if self.text.is_empty() {
            return Err(Error::Unlock(NAME));
        }
        let key = self.text.expose(|text| crypto::stretch(text, &salt, cost))?;
        Ok(Box::new(key))
    }
}

pub(super) const NAME: &str = "passphrase";
