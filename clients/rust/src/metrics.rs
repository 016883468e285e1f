//! Counters of one agent and its cache, for whatever a program exports its metrics with.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counts what was asked and what came of it.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $(pub(crate) $name: AtomicU64,)+
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        pub struct Counted {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Metrics {
            /// The counters now.
            #[must_use]
            pub fn now(&self) -> Counted {
                Counted { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counters! {
    /// Capabilities that were asked for.
    capability_requests,
    /// Those that were granted.
    capability_grants,
    /// Those that were denied.
    capability_denials,
    /// Validations that were asked for.
    validation_requests,
    /// Those that found a valid capability.
    validation_success,
    /// Those that didn't.
    validation_failures,
    /// Capabilities that came from a cache.
    cache_hits,
    /// Those that had to be asked for.
    cache_misses,
    /// Calls that were made again.
    retries,
    /// Calls that failed.
    errors,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
