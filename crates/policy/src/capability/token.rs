//! The token: read, made, narrowed, described.

use std::sync::Arc;

use crypto::{MacKey, Tag};
use model::{CapabilityId, GrantId, TenantName};
use serde::Serialize;
use zeroize::{Zeroize, Zeroizing};

use super::wire::{Reader, put_u16, too_large};
use crate::Error;
use crate::caveat::{Caveat, decode, encode, wider};

/// A capability in the hands of its holder. Who has the text may use it, so it is wiped on drop and can't be printed,
/// cloned or compared. Reading one proves nothing; [`verify`](super::verify) does.
pub struct Token {
    text: Zeroizing<String>,
    /// Header and blocks, without the tag.
    signed: Vec<u8>,
    header: usize,
    /// Where each block ends in `signed`.
    ends: Vec<usize>,
    tag: Zeroizing<Tag>,
    tenant: TenantName,
    grant: GrantId,
    blocks: Arc<[Block]>,
}

/// One narrowing: its id, which a revocation may name, and what it takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// The id.
    pub narrowing: CapabilityId,
    /// All of them apply.
    pub caveats: Vec<Caveat>,
}

/// What a token says about itself. Unverified, and safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Described {
    /// The tenant that it is for.
    pub tenant: TenantName,
    /// The grant that it comes from.
    pub grant: GrantId,
    /// From the root to the last narrowing.
    pub blocks: Vec<Block>,
}

/// Makes the root token of a grant, with the tenant's root key.
///
/// # Errors
/// When the caveats don't fit into a token.
pub fn mint(
    root: &MacKey,
    tenant: &TenantName,
    grant: GrantId,
    caveats: &[Caveat],
    narrowing: CapabilityId,
) -> Result<Token, Error> {
    let mut signed = Vec::with_capacity(128);
    let length = u8::try_from(tenant.as_str().len()).map_err(|_| too_large())?;
    signed.push(length);
    signed.extend_from_slice(tenant.as_str().as_bytes());
    signed.extend_from_slice(&grant.to_bytes());
    let first = Zeroizing::new(root.tag(&[DOMAIN, &signed]));
    Token::sealed(signed, &first, &block(caveats, narrowing)?)
}

impl Token {
    /// Reads a token. There is one parser and one spelling.
    ///
    /// # Errors
    /// When it is not canonical, larger than 8 KiB, or holds a caveat that is not known.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(too_large());
        }
        let coded = text.strip_prefix(PREFIX).ok_or(Error::Malformed("it does not start with `cap1_`"))?;
        let cut = coded.len().checked_sub(CHECKSUM + 1).ok_or(Error::Malformed("it is too short"))?;
        let (coded, tail) = coded.split_at_checked(cut).ok_or(Error::Malformed("it is not ASCII"))?;
        let (body, _) =
            text.split_at_checked(PREFIX.len() + cut).ok_or(Error::Malformed("it is not ASCII"))?;
        if tail.strip_prefix('_') != Some(checksum(body).as_str()) {
            return Err(Error::Mistyped);
        }
        let mut bytes =
            crypto::from_base64url(coded).map_err(|_| Error::Malformed("it is not canonical base 64"))?;
        let read = Self::read(Zeroizing::new(text.to_owned()), &bytes);
        bytes.zeroize();
        read
    }

    fn read(text: Zeroizing<String>, body: &[u8]) -> Result<Self, Error> {
        let (signed, tag) = body.split_last_chunk::<32>().ok_or(Error::Malformed("it is too short"))?;
        let mut reader = Reader::new(signed);
        let length = usize::from(reader.u8()?);
        let name = std::str::from_utf8(reader.take(length)?).map_err(|_| Error::Malformed("the tenant"))?;
        let (tenant, grant) = (name.parse()?, GrantId::from_bytes(reader.array()?));
        let header = signed.len() - reader.rest().len();
        let (mut blocks, mut ends) = (Vec::<Block>::with_capacity(4), Vec::with_capacity(4));
        while !reader.rest().is_empty() {
            if blocks.len() == BLOCKS {
                return Err(Error::TooLarge("more than 32 narrowings"));
            }
            let length = usize::from(reader.u16()?);
            let block = read_block(reader.take(length)?)?;
            if blocks.iter().any(|other| other.narrowing == block.narrowing) {
                return Err(Error::Malformed("a narrowing comes twice"));
            }
            blocks.push(block);
            ends.push(signed.len() - reader.rest().len());
        }
        if blocks.is_empty() {
            return Err(Error::Malformed("it has no block"));
        }
        let blocks = blocks.into();
        Ok(Self {
            text,
            signed: signed.to_vec(),
            header,
            ends,
            tag: Zeroizing::new(*tag),
            tenant,
            grant,
            blocks,
        })
    }

    /// The same capability with less: these caveats as well. Needs no key and no network.
    ///
    /// # Errors
    /// When a caveat is wider than one it comes from, the id is in the chain already, or the token grows too large.
    pub fn narrow(&self, caveats: &[Caveat], id: CapabilityId) -> Result<Self, Error> {
        for caveat in caveats {
            let parents = self.blocks.iter().flat_map(|block| &block.caveats);
            if let Some(what) = parents.into_iter().find_map(|parent| wider(caveat, parent)) {
                return Err(Error::Wider(what));
            }
        }
        Self::sealed(self.signed.clone(), &self.tag, &block(caveats, id)?)
    }

    /// Appends a block to what is signed. Reading back what was made holds the limits in one place.
    fn sealed(mut signed: Vec<u8>, before: &Tag, block: &[u8]) -> Result<Self, Error> {
        signed.extend_from_slice(block);
        let tag = Zeroizing::new(crypto::chain(before, &[block]));
        let mut body = Zeroizing::new(Vec::with_capacity(signed.len() + tag.len()));
        body.extend_from_slice(&signed);
        body.extend_from_slice(&*tag);
        let coded = Zeroizing::new(crypto::to_base64url(&body));
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + coded.len() + 1 + CHECKSUM));
        text.push_str(PREFIX);
        text.push_str(&coded);
        let sum = checksum(&text);
        text.push('_');
        text.push_str(&sum);
        if text.len() > LONGEST { Err(too_large()) } else { Self::read(text, &body) }
    }

    /// What the token says about itself.
    #[must_use]
    pub fn describe(&self) -> Described {
        Described { tenant: self.tenant.clone(), grant: self.grant, blocks: self.blocks.to_vec() }
    }

    /// The tenant whose root key verifies it.
    #[must_use]
    pub const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// The grant that it claims to come from.
    #[must_use]
    pub const fn grant(&self) -> GrantId {
        self.grant
    }

    /// The SHA-256 of the text, under which a [`Verified`](super::Verified) may be kept.
    #[must_use]
    pub fn fingerprint(&self) -> crypto::Digest {
        crypto::sha256(&[self.text.as_bytes()])
    }

    /// Lends the text, to hand it to its holder.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        use_it(&self.text)
    }

    pub(super) const fn blocks(&self) -> &Arc<[Block]> {
        &self.blocks
    }

    /// The tag that this token should have, and the one it has.
    pub(super) fn tags(&self, root: &MacKey) -> Result<(Zeroizing<Tag>, &Tag), Error> {
        let missing = Error::Malformed("a block is missing");
        let header = self.signed.get(..self.header).ok_or_else(|| missing.clone())?;
        let mut tag = Zeroizing::new(root.tag(&[DOMAIN, header]));
        let mut start = self.header;
        for end in &self.ends {
            let block = self.signed.get(start..*end).ok_or_else(|| missing.clone())?;
            *tag = crypto::chain(&tag, &[block]);
            start = *end;
        }
        Ok((tag, &self.tag))
    }
}

