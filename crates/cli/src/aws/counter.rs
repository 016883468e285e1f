//! Calls to the broker over the user's home, which is opened for them and closed behind them.
//!
//! Other processes may be doing the same: each waits for the lock of the home, which is what makes many programs that need
//! one session make one call to AWS. A home that is not there yet is made, with a key file.

use std::path::PathBuf;
use std::sync::OnceLock;

use broker::mint::{AWS, Wish};
use broker::{Asked, Inbound, Operate, Outbound};
use model::{Door, Fact, Holder, Inputs};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, timeout_at};

use crate::args::broker::Up;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::management::Own;
use crate::settings::{self, Settings};
use crate::wire;

/// Performs one operation of the integration that mints.
pub(super) fn call(operation: &str, inputs: Inputs, wish: Wish) -> Outcome<Outbound> {
    call_of(AWS, operation, inputs, wish)
}

/// Performs one operation of an integration that mints.
pub(crate) fn call_of(integration: &str, operation: &str, inputs: Inputs, wish: Wish) -> Outcome<Outbound> {
    let own = open()?;
    let answer =
        inbound((integration, operation), inputs, wish, Door::Cli).and_then(|inbound| own.call(inbound));
    let closed = own.close();
    let answer = answer?;
    closed?;
    Ok(answer)
}

fn open() -> Outcome<Own> {
    let home = home()?;
    let settings = Settings::load(&home, &Up::default(), &settings::environment)?;
    Own::open_at(&home, &settings)
}

fn inbound(
    (integration, operation): (&str, &str),
    inputs: Inputs,
    wish: Wish,
    door: Door,
) -> Outcome<Inbound> {
    let holder = Holder { uid: Some(rustix::process::geteuid().as_raw()), ..Holder::default() };
    let operate = Operate {
        integration: integration.parse()?,
        operation: operation.parse()?,
        inputs,
        payload: None,
        wish: Some(Box::new(wish)),
    };
    let facts = Fact { holder, ..Fact::default() };
    Ok(Inbound { door, facts, capability: None, asked: Asked::Operate(operate) })
}

/// For a server: a thread that opens the home when there is something to do, and lets go of it soon, so that other processes
/// have their turn.
pub(crate) struct Counter(mpsc::UnboundedSender<Job>);

struct Job {
    integration: &'static str,
    operation: &'static str,
    inputs: Inputs,
    wish: Wish,
    answer: oneshot::Sender<Outcome<Outbound>>,
}

impl Counter {
    /// Starts the thread, called `counter`. It ends with this.
    pub(crate) fn start() -> Outcome<Self> {
        let (sender, jobs) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("counter".to_owned());
        thread
            .spawn(move || work(jobs))
            .map_err(|error| Failure::doing("could not start a thread", &error))?;
        Ok(Self(sender))
    }

    /// Performs one operation of the integration that mints.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        inputs: Inputs,
        wish: Wish,
    ) -> Outcome<Outbound> {
        self.call_of((AWS, operation), inputs, wish).await
    }

    /// Performs one operation of an integration that mints.
    pub(crate) async fn call_of(
        &self,
        (integration, operation): (&'static str, &'static str),
        inputs: Inputs,
        wish: Wish,
    ) -> Outcome<Outbound> {
        let (answer, waiting) = oneshot::channel();
        let gone = || Failure::new("the thread that asks the broker has ended");
        self.0.send(Job { integration, operation, inputs, wish, answer }).map_err(|_| gone())?;
        waiting.await.map_err(|_| gone())?
    }
}

fn work(mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        match open() {
            Ok(own) => {
                own.block_on(turn(&own, first, &mut jobs));
                if let Err(failure) = own.close() {
                    tracing::error!(message = failure.message, "the home could not be closed in good order");
                }
            }
            Err(failure) => {
                // Whoever hung up needs no answer.
                let _ = first.answer.send(Err(failure));
            }
        }
    }
}

/// Does what there is to do, until nothing came for a moment or others have waited long enough.
async fn turn(own: &Own, first: Job, jobs: &mut mpsc::UnboundedReceiver<Job>) {
    let over = Instant::now() + LONGEST_TURN;
    let mut tasks = tokio::task::JoinSet::new();
    let mut next = Some(first);
    while let Some(Job { integration, operation, inputs, wish, answer }) = next {
        let worker = own.worker();
        tasks.spawn(async move {
            let done = match inbound((integration, operation), inputs, wish, Door::Metadata) {
                Ok(inbound) => worker.call(inbound).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            // Whoever hung up needs no answer.
            let _ = answer.send(done);
        });
        let until = over.min(Instant::now() + IDLE);
        next = timeout_at(until, jobs.recv()).await.ok().flatten();
    }
    while tasks.join_next().await.is_some() {}
}

/// Says which home is meant, for the life of this process: the flag `--home`.
pub(crate) fn at(folder: PathBuf) {
    let _ = CHOSEN.set(folder);
}

/// The home that is meant.
pub(super) fn place() -> Outcome<Home> {
    settings::home_of(CHOSEN.get().map(PathBuf::as_path), &settings::environment)
}

/// The home of the user; made where there is none.
fn home() -> Outcome<Home> {
    let home = place()?;
    if !home.exists() || !wire::is_made(&home) {
        make(&home)?;
    }
    Ok(home)
}

/// Makes a home without a word on stdout. Two processes may begin at once: the second finds what the first has made.
fn make(home: &Home) -> Outcome {
    match wire::create(home, || wire::key_file(home.key())) {
        Ok(_recovery) => {
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
const IDLE: Duration = Duration::from_millis(20);
const LONGEST_TURN: Duration = Duration::from_secs(1);
