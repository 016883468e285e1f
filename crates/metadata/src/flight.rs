//! Things with an end that are kept, and fetched by one flight at a time.
//!
//! # Invariants
//!
//! - For one key there is at most one flight. It runs on a task of its own, which ends with the [`Flights`] that own it.
//! - What is kept is replaced before it ends; while that is under way, or fails, the old one serves until shortly before
//!   its end.
//! - At most [`MOST`] keys are kept. When all of them are in use, a new one is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, Code, Refusal, Retry, Timestamp};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Something that is valid until a point in time.
pub(crate) trait Ends: Send + Sync + 'static {
    /// When it ends.
    fn ends(&self) -> Timestamp;
}

/// See the module.
pub(crate) struct Flights<V: Ends> {
    clock: Arc<dyn Clock>,
    table: Arc<Table<V>>,
}

type Table<V> = Mutex<HashMap<Box<str>, Entry<V>>>;
type Landing<V> = Option<Result<Arc<V>, Refusal>>;

struct Entry<V> {
    held: Option<Kept<V>>,
    flight: Option<Flight<V>>,
    trouble: Option<Trouble>,
}

struct Kept<V> {
    value: Arc<V>,
    /// From here on it is replaced.
    stale: Timestamp,
}

struct Flight<V> {
    landing: watch::Receiver<Landing<V>>,
    task: AbortHandle,
}

/// Failures in a row.
struct Trouble {
    times: u32,
    until: Timestamp,
    refusal: Refusal,
}

enum Found<V> {
    Here(Arc<V>),
    Refused(Refusal),
    Coming(watch::Receiver<Landing<V>>),
}

impl<V: Ends> Flights<V> {
    /// Nothing kept yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, table: Arc::default() }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// What is kept under `key`, or what `fetch` brings, which is called only where nobody else is fetching it.
    pub(crate) async fn current<F, T>(&self, key: &str, fetch: F) -> Result<Arc<V>, Refusal>
    where
        F: FnOnce() -> T,
        T: Future<Output = Result<V, Refusal>> + Send + 'static,
    {
        let mut coming = match self.look(key, fetch) {
            Found::Here(value) => return Ok(value),
            Found::Refused(refusal) => return Err(refusal),
            Found::Coming(landing) => landing,
        };
        let landed = coming.wait_for(Option::is_some).await.ok().and_then(|landed| (*landed).clone());
        // The sender goes away without a word only when the task was ended or has panicked.
        landed.unwrap_or_else(|| {
            Err(Refusal::new(Code::SourceUnavailable, "the credentials could not be fetched"))
        })
    }

    /// Drops what is kept and every pause. Flights go on.
    pub(crate) fn forget(&self) {
        for entry in locked(&self.table).values_mut() {
            entry.held = None;
            entry.trouble = None;
        }
    }

    fn look<F, T>(&self, key: &str, fetch: F) -> Found<V>
    where
        F: FnOnce() -> T,
        T: Future<Output = Result<V, Refusal>> + Send + 'static,
    {
        let now = self.clock.now();
        let mut table = locked(&self.table);
        if let Some(entry) = table.get(key) {
            if let Some(kept) = entry.held.as_ref().filter(|kept| now < kept.stale) {
                return Found::Here(Arc::clone(&kept.value));
            }
            if let Some(flight) = entry.flight.as_ref().filter(|flight| !flight.task.is_finished()) {
                return entry.usable(now).unwrap_or_else(|| Found::Coming(flight.landing.clone()));
            }
            if let Some(trouble) = entry.trouble.as_ref().filter(|trouble| now < trouble.until) {
                return entry.usable(now).unwrap_or_else(|| Found::Refused(trouble.told(now)));
            }
        } else if let Err(refusal) = make_room(&mut table, now) {
            return Found::Refused(refusal);
        }
        let (sender, landing) = watch::channel(None);
        let flight = Landed { key: key.into(), table: Arc::clone(&self.table), clock: self.clock(), sender };
        let task = tokio::spawn(flight.fly(fetch())).abort_handle();
        let entry = table.entry(key.into()).or_insert_with(Entry::empty);
        entry.flight = Some(Flight { landing: landing.clone(), task });
        entry.usable(now).unwrap_or(Found::Coming(landing))
    }
}

