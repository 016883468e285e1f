//! What lists may speak of: the integrations there are, and their ready-made capabilities. The broker answers from its
//! catalogue, which stands on the same floor as this crate.

use std::collections::BTreeMap;

use model::IntegrationName;

use super::Condition;

/// A parameter of a capability as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// One text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// Parameters by name; one that was written as `null` is not there.
pub type Params = BTreeMap<String, Param>;

/// Why a capability means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unready {
    /// The integration has none of this name; these it has.
    Unknown(Vec<String>),
    /// A parameter is missing, unknown, or of the wrong kind; or the integration can't be read.
    Wrong(String),
}

/// The integrations, and their ready-made capabilities.
pub trait Services {
    /// Every integration that requests can be forwarded to.
    fn names(&self) -> Vec<IntegrationName>;

    /// The integration that goes by this name besides its own, in lower case.
    fn aliased(&self, _name: &str) -> Option<IntegrationName> {
        None
    }

    /// Whether the file of an integration says what it said when the former lists were read; see [`Lists::read_after`](super::Lists::read_after).
    fn is_as_before(&self, _integration: &IntegrationName) -> bool {
        false
    }

    /// The catalogue entry that an integration is made from: `slack` for one called `slack-prod`.
    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName>;

    /// What a capability allows; one of the conditions is enough.
    ///
    /// # Errors
    /// When there is none of this name, or its parameters are wrong.
    fn capability(
        &self,
        integration: &IntegrationName,
        capability: &str,
        params: &Params,
    ) -> Result<Vec<Condition>, Unready>;
}
