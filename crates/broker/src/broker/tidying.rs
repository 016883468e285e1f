//! What is over goes, now and then.

use std::sync::Arc;

use super::Broker;

impl Broker {
    /// Forgets counters of callers that are long gone, and capabilities that are long over; called now and then by whoever runs
    /// the broker, within a runtime.
    pub fn tidy(self: &Arc<Self>) {
        self.limits.tidy();
        self.incoming.tidy(self.now());
        self.go_on_rotating();
        self.forget_people();
        let broker = Arc::clone(self);
        drop(tokio::task::spawn_blocking(move || {
            // Where that fails, the next look tries again.
            let _ = broker.keep_sessions();
            if let Some(unsealed) = broker.unsealed.load_full() {
                broker.forget_old(&unsealed);
                broker.forget_approvals(&unsealed);
                broker.remember_ends(&unsealed.log().public_key());
            }
        }));
    }
}
