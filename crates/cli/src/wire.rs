//! The wiring: opens the home, the broker over it, and the workers that calls run on.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bigquery::Beside;
use broker::{Broker, Overlay, Reading, SystemClock, Worker};
use model::{Clock, TenantName};
use net::tls::{Outbound, Trust};
use net::{Upstream, UpstreamConfig};
use secrets::{Facts, KeyFile, KeyProvider, Literals, RecoveryKey, Setup};
use store::{HomeLock, Postgres, Storage};

use crate::failure::{Failure, Outcome};
use crate::home::{Fresh, Home};
use crate::keys::KeySource;
use crate::place::{self, Place};
use crate::settings::Settings;

/// A home that this process has for itself, and the sealed broker over it.
pub(crate) struct Opened {
    pub(crate) broker: Arc<Broker>,
    pub(crate) keys: KeySource,
    /// The server that keeps the rows, where it is one.
    pub(crate) server: Option<Arc<Postgres>>,
    /// The table in BigQuery that keeps credentials, where there is one.
    pub(crate) beside: Option<Arc<Beside>>,
    _lock: HomeLock,
}

/// What a home is opened for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Serving {
    /// Doors with so many threads.
    Threads(usize),
    /// One call of this process; nothing is read that it does not need.
    OneCall,
    /// Answers of a metadata server, as many as come; nothing is read that they do not need.
    Answers,
}

/// Makes a home. The recovery key is not kept anywhere; it is handed out once, with the name of the key provider, and before the home is
/// there. Where anything fails, nothing is left that was not there before; `key` is where a fresh key file may come to be.
pub(crate) fn create(
    home: &Home,
    key: Option<&Path>,
    provider: impl FnOnce() -> Outcome<Box<dyn KeyProvider>>,
    hand_out: impl FnOnce(&RecoveryKey, &str) -> Outcome,
) -> Outcome {
    private();
    unoccupied(home)?;
    let folders = Fresh::folders(home);
    let made = store::files::private_folder(home.folder()).map_err(Failure::from).and_then(|()| {
        let own_lock = Fresh::of([home.folder().join("lock")]);
        let _lock = HomeLock::take(home.folder())?;
        let files = Fresh::files(home, key);
        let mut begun = false;
        let hand_out = |recovery: &RecoveryKey, provider: &str| {
            hand_out(recovery, provider)?;
            begun = true;
            Ok(())
        };
        let made = create_locked(home, provider, hand_out);
        // What became of a write is not known where a server did not answer: then the key file stays.
        let unsure = begun && !matches!(place::of(home), Ok(Place::Folder));
        if made.is_err() && !unsure && !is_made(home) {
            files.take_back();
            own_lock.take_back();
        }
        made
    });
    made.inspect_err(|_| folders.take_back())
}

fn create_locked(
    home: &Home,
    provider: impl FnOnce() -> Outcome<Box<dyn KeyProvider>>,
    hand_out: impl FnOnce(&RecoveryKey, &str) -> Outcome,
) -> Outcome {
    if place::exists(home) && secrets::provider_facts(&*place::reading(home)?).is_ok() {
        let message = match place::of(home)? {
            Place::Folder => format!("there is a home in `{}` already", home.folder().display()),
            Place::Server(store) => format!("there is a home in the store `{}` already", store.url.value),
        };
        return Err(Failure::new(message).hint(
            "`doorward up` starts it, `--home DIR` chooses another; where nobody has its recovery key, `doorward recovery renew` makes one",
        ));
    }
    bereft(home)?;
    let provider = provider()?;
    let storage = place::making(home)?;
    store::files::private_folder(&home.integrations())?;
    let hand_out = |recovery: &RecoveryKey| hand_out(recovery, provider.name());
    let (_keyring, _recovery) = secrets::init(&*storage, &*provider, &TenantName::local(), hand_out)?;
    Ok(())
}

/// Whether a home was made whole.
pub(crate) fn is_made(home: &Home) -> bool {
    place::exists(home)
        && place::reading(home).is_ok_and(|storage| secrets::provider_facts(&*storage).is_ok())
}

/// Whether there is a home, be it one that can't be read. Where a database is and neither keys nor evidence, none was made yet.
pub(crate) fn is_there(home: &Home) -> bool {
    place::exists(home) && !is_unmade(home)
}

fn is_unmade(home: &Home) -> bool {
    matches!(place::of(home), Ok(Place::Folder))
        && home
            .storage()
            .is_ok_and(|kept| matches!(secrets::provider_facts(&*kept), Err(secrets::Error::NoHome)))
        && bereft(home).is_ok()
}

/// A home that lost its database is not made anew beside what is left of it: new keys would not fit the evidence.
pub(crate) fn bereft(home: &Home) -> Outcome {
    let files = std::fs::read_dir(home.evidence()).into_iter().flatten().flatten();
    let kept =
        files.filter(|file| file.metadata().is_ok_and(|found| found.is_file() && found.len() > 0)).count();
    if kept == 0 {
        return Ok(());
    }
    let message = format!(
        "`{}` holds evidence, and the keys of its home are gone: `home.db` is missing or empty",
        home.folder().display()
    );
    Err(Failure::new(message).hint(
        "put `home.db` back, or `doorward restore` a backup; for a new home choose an empty folder: `--home DIR`",
    ))
}

