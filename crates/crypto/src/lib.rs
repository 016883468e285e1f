//! Our one use of the crypto library: random bytes, hashes, HMAC chains, signatures, key derivation, the envelope.
//!
//! Nothing here decides what is encrypted, or for whom; the crates above do. All primitives come from aws-lc-rs (and
//! Argon2id from the crate `argon2`); what is ours is the composition, and each one names its source.
//!
//! # Invariants
//!
//! - Keys are wiped on drop and cannot be cloned, printed or compared.
//! - Every comparison of a secret is constant-time and returns a proof, not a `bool`.
//! - A ciphertext is bound to where it belongs ([`Place`]) and to one key (key commitment), so that it opens nowhere else.
//!
//! ```
//! let key = crypto::MacKey::generate()?;
//! let tag = key.tag(&[b"hello"]);
//! assert!(key.verify(&[b"hello"], &tag).is_ok());
//! # Ok::<(), crypto::Error>(())
//! ```

mod compare;
mod der;
mod envelope;
mod error;
mod hash;
mod hmac;
pub mod jwe;
pub mod jws;
mod mac;
mod md5;
pub mod otp;
mod passphrase;
mod peer;
mod random;
mod rsa;
mod sign;
pub mod sigv4;
mod text;
mod token_key;

pub use compare::{Same, same};
pub use envelope::{DataKey, Kind, Place, Sealed, WrapKey, Wrapped};
pub use error::Error;
pub use hash::{Digest, Hasher, legacy_sha1, sha256, sha256_of};
pub use hmac::{HmacHash, hmac};
pub use mac::{Authentic, MacKey, Tag, chain};
pub use md5::legacy_md5;
pub use passphrase::{Cost, stretch};
pub use peer::{open_aes256_gcm, seal_aes256_gcm};
pub use random::{array, fill};
pub use rsa::{RsaKey, certificate_of_pem};
pub use sign::{PublicKey, Signature, SigningKey, Verified};
pub use text::{checksum, from_base64, from_base64url, from_hex, to_base64, to_base64url, to_hex};
pub use token_key::{TokenKey, TokenSignature};
