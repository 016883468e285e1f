//! SHA-256 (FIPS 180-4).

use std::io::{self, Read};

use aws_lc_rs::digest::{self, Context, SHA256};

/// 32 bytes of SHA-256.
pub type Digest = [u8; 32];

/// The hash of the parts, one behind the other. The parts must be length-prefixed by whoever calls, where their borders
/// matter.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Digest {
    // What is in one piece needs no context, which is allocated and costs more than the hash of a few blocks.
    if let [whole] = parts {
        return digest_of(&digest::digest(&SHA256, whole));
    }
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// SHA-256 of all that can be read.
///
/// # Errors
/// When it can't be read to its end.
pub fn sha256_of(file: &mut impl Read) -> io::Result<Digest> {
    let (mut hasher, mut buffer) = (Hasher::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Bytes of a file that are read at once.
const PIECE: usize = 64 << 10;

/// SHA-256 over data that comes in pieces.
pub struct Hasher(Context);

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        digest_of(&self.0.finish())
    }
}

/// A SHA-256 has 32 bytes.
fn digest_of(found: &digest::Digest) -> Digest {
    found.as_ref().first_chunk().copied().unwrap_or_default()
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-1, for names that other programs make of it. It protects nothing.
#[must_use]
pub fn legacy_sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut sum = [0; 20];
    for (to, from) in sum.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    sum
}

#[cfg(test)]
mod tests;