/// A folder that holds other things is not made into a home: its rights would be changed under whoever uses it.
fn unoccupied(home: &Home) -> Outcome {
    let Ok(entries) = std::fs::read_dir(home.folder()) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !Home::NAMES.iter().any(|known| name.to_string_lossy().starts_with(known)) {
            let message =
                format!("`{}` holds other things, such as `{}`", home.folder().display(), name.display());
            return Err(Failure::new(message).hint("choose an empty folder, or one that does not exist yet"));
        }
    }
    Ok(())
}

/// A fresh key file for a home, or the one that is there.
pub(crate) fn key_file(home: &Home, path: PathBuf) -> Outcome<Box<dyn KeyProvider>> {
    let known = std::fs::symlink_metadata(&path).is_ok();
    let provider = if known { KeyFile::at(path) } else { KeyFile::create(path)? };
    Ok(Box::new(provider.of(Some(home.folder()))))
}

/// Takes the lock of a home and opens the broker over it, sealed.
pub(crate) fn open(home: &Home, settings: &Settings, serving: Serving) -> Outcome<Opened> {
    open_with(home, settings, serving, Overlay::default())
}

/// The same with this laid over the home's own files.
pub(crate) fn open_with(
    home: &Home,
    settings: &Settings,
    serving: Serving,
    overlay: Overlay,
) -> Outcome<Opened> {
    let place = place::of(home)?;
    if matches!(place, Place::Folder) && !home.exists() {
        bereft(home)?;
        // Not opened yet, because that would make an empty database.
        drop(home.storage()?);
    }
    private();
    let lock = locked(home, serving)?;
    let place::Opened { stores, server, beside } = place::serving(place, home, serving)?;
    let facts = secrets::provider_facts(&*stores.state)?;
    if let (Serving::Threads(_), Some(beside)) = (serving, &beside) {
        looked_at(beside)?;
    }
    let setup = setup(home, Some(&facts))?;
    let keys = KeySource { storage: Arc::clone(&stores.state), setup: setup.clone() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut overlay = overlay;
    overlay.integrations.extend(settings.approvals.written());
    let told = broker::Settings {
        tenant: TenantName::local(),
        owner_uid: rustix::process::geteuid().as_raw(),
        environment: settings.environment.value.clone(),
        development: settings.development.value,
        sessions_stay: settings.api.is_public(),
        layer: home.integrations(),
        overlay: Arc::new(overlay),
        lists: home.lists(),
        origin: ORIGIN.to_owned(),
        threads: match serving {
            Serving::Threads(threads) => threads,
            Serving::OneCall | Serving::Answers => 1,
        },
        reading: match serving {
            Serving::Threads(_) => Reading::AtOnce,
            Serving::OneCall | Serving::Answers => Reading::OnDemand { build: build() },
        },
    };
    let broker = Arc::new(Broker::open(stores, clock, told, setup)?);
    broker.run_programs(settings.programs.clone());
    broker.keep_credentials(settings.often);
    if let (Serving::Threads(_), Some(issuer)) = (serving, &settings.mcp) {
        broker.takes_tokens_of(issuer.clone())?;
    }
    broker.answered_at(settings.approvals.answering.clone())?;
    if let Some(rates) = &settings.rates {
        broker.share_rates(rates.counters(&crate::settings::environment)?);
    }
    Ok(Opened { broker, keys, server, beside, _lock: lock })
}

/// Sees that the table of credentials can be used, and settles what was begun. Where BigQuery is out of reach, all else goes on without it, and
/// what needs it is refused.
fn looked_at(beside: &Beside) -> Outcome {
    let looked = beside.prepare().map_err(store::Error::from).and_then(|()| beside.settle());
    match looked {
        Err(error) if error.is_passing() => {
            tracing::warn!(%error, "credentials of tenants can't be reached; the broker goes on without them");
            Ok(())
        }
        looked => Ok(looked?),
    }
}

/// The lock of a home, as whoever wants it has to wait for it.
fn locked(home: &Home, serving: Serving) -> Outcome<HomeLock> {
    let lock = match serving {
        // One that serves keeps it; one that makes a call lets go in a moment.
        Serving::Threads(_) => {
            HomeLock::wait(home.folder(), |waited| waited < SHORT_WAIT && patient(home, waited))
        }
        // Another call of this kind is done in milliseconds, or waits for somebody who types a code.
        Serving::OneCall | Serving::Answers => HomeLock::wait(home.folder(), |waited| patient(home, waited)),
    };
    let lock = lock.map_err(|error| kept(home, error))?;
    if matches!(serving, Serving::Threads(_)) {
        lock.keep();
    }
    Ok(lock)
}

/// Whether to wait on for another process that has the home open. A broker that serves keeps it: it has to be asked.
fn patient(home: &Home, waited: Duration) -> bool {
    if home.is_served() {
        return false;
    }
    // One that starts has the home before it listens.
    let longest = if HomeLock::keeper(home.folder()).is_some() { STARTING } else { LONGEST_WAIT };
    waited < longest
}

/// Why the home is not to be had: a broker that serves and can't be reached is named.
fn kept(home: &Home, error: store::Error) -> Failure {
    match (&error, HomeLock::keeper(home.folder()).filter(|_| !home.is_served())) {
        (store::Error::Locked(_), Some(pid)) => {
            let socket = home.socket();
            Failure::new(format!(
                "the broker (process {pid}) has the home open, and nothing listens at `{}`",
                socket.display()
            ))
            .hint(format!("was its socket removed? `kill {pid}`, then `doorward up`"))
        }
        _ => error.into(),
    }
}

/// A worker with its own connections. Made within the runtime that it serves.
pub(crate) fn worker(broker: &Arc<Broker>, tls: &Outbound, thread: usize) -> Outcome<Arc<Worker>> {
    let upstream = Upstream::new(UpstreamConfig::new(tls.clone()))?;
    Ok(Arc::new(Worker::new(Arc::clone(broker), upstream, thread)))
}

/// TLS to upstreams, as the system trusts.
pub(crate) fn tls() -> Outcome<Outbound> {
    Ok(Outbound::new(&Trust::default())?)
}

/// What tells this build from every other: where its file is, and when it was written.
#[must_use]
fn build() -> Vec<u8> {
    let known = std::env::current_exe().and_then(std::fs::metadata);
    let Ok(file) = known else { return env!("CARGO_PKG_VERSION").into() };
    let facts = [file.dev(), file.ino(), file.size()].map(u64::to_be_bytes).concat();
    let times =
        [file.ctime(), file.ctime_nsec(), file.mtime(), file.mtime_nsec()].map(i64::to_be_bytes).concat();
    [env!("CARGO_PKG_VERSION").as_bytes(), &facts, &times].concat()
}

/// Where programs of operations are looked up, as the broker of this home does.
pub(crate) fn programs(context: &crate::context::Context) -> Outcome<runner::Programs> {
    let setup = context.settings()?.programs;
    Ok(runner::Programs::on(setup.path, Some(&setup.own)))
}

/// Waits for an answer of the broker, and says so where it takes long: whoever looks on knows what to do about one that stands still.
pub(crate) async fn said_when_long<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    if let Ok(answer) = tokio::time::timeout(SILENCE, &mut answer).await {
        return answer;
    }
    crate::print::Printer::say("the running broker has not answered yet; waiting (Ctrl-C gives up)");
    answer.await
}

