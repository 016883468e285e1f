//! What a broker holds for the agent: how it is set up, where its rows and its audit log are written.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use model::{Needs, Refusal};

use super::Broker;
use crate::agent::{Agent, AuditLog, Lately, Rows};

impl Broker {
    /// The agent as it is set up.
    pub(crate) fn agent(&self) -> Arc<Agent> {
        self.agent.load_full()
    }

    /// What the door refused lately.
    pub(crate) const fn refused_lately(&self) -> &Lately {
        &self.refused_lately
    }

    /// Why the policy files that are there now are not in force; `None` where they are.
    pub(crate) fn policy_trouble(&self) -> Option<Arc<String>> {
        self.policy_trouble.load_full()
    }

    pub(crate) fn set_policy_trouble(&self, trouble: Option<String>) {
        self.policy_trouble.store(trouble.map(Arc::new));
    }

    /// What the agent's door has to find out about the program of a caller: what a policy file or a name asks for.
    #[must_use]
    pub fn program_needs(&self) -> Needs {
        self.agent.load().needs
    }

    pub(crate) fn set_agent(&self, agent: Agent) {
        self.agent.store(Arc::new(agent));
    }

    /// The audit log, where there is one.
    pub(crate) fn audit(&self) -> Option<Arc<AuditLog>> {
        self.audit.load_full()
    }

    pub(crate) fn set_audit(&self, audit: Option<Arc<AuditLog>>) {
        self.audit.store(audit);
    }

    pub(super) fn reveals(&self) -> bool {
        self.reveals.load(Ordering::Relaxed)
    }

    /// Lets secrets that were stored as disclosable be shown, or no longer: a policy of its own, so that others can forbid it.
    pub(crate) fn set_reveals(&self, reveals: bool, writing: &MutexGuard<'_, ()>) -> Result<(), Refusal> {
        if self.reveals.swap(reveals, Ordering::Relaxed) == reveals {
            return Ok(());
        }
        self.reload_while(writing).inspect_err(|_| self.reveals.store(!reveals, Ordering::Relaxed))
    }

    /// Where rows of capabilities with names are written.
    pub(crate) const fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }
}
