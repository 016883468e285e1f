//! What bytes can be a credential. The same rule for our own store and for every source.

use memory::Secret;

use crate::error::Unfit;
use crate::mask::SHORTEST;

/// Proof that bytes can be lent as a credential.
#[derive(Debug)]
#[must_use]
pub(crate) struct Fit(());

/// Checks length and content of what a source gave.
pub(crate) fn check(secret: &Secret) -> Result<Fit, Unfit> {
    check_up_to(secret, LONGEST)
}

/// The same for our own store, which keeps whole documents of keys.
pub(crate) fn check_stored(secret: &Secret) -> Result<Fit, Unfit> {
    check_up_to(secret, LONGEST_STORED)
}

#[expect(clippy::disallowed_methods, reason = "looks for bytes that no header can carry")]
fn check_up_to(secret: &Secret, most: usize) -> Result<Fit, Unfit> {
    secret.expose(|bytes| check_bytes(bytes, most))
}

/// Where a secret will stand, as far as its bytes matter for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// In a header as it is (RFC 9110, section 5.5).
    InHeader,
    /// Anywhere else.
    Elsewhere,
}

impl Stands {
    /// Whether these bytes can stand there.
    ///
    /// # Errors
    /// [`Unfit::Header`].
    #[expect(clippy::disallowed_methods, reason = "looks for bytes that no header can carry")]
    pub fn check(self, secret: &Secret) -> Result<(), Unfit> {
        let fits = |bytes: &[u8]| bytes.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
        if self == Self::Elsewhere || secret.expose(fits) { Ok(()) } else { Err(Unfit::Header) }
    }
}

fn check_bytes(bytes: &[u8], most: usize) -> Result<Fit, Unfit> {
    if bytes.is_empty() {
        return Err(Unfit::Empty);
    }
    if bytes.len() > most {
        return Err(Unfit::Long);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unfit::Blank);
    }
    if bytes.contains(&0) {
        return Err(Unfit::Nul);
    }
    if bytes.len() < SHORTEST {
        return Err(Unfit::Short);
    }
    Ok(Fit(()))
}

/// Longest secret of a source, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
/// Longest secret in our own store: what the API for tenants takes.
pub(crate) const LONGEST_STORED: usize = 100_000;
