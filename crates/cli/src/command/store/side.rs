//! One side of a copy: a folder or a database, held so that nobody else writes to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::TenantName;
use store::{Embedded, HomeLock, Journal, Postgres, Row, Storage, Table};

use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::settings::store::Store;

/// See the module.
pub(super) struct Side {
    /// What is not evidence.
    pub(super) state: Arc<dyn Storage>,
    /// Evidence, uses, checkpoints, and where the log goes on. The same storage in a database.
    pub(super) evidence: Arc<dyn Storage>,
    /// How it is called in messages.
    pub(super) shown: String,
    /// Whether the two are different storages.
    split: bool,
    _lock: Option<HomeLock>,
}

/// What somebody typed for a side.
pub(super) enum Named {
    Folder(PathBuf),
    Server(Box<Store>),
}

impl Named {
    pub(super) fn read(text: &str, password: Option<String>, ca: Option<PathBuf>) -> Outcome<Self> {
        if text.contains("://") {
            return Ok(Self::Server(Box::new(Store::typed(text, password, ca)?)));
        }
        let folder = std::path::absolute(text);
        Ok(Self::Folder(folder.map_err(|error| Failure::doing(format!("could not find `{text}`"), &error))?))
    }

    /// Opens what is to be copied.
    pub(super) fn source(&self) -> Outcome<Side> {
        let side = match self {
            Self::Server(store) => Side::server(store)?,
            Self::Folder(folder) => {
                let home = Home::at(folder.clone(), None);
                if !home.exists() {
                    return Err(Failure::new(format!("no home keeps its rows in `{}`", folder.display())));
                }
                Side::folder(folder, HomeLock::take(folder)?)?
            }
        };
        if secrets::provider_facts(&*side.state).is_err() {
            return Err(Failure::new(format!("`{}` keeps no home that is whole", side.shown)));
        }
        Ok(side)
    }

    /// Opens where it goes. A folder is filled under another name first.
    pub(super) fn target(&self) -> Outcome<Side> {
        match self {
            Self::Server(store) => Side::server(store),
            Self::Folder(folder) => {
                let home = Home::at(folder.clone(), None);
                if home.exists() || home.evidence().exists() {
                    let message = format!("`{}` keeps a home already", folder.display());
                    return Err(Failure::new(message).hint("name another folder"));
                }
                store::files::private_folder(folder)?;
                let lock = HomeLock::take(folder)?;
                let partial = partial(folder);
                // What an earlier copy left that was cut short.
                if partial.exists() {
                    std::fs::remove_dir_all(&partial).map_err(|error| {
                        Failure::doing(format!("could not remove `{}`", partial.display()), &error)
                    })?;
                }
                store::files::private_folder(&partial)?;
                Side::folder(&partial, lock)
            }
        }
    }

    /// Puts what was filled in its place: the database last, because a home is where its database is.
    pub(super) fn finish(&self) -> Outcome {
        let Self::Folder(folder) = self else { return Ok(()) };
        let (home, partial) = (Home::at(folder.clone(), None), partial(folder));
        let put = || {
            std::fs::rename(partial.join("evidence"), home.evidence())?;
            std::fs::rename(partial.join("home.db"), home.database())?;
            std::fs::File::open(folder)?.sync_all()?;
            std::fs::remove_dir_all(&partial)
        };
        put().map_err(|error| Failure::doing("could not put the copy in its place", &error))
    }
}

impl Side {
    fn server(store: &Store) -> Outcome<Self> {
        let server: Arc<dyn Storage> =
            Arc::new(Postgres::leader(&store.setup()?, |waited| waited < SHORT_WAIT)?);
        let (state, evidence) = (Arc::clone(&server), server);
        Ok(Self { state, evidence, shown: store.url.value.clone(), split: false, _lock: None })
    }

    fn folder(folder: &Path, lock: HomeLock) -> Outcome<Self> {
        Ok(Self {
            state: Arc::new(Embedded::open(&folder.join("home.db"))?),
            evidence: Arc::new(Journal::open(&folder.join("evidence"))?),
            shown: folder.display().to_string(),
            split: true,
            _lock: Some(lock),
        })
    }

    /// Which storage keeps this row.
    pub(super) fn room(&self, table: Table, key: &[u8]) -> Room {
        let evidence = match table {
            Table::Evidence | Table::Checkpoints | Table::Uses => true,
            Table::Meta => key.starts_with(LOG),
            _ => false,
        };
        if evidence { Room::Evidence } else { Room::State }
    }

    /// The storages that have rows of a table, each once.
    fn rooms(&self, table: Table) -> Vec<&Arc<dyn Storage>> {
        match table {
            Table::Evidence | Table::Checkpoints | Table::Uses => vec![&self.evidence],
            Table::Meta if self.split => vec![&self.state, &self.evidence],
            _ => vec![&self.state],
        }
    }

    /// Goes through the rows of a tenant, sorted by key, in whichever storage they are.
    pub(super) fn each(
        &self,
        table: Table,
        tenant: &TenantName,
        look: &mut dyn FnMut(Row) -> Result<(), store::Error>,
    ) -> Result<(), store::Error> {
        let rooms = self.rooms(table);
        if let [one] = rooms.as_slice() {
            return store::each(&***one, tenant, (table, b""), look);
        }
        // Facts about a home: there are few of them.
        let mut rows = Vec::new();
        for storage in rooms {
            store::each(&**storage, tenant, (table, b""), &mut |row| {
                rows.push(row);
                Ok(())
            })?;
        }
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        rows.into_iter().try_for_each(look)
    }

    /// One of the two.
    pub(super) fn storage(&self, room: Room) -> &Arc<dyn Storage> {
        match room {
            Room::State => &self.state,
            Room::Evidence => &self.evidence,
        }
    }

    /// The tenants that have rows in a table, in order.
    pub(super) fn tenants(&self, table: Table) -> Outcome<Vec<TenantName>> {
        let mut all = Vec::new();
        for storage in self.rooms(table) {
            all.extend(storage.tenants(table)?);
        }
        all.sort();
        all.dedup();
        Ok(all)
    }
}

/// A part of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    State,
    Evidence,
}

fn partial(folder: &Path) -> PathBuf {
    folder.join("home.db.copy")
}

/// What the keys of rows begin with in which the evidence log writes down where it goes on.
const LOG: &[u8] = b"evidence/";
/// How long a broker elsewhere may take to let go.
const SHORT_WAIT: Duration = Duration::from_secs(2);
