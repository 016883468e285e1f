//! The embedded member: SQLite in WAL mode, one writer, `synchronous=FULL`.
//!
//! Measured on ext4 it commits as fast as a bare file with `fdatasync` (docs/decisions/0002).

use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use model::TenantName;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::range::Range;
use crate::{Batch, Error, Row, Step, Storage, Table};

/// An embedded database: one file and its write-ahead log.
///
/// Reader and writer are two connections, each opened when it is needed: many a command reads and writes nothing here.
pub struct Embedded {
    // Dropped first: only a connection that may write clears the log away when it is the last one, and a log that stays
    // is read whole by whoever opens the database next.
    reader: Option<Mutex<Connection>>,
    writer: OnceLock<Mutex<Connection>>,
    path: PathBuf,
    files: Vec<Watched>,
    /// Whether the log may still hold what was deleted.
    uncleared: AtomicBool,
}

/// A file as it was when it was opened. Rows written to a file that was unlinked would be lost with its last descriptor.
struct Watched {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Embedded {
    /// Opens the database at `path`, making it where there is none.
    ///
    /// # Errors
    /// When the file can't be opened, is not a database of ours, or is of a later format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let writer = OnceLock::new();
        let reader = match reader(path)? {
            Some(reader) => reader,
            None => {
                let _ = writer.set(Mutex::new(writing(path, OpenFlags::default())?));
                reader(path)?.ok_or(Error::Conflict)?
            }
        };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let files =
            [path.to_owned(), PathBuf::from(log)].into_iter().map(Watched::now).collect::<Result<_, _>>()?;
        Ok(Self {
            reader: Some(Mutex::new(reader)),
            writer,
            path: path.to_owned(),
            files,
            uncleared: AtomicBool::new(false),
        })
    }

    /// A database that lives as long as this value, for tests.
    ///
    /// # Errors
    /// When the library fails.
    pub fn in_memory() -> Result<Self, Error> {
        let connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        let writer = OnceLock::from(Mutex::new(connection));
        let uncleared = AtomicBool::new(false);
        Ok(Self { reader: None, writer, path: PathBuf::new(), files: Vec::new(), uncleared })
    }

    /// Writes a consistent copy of the whole database to a file that must not exist: one file, for its owner alone.
    ///
    /// # Errors
    /// When the copy can't be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let mut file = std::fs::File::options();
        match file.write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(Error::Conflict),
            made => {
                drop(made.map_err(|source| Error::File { what: "make", path: path.to_owned(), source })?)
            }
        }
        self.read()?.backup("main", path, None::<fn(rusqlite::backup::Progress)>)?;
        Ok(())
    }

    fn read(&self) -> Result<MutexGuard<'_, Connection>, Error> {
        let connection = match &self.reader {
            Some(reader) => reader,
            None => self.writer()?,
        };
        // A panic while the lock was held leaves the connection usable: SQLite rolls its transaction back.
        Ok(connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn writer(&self) -> Result<&Mutex<Connection>, Error> {
        if let Some(writer) = self.writer.get() {
            return Ok(writer);
        }
        // Not made where it is gone meanwhile.
        let flags = OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_CREATE);
        let opened = Mutex::new(writing(&self.path, flags)?);
        // Another thread may have been quicker; one of both is closed again.
        Ok(self.writer.get_or_init(|| opened))
    }
}

/// A connection that may write.
fn writing(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let writer = Connection::open_with_flags(path, flags)?;
    writer.busy_timeout(PATIENCE)?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    prepare(&writer)?;
    Ok(writer)
}

/// A connection that reads; `None` where there is no database of this format yet.
fn reader(path: &Path) -> Result<Option<Connection>, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(reader) = Connection::open_with_flags(path, flags) else { return Ok(None) };
    reader.busy_timeout(PATIENCE)?;
    reader.pragma_update(None, "trusted_schema", "OFF")?;
    reader.set_prepared_statement_cache_capacity(STATEMENTS);
    // What can't be read, such as a log that only a writer can mend, is looked at by a writer.
    let Ok(found) = reader.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)) else {
        return Ok(None);
    };
    if found > FORMAT {
        return Err(Error::Newer { found, known: FORMAT });
    }
    Ok((found == FORMAT).then_some(reader))
}

fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    // What was deleted is overwritten: a wrapped key or a ciphertext that is gone has to be gone from the file.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > FORMAT {
        return Err(Error::Newer { found, known: FORMAT });
    }
    let mut script = String::from("BEGIN IMMEDIATE;");
    for table in Table::ALL {
        script.push_str("CREATE TABLE IF NOT EXISTS ");
        script.push_str(table.as_str());
        script.push_str(" (tenant TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tenant, key)) STRICT, WITHOUT ROWID;");
    }
    script.push_str(&format!("PRAGMA user_version = {FORMAT}; COMMIT;"));
    if found < FORMAT {
        connection.execute_batch(&script)?;
    }
    Ok(())
}

impl Watched {
    fn now(path: PathBuf) -> Result<Self, Error> {
        let seen = std::fs::metadata(&path).map_err(|source| Error::File {
            what: "look at",
            path: path.clone(),
            source,
        })?;
        Ok(Self { device: seen.dev(), inode: seen.ino(), path })
    }

