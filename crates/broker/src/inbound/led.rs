//! A call that another one leads to: the validation of a credential.

use evidence::Receipt;
use model::{EvidenceId, PrincipalName, SecretRef, TenantName};
use policy::Permit;

/// Proof that a call was permitted and is on record, and led to this one, with this credential.
pub(crate) struct Led {
    tenant: TenantName,
    principal: PrincipalName,
    call: EvidenceId,
    candidate: SecretRef,
}

impl Led {
    /// What a permitted and recorded call leads to, for a tenant that it is about.
    pub(crate) fn new(permit: &Permit, receipt: &Receipt, tenant: TenantName, candidate: SecretRef) -> Self {
        Self { tenant, principal: permit.principal().clone(), call: receipt.id(), candidate }
    }

    /// Whose credential it is.
    pub(crate) const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// Who asked for what led to it.
    pub(crate) const fn principal(&self) -> &PrincipalName {
        &self.principal
    }

    /// The record of what led to it.
    pub(crate) const fn call(&self) -> EvidenceId {
        self.call
    }

    /// The credential that is tried, in place of the one that the integration has.
    pub(crate) const fn candidate(&self) -> &SecretRef {
        &self.candidate
    }
}
