//! One connection: prepared statements, and the slot that it commits in. Each statement names the tenant whose rows it wants for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::postgres::types::ToSql;
use ::postgres::{Client, Statement};
use model::TenantName;

use super::Error;
use super::schema;
use super::target::{Target, Undialled};
use crate::range::Range;
use crate::{Batch, Row, Step, Table};

/// A connection that was looked at, so that it is safe to use.
pub(super) struct Link {
    client: Client,
    statements: HashMap<(What, Option<Table>), Statement>,
    slot: Option<Slot>,
}

/// Where commits of a connection are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    id: i64,
    last: i64,
}

/// A commit as it was sent: what is asked for where its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    slot: i64,
    number: i64,
}

/// What is known about a commit by whoever waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Progress {
    /// It was not sent yet.
    #[default]
    Waiting,
    /// It may have been done.
    Sent(Sent),
    /// Nobody waits any more; it must not be sent.
    GivenUp,
}

/// Shared by who commits and who waits.
pub(super) type Watched = Arc<Mutex<Progress>>;

/// Why something was not done on a connection.
pub(super) enum Trouble {
    /// There is no connection; nothing was sent.
    Undialled(Undialled),
    /// The connection is gone. What was sent may have been done.
    Lost(::postgres::Error),
    /// It took too long; the connection was left to itself. What was sent may have been done.
    Late,
    /// The server has said that it did nothing. It may be asked again at once where two were in each other's way.
    Crossed,
    /// The slot is gone: another broker leads, or this connection's slot was closed.
    NoSlot,
    /// A definite answer.
    Said(crate::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Get,
    Scan,
    Last,
    Tenants,
    Commit,
    OpenSlot,
    Settle,
}

impl Link {
    /// Connects, and refuses a database that would not keep tenants apart.
    pub(super) fn dial(target: &Target) -> Result<Self, Trouble> {
        let mut client = target.dial().map_err(Trouble::Undialled)?;
        schema::check(&mut client).map_err(|error| match error {
            crate::Error::Postgres(Error::Refused(error)) => trouble(error),
            other => Trouble::Said(other),
        })?;
        // Durable when it returns, whatever the server does for others.
        let durable = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";
        client.execute(durable, &[]).map_err(trouble)?;
        // All that is asked for goes by the primary key. A plan is kept for the life of a connection, and one that was made while a table was
        // nearly empty would read all of it.
        client.batch_execute(BY_INDEX).map_err(trouble)?;
        Ok(Self { client, statements: HashMap::new(), slot: None })
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The client, for what is asked once.
    pub(super) const fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) fn get(
        &mut self,
        table: Table,
        tenant: &TenantName,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let rows = self.ask(What::Get, Some(table), &[&tenant.as_str(), &key])?;
        rows.first().map_or(Ok(None), |row| row.try_get(0)).map_err(trouble)
    }

    pub(super) fn scan(
        &mut self,
        table: Table,
        tenant: &TenantName,
        range: &Range,
    ) -> Result<Vec<Row>, Trouble> {
        let Range { from, until, limit } = range;
        let rows = self.ask(What::Scan, Some(table), &[&tenant.as_str(), limit, from, until])?;
        rows.iter().map(row).collect()
    }

    pub(super) fn last(&mut self, table: Table, tenant: &TenantName) -> Result<Option<Row>, Trouble> {
        let rows = self.ask(What::Last, Some(table), &[&tenant.as_str()])?;
        rows.first().map(row).transpose()
    }

    pub(super) fn tenants(&mut self, table: Table) -> Result<Vec<TenantName>, Trouble> {
        let rows = self.ask(What::Tenants, None, &[&table.as_str()])?;
        let names = rows.iter().map(|row| row.try_get::<_, String>(0).map_err(trouble));
        // A name that does not parse was not written by us.
        names.map(|name| name?.parse().map_err(|_| Trouble::Said(crate::Error::Conflict))).collect()
    }

    /// Commits a batch in a slot of this epoch.
    pub(super) fn commit(&mut self, epoch: i64, batch: &Written, watched: &Watched) -> Result<(), Trouble> {
        let slot = match self.slot {
            Some(slot) => slot,
            None => {
                let rows = self.ask(What::OpenSlot, None, &[&epoch])?;
                let id = rows.first().ok_or(Trouble::NoSlot)?.try_get(0).map_err(trouble)?;
                Slot { id, last: 0 }
            }
        };
        let number = slot.last + 1;
        {
            let mut progress = watched.lock().unwrap_or_else(PoisonError::into_inner);
            if *progress == Progress::GivenUp {
                return Err(Trouble::Late);
            }
            *progress = Progress::Sent(Sent { slot: slot.id, number });
        }
        let Written { tables, tenants, deeds, keys, values, olds } = batch;
        let given: [&(dyn ToSql + Sync); 8] = [&slot.id, &number, tables, tenants, deeds, keys, values, olds];
        let answer = self.ask(What::Commit, None, &given);
        match &answer {
            Ok(_) => self.slot = Some(Slot { id: slot.id, last: number }),
            // Rolled back: the number was not used.
            Err(Trouble::Said(_) | Trouble::Crossed) => self.slot = Some(slot),
            Err(_) => self.slot = None,
        }
        answer.map(|_| ())
    }