/// A block with its length, the caveats sorted by their bytes.
fn block(caveats: &[Caveat], narrowing: CapabilityId) -> Result<Vec<u8>, Error> {
    let mut coded = Vec::with_capacity(caveats.len());
    for caveat in caveats {
        let mut bytes = Vec::with_capacity(48);
        encode(caveat, &mut bytes)?;
        coded.push(bytes);
    }
    coded.sort_unstable();
    coded.dedup();
    if coded.len() > CAVEATS {
        return Err(Error::TooLarge("more than 64 caveats in one narrowing"));
    }
    let mut block = Vec::with_capacity(128);
    put_u16(&mut block, 17 + coded.iter().map(Vec::len).sum::<usize>())?;
    block.extend_from_slice(&narrowing.to_bytes());
    block.push(u8::try_from(coded.len()).map_err(|_| too_large())?);
    coded.iter().for_each(|bytes| block.extend_from_slice(bytes));
    Ok(block)
}

fn read_block(bytes: &[u8]) -> Result<Block, Error> {
    let mut reader = Reader::new(bytes);
    let narrowing = CapabilityId::from_bytes(reader.array()?);
    let count = usize::from(reader.u8()?);
    if count > CAVEATS {
        return Err(Error::TooLarge("more than 64 caveats in one narrowing"));
    }
    let mut caveats = Vec::with_capacity(count);
    let mut before: &[u8] = &[];
    for _ in 0..count {
        let start = reader.rest();
        caveats.push(decode(&mut reader)?);
        let (coded, _) = start
            .split_at_checked(start.len() - reader.rest().len())
            .ok_or(Error::Malformed("something is missing"))?;
        if coded <= before {
            return Err(Error::Malformed("its caveats are out of order"));
        }
        before = coded;
    }
    reader.end()?;
    Ok(Block { narrowing, caveats })
}

fn checksum(text: &str) -> String {
    crypto::to_base64url(&crypto::checksum(text.as_bytes()).to_be_bytes())
}

const PREFIX: &str = "cap1_";
const DOMAIN: &[u8] = b"doorward/cap/1";
/// Longest text: what fits into a header of any server.
const LONGEST: usize = 8 * 1024;
const BLOCKS: usize = 32;
const CAVEATS: usize = 64;
const CHECKSUM: usize = 6;
