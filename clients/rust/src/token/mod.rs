//! Capability tokens (`cap1_…`) in process: read, narrow, check. Needs no key, no agent and no network.
//!
//! Reading a token proves nothing about who made it: only the broker has the key for that. What this module can say is
//! what a token allows, so that a program notices a call that must fail before it makes it, and hands on less than it has.
//!
//! # Invariants
//!
//! - One text for one token: what is not canonical is refused.
//! - A narrowed token never allows more than the one it comes from.

mod agent;
pub(crate) mod base64;
mod bytes;
mod caveat;
mod check;
mod code;
mod json;
mod names;
mod network;
mod shown;
pub(crate) mod time;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Error, random};
use bytes::{Reader, crc32};
pub use caveat::{Caveat, Holder};
pub use check::{Broken, Facts};

/// A capability in the hands of its holder. Whoever has the text may use it, so it is not shown by `Debug`.
pub struct Token {
    text: String,
    signed: Vec<u8>,
    tag: [u8; 32],
    tenant: String,
    grant: String,
    blocks: Vec<Block>,
}

/// One narrowing: its id, which a revocation may name, and what it takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `cap_` and 26 letters.
    pub narrowing: String,
    /// All of them apply.
    pub caveats: Vec<Caveat>,
}

impl Token {
    /// Reads a token. There is one spelling of each.
    ///
    /// # Errors
    /// When it is not canonical, larger than 8 KiB, or holds a caveat that is not known.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(too_large());
        }
        let coded =
            text.strip_prefix(PREFIX).ok_or_else(|| Error::malformed("it does not start with `cap1_`"))?;
        let cut = coded.len().checked_sub(7).ok_or_else(|| Error::malformed("it is too short"))?;
        let ascii = || Error::malformed("it is not ASCII");
        let (coded, tail) = coded.split_at_checked(cut).ok_or_else(ascii)?;
        let (body, _) = text.split_at_checked(PREFIX.len() + cut).ok_or_else(ascii)?;
        if tail.strip_prefix('_') != Some(checksum(body).as_str()) {
            return Err(Error::Token("the capability was mistyped or cut off".to_owned()));
        }
        let bytes = base64::from_url(coded).ok_or_else(|| Error::malformed("it is not canonical base 64"))?;
        Self::read(text.to_owned(), &bytes)
    }

    fn read(text: String, body: &[u8]) -> Result<Self, Error> {
        let (signed, tag) =
            body.split_last_chunk::<32>().ok_or_else(|| Error::malformed("it is too short"))?;
        let mut reader = Reader { rest: signed };
        let length = usize::from(reader.u8()?);
        let tenant = std::str::from_utf8(reader.take(length)?).ok().filter(|name| names::is_label(name));
        let tenant = tenant.ok_or_else(|| Error::malformed("the tenant"))?.to_owned();
        let grant = ulid("grt_", reader.array()?);
        let mut blocks: Vec<Block> = Vec::new();
        while !reader.rest.is_empty() {
            if blocks.len() == BLOCKS {
                return Err(Error::Token("a capability cannot hold more than 32 narrowings".to_owned()));
            }
            let length = usize::from(reader.u16()?);
            let block = read_block(reader.take(length)?)?;
            if blocks.iter().any(|other| other.narrowing == block.narrowing) {
                return Err(Error::malformed("a narrowing comes twice"));
            }
            blocks.push(block);
        }
        if blocks.is_empty() {
            return Err(Error::malformed("it has no block"));
        }
        Ok(Self { text, signed: signed.to_vec(), tag: *tag, tenant, grant, blocks })
    }

    /// The same capability with less: these caveats as well.
    ///
    /// # Errors
    /// When a caveat is plainly wider than one that it comes from, since somebody believes to give more, or when the token
    /// grows too large.
    pub fn narrow(&self, less: &[Caveat]) -> Result<Self, Error> {
        let unknown = |_| Error::Token("the kernel gave no random bytes".to_owned());
        let mut id: [u8; 16] = random::bytes().map_err(unknown)?;
        // The time first, so that ids sort by it.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let [_, _, time @ ..] = u64::try_from(now).unwrap_or_default().to_be_bytes();
        id.iter_mut().zip(time).for_each(|(to, from)| *to = from);
        self.narrow_as(id, less)
    }

    /// [`Token::narrow`] with an id that the caller has chosen.
    ///
    /// # Errors
    /// As [`Token::narrow`]; also when the id is in the chain already.
    pub fn narrow_as(&self, id: [u8; 16], less: &[Caveat]) -> Result<Self, Error> {
        for caveat in less {
            if let Some(what) = self.caveats().find_map(|parent| caveat.wider(parent)) {
                return Err(Error::Token(format!("`{what}` is wider than the grant it comes from")));
            }
        }
        let mut coded: Vec<&[u8]> = less.iter().map(|caveat| caveat.encoded.as_slice()).collect();
        coded.sort_unstable();
        coded.dedup();
        if coded.len() > CAVEATS {
            return Err(Error::Token(
                "a capability cannot hold more than 64 caveats in one narrowing".to_owned(),
            ));
        }
        let content = coded.concat();
        let length = u16::try_from(17 + content.len()).map_err(|_| too_large())?;
        let mut block = length.to_be_bytes().to_vec();
        block.extend_from_slice(&id);
        block.push(u8::try_from(coded.len()).map_err(|_| too_large())?);
        block.extend_from_slice(&content);
        let mut chain = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.tag).map_err(|_| too_large())?;
        chain.update(&block);
        let tag = chain.finalize().into_bytes();
        let body = [self.signed.as_slice(), &block, tag.as_slice()].concat();
        let text = format!("{PREFIX}{}", base64::to_url(&body));
        let text = format!("{text}_{}", checksum(&text));
        if text.len() > LONGEST { Err(too_large()) } else { Self::read(text, &body) }
    }

    /// All caveats, from the root to the last narrowing. They all apply.
    pub fn caveats(&self) -> impl Iterator<Item = &Caveat> {
        self.blocks.iter().flat_map(|block| &block.caveats)
    }

    /// Checks a call with these facts. A fact that a caveat is about and that is absent breaks it. That none is broken
    /// proves nothing: see the module.
    ///
    /// # Errors
    /// The first caveat that the call breaks.
    pub fn check(&self, facts: &Facts) -> Result<(), Broken> {
        self.caveats().find_map(|caveat| caveat.broken(facts)).map_or(Ok(()), Err)
    }

    /// Lends the text, to hand it to its holder.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        use_it(&self.text)
    }

    /// The tenant that it is for.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The grant that it comes from.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// Its narrowings, from the root to the last one.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "token of {}, tenant {}, {} narrowings", self.grant, self.tenant, self.blocks.len())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the capability {}", self.says)
    }
}

