//! Signatures of a body that is sent in chunks: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` of Amazon S3.
//!
//! Each chunk's signature covers the one before it, the first covers the signature of the request, and an empty chunk is
//! the last; so no chunk can be dropped, moved or added.

use super::key::ScopedKey;
use crate::{Error, Same, compare, from_hex, sha256, to_hex};

/// Signs the chunks of one body, or checks them, in their order.
pub struct Chunks {
    key: ScopedKey,
    date: String,
    previous: String,
}

impl Chunks {
    pub(super) const fn new(key: ScopedKey, date: String, seed: String) -> Self {
        Self { key, date, previous: seed }
    }

    /// What stands in front of the next chunk on the wire: its length, its signature, an end of line. Behind the chunk
    /// stands another end of line. A body ends with an empty chunk.
    #[must_use]
    pub fn head(&mut self, chunk: &[u8]) -> String {
        format!("{:x};chunk-signature={}\r\n", chunk.len(), self.next(chunk))
    }

    /// Checks the signature of the next chunk, in hex.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not hex, [`Error::Forged`] when it does not fit. The body must be refused then.
    pub fn verify(&mut self, chunk: &[u8], signature: &str) -> Result<Same, Error> {
        let claimed = from_hex(signature)?;
        let expected = from_hex(&self.next(chunk))?;
        compare::same(&expected, &claimed)
    }

    fn next(&mut self, chunk: &[u8]) -> String {
        let lines = [
            "AWS4-HMAC-SHA256-PAYLOAD",
            &self.date,
            &self.key.scope.to_string(),
            &self.previous,
            &to_hex(&sha256(&[])),
            &to_hex(&sha256(&[chunk])),
        ];
        self.previous = to_hex(&self.key.tag(&lines));
        self.previous.clone()
    }

    /// The `Content-Length` of a body of `decoded` bytes that is sent in chunks of `size` bytes, the last empty one
    /// included; `None` where that is too large a number, or `size` is zero.
    #[must_use]
    pub fn encoded_length(decoded: u64, size: u64) -> Option<u64> {
        let full = decoded.checked_div(size)?;
        let rest = decoded % size;
        let mut total = full.checked_mul(framed(size)?)?;
        if rest > 0 {
            total = total.checked_add(framed(rest)?)?;
        }
        total.checked_add(framed(0)?)
    }
}

/// A chunk with what stands around it.
fn framed(length: u64) -> Option<u64> {
    let digits = u64::from(length.checked_ilog(16).unwrap_or(0) + 1);
    length.checked_add(digits + SIGNATURE + 2)
}

/// `;chunk-signature=`, 64 digits, an end of line.
const SIGNATURE: u64 = 17 + 64 + 2;
