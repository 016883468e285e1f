//! Calls to the broker over the user's home: the one that runs there, else one in this process that is opened for them.
//!
//! Other processes may be doing the same: each waits for the lock of the home, or for its turn at the running broker, which is
//! what makes many programs that need one session make one call to AWS. A home that is not there yet is made, with a key file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use broker::mint::afar::Answers;
use broker::mint::{AWS, Tools, What, Wish};
use broker::{Asked, Inbound, Operate, Outbound, Worker};
use model::{Door, EvidenceId, Inputs};
use store::HomeLock;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use super::beside;
use crate::args::broker::Up;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::management::{Own, perform};
use crate::settings::{self, Settings};
use crate::wire;

/// Performs one operation of the integration that mints.
pub(super) fn call(operation: &str, inputs: Inputs, wish: Wish) -> Outcome<Outbound> {
    call_of(AWS, operation, inputs, wish)
}

/// Performs one operation of an integration that mints.
pub(crate) fn call_of(integration: &str, operation: &str, inputs: Inputs, wish: Wish) -> Outcome<Outbound> {
    let asked = (integration, operation);
    if let Some(running) = beside::find(&place()?)? {
        return running.call(asked, inputs, &wish);
    }
    let own = match open(wire::Serving::OneCall) {
        Ok(own) => own,
        // A broker that was started this moment has the home now.
        Err(failure) => {
            let running = beside::find(&place()?)?;
            return running.map_or(Err(failure), |running| running.call(asked, inputs, &wish));
        }
    };
    let answer = inbound(asked, inputs, wish, Door::Cli).and_then(|inbound| own.call(inbound));
    let closed = own.close();
    let answer = answer?;
    closed?;
    Ok(answer)
}

/// Opens the home of the user; makes it where there is none.
fn open(serving: wire::Serving) -> Outcome<Own> {
    let home = place()?;
    let settings = Settings::load(&home, &Up::default(), &settings::environment)?;
    if crate::place::exists(&home) {
        let opened = Own::open_at(&home, &settings, serving);
        // Whether it is whole is looked at only where something is wrong: each look opens it.
        if opened.is_ok() || wire::is_made(&home) {
            return opened;
        }
    }
    make(&home)?;
    Own::open_at(&home, &settings, serving)
}

fn inbound(
    (integration, operation): (&str, &str),
    inputs: Inputs,
    wish: Wish,
    door: Door,
) -> Outcome<Inbound> {
    let mut operate = Operate::new(integration.parse()?, operation.parse()?, inputs);
    operate.wish = Some(Box::new(wish));
    Ok(Inbound { door, facts: perform::facts(), capability: None, asked: Asked::Operate(operate) })
}

/// For a server: where its answers are recorded. The home stays open while there is traffic and nobody else wants it.
///
/// Answers are recorded in the runtime of the server, so that those of one turn of it share a commit.
#[derive(Clone)]
pub(crate) struct Counter(Arc<Shared>);

struct Shared {
    tools: Tools,
    place: Mutex<Place>,
    /// Held while the place changes; the task that closes the home which was opened last.
    moving: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

/// Where answers are recorded at this moment.
#[derive(Clone)]
enum Place {
    /// Nowhere: nobody asked for a while.
    Nowhere,
    /// In the home, which this process has open.
    Here(Arc<Here>),
    /// By a broker that runs over the home.
    There(Arc<Answers>),
}

struct Here {
    worker: Arc<Worker>,
    /// How many answers were recorded; the one who closes sees by it whether there is traffic.
    served: AtomicU64,
}

impl Counter {
    /// Nothing is opened yet.
    pub(crate) fn new(tools: Tools) -> Self {
        Self(Arc::new(Shared {
            tools,
            place: Mutex::new(Place::Nowhere),
            moving: tokio::sync::Mutex::default(),
        }))
    }

    /// Records one answer of the server; it may be given when this has returned.
    pub(crate) async fn record(
        &self,
        integration: &str,
        inputs: Inputs,
        fields: Vec<(String, String)>,
    ) -> Outcome<EvidenceId> {
        let known = self.0.place().usable();
        let place = match known {
            Some(place) => place,
            None => self.found().await?,
        };
        match place {
            Place::Here(here) => {
                here.served.fetch_add(1, Ordering::Relaxed);
                let tools = self.0.tools.clone();
                let wish = Wish { what: What::Answered { fields }, tools, given: Arc::default() };
                let inbound = inbound((integration, ANSWER), inputs, wish, Door::Metadata)?;
                match here.worker.call(inbound).await? {
                    Outbound::Answer(answer) | Outbound::Lease(answer, _) => Ok(answer.evidence),
                    Outbound::Reply(id, _) => Ok(id),
                }
            }
            Place::There(answers) => Ok(answers.record(integration, inputs, fields).await?),
            Place::Nowhere => Err(Failure::new("the home was closed again before the answer was recorded")),
        }
    }

