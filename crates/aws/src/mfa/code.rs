//! A code of an MFA device.

use zeroize::Zeroizing;

use super::Error;

/// A code: digits, wiped on drop. Cannot be cloned or printed; AWS takes it once, within half a minute.
pub struct Code(Zeroizing<String>);

impl Code {
    /// A code that a person, a program or a token gave: trimmed, six to eight digits.
    ///
    /// # Errors
    /// [`Error::NotACode`] for anything else. What it was is not repeated; it may be a password.
    pub fn read(answer: &[u8]) -> Result<Self, Error> {
        Self::of_length(answer, SHORTEST)
    }

    /// A code from the command line, `-t`: trimmed, one to eight digits. Shorter ones than AWS has today are passed on,
    /// because this flag is what scripts against other endpoints use.
    ///
    /// # Errors
    /// [`Error::NotACode`] for anything else.
    pub fn given(typed: &str) -> Result<Self, Error> {
        Self::of_length(typed.as_bytes(), 1)
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    pub(super) fn again(&self) -> Self {
        Self(Zeroizing::new(self.0.as_str().to_owned()))
    }

    fn of_length(answer: &[u8], shortest: usize) -> Result<Self, Error> {
        let digits = answer.trim_ascii();
        if !(shortest..=LONGEST).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::NotACode);
        }
        let text = std::str::from_utf8(digits).map_err(|_| Error::NotACode)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

const SHORTEST: usize = 6;
const LONGEST: usize = 8;

#[cfg(test)]
mod tests;
