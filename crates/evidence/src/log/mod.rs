//! The write side: lanes gather, one thread writes.

mod entry;
mod gauge;
mod lane;
mod recover;
mod signing;
mod state;
mod uses;
mod writer;

use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crypto::{PublicKey, SigningKey};
use model::Clock;
use store::Storage;

use crate::{Error, Origin};

use entry::Message;
use gauge::Gauge;
pub use lane::{Lane, Outcomes, Wait};
pub(crate) use uses::decode as decode_count;
use writer::Writer;

/// The evidence log of a home. One at a time: it owns the chains, and the thread that writes them.
///
/// Dropped without [`Self::close`], the thread still writes and signs what it was given, but nobody waits for it.
pub struct Log {
    outbox: mpsc::Sender<Message>,
    gauge: Arc<Gauge>,
    public: PublicKey,
    origin: Origin,
    patience: Duration,
    lanes: Mutex<Vec<Weak<lane::Inner>>>,
    writer: Mutex<Option<JoinHandle<Result<(), Error>>>>,
}

impl Log {
    /// Opens the log: reads where the chains end and checks that against the last checkpoint, settles what a crash left open as
    /// `unknown`, and starts the thread. Blocks.
    ///
    /// # Errors
    /// When the storage can't be read or written, or what is stored does not fit the last checkpoint or this key.
    pub fn open(
        storage: Arc<dyn Storage>,
        key: SigningKey,
        origin: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Self::open_with(storage, key, Origin::new(origin)?, clock, PATIENCE)
    }

    fn open_with(
        storage: Arc<dyn Storage>,
        key: SigningKey,
        origin: Origin,
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let public = key.public();
        let state = recover::state(&*storage, &public)?;
        let gauge = Arc::new(Gauge::default());
        let mut writer = Writer::new(storage, (key, origin.clone()), clock, Arc::clone(&gauge), state);
        writer.start(env!("CARGO_PKG_VERSION"))?;
        let (outbox, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("evidence".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|source| Error::System { what: "start the evidence thread", source })?;
        Ok(Self {
            outbox,
            gauge,
            public,
            origin,
            patience,
            lanes: Mutex::default(),
            writer: Mutex::new(Some(thread)),
        })
    }

    /// A lane of this log; one for each runtime.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane_with(Outcomes::Settled)
    }

    /// The same, with a say in when outcomes are durable.
    #[must_use]
    pub fn lane_with(&self, outcomes: Outcomes) -> Lane {
        let lane = Lane::new(self.outbox.clone(), Arc::clone(&self.gauge), self.patience, outcomes);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|known| known.strong_count() > 0);
        lanes.push(Arc::downgrade(lane.inner()));
        lane
    }

    /// The key that verifies its checkpoints.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The name under which it signs them.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Number of intents that are not settled yet, as of the last group.
    #[must_use]
    pub fn open_intents(&self) -> usize {
        self.gauge.open()
    }

    /// Number of records in all chains, as of the last group.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.gauge.records()
    }

    /// Writes what waits, signs the last checkpoint and ends the thread. Blocks. Lanes refuse from then on.
    ///
    /// # Errors
    /// When the last group could not be written, or the log had failed before.
    pub fn close(&self) -> Result<(), Error> {
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        // What was taken in since the last turns of their runtimes.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = lanes.drain(..).filter_map(|lane| Some(lane.upgrade()?.take().0)).collect();
        drop(lanes);
        // If the thread is gone already, joining says why.
        let _ = self.outbox.send(Message::Close(rest));
        thread.join().unwrap_or(Err(Error::Failed))
    }
}

/// How long a caller waits for the disk before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
pub(crate) mod tests;
