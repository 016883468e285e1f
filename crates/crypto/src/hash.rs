//! SHA-256 (FIPS 180-4).

use aws_lc_rs::digest::{Context, SHA256};

/// 32 bytes of SHA-256.
pub type Digest = [u8; 32];

/// The hash of the parts, one behind the other. The parts must be length-prefixed by whoever calls, where their borders
/// matter.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

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
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        digest
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-1, for names that other programs make of it. It protects nothing.
#[must_use]
pub fn legacy_sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut sum = [0; 20];
    for (to, from) in sum.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    sum
}
