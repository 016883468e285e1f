//! `keyctl`: the keys that the Linux kernel keeps for a user (keyrings(7)), until the machine restarts.
//!
//! An entry is a key of the type `user` in the user's keyring, described as `aws-vault:NAME` with `;` and `%`
//! percent-encoded, whose payload is the bare bytes. Where the user's keyring can't be used, as in some containers, the one of the session is.

use std::fmt::Display;

use linux_keyutils::{
    Key, KeyError, KeyPermissions, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission,
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::parts::{About, Cells};
use crate::{Error, Kind, Settings};

/// A keyring of the kernel.
#[derive(Debug)]
pub(crate) struct Keys {
    ring: KeyRing,
    prefix: String,
}

impl Keys {
    /// Takes the user's keyring, or the session's, whichever keeps a key that is put there and gives it back.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let prefix = format!("{}:", settings.keyctl.service);
        let mut met = None;
        for ring in [user_ring(), KeyRing::from_special_id(KeyRingIdentifier::Session, true)] {
            let tried = ring.map_err(|error| unavailable(&error)).and_then(|ring| {
                let keys = Self { ring, prefix: prefix.clone() };
                keys.tried()?;
                Ok(keys)
            });
            match tried {
                Ok(keys) => return Ok(keys),
                Err(error) => met = met.or(Some(error)),
            }
        }
        Err(met.unwrap_or_else(|| Error::unavailable(KIND, "there is no keyring")))
    }

    /// Puts a key there and reads it: whether that works depends on how the session was started, and only trying tells.
    fn tried(&self) -> Result<(), Error> {
        let random = crypto::array::<8>().map_err(|source| Error::Crypto { kind: KIND, source })?;
        let description = format!("doorward-probe:{}", crypto::to_hex(&random));
        let key = self.add(&description, b"?").map_err(|error| unavailable(&error))?;
        let read = key.read_to_vec();
        let _ = self.ring.unlink_key(key);
        read.map(drop).map_err(|error| unavailable(&error))
    }

    fn add(&self, description: &str, bytes: &[u8]) -> Result<Key, KeyError> {
        let key = self.ring.add_key(description, bytes)?;
        // By default only who has reached the key from its session may read it; another session of this user may, too.
        let _ = key.set_perms(permissions());
        Ok(key)
    }

    fn description(&self, cell: &str) -> String {
        format!("{}{}", self.prefix, utf8_percent_encode(cell, ESCAPED))
    }

    fn find(&self, cell: &str) -> Result<Option<Key>, Error> {
        match self.ring.search(&self.description(cell)) {
            Ok(key) => Ok(Some(key)),
            Err(error) if is_gone(error) => Ok(None),
            Err(error) => Err(failed("look for an entry", &error)),
        }
    }
}

impl Cells for Keys {
    fn kind(&self) -> Kind {
        KIND
    }

    fn most(&self) -> usize {
        MOST
    }

    fn read(&self, cell: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(key) = self.find(cell)? else { return Ok(None) };
        match key.read_to_vec() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if is_gone(error) => Ok(None),
            Err(error) => Err(failed("read an entry", &error)),
        }
    }

    fn write(&self, cell: &str, bytes: &[u8], _about: About<'_>) -> Result<(), Error> {
        // A key has at least one byte, so no bytes are written as one that stands for none.
        let bytes = if bytes.is_empty() { EMPTY } else { bytes };
        self.add(&self.description(cell), bytes).map(drop).map_err(|error| failed("store an entry", &error))
    }

    fn erase(&self, cell: &str) -> Result<(), Error> {
        let key = self.find(cell)?.ok_or_else(|| Error::missing(KIND, cell))?;
        match self.ring.unlink_key(key) {
            Ok(()) => Ok(()),
            Err(error) if is_gone(error) => Err(Error::missing(KIND, cell)),
            Err(error) => Err(failed("remove an entry", &error)),
        }
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        let links = self.ring.get_links(MOST_KEYS).map_err(|error| failed("list its entries", &error))?;
        let mut names = Vec::new();
        for key in links.iter().filter_map(linux_keyutils::LinkNode::as_key) {
            // One that was removed meanwhile has no description.
            let Ok(seen) = key.metadata() else { continue };
            let name = seen.get_description().strip_prefix(&self.prefix);
            if let Some(Ok(name)) = name.map(|name| percent_decode_str(name).decode_utf8()) {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    fn meant(&self, mut whole: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        if *whole == EMPTY {
            whole.clear();
        }
        whole
    }
}

/// The user's keyring, reachable from this session: without the link its keys can't be read.
fn user_ring() -> Result<KeyRing, KeyError> {
    let ring = KeyRing::from_special_id(KeyRingIdentifier::User, true)?;
    if let Ok(session) = KeyRing::from_special_id(KeyRingIdentifier::Session, true) {
        let _ = session.link_keyring(ring);
    }
    Ok(ring)
}

fn permissions() -> KeyPermissions {
    KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build()
}

const fn is_gone(error: KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked)
}

fn unavailable(error: &KeyError) -> Error {
    Error::unavailable(KIND, format!("the kernel says {}", said(error)))
}

fn failed(what: &'static str, error: &KeyError) -> Error {
    let said = match error {
        KeyError::QuotaExceeded => "the kernel keeps no more keys for this user".to_owned(),
        other => said(other),
    };
    Error::refused(KIND, what, &said)
}

fn said(error: &impl Display) -> String {
    format!("`{error}`")
}

const KIND: Kind = Kind::Keyctl;
/// The kernel lists a key as fields with `;` between them.
const ESCAPED: &AsciiSet = &CONTROLS.add(b';').add(b'%');
/// The kernel takes 32,767 bytes.
const MOST: usize = 32_000;
/// What stands for no bytes.
const EMPTY: &[u8] = b"\0doorward-empty";
/// More than the kernel keeps for anybody: the list is read at once.
const MOST_KEYS: usize = 1_048_576;
