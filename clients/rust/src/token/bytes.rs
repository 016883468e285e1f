//! Length-prefixed bytes: the reader refuses what is missing and what is left over.

use crate::Error;

/// Reads from the front; never looks beyond the end.
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        let length = usize::from(self.u16()?);
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| Error::malformed("a text is not UTF-8"))
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, Error> {
        (0..self.u8()?).map(|_| self.text()).collect()
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::malformed("something is left over")) }
    }
}

fn short() -> Error {
    Error::malformed("something is missing at its end")
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    // Every text was checked to be shorter.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_list(out: &mut Vec<u8>, texts: &[String]) {
    out.push(u8::try_from(texts.len()).unwrap_or(u8::MAX));
    texts.iter().for_each(|text| put_text(out, text));
}

/// CRC-32, the one of zip and Ethernet.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
