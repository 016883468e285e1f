//! Rows of capabilities with names on their way to the disk: one commit for all that wait.
//!
//! A commit of one row costs a sync of the disk; hundreds of callers a moment would wait for one another's. So whoever comes
//! while a commit is under way is in the next one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Refusal;
use store::{Batch, Step, Storage};
use tokio::sync::oneshot;

use crate::manage::unstored;

/// See the module.
pub(crate) struct Rows {
    storage: Arc<dyn Storage>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Somebody is writing, and will look again before ending.
    writing: bool,
}

struct Waiting {
    steps: Vec<Step>,
    answer: oneshot::Sender<Result<(), Refusal>>,
}

impl Rows {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, queue: Mutex::default() }
    }

    /// Makes steps durable, together or not at all.
    pub(crate) async fn commit(self: &Arc<Self>, steps: Vec<Step>) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut queue = self.queue();
            queue.waiting.push(Waiting { steps, answer });
            !std::mem::replace(&mut queue.writing, true)
        };
        if first {
            let rows = Arc::clone(self);
            drop(tokio::task::spawn_blocking(move || rows.write()));
        }
        answered.await.unwrap_or_else(|_| {
            Err(Refusal::new(model::Code::OutcomeUnknown, "the operation broke off inside Doorward"))
        })
    }

    fn write(&self) {
        loop {
            let waiting = {
                let mut queue = self.queue();
                if queue.waiting.is_empty() {
                    queue.writing = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            let mut batch = Batch::new();
            let mut answers = Vec::with_capacity(waiting.len());
            for Waiting { steps, answer } in waiting {
                steps.into_iter().for_each(|step| batch.push(step));
                answers.push(answer);
            }
            let committed = self.storage.commit(&batch).map_err(|error| unstored(&error));
            for answer in answers {
                // Whoever no longer waits learns nothing; the row is there or not all the same.
                drop(answer.send(committed.clone()));
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