    /// Whether a commit was done; it will not be done later. `None` where its slot is gone, because another broker took over.
    pub(super) fn settle(&mut self, sent: Sent) -> Result<Option<bool>, Trouble> {
        let rows = self.ask(What::Settle, None, &[&sent.slot, &sent.number])?;
        rows.first().ok_or(Trouble::NoSlot)?.try_get(0).map_err(trouble)
    }

    fn ask(
        &mut self,
        what: What,
        table: Option<Table>,
        given: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<::postgres::Row>, Trouble> {
        let statement = match self.statements.get(&(what, table)) {
            Some(known) => known.clone(),
            None => {
                let made = self.client.prepare(&what.text(table)).map_err(trouble)?;
                self.statements.insert((what, table), made.clone());
                made
            }
        };
        self.client.query(&statement, given).map_err(trouble)
    }
}

impl What {
    fn text(self, table: Option<Table>) -> String {
        let table = table.map_or("", Table::as_str);
        match self {
            Self::Get => format!("SELECT doorward.get_{table}($1, $2)"),
            Self::Scan => format!("SELECT found_key, found_value FROM doorward.scan_{table}($1, $2, $3, $4)"),
            Self::Last => format!("SELECT found_key, found_value FROM doorward.last_{table}($1)"),
            Self::Tenants => "SELECT doorward.tenants($1)".to_owned(),
            Self::Commit => "SELECT doorward.commit($1, $2, $3, $4, $5, $6, $7, $8)".to_owned(),
            Self::OpenSlot => "SELECT doorward.open_slot($1)".to_owned(),
            Self::Settle => "SELECT doorward.settle($1, $2)".to_owned(),
        }
    }
}

/// A batch as the server takes it.
pub(super) struct Written {
    tables: Vec<&'static str>,
    tenants: Vec<String>,
    deeds: Vec<i16>,
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    olds: Vec<Vec<u8>>,
}

impl Written {
    pub(super) fn of(batch: &Batch) -> Self {
        let mut written = Self {
            tables: Vec::new(),
            tenants: Vec::new(),
            deeds: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            olds: Vec::new(),
        };
        let none: &[u8] = &[];
        for step in batch.steps() {
            let (deed, table, tenant, key, value, old) = match step {
                Step::Put(table, tenant, row) => (0, table, tenant, &row.key, row.value.as_slice(), none),
                Step::Insert(table, tenant, row) => (1, table, tenant, &row.key, row.value.as_slice(), none),
                Step::Swap(table, tenant, old, row) => {
                    (2, table, tenant, &row.key, row.value.as_slice(), old.as_slice())
                }
                Step::Delete(table, tenant, key) => (3, table, tenant, key, none, none),
            };
            written.tables.push(table.as_str());
            written.tenants.push(tenant.as_str().to_owned());
            written.deeds.push(deed);
            written.keys.push(key.clone());
            written.values.push(value.to_vec());
            written.olds.push(old.to_vec());
        }
        written
    }
}

fn row(found: &::postgres::Row) -> Result<Row, Trouble> {
    Ok(Row { key: found.try_get(0).map_err(trouble)?, value: found.try_get(1).map_err(trouble)? })
}

/// What an error of the library says about what was asked.
pub(super) fn trouble(error: ::postgres::Error) -> Trouble {
    let Some(code) = error.code().map(::postgres::error::SqlState::code) else {
        // Not an answer of the server: the connection broke, or what came made no sense.
        return Trouble::Lost(error);
    };
    match code {
        "DW001" => Trouble::Said(crate::Error::Conflict),
        "DW002" => Trouble::NoSlot,
        "40001" | "40P01" | "55P03" => Trouble::Crossed,
        "57014" => Trouble::Late,
        "53100" => Trouble::Said(crate::Error::Full),
        "25006" => Trouble::Said(crate::Error::ReadOnly),
        // It has no memory or no connection left.
        _ if code.starts_with("53") => Trouble::Crossed,
        _ if is_gone(&error) => Trouble::Lost(error),
        _ => Trouble::Said(Error::Refused(error).into()),
    }
}

/// Whether the connection is gone: broken, or the server is being stopped, has crashed or starts. What was asked for may have been done.
pub(super) fn is_gone(error: &::postgres::Error) -> bool {
    let code = error.code().map(::postgres::error::SqlState::code);
    code.is_none_or(|code| code.starts_with("57P") || code.starts_with("08"))
}

/// Plans of this session. A statement without a way by an index costs more than anything then, and would be compiled to machine code for the
/// one row that it reads: not that either.
const BY_INDEX: &str =
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET jit = off";
