//! gRPC over HTTP/2: what is a call of it, and where its messages begin and end.
//!
//! See `PROTOCOL-HTTP2.md` of gRPC: a message is a byte that says whether it is compressed, four bytes of length, and so many
//! bytes.

use http::header::{CONTENT_TYPE, HeaderMap};

use crate::headers;

/// Whether a head speaks gRPC, in whichever encoding of its messages.
#[must_use]
pub fn is(head: &HeaderMap) -> bool {
    headers::all(head, &CONTENT_TYPE).any(|value| {
        let rest = value.as_bytes().strip_prefix(b"application/grpc");
        // Not `application/grpc-web`, which is another protocol.
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
    })
}

/// Follows the messages of a body.
#[derive(Debug, Default)]
pub struct Messages {
    head: [u8; 5],
    have: usize,
    left: u32,
}

/// The first bytes of what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// How many belong to the same message.
    pub bytes: usize,
    /// Whether the message ends with them.
    pub end: End,
}

/// Whether a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It goes on.
    No,
    /// It does; another one may follow.
    Yes,
}

/// A message that nobody can look into, or what is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a gRPC message is compressed, or malformed")]
pub struct Opaque;

impl Messages {
    /// How many of these bytes belong to one message. Called again with what is left, while there is something left.
    ///
    /// # Errors
    /// [`Opaque`]; nothing behind it can be looked into.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Stretch, Opaque> {
        let mut taken = 0;
        while self.have < self.head.len() {
            let (Some(byte), Some(place)) = (bytes.get(taken), self.head.get_mut(self.have)) else {
                return Ok(Stretch { bytes: taken, end: End::No });
            };
            *place = *byte;
            self.have += 1;
            taken += 1;
            if self.have == self.head.len() {
                let [compressed, length @ ..] = self.head;
                if compressed != 0 {
                    return Err(Opaque);
                }
                self.left = u32::from_be_bytes(length);
            }
        }
        let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - taken);
        self.left -= u32::try_from(here).unwrap_or(self.left);
        let end = if self.left == 0 { End::Yes } else { End::No };
        if end == End::Yes {
            self.have = 0;
        }
        Ok(Stretch { bytes: taken + here, end })
    }
}

#[cfg(test)]
mod tests;