    fn check(&self) -> Result<(), Error> {
        match std::fs::metadata(&self.path) {
            Ok(seen) if seen.dev() == self.device && seen.ino() == self.inode => Ok(()),
            _ => Err(Error::Gone(self.path.clone())),
        }
    }
}

impl Storage for Embedded {
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let sql = format!("SELECT value FROM {} WHERE tenant = ?1 AND key = ?2", table.as_str());
        let connection = self.read()?;
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params![tenant.as_str(), key], |row| row.get(0)).optional()?)
    }

    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let Range { from, until, limit } = Range::of(prefix, after, limit);
        let connection = self.read()?;
        let mut statement = connection.prepare_cached(&scanning(table, until.is_some()))?;
        let rows = statement.query_map(params![tenant.as_str(), from, limit, until], |row| {
            Ok(Row { key: row.get(0)?, value: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, Error> {
        let sql =
            format!("SELECT key, value FROM {} WHERE tenant = ?1 ORDER BY key DESC LIMIT 1", table.as_str());
        let connection = self.read()?;
        let mut statement = connection.prepare_cached(&sql)?;
        let row =
            statement.query_row([tenant.as_str()], |row| Ok(Row { key: row.get(0)?, value: row.get(1)? }));
        Ok(row.optional()?)
    }

    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, Error> {
        // From one tenant to the next by the index: `DISTINCT` would read every row.
        let sql = format!(
            "WITH RECURSIVE found(tenant) AS (SELECT min(tenant) FROM {0} UNION ALL
             SELECT (SELECT min(tenant) FROM {0} WHERE tenant > found.tenant) FROM found WHERE tenant IS NOT NULL)
             SELECT tenant FROM found WHERE tenant IS NOT NULL ORDER BY tenant",
            table.as_str()
        );
        let connection = self.read()?;
        let mut statement = connection.prepare_cached(&sql)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        // A name that does not parse was not written by us.
        names.iter().map(|name| name.parse().map_err(|_| Error::Conflict)).collect()
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        for file in &self.files {
            file.check()?;
        }
        let mut writer = self.writer()?.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for step in batch.steps() {
            apply(&transaction, step)?;
        }
        transaction.commit()?;
        // A wrapped key or a ciphertext that was deleted must not be read from the log either. It is committed already, so a log
        // that somebody reads at this moment is no failure: it is cleared after the next commit.
        let deletes = |gone: Table| {
            batch.steps().iter().any(|step| matches!(step, Step::Delete(table, ..) if *table == gone))
        };
        // For a whole tenant it is worth a wait.
        let patience = if deletes(Table::Keys) { PATIENCE } else { Duration::ZERO };
        if !patience.is_zero() || self.uncleared.load(Ordering::Relaxed) || deletes(Table::Versions) {
            self.uncleared.store(!cleared(&writer, patience), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Moves what is in the log into the database and cuts the log to nothing, where nobody reads it now or when that time is over.
fn cleared(writer: &Connection, patience: Duration) -> bool {
    let _ = writer.busy_timeout(patience);
    // The first column says whether somebody was in the way.
    let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    let _ = writer.busy_timeout(PATIENCE);
    busy.is_ok_and(|busy| busy == 0)
}

/// Rows from one key on, to another one where there is one. Both ends are ends of the index: what lies before is not read.
fn scanning(table: Table, ends: bool) -> String {
    let end = if ends { "key < ?4" } else { "?4 IS NULL" };
    let name = table.as_str();
    format!("SELECT key, value FROM {name} WHERE tenant = ?1 AND key >= ?2 AND {end} ORDER BY key LIMIT ?3")
}

fn apply(transaction: &rusqlite::Transaction<'_>, step: &Step) -> Result<(), Error> {
    let changed = match step {
        Step::Put(table, tenant, row) => transaction
            .prepare_cached(statement(*table, "INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3)").as_str())?
            .execute(params![tenant.as_str(), row.key, row.value])?,
        Step::Insert(table, tenant, row) => transaction
            .prepare_cached(statement(*table, "INSERT INTO {} VALUES (?1, ?2, ?3)").as_str())?
            .execute(params![tenant.as_str(), row.key, row.value])?,
        Step::Swap(table, tenant, old, row) => transaction
            .prepare_cached(
                statement(*table, "UPDATE {} SET value = ?3 WHERE tenant = ?1 AND key = ?2 AND value = ?4")
                    .as_str(),
            )?
            .execute(params![tenant.as_str(), row.key, row.value, old])?,
        Step::Delete(table, tenant, key) => {
            transaction
                .prepare_cached(statement(*table, "DELETE FROM {} WHERE tenant = ?1 AND key = ?2").as_str())?
                .execute(params![tenant.as_str(), key])?;
            return Ok(());
        }
    };
    if changed == 1 { Ok(()) } else { Err(Error::Conflict) }
}

fn statement(table: Table, pattern: &str) -> String {
    pattern.replace("{}", table.as_str())
}

/// The format that this program writes; a home of a later one is refused.
const FORMAT: i64 = 2;
/// How long a commit waits for another process (a backup, a look with another tool) before it fails.
const PATIENCE: Duration = Duration::from_secs(2);
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;
/// Pages in the write-ahead log before they are copied into the database.
const CHECKPOINT_PAGES: i64 = 4_000;

#[cfg(test)]
mod tests;
