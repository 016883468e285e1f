//! A thread with a runtime of its own, for members that speak to something asynchronous.
//!
//! A keyring is called from threads that may wait, and such a thread may belong to a runtime, inside of which another
//! can't be driven. So what is asynchronous is done here.

use std::future::Future;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::{Error, Kind};

/// The thread. It ends when this is dropped.
pub(crate) struct Worker {
    kind: Kind,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce(&Runtime) + Send>;

impl Worker {
    /// Starts it.
    pub(crate) fn start(kind: Kind) -> Result<Self, Error> {
        let failed = |source: std::io::Error| Error::Unavailable {
            kind,
            why: "no thread could be started".to_owned(),
            source: Some(Box::new(source)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new().name(format!("keyring-{kind}")).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&runtime);
            }
        });
        Ok(Self { kind, jobs: Some(jobs), thread: Some(thread.map_err(failed)?) })
    }

    /// Does something asynchronous there and waits for it, at most for `within`.
    pub(crate) fn run<T, F, W>(&self, within: Duration, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>>,
        W: FnOnce() -> F + Send + 'static,
    {
        let kind = self.kind;
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |runtime| {
            let done = runtime.block_on(async move { tokio::time::timeout(within, work()).await });
            let done = done.unwrap_or_else(|_| Err(Error::unavailable(kind, "it did not answer in time")));
            let _ = answer.send(done);
        });
        let gone = || Error::unavailable(kind, "its thread is gone");
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