/// A runtime of one thread.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::doing("could not start the runtime", &error))
}

/// Whatever this process makes from now on is for its owner only, the files of the database included.
pub(crate) fn private() {
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // The first one is the user's own, and belongs to the program that this process becomes.
    let _ = UMASK.set(before);
}

/// The mask of the user, for a program that we start.
pub(crate) fn users_umask() -> Option<rustix::fs::Mode> {
    UMASK.get().copied()
}

static UMASK: OnceLock<rustix::fs::Mode> = OnceLock::new();

/// The public key of the evidence as others write it down.
pub(crate) fn verifier_key(storage: &dyn Storage) -> Outcome<String> {
    let key = secrets::evidence_public_key(storage)?;
    Ok(evidence::verifier_key(&evidence::Origin::parse(ORIGIN)?, &key))
}

/// What secret sources are told: `sources.toml`, our environment, and the files that no reference may read.
pub(crate) fn setup(home: &Home, facts: Option<&Facts>) -> Outcome<Setup> {
    let mut reserved = vec![home.database(), home.key()];
    // What lies in the home is remembered by its place in there.
    reserved.extend(facts.into_iter().flat_map(Facts::files).map(|file| home.folder().join(file)));
    let config = Arc::new(crate::settings::sources::read(&home.sources())?);
    let home = Some(home.folder().to_owned());
    Ok(Setup { reserved, config, home, literals: Some(literals()?), ..Setup::default() })
}

/// Keeps a secret that stands in a peer's configuration itself, and gives the reference by which it is lent.
pub(crate) fn literal(value: &str) -> Outcome<model::SecretRef> {
    let secret = memory::Secret::new(value.as_bytes().to_vec()).map_err(secrets::Error::from)?;
    Ok(literals()?.keep(secret)?)
}

/// The secrets that stood in configurations which this process read. There are none but those of a peer's files.
fn literals() -> Outcome<Arc<Literals>> {
    static KEPT: OnceLock<Arc<Literals>> = OnceLock::new();
    if let Some(kept) = KEPT.get() {
        return Ok(Arc::clone(kept));
    }
    let made = Arc::new(Literals::new()?);
    Ok(Arc::clone(KEPT.get_or_init(|| made)))
}

/// As long as nobody wonders.
const SILENCE: Duration = Duration::from_secs(5);
/// As long as a command takes that nobody is asked for.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// A broker reads much evidence before it listens.
const STARTING: Duration = Duration::from_secs(10);
/// Somebody may be looking for a token to type its code.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The name under which a home signs its evidence.
pub(crate) const ORIGIN: &str = "doorward/local";
