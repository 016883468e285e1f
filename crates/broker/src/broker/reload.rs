//! Reading everything again, and how that went: for status, counters and health.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::Catalog;
use model::{IntegrationName, Refusal, Timestamp};
use policy::Rules;

use super::{Broker, Edition, Overlay, lists, load};

/// How reading everything again went so far.
#[derive(Debug, Default)]
pub(super) struct Reloads(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    done: u64,
    failed: u64,
    /// When what is in force was read.
    last: Option<Timestamp>,
    /// Why the last one failed, until one succeeds.
    wrong: Option<String>,
}

impl Broker {
    /// Reads the user's integrations, the policies and the lists again. On an error the former set stays.
    ///
    /// # Errors
    /// The file and line that is wrong.
    pub fn reload(&self) -> Result<(), Refusal> {
        self.reload_while(&self.writing())
    }

    /// [`Self::reload`] where what was read fits; what is looked at is what is put in force.
    ///
    /// # Errors
    /// As [`Self::reload`], and those of `fits`.
    pub fn reload_where(&self, fits: impl FnOnce(&Catalog) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.reload_with(&self.writing(), &self.overlay.load_full(), fits)
    }

    /// [`Self::reload`] for whoever holds the lock already.
    pub(crate) fn reload_while(&self, writing: &MutexGuard<'_, ()>) -> Result<(), Refusal> {
        self.reload_with(writing, &self.overlay.load_full(), |_| Ok(()))
    }

    /// Reads everything again, with this laid over the files of the home from now on. On an error all of the former set stays.
    ///
    /// # Errors
    /// The file and line that is wrong.
    pub fn lay(&self, overlay: Overlay) -> Result<(), Refusal> {
        let (writing, overlay) = (self.writing(), Arc::new(overlay));
        self.reload_with(&writing, &overlay, |_| Ok(()))?;
        self.overlay.store(overlay);
        Ok(())
    }

    fn reload_with(
        &self,
        _writing: &MutexGuard<'_, ()>,
        overlay: &Overlay,
        fits: impl FnOnce(&Catalog) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let catalog = load::catalog(&self.settings.layer, overlay, Some(&self.catalog()))?;
        fits(&catalog)?;
        let policies = load::policies(&*self.stores.state, &catalog, self.reveals())?;
        let (lists, before) = (self.lists(), self.catalog());
        let lists = lists::in_force(&self.settings, overlay, &catalog, Some((&lists, &before)))?;
        load::grants(&*self.stores.state, &self.grants)?;
        self.read_roles()?;
        let bindings = load::bindings(&catalog);
        self.read_providers(&catalog)?;
        // Policies name the catalogue's operations, so both are ready before either is swapped.
        self.rules.store(Arc::new(Rules::ready(Arc::new(policies))));
        self.secrets.bind(bindings);
        let _ = self.bound.set(());
        self.edition.store(Arc::new(Edition::new(catalog, lists)));
        Ok(())
    }

    /// The integration that goes by this name besides its own, in lower case.
    #[must_use]
    pub fn aliased(&self, name: &str) -> Option<IntegrationName> {
        self.catalog().aliased(name).cloned()
    }

    /// Whether there is an integration of this name. No decision: for doors that say so in another gateway's words.
    #[must_use]
    pub fn knows(&self, name: &IntegrationName) -> bool {
        self.catalog().has(name)
    }

    /// What callers of another gateway's configuration call an integration: by its name there, where that could not be ours.
    #[must_use]
    pub fn called(&self, name: &IntegrationName) -> String {
        let known = self.catalog().get(name).ok();
        known.and_then(|known| known.aliases().first().cloned()).unwrap_or_else(|| name.to_string())
    }

    /// Notes that everything was read again, or why it could not be.
    pub fn reloaded(&self, wrong: Option<&str>) {
        let now = self.now();
        let mut counted = self.reloads.0.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong {
            None => *counted = Counted { done: counted.done + 1, last: Some(now), wrong: None, ..*counted },
            Some(wrong) => {
                counted.failed += 1;
                counted.wrong = Some(wrong.to_owned());
            }
        }
    }

    /// When what is in force was read.
    #[must_use]
    pub fn last_reload(&self) -> Timestamp {
        let last = self.reloads.0.lock().unwrap_or_else(PoisonError::into_inner).last;
        last.unwrap_or(self.opened)
    }

    /// Why reading everything again failed, where the last attempt did.
    pub(crate) fn failed_reload(&self) -> Option<String> {
        self.reloads.0.lock().unwrap_or_else(PoisonError::into_inner).wrong.clone()
    }

    /// The counters, in the format of the others, without an end.
    pub(super) fn reload_metrics(&self) -> String {
        let at = self.last_reload().millis() / 1000;
        let counted = self.reloads.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let _ = write!(
            text,
            "# HELP doorward_reload Readings of catalogue, lists and policies.\n# TYPE doorward_reload counter\n\
             doorward_reload_total{{result=\"done\"}} {}\ndoorward_reload_total{{result=\"failed\"}} {}\n\
             # HELP doorward_reload_ok Whether the last reading succeeded.\n# TYPE doorward_reload_ok gauge\ndoorward_reload_ok {}\n\
             # HELP doorward_reload_last_seconds When what is in force was read.\n# TYPE doorward_reload_last_seconds gauge\n\
             doorward_reload_last_seconds {at}\n",
            counted.done,
            counted.failed,
            u8::from(counted.wrong.is_none()),
        );
        text
    }
}
