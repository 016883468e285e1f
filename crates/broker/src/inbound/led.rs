//! A call that another one leads to: the validation of a credential, and the reads beside a write.

use std::sync::{Arc, Mutex, PoisonError};

use catalog::Outline;
use evidence::Receipt;
use model::{EvidenceId, Inputs, OperationName, PrincipalName, SecretRef, TenantName};
use policy::Permit;

/// Proof that a call was permitted and is on record, and led to this one.
#[derive(Clone)]
pub(crate) struct Led {
    tenant: TenantName,
    principal: PrincipalName,
    call: EvidenceId,
    candidate: Option<SecretRef>,
    named: Option<(OperationName, Inputs)>,
    noted: Noted,
}

/// What a read tells the write that led to it and nobody else.
pub(crate) type Noted = Arc<Mutex<Option<Outline>>>;

impl Led {
    /// What a permitted and recorded call leads to, for a tenant that it is about.
    pub(crate) fn new(permit: &Permit, receipt: &Receipt, tenant: TenantName) -> Self {
        let (principal, call) = (permit.principal().clone(), receipt.id());
        Self { tenant, principal, call, candidate: None, named: None, noted: Noted::default() }
    }

    /// What a permitted and recorded call leads to for its own tenant, with the credential that is there.
    pub(crate) fn beside(permit: &Permit, receipt: &Receipt) -> Self {
        Self::new(permit, receipt, permit.tenant().clone())
    }

    /// The same with this credential in place of the one that the integration has.
    pub(crate) fn with(self, candidate: SecretRef) -> Self {
        Self { candidate: Some(candidate), ..self }
    }

    /// The same for an operation by its name, whose request is written when the call is found.
    pub(crate) fn named(self, operation: OperationName, inputs: Inputs) -> Self {
        Self { named: Some((operation, inputs)), ..self }
    }

    /// The same with this place for what it tells.
    pub(crate) fn noting(self, noted: Noted) -> Self {
        Self { noted, ..self }
    }

    /// Tells what led to it the outline of a manifest.
    pub(crate) fn note(&self, outline: Outline) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(outline);
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

    /// The credential that is tried.
    pub(crate) const fn candidate(&self) -> Option<&SecretRef> {
        self.candidate.as_ref()
    }

    /// The operation that is asked for by its name.
    pub(crate) const fn asks(&self) -> Option<&(OperationName, Inputs)> {
        self.named.as_ref()
    }
}
