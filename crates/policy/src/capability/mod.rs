//! Capability tokens: `cap1_…`, an HMAC-SHA-256 chain over typed caveats that any holder can narrow offline.
//!
//! ```text
//! text   = "cap1_" base64url(body) "_" checksum        checksum: CRC-32 of all before its "_", 6 characters of base64url
//! body   = header block+ tag
//! header = u8 length, tenant · 16 bytes grant
//! block  = u16 length · 16 bytes narrowing · u8 count · caveats, ascending by their bytes
//! caveat = u8 kind · u16 length · content
//! tag    : t₀ = HMAC(root key, "doorward/cap/1" · header), tᵢ = HMAC(tᵢ₋₁, blockᵢ); the last one is the tag
//! ```
//!
//! The construction is that of macaroons (Birgisson et al., NDSS 2014) with a closed list of caveats instead of text. The
//! checksum finds mistyping and lets scanners find leaks; it proves nothing.
//!
//! # Invariants
//!
//! - One text for one token: what is not canonical is refused, so a revoked or cached text has no twin.
//! - Every block has a narrowing id of its own; no id comes twice in a chain.
//! - [`Verified`] exists only for a chain whose tag fits the root key.

mod token;
mod verified;
pub(crate) mod wire;

pub use token::{Block, Described, Token, mint};
pub use verified::{Verified, verify};

#[cfg(test)]
mod tests;
