//! What calls leave behind for those that come after them.

use super::Broker;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::outgoing::Outgoing;
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

    pub(crate) const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
}
