//! The tenants of a broker.

use model::Refusal;

use super::Broker;
use tenancy::Tenancy;

impl Broker {
    /// The tenants and their keys, read when they are needed for the first time.
    ///
    /// # Errors
    /// When a row can't be read.
    pub(crate) fn tenancy(&self) -> Result<&Tenancy, Refusal> {
        self.tenancy.read(&**self.storage(), &self.principals)?;
        Ok(&self.tenancy)
    }
}
