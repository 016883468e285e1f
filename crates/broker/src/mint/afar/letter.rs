//! One message between a program and the broker: a head of JSON, and the secrets that belong to it beside it.
//!
//! ```text
//! u32 length of all that follows · u32 length of the head · head · for each secret: u32 length · bytes     (big-endian)
//! ```
//!
//! # Invariants
//!
//! - No secret is in the JSON: each goes from guarded memory into the frame and from the frame into guarded memory, and the
//!   frame is wiped.
//! - A frame is bounded, and its parts fill it exactly: what is left over or missing is a mistake.

use std::io::{self, Read};

use memory::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// A message, as it came.
pub(super) struct Letter {
    head: Vec<u8>,
    enclosed: std::vec::IntoIter<Secret>,
}

/// A secret on its way into a message.
#[derive(Clone, Copy)]
pub(super) enum Enclosed<'a> {
    /// From guarded memory.
    Secret(&'a Secret),
    /// A text that is wiped by its owner.
    Text(&'a str),
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    /// The connection ended or failed.
    #[error("the connection ended")]
    Io(#[from] io::Error),
    /// It is longer than any message.
    #[error("a message of {0} bytes is longer than any is")]
    TooLong(usize),
    /// It can't be read.
    #[error("a message can't be read: {0}")]
    Form(String),
    /// No guarded memory for a secret in it.
    #[error("a secret could not be kept in memory")]
    Memory(#[from] memory::Error),
}

impl Enclosed<'_> {
    #[expect(clippy::disallowed_methods, reason = "the one place where a secret goes into a frame")]
    fn lend<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Secret(secret) => secret.expose(use_it),
            Self::Text(text) => use_it(text.as_bytes()),
        }
    }
}

/// The bytes of a message. They are wiped when they are dropped.
pub(super) fn sealed(
    head: &impl Serialize,
    enclosed: &[Enclosed<'_>],
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let head = serde_json::to_vec(head).map_err(|error| Malformed::Form(error.to_string()))?;
    let secrets: usize = enclosed.iter().map(|one| WORD + one.lend(<[u8]>::len)).sum();
    let whole = WORD + head.len() + secrets;
    if whole > LONGEST {
        return Err(Malformed::TooLong(whole));
    }
    // All the room at once: a buffer that grows leaves parts of what was in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(WORD + whole));
    bytes.extend_from_slice(&word(whole));
    bytes.extend_from_slice(&word(head.len()));
    bytes.extend_from_slice(&head);
    for one in enclosed {
        one.lend(|secret| {
            bytes.extend_from_slice(&word(secret.len()));
            bytes.extend_from_slice(secret);
        });
    }
    Ok(bytes)
}

impl Letter {
    /// Waits for a message.
    pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> Result<Self, Malformed> {
        let mut length = [0; WORD];
        from.read_exact(&mut length).await?;
        let mut bytes = room(length)?;
        from.read_exact(&mut bytes).await?;
        Self::open(&bytes)
    }

    /// The same for a thread that may wait.
    pub(super) fn read(from: &mut impl Read) -> Result<Self, Malformed> {
        let mut length = [0; WORD];
        from.read_exact(&mut length)?;
        let mut bytes = room(length)?;
        from.read_exact(&mut bytes)?;
        Self::open(&bytes)
    }

    fn open(bytes: &[u8]) -> Result<Self, Malformed> {
        let short = || Malformed::Form("it ends in the middle".to_owned());
        let mut rest = bytes;
        let head = part(&mut rest).ok_or_else(short)?.to_vec();
        let mut enclosed = Vec::new();
        while !rest.is_empty() {
            enclosed.push(Secret::new(part(&mut rest).ok_or_else(short)?.to_vec())?);
        }
        Ok(Self { head, enclosed: enclosed.into_iter() })
    }

    /// The head as what it has to be.
    pub(super) fn head<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_slice(&self.head).map_err(|error| Malformed::Form(error.to_string()))
    }

    /// The next secret in the message.
    pub(super) fn secret(&mut self) -> Result<Secret, Malformed> {
        self.enclosed.next().ok_or_else(|| Malformed::Form("a secret is missing in it".to_owned()))
    }

    /// The next secret in the message, as a text that is wiped.
    #[expect(clippy::disallowed_methods, reason = "a code or the address of a proxy is text")]
    pub(super) fn text(&mut self) -> Result<Zeroizing<String>, Malformed> {
        let text =
            self.secret()?.expose(|bytes| str::from_utf8(bytes).map(|text| Zeroizing::new(text.to_owned())));
        text.map_err(|_| Malformed::Form("a secret in it is not text".to_owned()))
    }

    /// That everything that came was taken.
    pub(super) fn done(mut self) -> Result<(), Malformed> {
        match self.enclosed.next() {
            None => Ok(()),
            Some(_) => Err(Malformed::Form("there is more in it than it says".to_owned())),
        }
    }
}

/// Takes the next part off a frame.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<WORD>()?;
    let (part, left) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = left;
    Some(part)
}

fn room(length: [u8; WORD]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST { Err(Malformed::TooLong(length)) } else { Ok(Zeroizing::new(vec![0; length])) }
}

fn word(length: usize) -> [u8; WORD] {
    // Never more than `LONGEST`.
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

const WORD: usize = 4;
/// A keyring with ten thousand sessions has a megabyte of names.
const LONGEST: usize = 4 << 20;

#[cfg(test)]
mod tests;
