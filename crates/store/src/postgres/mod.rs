//! The member for PostgreSQL: one table for each [`Table`], row-level security forced, one broker that writes.
//!
//! # Invariants
//!
//! - A statement sees the rows of the tenant that it has named, and no others, also where it forgot to say whose it wants; between two of
//!   them a session sees nobody's. Across tenants only their names are seen, by one function of the schema's owner.
//! - A commit is one call of one function, so it is whole or not at all. It is durable when it returns.
//! - A commit whose answer was lost is found out before anything else is said about it: never done twice, never believed lost.
//! - One broker writes. With a new epoch every commit of an earlier one fails, whatever that one believes.
//!
//! Connections must be direct, or through a pooler that keeps sessions: prepared statements and the lead belong to a session.

mod error;
mod lead;
mod link;
mod pool;
mod schema;
mod target;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use model::TenantName;

pub use error::Error;
pub use target::{SecretReader, Target, Whom};

use crate::range::Range;
use crate::{Batch, Row, Storage, Table};
use lead::Lead;
use link::{Progress, Sent, Trouble, Watched, Written};
use pool::Pool;
use schema::Where;

/// Where a store is, and how it is used.
#[derive(Clone)]
pub struct Setup {
    /// The role that serves.
    pub target: Target,
    /// The role that owns the schema, to bring it up to date at the start.
    pub owner: Option<Target>,
    /// The most connections, besides one for the lead.
    pub connections: usize,
    /// How long one question may take, connecting included.
    pub timeout: Duration,
    /// How this process is told to whoever is refused because of it: host and process.
    pub who: String,
}

/// A store in PostgreSQL.
pub struct Postgres {
    pool: Pool,
    place: String,
    timeout: Duration,
    lead: Option<Lead>,
}

impl Postgres {
    /// Opens a store for reading. Commits are refused.
    ///
    /// # Errors
    /// When the server does not answer, the schema is not the one that this program knows, or tenants would not be kept apart.
    pub fn reader(setup: &Setup) -> Result<Self, crate::Error> {
        let opened = Self::over(setup, None);
        opened.read(opened.timeout, |_| Ok(()))?;
        Ok(opened)
    }

    /// Brings the schema up to date and takes the lead; where another broker has it, `go_on` is asked from time to time whether to wait
    /// on, with the time waited so far.
    ///
    /// # Errors
    /// As [`Self::reader`], and when another broker leads.
    pub fn leader(setup: &Setup, go_on: impl FnMut(Duration) -> bool + Send) -> Result<Self, crate::Error> {
        Self::leader_with(setup, go_on, Where::Tenant)
    }

    fn leader_with(
        setup: &Setup,
        mut go_on: impl FnMut(Duration) -> bool + Send,
        own: Where,
    ) -> Result<Self, crate::Error> {
        if let Some(owner) = &setup.owner {
            // Done in one transaction, so a server that goes away meanwhile is asked again.
            let role = &setup.target.whom().role;
            lead::patiently(Instant::now(), &mut go_on, || Self::migrate(owner, role, own))?;
        }
        let lead = Lead::take(&Arc::new(setup.target.clone()), &setup.who, go_on)?;
        Ok(Self::over(setup, Some(lead)))
    }

    /// Brings the schema up to date as its owner, for a role that serves; answers its version.
    ///
    /// # Errors
    /// When the server refuses, or the schema is of a later version.
    pub fn prepare(owner: &Target, role: &str) -> Result<i64, crate::Error> {
        Self::migrate(owner, role, Where::Tenant)?;
        Ok(schema::latest())
    }

    fn migrate(owner: &Target, role: &str, own: Where) -> Result<(), crate::Error> {
        // On a thread of its own: the library must not be called within a runtime.
        std::thread::scope(|threads| {
            let done = threads.spawn(|| schema::migrate(&mut lead::dial(owner)?, role, own));
            done.join().unwrap_or(Err(crate::Error::Busy))
        })
    }

    fn over(setup: &Setup, lead: Option<Lead>) -> Self {
        let Setup { target, owner: _, connections, timeout, who: _ } = setup;
        let pool = Pool::new(Arc::new(target.clone()), (*connections).max(1));
        Self { pool, place: target.place(), timeout: *timeout, lead }
    }

