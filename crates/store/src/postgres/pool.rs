//! A few connections, each with a thread of its own.
//!
//! The library waits without a limit for an answer, and must not be called from within a runtime. A thread for each connection settles both:
//! whoever asks waits on a channel for as long as it wants to.
//!
//! # Invariants
//!
//! - A connection does one thing at a time, and is closed when anything about it is not understood.
//! - Threads that hang with a server that hangs are counted; beyond a few, nothing more is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::link::{Link, Trouble};
use super::target::Target;

/// What a connection's thread is told to do. There is no link before the first job, and behind one that broke it.
type Job = Box<dyn FnOnce(&mut Option<Link>) + Send>;

/// See the module.
pub(super) struct Pool {
    target: Arc<Target>,
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
    /// Threads that nobody waits for any more.
    stuck: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    idle: Vec<mpsc::Sender<Job>>,
    /// Connections that are idle or in use.
    open: usize,
}

impl Pool {
    pub(super) fn new(target: Arc<Target>, most: usize) -> Self {
        let (state, freed, stuck) = (Mutex::default(), Condvar::new(), Arc::default());
        Self { target, most, state, freed, stuck }
    }

    /// Does something on a connection, within this time.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut Link) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let until = Instant::now() + limit;
        let thread = self.take(until)?;
        let (reply, answer) = mpsc::sync_channel(1);
        let target = Arc::clone(&self.target);
        let job: Job = Box::new(move |kept| {
            let dialled = match kept.take() {
                Some(link) => Ok(link),
                None => Link::dial(&target),
            };
            let answer = match dialled {
                Ok(mut link) => {
                    let answer = work(&mut link);
                    let broken = matches!(answer, Err(Trouble::Lost(_) | Trouble::Late)) || link.is_closed();
                    *kept = (!broken).then_some(link);
                    answer
                }
                Err(undialled) => Err(undialled),
            };
            // Whoever asked may have given up.
            let _ = reply.send((answer, kept.is_some()));
        });
        let sent = thread.send(job).is_ok();
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((answer, sound)) => {
                self.give_back(sound.then_some(thread));
                if matches!(answer, Err(Trouble::Lost(_))) {
                    // The others were most likely broken by the same thing.
                    self.forget_idle();
                }
                answer
            }
            Err(_) => {
                // The thread ends behind this job, because nobody can give it another one.
                if sent {
                    self.stuck.fetch_add(1, Ordering::Relaxed);
                    let stuck = Arc::clone(&self.stuck);
                    let counted: Job = Box::new(move |_| {
                        stuck.fetch_sub(1, Ordering::Relaxed);
                    });
                    if thread.send(counted).is_err() {
                        self.stuck.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                self.give_back(None);
                Err(Trouble::Late)
            }
        }
    }

    /// An idle thread, or a new one where there may be one more.
    fn take(&self, until: Instant) -> Result<mpsc::Sender<Job>, Trouble> {
        if self.stuck.load(Ordering::Relaxed) > MOST_STUCK {
            return Err(Trouble::Late);
        }
        let mut state = self.state();
        loop {
            if let Some(thread) = state.idle.pop() {
                return Ok(thread);
            }
            if state.open < self.most {
                state.open += 1;
                drop(state);
                return begin().inspect_err(|_| self.give_back(None));
            }
            let now = Instant::now();
            if now >= until {
                return Err(Trouble::Late);
            }
            let waited = self.freed.wait_timeout(state, until - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give_back(&self, thread: Option<mpsc::Sender<Job>>) {
        let mut state = self.state();
        match thread {
            Some(thread) => state.idle.push(thread),
            None => state.open = state.open.saturating_sub(1),
        }
        drop(state);
        self.freed.notify_one();
    }

    fn forget_idle(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(state.idle.len());
        state.idle.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that does what it is told until nobody can tell it anything more.
fn begin() -> Result<mpsc::Sender<Job>, Trouble> {
    let (outbox, inbox) = mpsc::channel::<Job>();
    let made = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
        let mut link = None;
        while let Ok(job) = inbox.recv() {
            job(&mut link);
        }
    });
    match made {
        Ok(_) => Ok(outbox),
        Err(source) => Err(Trouble::Said(crate::Error::File {
            what: "start a thread for",
            path: "postgres".into(),
            source,
        })),
    }
}

/// Beyond this many threads that hang, a server is not asked any more until some of them end.
const MOST_STUCK: usize = 32;
