//! What is shown of a broker to those who watch over it: whether it serves, its numbers, its state. Names and numbers only.

use std::sync::atomic::Ordering;
use std::time::Duration;

use model::Timestamp;
use serde_json::{Value, json};

use super::{Broker, Readiness, State};

impl Broker {
    /// All counters in Prometheus' text format. They name integrations and codes, never callers' data.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let open = self.unsealed.load().as_ref().map_or(0, |unsealed| unsealed.log().open_intents());
        let own = self.metrics.text(self.state(), open, &self.upstreams.left_alone());
        let watched = self.watcher().map(|watcher| watcher.numbers()).unwrap_or_default();
        format!("{}{watched}{own}", self.reload_metrics())
    }

    /// Sessions of whoever signed in.
    pub(crate) const fn sessions(&self) -> &tenancy::sessions::Sessions {
        self.people.sessions()
    }

    pub(crate) const fn hooks(&self) -> &crate::hooks::Hooks {
        &self.brought.hooks
    }

    pub(crate) const fn people(&self) -> &crate::people::People {
        &self.people
    }

    /// When this broker was opened: another one after a restart has another time.
    pub(crate) const fn opened(&self) -> Timestamp {
        self.opened
    }

    /// Whether calls would be served. Evidence that could not be written counts for a moment only: where nobody is sent here
    /// any more, nobody would find out that it can be written again.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let last = Timestamp::from_millis(self.unrecorded.load(Ordering::Relaxed));
        match self.state() {
            State::Sealed => Readiness::Sealed,
            State::Unsealed if last.millis() > 0 && self.now().since(last) < MOMENT => Readiness::Unrecorded,
            State::Unsealed => Readiness::Ready,
        }
    }

    /// The state in JSON.
    #[must_use]
    pub fn status(&self) -> Value {
        let settings = self.settings();
        let state = match self.state() {
            State::Sealed => "sealed",
            State::Unsealed => "unsealed",
        };
        json!({
            "state": state,
            "ready": self.readiness() == Readiness::Ready,
            "version": env!("CARGO_PKG_VERSION"),
            "tenant": settings.tenant,
            "environment": settings.environment,
            "development": settings.development,
            "integrations": self.catalog().names().len(),
            "left_alone": self.upstreams.left_alone(),
            "warnings": self.warnings(),
        })
    }

    /// What was loosened, and what does not work at the moment.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.settings().development {
            warnings.push("development mode: loopback callers need no capability".to_owned());
        }
        if let Some(wrong) = self.failed_reload() {
            warnings.push(format!("what was in force is still in force: {wrong}"));
        }
        let catalog = self.catalog();
        for name in catalog.names() {
            let Ok(integration) = catalog.get(&name) else { continue };
            if integration.dangerous_allow_private() {
                warnings.push(format!("`{name}` may reach private addresses (dangerous_allow_private)"));
            }
            if integration.anonymous() {
                warnings.push(format!("`{name}` lets callers to the lists without any proof (anonymous)"));
            }
            if integration.tls_insecure_skip_verify() {
                warnings.push(format!(
                    "`{name}` does not check the upstream's certificate (tls_insecure_skip_verify)"
                ));
            }
        }
        warnings.extend(self.stale_secrets().into_iter().map(|stale| {
            let secrets::Stale { reference, fetched, until, why } = stale;
            format!("`{reference}` was read at {fetched} and is lent until {until}, as it can't be read again: {why}")
        }));
        for name in self.upstreams.left_alone() {
            warnings.push(format!("`{name}` failed several times and is left alone for now (breaker)"));
        }
        warnings
    }

    /// Evidence could not be written.
    pub(crate) fn note_unrecorded(&self) {
        self.unrecorded.store(self.now().millis(), Ordering::Relaxed);
    }
}

/// How long trouble with evidence makes a broker unready.
const MOMENT: Duration = Duration::from_secs(10);
