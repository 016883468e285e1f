//! One thread's share of the broker: its connections to upstreams and its lane to the evidence.

use std::sync::Arc;

use evidence::Lane;
use net::Upstream;

use crate::Broker;
use crate::broker::Unsealed;

/// What calls run on; one per runtime thread.
pub struct Worker {
    broker: Arc<Broker>,
    upstream: Upstream,
    thread: usize,
}

impl Worker {
    /// The worker of one thread, counted from 0.
    #[must_use]
    pub const fn new(broker: Arc<Broker>, upstream: Upstream, thread: usize) -> Self {
        Self { broker, upstream, thread }
    }

    /// What all threads share.
    #[must_use]
    pub const fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    pub(crate) const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn lane(&self, unsealed: &Unsealed) -> Lane {
        unsealed.lane(self.thread).cloned().unwrap_or_else(|| unsealed.log().lane())
    }
}