impl<V: Ends> Drop for Flights<V> {
    fn drop(&mut self) {
        for entry in locked(&self.table).values() {
            if let Some(flight) = &entry.flight {
                flight.task.abort();
            }
        }
    }
}

/// One flight, from its start to its landing; the task `lease-flight`.
struct Landed<V: Ends> {
    key: Box<str>,
    table: Arc<Table<V>>,
    clock: Arc<dyn Clock>,
    sender: watch::Sender<Landing<V>>,
}

impl<V: Ends> Landed<V> {
    async fn fly(self, fetch: impl Future<Output = Result<V, Refusal>>) {
        let fetched = tokio::time::timeout(PATIENCE, fetch).await.unwrap_or_else(|_| {
            Err(Refusal::new(Code::UpstreamTimeout, "the credentials did not come in time"))
        });
        let now = self.clock.now();
        let fetched = fetched.and_then(|value| {
            // Keeping it would mean fetching it again for each request.
            if value.ends() <= now {
                return Err(Refusal::new(Code::UpstreamReply, "the credentials that came are over already"));
            }
            Ok(Arc::new(value))
        });
        if let Some(entry) = locked(&self.table).get_mut(&self.key) {
            entry.land(fetched.as_ref(), now);
        }
        self.sender.send_replace(Some(fetched));
    }
}

// === impl Entry ===

impl<V: Ends> Entry<V> {
    const fn empty() -> Self {
        Self { held: None, flight: None, trouble: None }
    }

    /// What is kept, if callers can still do something with it.
    fn usable(&self, now: Timestamp) -> Option<Found<V>> {
        let kept = self.held.as_ref()?;
        (kept.value.ends().since(now) > LAST).then(|| Found::Here(Arc::clone(&kept.value)))
    }

    fn land(&mut self, fetched: Result<&Arc<V>, &Refusal>, now: Timestamp) {
        self.flight = None;
        match fetched {
            Ok(value) => {
                let life = value.ends().since(now);
                // A short life is used for its first half, or every request would fetch.
                let fresh = life.saturating_sub(MARGIN).max(life / 2);
                self.held = Some(Kept { value: Arc::clone(value), stale: now.after(fresh) });
                self.trouble = None;
            }
            Err(refusal) => {
                let times = self.trouble.as_ref().map_or(0, |trouble| trouble.times.saturating_add(1));
                let pause = PAUSE_FIRST.saturating_mul(1 << times.min(16)).min(PAUSE_MOST);
                self.trouble = Some(Trouble { times, until: now.after(pause), refusal: refusal.clone() });
            }
        }
    }

    /// Whether nothing would be lost without it.
    fn is_spare(&self, now: Timestamp) -> bool {
        self.flight.as_ref().is_none_or(|flight| flight.task.is_finished())
            && self.held.as_ref().is_none_or(|kept| kept.stale <= now)
            && self.trouble.as_ref().is_none_or(|trouble| trouble.until <= now)
    }
}

impl Trouble {
    fn told(&self, now: Timestamp) -> Refusal {
        self.refusal.clone().retry(Retry::After(self.until.since(now)))
    }
}

fn make_room<V: Ends>(table: &mut HashMap<Box<str>, Entry<V>>, now: Timestamp) -> Result<(), Refusal> {
    if table.len() >= MOST {
        table.retain(|_, entry| !entry.is_spare(now));
    }
    if table.len() >= MOST {
        return Err(Refusal::new(
            Code::RateLimited,
            format!("credentials for {MOST} roles are in use already"),
        ));
    }
    Ok(())
}

fn locked<V>(table: &Table<V>) -> MutexGuard<'_, HashMap<Box<str>, Entry<V>>> {
    // Nothing between two statements on an entry can be left half done.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long before its end something is replaced. EC2 has new credentials there at least five minutes before the old ones
/// end: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// What is left when a caller is better served by waiting for the next.
const LAST: Duration = Duration::from_secs(30);
/// Longest time for a flight; a person may have to type a code.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MOST: Duration = Duration::from_secs(60);
/// Most keys at a time.
pub(crate) const MOST: usize = 256;

#[cfg(test)]
mod tests;
