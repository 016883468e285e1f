//! The proof that a token was made with a tenant's root key and its narrowings.

use std::sync::Arc;

use crypto::MacKey;
use model::{Access, CapabilityId, Code, GrantId, IntegrationName, OperationName, TenantName};

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

    /// Whether its caveats name services or operations at all.
    #[must_use]
    pub fn names_services(&self) -> bool {
        self.caveats().any(|(_, caveat)| matches!(caveat, Caveat::Integrations(_) | Caveat::Operations(_)))
    }

    /// Whether its caveats on services, operations and access leave this one. For lists that people and programs read, never a
    /// decision: [`Authority::authorise`](crate::Authority::authorise) asks every caveat, for each call.
    #[must_use]
    pub fn mentions(
        &self,
        integration: &IntegrationName,
        operation: Option<(&OperationName, Access)>,
    ) -> bool {
        self.caveats().all(|(_, caveat)| match (caveat, operation) {
            (Caveat::Integrations(names), _) => names.iter().any(|name| name == integration),
            (Caveat::Operations(patterns), None) => {
                patterns.iter().any(|pattern| pattern.integration() == integration)
            }
            (Caveat::Operations(patterns), Some((name, _))) => {
                patterns.iter().any(|pattern| pattern.matches(integration, name))
            }
            (Caveat::Access(most), Some((_, access))) => access <= *most,
            _ => true,
        })
    }

    /// Every caveat with the narrowing that it stands in.
    pub(crate) fn caveats(&self) -> impl Iterator<Item = (CapabilityId, &Caveat)> {
        self.blocks.iter().flat_map(|block| block.caveats.iter().map(|caveat| (block.narrowing, caveat)))
    }
}
