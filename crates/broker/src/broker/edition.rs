//! The catalogue and the lists that were read together, swapped together, and that one call sees together.
//!
//! A call may wait between its steps, for a body or for its caller's keys, and a reload may come meanwhile. Where it saw the
//! integration of one reading and the lists of the other, a destination could be judged by rules that were written for another.

use std::sync::Arc;

use catalog::{Catalog, Integration};
use model::{Code, IntegrationName, Refusal};
use policy::lists::Lists;

use super::Broker;

/// One reading.
pub(crate) struct Edition {
    catalog: Arc<Catalog>,
    lists: Arc<Lists>,
}

impl Edition {
    pub(super) fn new(catalog: Catalog, lists: Lists) -> Self {
        Self { catalog: Arc::new(catalog), lists: Arc::new(lists) }
    }

    /// The integration of this name.
    ///
    /// # Errors
    /// When there is none, or its file can't be used.
    pub(crate) fn integration(&self, name: &IntegrationName) -> Result<Arc<Integration>, Refusal> {
        self.catalog.get(name).map_err(|error| {
            let refusal = Refusal::new(Code::NotFound, error.to_string());
            refusal.hint(
                error
                    .hint()
                    .map_or_else(|| "see `doorward integration list`".to_owned(), ToString::to_string),
            )
        })
    }

    /// The same for whoever does not care why there is none.
    pub(crate) fn known(&self, name: &IntegrationName) -> Option<Arc<Integration>> {
        self.catalog.get(name).ok()
    }

    /// The allowlist and the denylist.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }
}

impl Broker {
    /// What is in force now. A call takes it once, at its beginning.
    pub(crate) fn edition(&self) -> Arc<Edition> {
        self.edition.load_full()
    }

    /// The catalogue in force.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.edition.load().catalog)
    }

    /// The lists in force.
    #[must_use]
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.edition.load().lists)
    }

    /// Puts other lists in force; see [`read_lists`](super::read_lists). The next reload takes those of the home, or of what is laid
    /// over it.
    pub fn replace_lists(&self, lists: Lists) {
        let _writing = self.writing();
        let catalog = self.catalog();
        self.edition.store(Arc::new(Edition { catalog, lists: Arc::new(lists) }));
    }
}
