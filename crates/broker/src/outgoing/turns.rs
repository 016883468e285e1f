//! Several credentials that take turns: spread over the calls, and one that the upstream did not take rests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use catalog::Choice;
use model::{IntegrationName, TenantName, Timestamp};

/// Whose turn it is.
#[derive(Default)]
pub(crate) struct Turns {
    next: AtomicUsize,
    resting: Mutex<HashMap<Turn, Timestamp>>,
}

/// One credential of several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Turn {
    pub(crate) tenant: TenantName,
    pub(crate) integration: IntegrationName,
    pub(crate) field: String,
}

impl Turns {
    /// The fields in the order in which they should be tried: those that rest come last, the one that rests the shortest
    /// first of them. So a call is never refused because all of them rest.
    pub(crate) fn order<'a>(
        &self,
        (tenant, integration): (&TenantName, &IntegrationName),
        choice: &'a Choice,
        now: Timestamp,
    ) -> Vec<&'a str> {
        let mut fields: Vec<&str> = choice.fields().collect();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % fields.len().max(1);
        fields.rotate_left(first);
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        fields.sort_by_key(|field| {
            let turn =
                Turn { tenant: tenant.clone(), integration: integration.clone(), field: (*field).to_owned() };
            resting.get(&turn).filter(|until| now < **until).copied().unwrap_or_default()
        });
        fields
    }

    /// Lets one rest.
    pub(crate) fn rest(&self, turn: Turn, now: Timestamp, how_long: Duration) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| now < *until);
        resting.insert(turn, now.after(how_long));
    }
}

#[cfg(test)]
mod tests;
