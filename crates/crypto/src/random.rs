//! Random bytes from the system.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::Error;

/// Fills `bytes` with random ones.
///
/// # Errors
/// When the system has none to give.
pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| Error::Random)
}

/// `N` random bytes.
///
/// # Errors
/// When the system has none to give.
pub fn array<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}
