//! Short secrets that are text: what a caller has to show, and what a cloud's token is.
//!
//! # Invariants
//!
//! - The text is wiped on drop; it cannot be cloned, printed or compared but in constant time.
//! - What we make ourselves comes from the kernel's generator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Error;

/// A secret text: visible ASCII, at most [`Bearer::MOST`] bytes. Wiped on drop.
pub struct Bearer(Zeroizing<Box<[u8]>>);

/// Proof that a caller showed the bearer that was asked for. Only [`Bearer::shown`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Shown(());

impl Bearer {
    /// Most bytes; a cloud's identity token with many groups has a few thousand.
    pub const MOST: usize = 16 * 1024;

    /// 30 random bytes as 40 characters of base64url: what `AWS_CONTAINER_AUTHORIZATION_TOKEN` gets.
    ///
    /// # Errors
    /// [`Error::Random`] when the kernel gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 30]);
        fill(bytes.as_mut())?;
        // The exact length, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(vec![0; 40].into_boxed_slice());
        URL_SAFE_NO_PAD.encode_slice(bytes.as_ref(), &mut text).map_err(|_| Error::Random)?;
        Ok(Self(text))
    }

    /// A text that somebody else chose: a token from a cloud, or one that the settings name. Takes the buffer and wipes it.
    ///
    /// # Errors
    /// [`Error::Bearer`] when it is empty, longer than [`Bearer::MOST`], or anything but visible ASCII, and so could not
    /// be put into a header or a JSON string as it is.
    #[expect(clippy::needless_pass_by_value, reason = "what is taken is wiped here")]
    pub fn given(text: Zeroizing<Vec<u8>>) -> Result<Self, Error> {
        let visible = text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if text.is_empty() || text.len() > Self::MOST || !visible {
            return Err(Error::Bearer);
        }
        let exact: Box<[u8]> = text.as_slice().into();
        Ok(Self(Zeroizing::new(exact)))
    }

    /// Lends the text to `use_it`.
    pub fn lend<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        use_it(&self.0)
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none; never so for one that was made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares what a caller shows, in time that depends on the lengths only. `None` when it is another text.
    #[must_use]
    pub fn shown(&self, by_caller: &[u8]) -> Option<Shown> {
        bool::from(self.0.ct_eq(by_caller)).then_some(Shown(()))
    }
}

/// Random bytes from the kernel; see decision 8.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::Random)
}

#[cfg(test)]
mod tests;
