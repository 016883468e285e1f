//! Refresh tokens that their issuer will not take any more. Asking again with one is of no use, and some issuers count it as theft.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Imprints of those tokens, none of which says anything of one.
#[derive(Default)]
pub(crate) struct Spent(Mutex<BTreeSet<[u8; 32]>>);

impl Spent {
    /// Notes one.
    pub(crate) fn note(&self, imprint: [u8; 32]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // To forget them costs one more question each.
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(imprint);
    }

    /// Whether one is.
    pub(crate) fn knows(&self, imprint: &[u8; 32]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(imprint)
    }
}

const MOST: usize = 1_024;
