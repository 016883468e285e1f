//! Length-prefixed bytes: the reader refuses what is missing and what is left over.

use crate::Error;

/// Reads from the front; never looks beyond the end.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Error> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| Error::Malformed("a text is not UTF-8"))
    }

    /// Nothing may be left.
    pub(crate) const fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::Malformed("something is left over")) }
    }
}

pub(crate) fn put_u16(out: &mut Vec<u8>, number: usize) -> Result<(), Error> {
    out.extend_from_slice(&u16::try_from(number).map_err(|_| too_large())?.to_be_bytes());
    Ok(())
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    put_u16(out, text.len())?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(crate) const fn too_large() -> Error {
    Error::TooLarge("more than 8 KiB")
}

const SHORT: Error = Error::Malformed("something is missing at its end");
