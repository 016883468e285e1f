//! Where a home keeps its rows: in its own folder, or in PostgreSQL; and beside either, credentials of tenants in BigQuery.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bigquery::{Beside, Remote};
use broker::{Stores, SystemClock};
use model::TenantName;
use store::{Embedded, Journal, Postgres, Storage};

use crate::aside;
use crate::failure::{Failure, Outcome};
use crate::home::{Fresh, Home};
use crate::print::Printer;
use crate::settings;
use crate::settings::store::Store;
use crate::wire::{self, Serving};

/// Where it keeps them.
pub(crate) enum Place {
    /// `home.db` and `evidence/` in the home.
    Folder,
    /// A database that others may share, one broker at a time.
    Server(Box<Store>),
}

/// What was opened for writing.
pub(crate) struct Opened {
    pub(crate) stores: Stores,
    /// The server, where it is one: another broker may take it over.
    pub(crate) server: Option<Arc<Postgres>>,
    /// The table of credentials, where there is one.
    pub(crate) beside: Option<Arc<Beside>>,
}

/// Where this home keeps its rows.
pub(crate) fn of(home: &Home) -> Outcome<Place> {
    let store = settings::store::of(home, &settings::environment)?;
    Ok(store.map_or(Place::Folder, |store| Place::Server(Box::new(store))))
}

/// Whether a home was made here. A server that does not answer may hold one: nothing must be made then.
pub(crate) fn exists(home: &Home) -> bool {
    match of(home) {
        Ok(Place::Folder) => home.exists(),
        Ok(Place::Server(store)) => match store.setup().map(|setup| Postgres::reader(&setup)) {
            Ok(Ok(storage)) => secrets::provider_facts(&storage).is_ok(),
            Ok(Err(store::Error::Postgres(store::postgres::Error::Older { found: 0, .. }))) => false,
            Ok(Err(_)) | Err(_) => true,
        },
        Err(_) => true,
    }
}

/// Opens what a home that exists keeps, to read it.
pub(crate) fn reading(home: &Home) -> Outcome<Arc<dyn Storage>> {
    Ok(with_credentials(home, plain(home)?)?.0)
}

/// The same, with digests in the place of what is in BigQuery.
pub(crate) fn plain(home: &Home) -> Outcome<Arc<dyn Storage>> {
    match of(home)? {
        Place::Folder => home.storage(),
        Place::Server(store) => Ok(Arc::new(Postgres::reader(&store.setup()?)?)),
    }
}

/// The same, to write it. Whoever calls this has the lock of the home.
pub(crate) fn writing(home: &Home) -> Outcome<Arc<dyn Storage>> {
    let storage: Arc<dyn Storage> = match of(home)? {
        Place::Folder => home.storage()?,
        Place::Server(store) => led(&store, SHORT_WAIT)?,
    };
    Ok(with_credentials(home, storage)?.0)
}

/// The table of credentials of this home, where there is one. Nothing is asked yet.
pub(crate) fn credentials(home: &Home) -> Outcome<Option<Remote>> {
    let Some(place) = settings::store::credentials::of(home)? else { return Ok(None) };
    Ok(Some(Remote::new(place, &wire::setup(home, None)?)))
}

/// A storage, and the table of credentials beside it where there is one.
type Kept = (Arc<dyn Storage>, Option<Arc<Beside>>);

/// A storage with the table of credentials beside it, where the settings name one; refused where it was another one.
fn with_credentials(home: &Home, storage: Arc<dyn Storage>) -> Outcome<Kept> {
    let house = TenantName::local();
    match credentials(home)? {
        Some(remote) => {
            let beside = Beside::new(storage, remote, &house, Arc::new(SystemClock::default()))?;
            let beside = Arc::new(beside);
            Ok((Arc::clone(&beside) as Arc<dyn Storage>, Some(beside)))
        }
        None => match bigquery::kept_at(&*storage, &house)? {
            None => Ok((storage, None)),
            Some(kept) => {
                let elsewhere = bigquery::Error::Elsewhere { kept, said: "name none".to_owned() };
                Err(store::Error::from(elsewhere).into())
            }
        },
    }
}

/// Opens where a home is to be made; makes what is missing but its rows. Whoever calls this has the lock of the home.
pub(crate) fn making(home: &Home) -> Outcome<Arc<dyn Storage>> {
    match of(home)? {
        Place::Folder => Ok(Arc::new(Embedded::open(&home.database())?)),
        Place::Server(store) => Ok(led(&store, SHORT_WAIT)?),
    }
}

