//! The masks of several credentials as one, kept for the next call. What one call looks for is mostly what the last one of its
//! integration looked for, and preparing a search costs more than the search.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{IntegrationName, TenantName};
use secrets::{Mask, Unmaskable};

/// What was joined last, for each integration of a tenant.
#[derive(Default)]
pub(crate) struct Masks(Mutex<HashMap<Of, Joined>>);

type Of = (TenantName, IntegrationName);

struct Joined {
    parts: Vec<Arc<Mask>>,
    whole: Arc<Mask>,
}

impl Masks {
    /// What finds everything that one of these finds.
    pub(crate) fn joined(&self, of: Of, mut parts: Vec<Arc<Mask>>) -> Result<Arc<Mask>, Unmaskable> {
        // In an order of its own: those that take turns come in another one each time.
        parts.sort_by_key(|part| Arc::as_ptr(part).addr());
        parts.dedup_by(|one, other| Arc::ptr_eq(one, other));
        if let [one] = parts.as_slice() {
            return Ok(Arc::clone(one));
        }
        if let Some(known) = self.all().get(&of).filter(|known| known.is_of(&parts)) {
            return Ok(Arc::clone(&known.whole));
        }
        let whole = Arc::new(Mask::join(&parts.iter().map(|part| &**part).collect::<Vec<_>>())?);
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(of, Joined { parts, whole: Arc::clone(&whole) });
        Ok(whole)
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Of, Joined>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Joined {
    fn is_of(&self, parts: &[Arc<Mask>]) -> bool {
        self.parts.len() == parts.len()
            && self.parts.iter().zip(parts).all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

/// Integrations with more than one credential are few.
const MOST: usize = 256;

#[cfg(test)]
mod tests;
