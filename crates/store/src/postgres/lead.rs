//! Which broker writes: one at a time, told apart by an epoch.
//!
//! Whoever leads holds a lock of its session, so that a second broker is refused, and a third follows when the server notices that the first is
//! gone. That lock is for people. What keeps the store whole is the epoch: with a new one, every commit of the one before fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ::postgres::Client;

use super::Error;
use super::link;
use super::schema;
use super::target::{Target, Undialled};

/// The lead over a store, for as long as it is kept.
pub(super) struct Lead {
    epoch: i64,
    fenced: Arc<AtomicBool>,
    /// Dropped, it ends the thread.
    ending: Mutex<Option<mpsc::Sender<()>>>,
    /// Says nothing; it is closed when the connection is.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Lead {
    /// Takes the lead, and waits for it where another broker has it. `go_on` is asked before each look, with the time waited so far.
    pub(super) fn take(
        target: &Arc<Target>,
        who: &str,
        mut go_on: impl FnMut(Duration) -> bool + Send,
    ) -> Result<Self, crate::Error> {
        // On a thread of its own: the library must not be called within a runtime.
        let (epoch, client) = std::thread::scope(|threads| {
            let taken = threads.spawn(|| begin(target, who, &mut go_on));
            taken.join().unwrap_or(Err(crate::Error::Busy))
        })?;
        let fenced = Arc::new(AtomicBool::new(false));
        let (ending, until) = mpsc::channel();
        let (closing, ended) = mpsc::channel();
        let keeper = Keeper { target: Arc::clone(target), epoch, fenced: Arc::clone(&fenced) };
        std::thread::Builder::new()
            .name("store-lead".to_owned())
            .spawn(move || {
                keeper.run(client, &until);
                drop(closing);
            })
            .map_err(|source| crate::Error::File {
                what: "start a thread for",
                path: "postgres".into(),
                source,
            })?;
        Ok(Self { epoch, fenced, ending: Mutex::new(Some(ending)), ended: Mutex::new(ended) })
    }

    /// The epoch, for a commit.
    pub(super) fn epoch(&self) -> Result<i64, Error> {
        if self.fenced.load(Ordering::Acquire) { Err(self.fenced()) } else { Ok(self.epoch) }
    }

    /// Another broker leads; nothing is written any more.
    pub(super) fn lose(&self) -> Error {
        self.fenced.store(true, Ordering::Release);
        self.fenced()
    }

    /// Whether another broker leads.
    pub(super) fn is_lost(&self) -> bool {
        self.fenced.load(Ordering::Acquire)
    }

    const fn fenced(&self) -> Error {
        Error::Fenced { epoch: self.epoch }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        drop(self.ending.lock().unwrap_or_else(PoisonError::into_inner).take());
        // The lock is free for the next one when the connection is closed. A server that hangs is not waited for.
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(LOOK);
    }
}

/// Holds the lock, and takes it again where the server was away.
struct Keeper {
    target: Arc<Target>,
    epoch: i64,
    fenced: Arc<AtomicBool>,
}

impl Keeper {
    fn run(&self, client: Client, ended: &mpsc::Receiver<()>) {
        let mut client = Some(client);
        while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            client = client
                .and_then(|mut client| self.still(&mut client).then_some(client))
                .or_else(|| self.again());
            if self.fenced.load(Ordering::Acquire) {
                return;
            }
        }
    }

    /// Whether the connection stands. Where the epoch is another one, that is noted.
    fn still(&self, client: &mut Client) -> bool {
        match client.query_one("SELECT epoch FROM doorward.leader", &[]) {
            Ok(row) => {
                if row.get::<_, i64>(0) != self.epoch {
                    self.fenced.store(true, Ordering::Release);
                }
                true
            }
            Err(_) => false,
        }
    }

    fn again(&self) -> Option<Client> {
        let mut client = self.target.dial().ok()?;
        // Where somebody else has the lock by now, the epoch says so in a moment.
        let locked = lock(&mut client).ok()?;
        (self.still(&mut client) && locked).then_some(client)
    }
}

fn begin(
    target: &Target,
    who: &str,
    go_on: &mut (impl FnMut(Duration) -> bool + Send),
) -> Result<(i64, Client), crate::Error> {
    let began = Instant::now();
    let mut client = patiently(began, go_on, || looked_at(target))?;
    loop {
        match taken(&mut client, who) {
            Ok(Some(epoch)) => return Ok((epoch, client)),
            Ok(None) if !go_on(began.elapsed()) => return Err(led(&mut client)),
            Ok(None) => std::thread::sleep(AGAIN),
            // The server was restarted while we stood by.
            Err(error) if link::is_gone(&error) => {
                std::thread::sleep(AGAIN);
                client = patiently(began, go_on, || looked_at(target))?;
            }
            Err(error) => return Err(Error::Refused(error).into()),
        }
    }
}

/// Does something again for as long as `go_on` says where the server is down, starts or stops.
pub(super) fn patiently<T>(
    began: Instant,
    go_on: &mut (impl FnMut(Duration) -> bool + Send),
    mut what: impl FnMut() -> Result<T, crate::Error>,
) -> Result<T, crate::Error> {
    loop {
        let error = match what() {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let gone = matches!(&error, crate::Error::Postgres(Error::Refused(source)) if link::is_gone(source));
        if !(gone || error.is_passing()) || !go_on(began.elapsed()) {
            return Err(error);
        }
        std::thread::sleep(AGAIN);
    }
}

/// A connection to a database that keeps tenants apart.
fn looked_at(target: &Target) -> Result<Client, crate::Error> {
    let mut client = dial(target)?;
    schema::check(&mut client)?;
    Ok(client)
}

/// The lock and a new epoch; `None` where another broker has the lock.
fn taken(client: &mut Client, who: &str) -> Result<Option<i64>, ::postgres::Error> {
    if !lock(client)? {
        return Ok(None);
    }
    let row = client.query_one("SELECT doorward.take_over($1)", &[&who])?;
    row.try_get(0).map(Some)
}

/// Who has the lead.
fn led(client: &mut Client) -> crate::Error {
    let asked = "SELECT who, to_char(since, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') FROM doorward.leader";
    let told = client.query_one(asked, &[]).and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    match told {
        Ok((who, since)) => Error::Led { who, since }.into(),
        Err(error) => Error::Refused(error).into(),
    }
}

fn lock(client: &mut Client) -> Result<bool, ::postgres::Error> {
    Ok(client.query_one("SELECT pg_try_advisory_lock($1, 1)", &[&super::LOCKS])?.get(0))
}

/// A connection for the start, which waits a while for a server that is just starting.
pub(super) fn dial(target: &Target) -> Result<Client, crate::Error> {
    let began = Instant::now();
    loop {
        match target.dial() {
            Ok(client) => return Ok(client),
            Err(undialled) if Undialled::may_pass(&undialled) && began.elapsed() < START => {
                std::thread::sleep(AGAIN);
            }
            Err(undialled) => return Err(undialled.into_error(target.place()).into()),
        }
    }
}

/// How often whoever leads looks whether it still does.
const LOOK: Duration = Duration::from_secs(1);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(200);
/// How long the start waits for a server that does not answer.
const START: Duration = Duration::from_secs(2);
