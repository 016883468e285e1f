//! The envelope: a wrapping key wraps data keys, a data key seals records.
//!
//! ```text
//! data key ─ HKDF-SHA-512(salt: 32 random bytes per record) ─┬─ 32 bytes: AES-256-GCM key, used for this record only
//!                                                            └─ 32 bytes: key commitment, stored and compared first
//! AAD = each of format, tenant, subject, extra length-prefixed, then version and kind
//! ```
//!
//! A key of its own per record removes the question of nonces; the commitment makes a ciphertext open under one key only
//! (AES-GCM alone doesn't commit: Dodis, Grubbs, Ristenpart, Woodage, 2018); the AAD binds it to its row.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};
use memory::Secret;
use zeroize::Zeroizing;

use crate::{Error, compare, random};

/// What kind of thing is sealed; one of the parts that a ciphertext is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A secret of a tenant.
    Secret = 1,
    /// A data key.
    Key = 2,
    /// A key of the house itself: capability roots, evidence, TLS.
    House = 3,
}

/// Where a ciphertext belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The secret's name, or what the key is for.
    pub subject: &'a str,
    /// The version of the secret or key.
    pub version: u64,
    /// What kind of thing it is.
    pub kind: Kind,
}

impl Place<'_> {
    fn aad(&self, extra: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(64 + self.tenant.len() + self.subject.len() + extra.len());
        for part in [FORMAT, self.tenant.as_bytes(), self.subject.as_bytes(), extra] {
            aad.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            aad.extend_from_slice(part);
        }
        aad.extend_from_slice(&self.version.to_be_bytes());
        aad.push(self.kind as u8);
        aad
    }
}

/// A ciphertext: format byte, salt (32), commitment (32), AES-256-GCM output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The ciphertext of stored bytes. Whether it opens is seen when it is opened.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A wrapped key is sealed in the same way.
pub type Wrapped = Sealed;

/// A tenant's data key. Cannot be cloned, printed or compared.
pub struct DataKey(Zeroizing<[u8; 32]>);

/// A key that wraps data keys: stretched from a passphrase, read from a key file, or held by a key provider.
pub struct WrapKey(Zeroizing<[u8; 32]>);

// === impl DataKey ===

impl DataKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self(Zeroizing::new(random::array()?)))
    }

    /// Seals plaintext for one place.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn seal(&self, plain: &[u8], place: &Place<'_>) -> Result<Sealed, Error> {
        seal(&self.0, plain, &place.aad(b""))
    }

    /// Opens what [`Self::seal`] gave for the same place, into guarded memory.
    ///
    /// # Errors
    /// [`Error::Open`] when anything differs.
    pub fn open(&self, sealed: &Sealed, place: &Place<'_>) -> Result<Secret, Error> {
        open(&self.0, sealed, &place.aad(b""))
    }
}

// === impl WrapKey ===

impl WrapKey {
    /// A wrapping key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh random key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, Error> {
        random::array().map(Self::new)
    }

    /// Wraps a data key for one place. `extra` is authenticated with it: the parameters that led to this key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn wrap(&self, key: &DataKey, place: &Place<'_>, extra: &[u8]) -> Result<Wrapped, Error> {
        seal(&self.0, &*key.0, &place.aad(extra))
    }

    /// Unwraps what [`Self::wrap`] gave.
    ///
    /// # Errors
    /// [`Error::Open`] when the key is another one, or anything was changed.
    #[expect(clippy::disallowed_methods, reason = "moves an unwrapped data key into its own type")]
    pub fn unwrap(&self, wrapped: &Wrapped, place: &Place<'_>, extra: &[u8]) -> Result<DataKey, Error> {
        let opened = open(&self.0, wrapped, &place.aad(extra))?;
        let bytes = opened.expose(|bytes| <[u8; 32]>::try_from(bytes).map(Zeroizing::new));
        bytes.map(DataKey).map_err(|_| Error::Malformed("the wrapped key"))
    }

    /// Lends the key's bytes, for writing a key file or showing a recovery key once.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        use_it(&self.0)
    }
}

// === the construction ===

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The record's own key and its commitment.
fn derive(key: &[u8; 32], salt: &[u8]) -> Result<(Zeroizing<[u8; 32]>, [u8; 32]), Error> {
    let mut both = Zeroizing::new([0_u8; 64]);
    Salt::new(HKDF_SHA512, salt)
        .extract(key)
        .expand(&[INFO], Length(both.len()))
        .and_then(|okm| okm.fill(&mut *both))
        .map_err(|_| Error::Malformed("the key"))?;
    let (cipher, commitment) = both.split_at(32);
    let cipher = <[u8; 32]>::try_from(cipher).map_err(|_| Error::Malformed("the key"))?;
    let commitment = <[u8; 32]>::try_from(commitment).map_err(|_| Error::Malformed("the key"))?;
    Ok((Zeroizing::new(cipher), commitment))
}

fn seal(key: &[u8; 32], plain: &[u8], aad: &[u8]) -> Result<Sealed, Error> {
    let salt: [u8; SALT] = random::array()?;
    let (cipher, commitment) = derive(key, &salt)?;
    let mut out = Vec::with_capacity(HEAD + plain.len() + TAG);
    out.push(VERSION);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&commitment);
    // Reserved beforehand, so that the plaintext is never left behind by a growing vector.
    out.extend_from_slice(plain);
    let key =
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*cipher).map_err(|_| Error::Malformed("the key"))?);
    let body = out.get_mut(HEAD..).ok_or(Error::Open)?;
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(ZERO), Aad::from(aad), body)
        .map_err(|_| Error::Open)?;
    out.extend_from_slice(tag.as_ref());
    Ok(Sealed(out))
}

fn open(key: &[u8; 32], sealed: &Sealed, aad: &[u8]) -> Result<Secret, Error> {
    let (version, rest) = sealed.0.split_first().ok_or(Error::Open)?;
    let (salt, rest) = rest.split_at_checked(SALT).ok_or(Error::Open)?;
    let (commitment, body) = rest.split_at_checked(32).ok_or(Error::Open)?;
    let length = body.len().checked_sub(TAG).ok_or(Error::Open)?;
    if *version != VERSION {
        return Err(Error::Open);
    }
    let (cipher, expected) = derive(key, salt)?;
    let _committed = compare::same(&expected, commitment).map_err(|_| Error::Open)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*cipher).map_err(|_| Error::Open)?);
    let (text, tag) = body.split_at_checked(length).ok_or(Error::Open)?;
    Secret::try_filled(length, |to| {
        // Decrypts straight into guarded memory: the plaintext exists nowhere else.
        key.open_separate_gather(Nonce::assume_unique_for_key(ZERO), Aad::from(aad), text, tag, to)
            .map_err(|_| Error::Open)
    })
}

const FORMAT: &[u8] = b"doorward/envelope/1";
const INFO: &[u8] = b"doorward/envelope/1/record";
const VERSION: u8 = 1;
const SALT: usize = 32;
const TAG: usize = 16;
const HEAD: usize = 1 + SALT + 32;
/// Each record has a key of its own, used once, so the nonce carries no information.
const ZERO: [u8; 12] = [0; 12];

#[cfg(test)]
mod tests;
