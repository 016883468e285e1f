//! What calls leave behind for those that come after them.

use std::sync::Arc;

use super::Broker;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::outgoing::Outgoing;
use crate::plan::Live;
use crate::programs::{Machine, ProgramSetup};
use crate::spans::Watcher;
use crate::upstreams::Upstreams;

impl Broker {
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) const fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    /// The programs that do operations.
    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Says how programs are run that do operations. Without it there are none; the first word holds.
    pub fn run_programs(&self, setup: ProgramSetup) {
        self.machine.set_up(setup);
    }

    /// Tells this one of every call from now on; the first word holds.
    pub fn watched_by(&self, watcher: Arc<dyn Watcher>) {
        let _ = self.watcher.set(watcher);
    }

    pub(crate) fn watcher(&self) -> Option<&Arc<dyn Watcher>> {
        self.watcher.get()
    }

    /// The plans that this process runs.
    pub(crate) const fn plans(&self) -> &Live {
        &self.plans
    }

    pub(crate) const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
}