impl std::error::Error for Broken {}

fn read_block(bytes: &[u8]) -> Result<Block, Error> {
    let mut reader = Reader { rest: bytes };
    let narrowing = ulid("cap_", reader.array()?);
    let count = usize::from(reader.u8()?);
    if count > CAVEATS {
        return Err(Error::Token(
            "a capability cannot hold more than 64 caveats in one narrowing".to_owned(),
        ));
    }
    let mut caveats: Vec<Caveat> = Vec::with_capacity(count);
    for _ in 0..count {
        let caveat = code::decode(&mut reader)?;
        if caveats.last().is_some_and(|before| before.encoded >= caveat.encoded) {
            return Err(Error::malformed("its caveats are out of order"));
        }
        caveats.push(caveat);
    }
    reader.end()?;
    Ok(Block { narrowing, caveats })
}

fn checksum(text: &str) -> String {
    base64::to_url(&crc32(text.as_bytes()).to_be_bytes())
}

/// An id as text: 26 letters of Crockford's base 32.
fn ulid(name: &str, bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    let letter = |shift: u32| {
        let at = usize::try_from(number >> shift & 31).unwrap_or_default();
        LETTERS.get(at).copied().map_or('0', char::from)
    };
    name.chars().chain((0..26).rev().map(|at| letter(at * 5))).collect()
}

/// The id of such a text.
fn from_ulid(name: &str, text: &str) -> Option<[u8; 16]> {
    let letters = text.strip_prefix(name).filter(|letters| letters.len() == 26)?;
    let mut number = 0_u128;
    for letter in letters.bytes() {
        let at = LETTERS.iter().position(|known| *known == letter)?;
        // The first letter has room for three bits only.
        number = number.checked_mul(32)? | u128::try_from(at).ok()?;
    }
    Some(number.to_be_bytes())
}

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn too_large() -> Error {
    Error::Token("a capability cannot hold more than 8 KiB".to_owned())
}

const PREFIX: &str = "cap1_";
const LONGEST: usize = 8192;
const BLOCKS: usize = 32;
const CAVEATS: usize = 64;
