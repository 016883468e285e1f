//! One operation that a caller wants, found in the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    Access, Authority, EvidenceId, IntegrationName, Method, OperationName, Resource, Risk, SecretRef, Target,
};

/// One input of an operation: text from the path, the query or the body.
pub type Input = String;
/// The inputs of a call by name.
pub type Inputs = BTreeMap<String, Input>;

/// What a [`Call`] is made of. Public fields: it is a draft, and proves nothing.
#[derive(Debug, Clone)]
pub struct CallParts {
    /// The id under which the evidence of this call is kept.
    pub id: EvidenceId,
    /// The integration.
    pub integration: IntegrationName,
    /// The catalogue entry that it is made from: `slack` for an integration named `slack-prod`.
    pub kind: IntegrationName,
    /// The operation; `unknown` where the catalogue describes none for this request.
    pub operation: OperationName,
    /// Read or write; `unknown` is a write.
    pub access: Access,
    /// How much harm it can do.
    pub risk: Risk,
    /// What it works on.
    pub resource: Resource,
    /// The inputs that the operation names, decoded.
    pub inputs: Inputs,
    /// The request as it will be sent; `None` for an operation of Doorward itself.
    pub request: Option<(Method, Authority, Target)>,
    /// The secrets that are put on it, by reference.
    pub secrets: Arc<[SecretRef]>,
}

/// One operation on one integration, as the catalogue found it in a request. Private fields, one maker.
#[derive(Debug)]
#[must_use]
pub struct Call(CallParts);

impl Call {
    /// A call. Only `catalog` calls this.
    pub const fn found(parts: CallParts) -> Self {
        Self(parts)
    }

    /// The id under which the evidence of this call is kept.
    #[must_use]
    pub const fn id(&self) -> EvidenceId {
        self.0.id
    }

    /// The integration.
    #[must_use]
    pub const fn integration(&self) -> &IntegrationName {
        &self.0.integration
    }

    /// The catalogue entry behind the integration.
    #[must_use]
    pub const fn kind(&self) -> &IntegrationName {
        &self.0.kind
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &OperationName {
        &self.0.operation
    }

    /// Read or write.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.0.access
    }

    /// How much harm it can do.
    #[must_use]
    pub const fn risk(&self) -> Risk {
        self.0.risk
    }

    /// What it works on.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.0.resource
    }

    /// The inputs that the operation names.
    #[must_use]
    pub const fn inputs(&self) -> &Inputs {
        &self.0.inputs
    }

    /// Method, upstream and target of the request that will be sent.
    #[must_use]
    pub const fn request(&self) -> Option<&(Method, Authority, Target)> {
        self.0.request.as_ref()
    }

    /// The secrets that are put on it, by reference. None for an operation of Doorward itself.
    #[must_use]
    pub fn secrets(&self) -> &[SecretRef] {
        &self.0.secrets
    }
}