/// Opens what a broker keeps. Whoever calls this has the lock of the home.
pub(crate) fn serving(place: Place, home: &Home, serving: Serving) -> Outcome<Opened> {
    let store = match place {
        Place::Server(store) => store,
        Place::Folder => {
            let (state, beside) = with_credentials(home, home.storage()?)?;
            // Before the journal, which would be made beside it: a home without keys that never had evidence was not made yet.
            if matches!(secrets::provider_facts(&*state), Err(secrets::Error::NoHome)) {
                wire::bereft(home)?;
                return Err(home.missing());
            }
            let journal = match serving {
                // The newest segment is read through by whoever opens the journal.
                Serving::OneCall => Journal::with_segments_of(&home.evidence(), SHORT_SEGMENT)?,
                Serving::Threads(_) | Serving::Answers => Journal::open(&home.evidence())?,
            };
            aside::say(&journal);
            let stores = Stores { state, evidence: Arc::new(journal) };
            return Ok(Opened { stores, server: None, beside });
        }
    };
    let wait = match serving {
        Serving::Threads(_) => store.wait,
        // Another one of this kind is done in a moment; a broker elsewhere is not.
        Serving::OneCall | Serving::Answers => CALL_WAIT,
    };
    let server = led(&store, wait)?;
    if secrets::provider_facts(&*server).is_err() {
        let message = format!("there is no home in the store `{}`", store.url.value);
        return Err(Failure::new(message).hint("`doorward init` makes one"));
    }
    // One database: an intent, the uses that it counts and what it leads to are in the same place.
    let (state, beside) = with_credentials(home, Arc::clone(&server) as Arc<dyn Storage>)?;
    let evidence = Arc::clone(&server) as Arc<dyn Storage>;
    Ok(Opened { stores: Stores { state, evidence }, server: Some(server), beside })
}

fn led(store: &Store, wait: Duration) -> Outcome<Arc<Postgres>> {
    let mut said = false;
    let server = Postgres::leader(&store.setup()?, |waited| {
        if !said && waited > SAID_AFTER && waited < wait {
            Printer::say(
                "Standing by: another broker has the store. This one follows when that one is gone.",
            );
            said = true;
        }
        waited < wait
    });
    Ok(Arc::new(server?))
}

/// What was written down of where a new home keeps its rows, to be undone where no home was made.
pub(crate) struct Chosen(Option<Before>);

struct Before {
    settings: PathBuf,
    text: Option<String>,
    folders: Fresh,
}

impl Chosen {
    /// Makes the settings what they were. The first failure is the one to report, so this one says nothing.
    pub(crate) fn take_back(self) {
        let Some(Before { settings, text, folders }) = self.0 else { return };
        let _ = match text {
            Some(text) => store::files::replace(&settings, text.as_bytes(), 0o600).is_ok(),
            None => std::fs::remove_file(&settings).is_ok(),
        };
        folders.take_back();
    }
}

/// Writes down where a new home keeps its rows, where somebody typed it; a home that says something else already is left as it is.
pub(crate) fn choose(home: &Home, url: Option<&str>) -> Outcome<Chosen> {
    let Some(url) = url else { return Ok(Chosen(None)) };
    match of(home)? {
        Place::Server(store) if store.url.value == url => Ok(Chosen(None)),
        Place::Server(store) => Err(Failure::new(format!(
            "this home keeps its rows in another store, `{}` ({})",
            store.url.value, store.url.origin
        ))
        .hint("leave `--store` out, or choose another `--home`")),
        Place::Folder if home.exists() => Err(Failure::new(format!(
            "the home `{}` keeps its rows in its own folder",
            home.folder().display()
        ))
        .hint("`doorward store copy` takes them to another store")),
        Place::Folder => {
            Store::at(url)?;
            let folders = Fresh::folders(home);
            store::files::private_folder(home.folder())?;
            let text = std::fs::read_to_string(home.settings()).ok();
            write_down(home, url)?;
            Ok(Chosen(Some(Before { settings: home.settings(), text, folders })))
        }
    }
}

/// Adds `[store]` to the settings of a home.
pub(crate) fn write_down(home: &Home, url: &str) -> Outcome {
    let path = home.settings();
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::doing(format!("could not read `{}`", path.display()), &error)),
    };
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    let text = format!("{before}{gap}[store]\nurl = {}\n", toml::Value::from(url));
    Ok(store::files::replace(&path, text.as_bytes(), 0o600)?)
}

/// How long what changes something waits for another process that does.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// How long one call waits for others.
const CALL_WAIT: Duration = Duration::from_secs(5);
/// When it is said that a broker waits.
const SAID_AFTER: Duration = Duration::from_secs(1);
/// About five hundred calls, which are read through in less than half a millisecond.
const SHORT_SEGMENT: u64 = 256 << 10;