    /// Looks for a broker, else opens the home.
    async fn found(&self) -> Outcome<Place> {
        let mut moving = self.0.moving.lock().await;
        // Somebody may have done it while we waited.
        if let Some(place) = self.0.place().usable() {
            return Ok(place);
        }
        let found = tokio::task::spawn_blocking(|| {
            if let Some(running) = beside::find(&place()?)? {
                return Ok(Found::Beside(running));
            }
            match open(wire::Serving::Answers) {
                Ok(own) => Ok(Found::Own(Box::new(own))),
                Err(failure) => beside::find(&place()?)?.map(Found::Beside).ok_or(failure),
            }
        });
        let lost = |_| Failure::new("opening the home broke off");
        let place = match found.await.map_err(lost)?? {
            Found::Beside(running) => Place::There(Arc::new(running.answers()?)),
            Found::Own(own) => {
                let here = Arc::new(Here { worker: own.worker(), served: AtomicU64::new(0) });
                // Task `counter`; ends when it has closed the home, for which `close` waits.
                *moving = Some(tokio::spawn(self.clone().closing(*own, Arc::clone(&here))));
                Place::Here(here)
            }
        };
        *self.0.place() = place.clone();
        Ok(place)
    }

    /// Closes the home when nobody asked for a moment, or another process waits for it.
    async fn closing(self, own: Own, here: Arc<Here>) {
        let opened = Instant::now();
        let (mut served, mut last) = (0, opened);
        loop {
            tokio::time::sleep(LOOK).await;
            let (now, count) = (Instant::now(), here.served.load(Ordering::Relaxed));
            if count != served {
                (served, last) = (count, now);
            }
            let idle = now.duration_since(last) >= IDLE;
            let wanted = now.duration_since(opened) >= LEAST
                && place().is_ok_and(|home| HomeLock::is_wanted(home.folder()));
            if idle || wanted || matches!(*self.0.place(), Place::Nowhere) {
                break;
            }
        }
        // Whoever comes now opens the home again behind this.
        let moving = self.0.moving.lock().await;
        *self.0.place() = Place::Nowhere;
        // What has begun ends with the home that it began with; it takes no longer than the evidence may take.
        while Arc::strong_count(&here) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(here);
        let closed = tokio::task::spawn_blocking(|| own.close()).await;
        match closed {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                tracing::error!(message = failure.message, "the home could not be closed in good order");
            }
            Err(error) => tracing::error!(%error, "the home could not be closed in good order"),
        }
        drop(moving);
    }

    /// Ends in good order: what was recorded is on the disk behind this.
    pub(crate) async fn close(&self) {
        *self.0.place() = Place::Nowhere;
        let closing = self.0.moving.lock().await.take();
        if let Some(closing) = closing {
            let _ = closing.await;
        }
    }
}

enum Found {
    Beside(beside::Beside),
    Own(Box<Own>),
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, Place> {
        // Nothing can be left half done in it.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The same where something can be recorded there.
    fn usable(&self) -> Option<Self> {
        match self {
            Self::Nowhere => None,
            Self::There(answers) if answers.has_ended() => None,
            place => Some(place.clone()),
        }
    }
}

/// Says which home is meant, for the life of this process: the flag `--home`.
pub(crate) fn at(folder: PathBuf) {
    let _ = CHOSEN.set(folder);
}

/// The home that is meant.
pub(super) fn place() -> Outcome<Home> {
    settings::home_of(CHOSEN.get().map(PathBuf::as_path), &settings::environment)
}

/// Makes a home without a word on stdout. Two processes may begin at once: the second finds what the first has made.
fn make(home: &Home) -> Outcome {
    match wire::create(home, None, || wire::key_file(home, home.key()), |_, _| Ok(())) {
        Ok(()) => {
            super::speech::log(|| {
                let folder = home.folder().display();
                format!("made the home `{folder}`; `doorward recovery renew` gives a recovery key for it")
            });
            Ok(())
        }
        Err(_) if wait_for(home) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Waits for another process that is making the home.
fn wait_for(home: &Home) -> bool {
    for _ in 0..LOOKS {
        if wire::is_made(home) {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

static CHOSEN: OnceLock<PathBuf> = OnceLock::new();
const LOOKS: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);
const ANSWER: &str = "metadata.answer";
/// Between two looks whether the home is still needed here.
const LOOK: Duration = Duration::from_millis(10);
/// So long nobody asked: then others have their turn.
const IDLE: Duration = Duration::from_millis(50);
/// So long it stays open at least once it was opened, so that a busy server does not spend its time with opening.
const LEAST: Duration = Duration::from_millis(50);
