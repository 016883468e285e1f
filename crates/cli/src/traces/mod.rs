//! Traces for OpenTelemetry, where the standard variables name a collector; nothing at all where they don't.
//!
//! A call leaves a span, and so does its request to the service. They are queued by the threads that serve and sent in batches by
//! a thread of its own (OTLP over HTTP), so a collector that is slow or away costs a caller nothing.
//!
//! # Invariants
//!
//! - What is exported is made of [`Span`](broker::spans::Span)s, which have names, codes, numbers and a path, and no room for more.
//! - The queue is bounded. What does not fit, or could not be delivered, is dropped and counted; the first failure is a line in the
//!   log, and so is the end of the trouble.
//! - A value of the environment is never printed: the headers of a collector are credentials.

mod export;
mod otlp;
mod queue;
mod sampler;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use broker::Broker;

use crate::failure::{Failure, Outcome};
use crate::settings::Lookup;
use queue::Queue;

/// An exporter that runs.
pub(crate) struct Running {
    queue: Arc<Queue>,
}

/// Starts to export what this broker does, where the environment asks for it.
pub(crate) fn start(broker: &Broker, lookup: Lookup<'_>) -> Outcome<Option<Running>> {
    let Some(plan) = settings::read(lookup)? else { return Ok(None) };
    let queue = Arc::new(Queue::new(plan.sampler, plan.bounds));
    broker.watched_by(Arc::clone(&queue) as Arc<dyn broker::spans::Watcher>);
    let started = std::thread::Builder::new().name("traces".to_owned()).spawn({
        let queue = Arc::clone(&queue);
        move || {
            export::run(&queue, &plan.target);
            queue.sent();
        }
    });
    started.map_err(|error| Failure::doing("could not start a thread", &error))?;
    Ok(Some(Running { queue }))
}

impl Running {
    /// Sends what is left, for a few seconds at most. Blocks.
    pub(crate) fn end(self) {
        self.queue.end(LAST);
    }
}

/// How long the rest may take when the house ends.
const LAST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
