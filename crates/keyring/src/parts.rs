//! Entries in places whose cells are small: a long value is written as numbered parts and a head that names them.
//!
//! ```text
//! NAME                     the bytes, where they fit
//! NAME                     doorward-parts-1:GENERATION:COUNT:LENGTH, where they don't
//! doorward-part:GENERATION:NUMBER
//! ```
//!
//! # Invariants
//!
//! - The parts of a generation are written before the head that names them, and the old ones removed after it: a reader sees
//!   the old value or the new one, and a writer that is stopped leaves a whole value.
//! - A value that looks like a head is always written in parts.

use zeroize::Zeroizing;

use crate::item::{bare, with_bytes};
use crate::{Error, Item, Keyring, Kind, Trust, name};

/// A place with small cells.
pub(crate) trait Cells {
    fn kind(&self) -> Kind;
    /// Most bytes of a cell.
    fn most(&self) -> usize;
    fn read(&self, cell: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error>;
    fn write(&self, cell: &str, bytes: &[u8], about: About<'_>) -> Result<(), Error>;
    /// Removes a cell; one that isn't there is [`Error::NotFound`].
    fn erase(&self, cell: &str) -> Result<(), Error>;
    fn list(&self) -> Result<Vec<String>, Error>;
    /// What the bytes of an entry mean, in a place that can't keep every value as it is.
    fn meant(&self, whole: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        whole
    }
}

/// What a place may show beside the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) label: &'a str,
    pub(crate) description: &'a str,
    pub(crate) trust: Trust,
}

/// Every place with small cells is a keyring. It keeps bare bytes.
impl<C: Cells + Send> Keyring for C {
    fn kind(&self) -> Kind {
        Cells::kind(self)
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        names(self)
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let mut bytes = self.meant(get(self, name)?);
        bare(name, std::mem::take(&mut *bytes))
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let Item { name, secret, label, description, trust } = &item;
        let about = About { label, description, trust: *trust };
        with_bytes(secret, |bytes| set(self, name, bytes, about))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        remove(self, name)
    }
}

/// The names of the entries.
pub(crate) fn names(cells: &impl Cells) -> Result<Vec<String>, Error> {
    let mut names = cells.list()?;
    names.retain(|name| !name.starts_with(PART));
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The bytes of an entry.
pub(crate) fn get(cells: &impl Cells, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let _plain = plain(name)?;
    for _ in 0..TRIES {
        let value = cells.read(name)?.ok_or_else(|| Error::missing(cells.kind(), name))?;
        if !value.starts_with(HEAD) {
            return Ok(value);
        }
        let head = Head::parse(&value)
            .ok_or_else(|| Error::malformed(cells.kind(), name, "the list of its parts is not understood"))?;
        // A part is missing where a writer has just replaced them; then there is a new head.
        if let Some(whole) = head.whole(cells)? {
            return Ok(whole);
        }
    }
    Err(Error::malformed(cells.kind(), name, "a part of it is missing"))
}

/// Stores the bytes of an entry.
pub(crate) fn set(cells: &impl Cells, name: &str, bytes: &[u8], about: About<'_>) -> Result<(), Error> {
    let _plain = plain(name)?;
    let kind = cells.kind();
    if bytes.len() > LONGEST {
        return Err(Error::TooLong { kind, name: name.to_owned(), most: LONGEST });
    }
    let before = cells.read(name)?.and_then(|value| Head::parse(&value));
    if bytes.len() <= cells.most() && !bytes.starts_with(HEAD) {
        cells.write(name, bytes, about)?;
    } else {
        let random = crypto::array::<8>().map_err(|source| Error::Crypto { kind, source })?;
        let head = Head {
            generation: crypto::to_hex(&random),
            count: bytes.len().div_ceil(cells.most()),
            length: bytes.len(),
        };
        let written = bytes
            .chunks(cells.most())
            .enumerate()
            .try_for_each(|(number, part)| cells.write(&head.part(number), part, about))
            .and_then(|()| cells.write(name, head.text().as_bytes(), about));
        if let Err(error) = written {
            head.erase(cells);
            return Err(error);
        }
    }
    if let Some(before) = before {
        before.erase(cells);
    }
    Ok(())
}

/// Removes an entry with its parts.
pub(crate) fn remove(cells: &impl Cells, name: &str) -> Result<(), Error> {
    let _plain = plain(name)?;
    let head = cells.read(name)?.ok_or_else(|| Error::missing(cells.kind(), name))?;
    cells.erase(name)?;
    if let Some(head) = Head::parse(&head) {
        head.erase(cells);
    }
    Ok(())
}

struct Head {
    generation: String,
    count: usize,
    length: usize,
}

impl Head {
    fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value.strip_prefix(HEAD)?).ok()?;
        let mut fields = text.split(':');
        let (generation, count, length) = (fields.next()?, fields.next()?, fields.next()?);
        let known = generation.len() == 16 && generation.bytes().all(|byte| byte.is_ascii_hexdigit());
        let head = Self {
            generation: generation.to_owned(),
            count: count.parse().ok()?,
            length: length.parse().ok()?,
        };
        (known && fields.next().is_none() && head.length <= LONGEST && head.count <= head.length)
            .then_some(head)
    }

    fn text(&self) -> String {
        let Self { generation, count, length } = self;
        format!("{}{generation}:{count}:{length}", String::from_utf8_lossy(HEAD))
    }

    fn part(&self, number: usize) -> String {
        format!("{PART}{}:{number}", self.generation)
    }

    /// The value; `None` where parts of it are not there.
    fn whole(&self, cells: &impl Cells) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut whole = Zeroizing::new(Vec::with_capacity(self.length));
        for number in 0..self.count {
            let Some(part) = cells.read(&self.part(number))? else { return Ok(None) };
            if whole.len() + part.len() > self.length {
                return Ok(None);
            }
            whole.extend_from_slice(&part);
        }
        Ok((whole.len() == self.length).then_some(whole))
    }

    /// Best effort: what can't be removed is no entry, and nothing names it any more.
    fn erase(&self, cells: &impl Cells) {
        for number in 0..self.count {
            if let Err(error) = cells.erase(&self.part(number)) {
                tracing::debug!(%error, "a part of an old value stays behind");
            }
        }
    }
}

fn plain(name: &str) -> Result<name::Valid, Error> {
    if name.starts_with(PART) {
        return Err(Error::Name { name: name.to_owned(), why: "it is the name of a part of an entry" });
    }
    name::check(name)
}

const HEAD: &[u8] = b"doorward-parts-1:";
const PART: &str = "doorward-part:";
const TRIES: usize = 4;
/// Longest value in bytes.
const LONGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