    /// Whether another broker has taken this store over, so that nothing can be written here any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lead.as_ref().is_some_and(Lead::is_lost)
    }

    /// Reads; on a new connection where the one at hand was broken.
    fn read<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Fn(&mut link::Link) -> Result<T, Trouble> + Clone + Send + 'static,
    ) -> Result<T, crate::Error> {
        let until = Instant::now() + limit;
        loop {
            let answer = self.pool.run(until.saturating_duration_since(Instant::now()), work.clone());
            let trouble = match answer {
                Ok(read) => return Ok(read),
                Err(trouble) => trouble,
            };
            self.unless_passing(trouble, until)?;
        }
    }

    /// Waits a little where it is worth another attempt; else says why not.
    fn unless_passing(&self, trouble: Trouble, until: Instant) -> Result<(), crate::Error> {
        let place = self.place.clone();
        let in_time = Instant::now() + AGAIN < until;
        let gone = |source| Error::Unreachable { place: self.place.clone(), source };
        match trouble {
            Trouble::Undialled(undialled) if undialled.may_pass() && in_time => std::thread::sleep(AGAIN),
            Trouble::Undialled(undialled) if undialled.may_pass() => {
                return Err(match undialled {
                    target::Undialled::Server(error) => gone(Some(error)).into(),
                    other @ target::Undialled::Password(_) => other.into_error(place).into(),
                });
            }
            Trouble::Undialled(undialled) => return Err(undialled.into_error(place).into()),
            Trouble::Lost(_) | Trouble::Crossed if in_time => std::thread::sleep(AGAIN),
            Trouble::Lost(error) => return Err(gone(Some(error)).into()),
            Trouble::Crossed => return Err(crate::Error::Busy),
            Trouble::Late => return Err(Error::Late { place, limit: self.timeout }.into()),
            Trouble::NoSlot => return Err(gone(None).into()),
            Trouble::Said(error) => return Err(error),
        }
        Ok(())
    }

    /// What became of a commit whose answer was lost. Asked until it is known, however long the server is away: it may have been done. At
    /// most as many wait here as there are connections, because only what was sent has to be found out.
    fn settle(&self, sent: Sent) -> Result<bool, crate::Error> {
        loop {
            match self.pool.run(self.timeout, move |link| link.settle(sent)) {
                Ok(Some(done)) => return Ok(done),
                // Its slot went with a new epoch.
                Ok(None) => return Err(self.lost()),
                Err(Trouble::Said(error)) => return Err(error),
                Err(_) if self.is_lost() => return Err(self.lost()),
                Err(_) => std::thread::sleep(AGAIN),
            }
        }
    }

    fn lost(&self) -> crate::Error {
        self.lead.as_ref().map_or(crate::Error::ReadOnly, |lead| lead.lose().into())
    }

    /// Whether a slot is missing because another broker leads; else a new one does.
    fn slot_is_missing(&self, epoch: i64) -> Result<(), crate::Error> {
        let now = self.read(self.timeout, |link| {
            let row = link.client().query_one("SELECT epoch FROM doorward.leader", &[]);
            row.and_then(|row| row.try_get::<_, i64>(0)).map_err(link::trouble)
        })?;
        if now == epoch { Ok(()) } else { Err(self.lost()) }
    }
}

impl Storage for Postgres {
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, crate::Error> {
        let (tenant, key) = (tenant.clone(), key.to_vec());
        self.read(self.timeout, move |link| link.get(table, &tenant, &key))
    }

    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, crate::Error> {
        let (tenant, range) = (tenant.clone(), Range::of(prefix, after, limit));
        self.read(self.timeout, move |link| link.scan(table, &tenant, &range))
    }

    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, crate::Error> {
        let tenant = tenant.clone();
        self.read(self.timeout, move |link| link.last(table, &tenant))
    }

    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, crate::Error> {
        // It grows with the number of tenants.
        self.read(self.timeout.max(LISTING), move |link| link.tenants(table))
    }

    fn commit(&self, batch: &Batch) -> Result<(), crate::Error> {
        let epoch = self.lead.as_ref().ok_or(crate::Error::ReadOnly)?.epoch()?;
        if batch.is_empty() {
            return Ok(());
        }
        let written = Arc::new(Written::of(batch));
        let until = Instant::now() + self.timeout;
        loop {
            let (watched, steps) = (Watched::default(), Arc::clone(&written));
            let seen = Arc::clone(&watched);
            let limit = until.saturating_duration_since(Instant::now());
            let trouble = match self.pool.run(limit, move |link| link.commit(epoch, &steps, &seen)) {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            if matches!(trouble, Trouble::Lost(_) | Trouble::Late) {
                // From here on it is not sent any more, if it was not.
                let progress = std::mem::replace(
                    &mut *watched.lock().unwrap_or_else(PoisonError::into_inner),
                    Progress::GivenUp,
                );
                if let Progress::Sent(sent) = progress
                    && self.settle(sent)?
                {
                    return Ok(());
                }
            }
            if matches!(trouble, Trouble::NoSlot) {
                self.slot_is_missing(epoch)?;
                if Instant::now() < until {
                    continue;
                }
            }
            self.unless_passing(trouble, until)?;
        }
    }
}

/// Our locks of sessions and transactions: `door`.
const LOCKS: i32 = 0x646f_6f72;
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(50);
/// How long the names of all tenants may take.
const LISTING: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
