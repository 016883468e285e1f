//! An entry in a keyring of the operating system as a key provider: Secret Service, `KWallet`, the kernel's keys, `pass`, and
//! the keyrings of macOS and Windows.
//!
//! The entry holds the home and its wrapping key in hex. Each change makes an entry of a new name, so that nothing that an
//! older copy of the home needs is ever overwritten. Whoever is signed in as this user may read it; that is what a keyring is.

use ::keyring::{Error as Ring, Item, Kind, Trust};
use memory::Secret;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use crate::source::{Environment, Setup, Trouble, desktop, pick};

/// One keyring.
struct OsKeyring {
    kind: Kind,
    environment: Environment,
}

/// The keyring that was chosen, such as `os-keyring:secret-service`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&[])?;
    let place = choice.place("the kind of the keyring")?;
    of(place, setup).map_err(|_| {
        Wrong::new(
            "the keyring is none of `secret-service`, `kwallet`, `keyctl`, `pass`, `keychain`, `wincred`",
        )
    })
}

/// The keyring of this kind.
pub(super) fn of(keyring: &str, setup: &Setup) -> Result<Box<dyn KeyProvider>, crate::Error> {
    let kind = keyring.parse::<Kind>().ok().filter(|kind| FIT.contains(kind));
    let kind = kind.ok_or_else(|| crate::Error::damaged("the kind of the keyring"))?;
    Ok(Box::new(Kept(OsKeyring { kind, environment: setup.environment.clone() })))
}

impl OsKeyring {
    fn opened(&self) -> Result<Box<dyn ::keyring::Keyring>, Trouble> {
        let mut settings = desktop::settings(&self.environment);
        settings.keychain.name = OURS.to_owned();
        settings.wincred.service = OURS.to_owned();
        settings.wincred.prefix = OURS.to_owned();
        settings.secret_service.collection = OURS.to_owned();
        // The wallet that KDE opens when somebody signs in; one of our own would ask for a password of its own.
        settings.kwallet.wallet = "kdewallet".to_owned();
        settings.kwallet.folder = OURS.to_owned();
        settings.keyctl.service = OURS.to_owned();
        ::keyring::open(self.kind, &settings).map_err(|error| desktop::trouble(&error))
    }
}

impl Keeps for OsKeyring {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let random = crypto::array::<8>().map_err(|_| Trouble::Wrong("the system has no random bytes"))?;
        let entry = format!("doorward-{home}-{}", crypto::to_hex(&random));
        let text = crypto::to_hex(payload.as_bytes()).into_bytes();
        let secret = Secret::new(text).map_err(|_| Trouble::Wrong("there is no guarded memory for it"))?;
        let label = format!("Doorward: key of the home {home}");
        let description = "opens a home of Doorward; without it only the recovery key does".to_owned();
        let item = Item { name: entry.clone(), secret, label, description, trust: Trust::Nobody };
        self.opened()?.set(item).map_err(|error| desktop::trouble(&error))?;
        Ok(Facts::OsKeyring { home: *home, keyring: self.kind.to_string(), entry })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::OsKeyring { entry, .. } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let item = self.opened()?.get(entry).map_err(|error| match error {
            Ring::NotFound { .. } => {
                Trouble::setting(format!("the keyring `{}` has no entry `{entry}`", self.kind))
            }
            error => desktop::trouble(&error),
        })?;
        let text = pick::plain(&item.secret);
        let text = std::str::from_utf8(&text).map_err(|_| Trouble::Wrong("the entry is not in hex"))?;
        crypto::from_hex(text.trim())
            .map(Zeroizing::new)
            .map_err(|_| Trouble::Wrong("the entry is not in hex"))
    }
}

pub(super) const NAME: &str = "os-keyring";
/// What our entries are put under.
const OURS: &str = "doorward";
/// Keyrings that open without a password of their own that somebody would have to type for us.
const FIT: [Kind; 6] =
    [Kind::SecretService, Kind::Kwallet, Kind::Keyctl, Kind::Pass, Kind::Keychain, Kind::Wincred];
