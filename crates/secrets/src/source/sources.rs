//! All sources of one broker.

use super::{Doubt, Fetched, Lender, SOURCES, SecretSource, Setup, Trouble};
use crate::Error;
use model::SecretRef;

/// All sources of one broker, made once. Some keep a sign-in of ours while they live.
pub(crate) struct Sources(Vec<Box<dyn SecretSource>>);

impl Sources {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self(SOURCES.iter().filter_map(|source| source.make).map(|make| make(setup)).collect())
    }

    /// One source alone, for tests of what is around it.
    #[cfg(test)]
    pub(crate) fn of_one(source: Box<dyn SecretSource>) -> Self {
        Self(vec![source])
    }

    /// The one that a reference names.
    pub(crate) fn of(&self, reference: &SecretRef) -> Result<&dyn SecretSource, Error> {
        let found = self.0.iter().find(|source| source.scheme() == reference.scheme());
        found
            .map(|source| &**source)
            .ok_or_else(|| Error::source(reference, Trouble::Wrong("there is no such source")))
    }

    pub(crate) async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        self.of(reference)?.probe(reference, lender).await
    }
}
