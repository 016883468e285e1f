//! The proof that a token was made with a tenant's root key and its narrowings.

use std::sync::Arc;

use crypto::MacKey;
use model::{CapabilityId, Code, GrantId, TenantName};

use super::token::{Block, Token};
use crate::{Caveat, Denial};

/// Proof that the chain of a token fits the root key. Says nothing of whether the grant still stands, or what a call may
/// do: [`Authority::authorise`](crate::Authority::authorise) does. May be kept under [`Token::fingerprint`] as long as
/// the root key stands.
#[derive(Debug)]
#[must_use]
pub struct Verified {
    tenant: TenantName,
    grant: GrantId,
    blocks: Arc<[Block]>,
    _same: crypto::Same,
}

/// Verifies a token with the root key of the tenant that it names. The tags are compared in constant time.
///
/// # Errors
/// [`Code::Unauthenticated`] when it was made with another key, or changed.
pub fn verify(token: &Token, root: &MacKey) -> Result<Verified, Denial> {
    let forged = || {
        Denial::new(Code::Unauthenticated, "the capability was not issued here, or was changed")
            .hint("ask for a new one")
    };
    let (expected, given) = token.tags(root).map_err(|_| forged())?;
    let same = crypto::same(&*expected, given).map_err(|_| forged())?;
    let (tenant, grant) = (token.tenant().clone(), token.grant());
    Ok(Verified { tenant, grant, blocks: Arc::clone(token.blocks()), _same: same })
}

impl Verified {
    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// The grant.
    #[must_use]
    pub const fn grant(&self) -> GrantId {
        self.grant
    }

    /// The narrowings from the root to the last.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The ids of the narrowings.
    pub fn narrowings(&self) -> impl Iterator<Item = CapabilityId> {
        self.blocks.iter().map(|block| block.narrowing)
    }

    /// Every caveat with the narrowing that it stands in.
    pub(crate) fn caveats(&self) -> impl Iterator<Item = (CapabilityId, &Caveat)> {
        self.blocks.iter().flat_map(|block| block.caveats.iter().map(|caveat| (block.narrowing, caveat)))
    }
}
