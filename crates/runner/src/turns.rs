//! Whose turn it is: so many programs at a time, and tenants in turn where more want to run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::Error;

/// Turns for programs. Tenants that wait are served one after the other, each in the order of its own calls.
#[derive(Debug)]
pub struct Turns {
    state: Mutex<State>,
    waiting: usize,
}

#[derive(Debug)]
struct State {
    free: usize,
    queues: BTreeMap<String, VecDeque<oneshot::Sender<Turn>>>,
    /// Tenants with somebody in their queue; who is first is next.
    order: VecDeque<String>,
    queued: usize,
}

/// A turn; the next one has it when this is dropped.
#[derive(Debug)]
pub struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// So many at a time, and at most so many of each tenant that wait.
    #[must_use]
    pub fn new(at_a_time: usize, waiting: usize) -> Arc<Self> {
        let state =
            State { free: at_a_time.max(1), queues: BTreeMap::new(), order: VecDeque::new(), queued: 0 };
        Arc::new(Self { state: Mutex::new(state), waiting })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// When too many of this tenant wait already.
    pub async fn wait(self: &Arc<Self>, tenant: &str) -> Result<Turn, Error> {
        let coming = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.free > 0 && state.queued == 0 {
                state.free -= 1;
                return Ok(Turn(Some(Arc::clone(self))));
            }
            let queue = state.queues.entry(tenant.to_owned()).or_default();
            if queue.len() >= self.waiting {
                return Err(Error::Busy);
            }
            let (give, coming) = oneshot::channel();
            let first = queue.is_empty();
            queue.push_back(give);
            state.queued += 1;
            if first {
                state.order.push_back(tenant.to_owned());
            }
            coming
        };
        coming.await.map_err(|_| Error::Busy)
    }

    /// Gives a turn that ended to the next who still waits.
    fn pass(self: Arc<Self>) {
        let mut turn = Turn(Some(Arc::clone(&self)));
        loop {
            let next = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(tenant) = state.order.pop_front() else {
                    state.free += 1;
                    turn.0 = None;
                    return;
                };
                let queue = state.queues.get_mut(&tenant);
                let next = queue.and_then(VecDeque::pop_front);
                state.queued = state.queued.saturating_sub(1);
                if state.queues.get(&tenant).is_some_and(|queue| !queue.is_empty()) {
                    state.order.push_back(tenant);
                } else {
                    state.queues.remove(&tenant);
                }
                next
            };
            match next.map(|next| next.send(turn)) {
                Some(Ok(())) => return,
                // Who waited went away.
                Some(Err(back)) => turn = back,
                None => return,
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass();
        }
    }
}

#[cfg(test)]
mod tests;
