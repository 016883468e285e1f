//! A form of others that the product only reads: what a nonce and AES-256-GCM hold. What is ours is sealed in the envelope.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::Error;

/// Opens `nonce || ciphertext || tag`, with a nonce of 12 bytes and nothing else authenticated.
///
/// # Errors
/// [`Error::Open`] when the key is another one, or the bytes were changed or are too few.
pub fn open_aes256_gcm(key: &[u8; 32], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Error::Open)?;
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Open)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length =
        LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut plain).map_err(|_| Error::Open)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// The other direction, for tests of what reads the form: nothing of ours is kept in it.
///
/// # Errors
/// [`Error::Random`] when the system has no random bytes.
pub fn seal_aes256_gcm(key: &[u8; 32], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce = crate::random::array::<NONCE_LEN>()?;
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Open)?;
    let mut sealed = nonce.to_vec();
    let mut body = plain.to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body)
        .map_err(|_| Error::Open)?;
    sealed.append(&mut body);
    Ok(sealed)
}

#[cfg(test)]
mod tests;
