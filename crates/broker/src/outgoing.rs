//! What the broker remembers about outgoing credentials between calls: tokens that were made, whose turn it is, and which of
//! several rest.
//!
//! Nothing here is durable, and everything that is a secret goes when the broker is sealed. What has to outlive the process, a
//! refresh token that a service replaced, is kept by `secrets`.

mod digest;
mod masks;
mod minter;
mod spent;
mod tokens;
mod turns;

use crypto::MacKey;

pub(crate) use digest::{Challenge, Challenges};
pub(crate) use masks::Masks;
pub(crate) use minter::{Kept, Minter, NOT_TAKEN, Served, mint, place_of_profile, session};
pub(crate) use spent::Spent;
pub(crate) use tokens::{Assumed, Made, Minted, Slot, Tokens};
pub(crate) use turns::{Turn, Turns};

/// What is remembered. Shared by all threads.
pub(crate) struct Outgoing {
    turns: Turns,
    tokens: Tokens,
    challenges: Challenges,
    spent: Spent,
    masks: Masks,
    /// Tells apart what tokens are made from, without keeping it.
    imprints: MacKey,
}

impl Outgoing {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self, crypto::Error> {
        let (turns, tokens, challenges) = (Turns::default(), Tokens::default(), Challenges::default());
        let (spent, masks) = (Spent::default(), Masks::default());
        Ok(Self { turns, tokens, challenges, spent, masks, imprints: MacKey::generate()? })
    }

    pub(crate) const fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(crate) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) const fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    pub(crate) const fn spent(&self) -> &Spent {
        &self.spent
    }

    pub(crate) const fn masks(&self) -> &Masks {
        &self.masks
    }

    pub(crate) const fn imprints(&self) -> &MacKey {
        &self.imprints
    }

    /// Forgets every secret.
    pub(crate) fn seal(&self) {
        self.tokens.clear();
        self.masks.clear();
    }
}
