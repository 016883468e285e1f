//! Proofs that an intent is durable. One maker: the writer, after its commit.

use std::sync::Arc;

use crypto::Digest;
use model::{EvidenceId, TenantName};

use crate::event::Settles;

/// Proof that an intent is durable. Spent by exactly one outcome; a secret is lent only for one.
///
/// A receipt that is dropped unspent does nothing: the writer notices that nobody holds it any more and settles its intent as
/// `unknown`.
#[must_use = "an intent without an outcome ends as `unknown`"]
#[derive(Debug)]
pub struct Receipt {
    id: EvidenceId,
    tenant: TenantName,
    seq: u64,
    leaf: Digest,
    held: Held,
}

impl Receipt {
    /// Only the writer makes one, after its group is durable.
    pub(crate) const fn new(id: EvidenceId, tenant: TenantName, seq: u64, leaf: Digest, held: Held) -> Self {
        Self { id, tenant, seq, leaf, held }
    }

    /// The id of the call whose intent is durable.
    #[must_use]
    pub const fn id(&self) -> EvidenceId {
        self.id
    }

    /// The tenant in whose chain it stands.
    #[must_use]
    pub const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// The place of the intent in the chain.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the intent's record, which covers who, what, under which grant and for which secrets.
    #[must_use]
    pub const fn leaf(&self) -> &Digest {
        &self.leaf
    }

    pub(crate) const fn settles(&self) -> Settles {
        Settles { id: self.id, intent: self.seq }
    }

    /// Keeps the intent from being swept as long as this lives.
    pub(crate) fn hold(&self) -> Held {
        self.held.clone()
    }

    /// Ends the receipt; what is left keeps its intent from being swept until the outcome is durable.
    pub(crate) fn spend(self) -> (TenantName, Held) {
        (self.tenant, self.held)
    }
}

/// A stream whose head is settled. Spent by exactly one close.
#[must_use = "a stream that is not closed ends as `unknown`"]
#[derive(Debug)]
pub struct OpenStream(Receipt);

impl OpenStream {
    pub(crate) const fn new(receipt: Receipt) -> Self {
        Self(receipt)
    }

    /// The id of the call.
    #[must_use]
    pub const fn id(&self) -> EvidenceId {
        self.0.id
    }

    pub(crate) fn into_receipt(self) -> Receipt {
        self.0
    }
}

/// Held as long as somebody can still settle the intent; the writer keeps the weak end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(pub(crate) Arc<()>);
