//! What bytes can be a credential. The same rule for our own store and for every source.

use memory::Secret;

use crate::error::Unfit;
use crate::mask::SHORTEST;

/// Proof that bytes can be lent as a credential.
#[derive(Debug)]
#[must_use]
pub(crate) struct Fit(());

/// Checks length and content.
#[expect(clippy::disallowed_methods, reason = "looks for bytes that no header can carry")]
pub(crate) fn check(secret: &Secret) -> Result<Fit, Unfit> {
    secret.expose(check_bytes)
}

fn check_bytes(bytes: &[u8]) -> Result<Fit, Unfit> {
    if bytes.is_empty() {
        return Err(Unfit::Empty);
    }
    if bytes.len() > LONGEST {
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

/// Longest secret, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
