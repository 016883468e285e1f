//! Signed notes as <https://c2sp.org/signed-note> describes them, with one Ed25519 signature.
//!
//! ```text
//! text, ending with a line feed
//!
//! — NAME BASE64(key hash (4) ‖ signature (64))
//! ```

use crypto::{Digest, PublicKey, SigningKey, from_base64, sha256, to_base64, to_hex};

use crate::{Error, Wrong};

/// The name under which a key signs. Without white space and `+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Box<str>);

impl Origin {
    /// Reads an origin such as `doorward.example/ops`.
    ///
    /// # Errors
    /// When it is empty, longer than 255 bytes, or has white space, control characters or `+`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::new(text.to_owned())
    }

    pub(crate) fn new(text: String) -> Result<Self, Error> {
        let wrong = text.is_empty()
            || text.len() > 255
            || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        if wrong { Err(Error::Origin(text.escape_debug().to_string())) } else { Ok(Self(text.into())) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key as others write it down: `NAME+HASH+BASE64(1 ‖ key)`.
#[must_use]
pub fn verifier_key(origin: &Origin, key: &PublicKey) -> String {
    let typed: Vec<u8> = std::iter::once(ED25519).chain(*key.as_bytes()).collect();
    format!("{}+{}+{}", origin.0, to_hex(&key_hash(&origin.0, key)), to_base64(&typed))
}

/// Signs a text that ends with a line feed.
#[must_use]
pub(crate) fn sign(text: &str, origin: &Origin, key: &SigningKey) -> String {
    let mut bytes = key_hash(&origin.0, &key.public()).to_vec();
    bytes.extend_from_slice(&key.sign(text.as_bytes()));
    format!("{text}\n{DASH}{} {}\n", origin.0, to_base64(&bytes))
}

/// The text of a note, and the name that signed it; exactly one signature, of this key.
pub(crate) fn open<'a>(note: &'a str, key: &PublicKey) -> Result<(&'a str, &'a str), Wrong> {
    let form = Wrong::Format("a note");
    let (text, signature) = note.rsplit_once("\n\n").ok_or(form)?;
    // The text keeps its last line feed: it is signed.
    let text = note.get(..=text.len()).ok_or(form)?;
    let (name, value) =
        signature.strip_prefix(DASH).and_then(|line| line.strip_suffix('\n')?.split_once(' ')).ok_or(form)?;
    let value = from_base64(value).map_err(|_| form)?;
    let (hash, value) = value.split_at_checked(4).ok_or(form)?;
    if hash != key_hash(name, key) {
        return Err(Wrong::Signature);
    }
    let _verified = key.verify(text.as_bytes(), value).map_err(|_| Wrong::Signature)?;
    Ok((text, name))
}

fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash: Digest = sha256(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

const ED25519: u8 = 1;
const DASH: &str = "— ";

#[cfg(test)]
mod tests;
