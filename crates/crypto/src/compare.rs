//! Constant-time comparison.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::Error;

/// Proof that two byte strings were equal.
#[derive(Debug)]
#[must_use]
pub struct Same(());

/// Compares two secrets in time that depends on their lengths only.
///
/// # Errors
/// [`Error::Forged`] when they differ, or have different lengths.
pub fn same(a: &[u8], b: &[u8]) -> Result<Same, Error> {
    verify_slices_are_equal(a, b).map(|()| Same(())).map_err(|_| Error::Forged)
}
