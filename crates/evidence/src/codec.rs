//! Bytes of a record: integers big-endian, texts and lists length-prefixed, one spelling for each value.

use std::borrow::Cow;

use crate::Wrong;

/// Writes fields behind one another.
pub(crate) struct Encoder<'a>(pub(crate) &'a mut Vec<u8>);

impl Encoder<'_> {
    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn short(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn long(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn fixed<const N: usize>(&mut self, value: &[u8; N]) {
        self.0.extend_from_slice(value);
    }

    /// A byte 0, or a byte 1 and the value.
    pub(crate) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.byte(0),
            Some(value) => {
                self.byte(1);
                write(self, value);
            }
        }
    }

    /// A name of at most 255 bytes; all names of the house are shorter.
    pub(crate) fn name(&mut self, text: &str) {
        let text = cut(text, 255);
        self.byte(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A text of at most `longest` bytes, escaped and cut to fit.
    pub(crate) fn text(&mut self, text: &str, longest: usize) {
        let text = bounded(text, longest);
        self.short(u16::try_from(text.len()).unwrap_or(u16::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    /// How many items follow, at most 255: the caller has checked that.
    pub(crate) fn count(&mut self, count: usize) {
        self.byte(u8::try_from(count).unwrap_or(u8::MAX));
    }
}

/// Reads fields; whatever is not exactly what [`Encoder`] writes is an error.
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Wrong> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Wrong::Format("too short"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        self.take(N)?.try_into().map_err(|_| Wrong::Format("too short"))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Wrong> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    pub(crate) fn short(&mut self) -> Result<u16, Wrong> {
        self.fixed().map(u16::from_be_bytes)
    }

    pub(crate) fn word(&mut self) -> Result<u32, Wrong> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub(crate) fn long(&mut self) -> Result<u64, Wrong> {
        self.fixed().map(u64::from_be_bytes)
    }

    pub(crate) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Wrong::Format("an unknown flag")),
        }
    }

    /// A name, parsed by the type that it is of.
    pub(crate) fn name<T: std::str::FromStr>(&mut self) -> Result<T, Wrong> {
        let length = self.byte()?;
        utf8(self.take(usize::from(length))?)?.parse().map_err(|_| Wrong::Format("an invalid name"))
    }

    pub(crate) fn text(&mut self, longest: usize) -> Result<&'a str, Wrong> {
        let length = usize::from(self.short()?);
        let text = utf8(self.take(length)?)?;
        if length > longest || text.chars().any(hides) {
            return Err(Wrong::Format("an invalid text"));
        }
        Ok(text)
    }

    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let count = self.byte()?;
        (0..count).map(|_| read(self)).collect()
    }

    /// Nothing may follow.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn end(self) -> Result<(), Wrong> {
        if self.0.is_empty() { Ok(()) } else { Err(Wrong::Format("too long")) }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes).map_err(|_| Wrong::Format("not UTF-8"))
}

/// The text with hiding characters escaped, at most `longest` bytes; `…` shows where it was cut.
fn bounded(text: &str, longest: usize) -> Cow<'_, str> {
    let escaped = model::escaped(text, hides);
    if escaped.len() <= longest {
        return escaped;
    }
    Cow::Owned(format!("{}{CUT}", cut(&escaped, longest.saturating_sub(CUT.len()))))
}

/// At most `longest` bytes of a text, whole characters only.
fn cut(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default()
}

/// Characters that move, hide or end a line when they are shown. A decoder refuses what these are, so that they stay these: what is
/// shown today has a longer list, [`model::hides`].
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

const CUT: &str = "…";

#[cfg(test)]
mod tests;
