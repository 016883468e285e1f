//! Capabilities with names: what a decision needs of one, and its bytes in memory.
//!
//! The name of one is `cap_` and 26 characters. One that comes from no other is a grant as well, `grt_` and the same
//! characters. What people and lists want to know beside this is in the stored row.

use model::{CapabilityId, Fact, GrantId, Holder, PrincipalName, TenantName, Timestamp};

use super::{Grant, GrantState};
use crate::Error;
use crate::capability::wire::{Reader, put_text, too_large};
use crate::caveat::{Caveat, HolderIs, decode, encode};

/// A capability with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub id: CapabilityId,
    /// The tenant.
    pub tenant: TenantName,
    /// In whose name its holder acts: who asked for it, as it was proven.
    pub principal: PrincipalName,
    /// What the agent calls the holder.
    pub identity: Box<str>,
    /// The one that it comes from.
    pub parent: Option<CapabilityId>,
    /// Who may use the name.
    pub holder: HolderIs,
    /// Whether there is a token of it that works for whoever holds it.
    pub bearer: bool,
    /// What it takes away, but for its end, its uses and its holder.
    pub caveats: Vec<Caveat>,
    /// When it ends.
    pub expires: Timestamp,
    /// The most uses.
    pub uses: u32,
    /// How many were counted so far. For answers; the count that decides is the one beside the evidence.
    pub used: u32,
    /// Whether it stands.
    pub state: NamedState,
}

/// Proof that the kernel named the holder of a capability. Only [`Named::held_by`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Held(());

/// Whether a capability with a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedState {
    /// Until it ends.
    Active,
    /// Over, for good.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// Its stored row was changed by somebody else; nothing of it is believed.
    Forged,
}

impl Named {
    /// All that it takes away: what its token says.
    #[must_use]
    pub fn all_caveats(&self) -> Vec<Caveat> {
        let mut all = self.caveats.clone();
        all.push(Caveat::NotAfter(self.expires));
        all.extend(std::num::NonZeroU64::new(self.uses.into()).map(Caveat::Uses));
        if !self.bearer {
            all.push(Caveat::Holder(self.holder.clone()));
        }
        all
    }

    /// Proof that the name may be used from here. What belongs to a run holds what was bound to that run, and nothing that its
    /// user holds otherwise.
    #[must_use]
    pub fn held_by(&self, holder: &Holder) -> Option<Held> {
        (self.holder.is(holder) && self.holder.parts().run == holder.run).then_some(Held(()))
    }

    /// The constraints that are broken at this moment on this connection, as words behind "Capability". The end is not one of
    /// them, nor what is counted.
    #[must_use]
    pub fn broken_now(&self, facts: &Fact, now: Timestamp) -> Vec<String> {
        let broken = self.caveats.iter().filter(|caveat| caveat.holds_now(facts, now) == Some(false));
        broken.map(|caveat| format!("is limited to {caveat}")).collect()
    }

    /// The grant that it is; `None` for one that comes from another.
    pub(super) fn grant(&self) -> Option<Grant> {
        let state = match self.state {
            NamedState::Active => GrantState::Active,
            NamedState::Revoked { at } => GrantState::Revoked { at },
            NamedState::Forged => return None,
        };
        self.parent.is_none().then(|| Grant {
            id: GrantId::from_bytes(self.id.to_bytes()),
            tenant: self.tenant.clone(),
            principal: self.principal.clone(),
            // Its token was made here and says all of them.
            caveats: Vec::new(),
            created: made(self.id),
            expires: Some(self.expires),
            state,
            label: None,
            giver: None,
        })
    }

    /// What stays the same of it, as bytes. Many capabilities have the same ones.
    pub(super) fn shape(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(96);
        out.push(u8::from(self.bearer) | u8::from(self.parent.is_some()) << 1);
        if let Some(parent) = self.parent {
            out.extend_from_slice(&parent.to_bytes());
        }
        put_text(&mut out, self.tenant.as_str())?;
        put_text(&mut out, self.principal.as_str())?;
        put_text(&mut out, &self.identity)?;
        encode(&Caveat::Holder(self.holder.clone()), &mut out)?;
        out.push(u8::try_from(self.caveats.len()).map_err(|_| too_large())?);
        self.caveats.iter().try_for_each(|caveat| encode(caveat, &mut out))?;
        Ok(out)
    }

    /// What [`Self::shape`] gave, with what changes.
    pub(super) fn of_shape(id: CapabilityId, shape: &[u8], counts: Counts) -> Result<Self, Error> {
        let mut reader = Reader::new(shape);
        let flags = reader.u8()?;
        let parent = if flags & 2 == 0 { None } else { Some(CapabilityId::from_bytes(reader.array()?)) };
        let (tenant, principal) = (reader.text()?.parse()?, reader.text()?.parse()?);
        let identity = reader.text()?.into();
        let Caveat::Holder(holder) = decode(&mut reader)? else {
            return Err(Error::Malformed("it has no holder"));
        };
        let count = reader.u8()?;
        let caveats = (0..count).map(|_| decode(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        let Counts { expires, uses, used, state } = counts;
        let bearer = flags & 1 != 0;
        Ok(Self {
            id,
            tenant,
            principal,
            identity,
            parent,
            holder,
            bearer,
            caveats,
            expires,
            uses,
            used,
            state,
        })
    }
}

/// What differs between capabilities of one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) expires: Timestamp,
    pub(super) uses: u32,
    pub(super) used: u32,
    pub(super) state: NamedState,
}

/// The one that a capability of this shape comes from.
pub(super) fn parent_of(shape: &[u8]) -> Option<CapabilityId> {
    let (flags, rest) = shape.split_first()?;
    if flags & 2 == 0 {
        return None;
    }
    rest.first_chunk().map(|bytes| CapabilityId::from_bytes(*bytes))
}

/// When the one with this id was made: the first 48 bits of an id.
fn made(id: CapabilityId) -> Timestamp {
    let [a, b, c, d, e, f, ..] = id.to_bytes();
    Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}
