//! What was listed a moment ago, so that a call of a tool does not list them all again.
//!
//! Only lists are kept, and what a list says opens nothing: each call is decided by the path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::Offer;

/// Tools by their names.
pub(crate) type Tools = BTreeMap<String, Offer>;

/// The lists of a door, for all its clients.
#[derive(Default)]
pub struct Known(Mutex<Vec<List>>);

struct List {
    capability: Option<HeaderValue>,
    since: Instant,
    tools: Arc<Tools>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Known {
    /// What was listed for this capability, where that is not long ago.
    pub(crate) fn find(&self, capability: Option<&HeaderValue>) -> Option<Arc<Tools>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lists = known.iter().filter(|list| list.since.elapsed() < FRESH);
        lists.find(|list| list.capability.as_ref() == capability).map(|list| Arc::clone(&list.tools))
    }

    /// Keeps a list.
    pub(crate) fn keep(&self, capability: Option<HeaderValue>, tools: &Arc<Tools>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|list| list.since.elapsed() < FRESH && list.capability != capability);
        if known.len() < MOST {
            known.push(List { capability, since: Instant::now(), tools: Arc::clone(tools) });
        }
    }
}

/// How long a list is believed.
const FRESH: Duration = Duration::from_secs(30);
/// Most lists that are kept.
const MOST: usize = 256;
