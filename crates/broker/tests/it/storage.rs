//! A storage for evidence whose disk a test can fill, break or slow down.

use std::sync::Mutex;
use std::time::Duration;

use model::TenantName;
use store::{Batch, Error, Journal, Row, Storage, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    Works,
    Full,
    /// Fails in a way after which nobody knows what is written.
    Broken,
    Slow(Duration),
}

pub(crate) struct Evidence {
    inner: Journal,
    disk: Mutex<Disk>,
}

impl Evidence {
    pub(crate) fn new(inner: Journal) -> Self {
        Self { inner, disk: Mutex::new(Disk::Works) }
    }

    pub(crate) fn set(&self, disk: Disk) {
        *self.disk.lock().unwrap() = disk;
    }
}

impl Storage for Evidence {
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(table, tenant, key)
    }

    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.inner.scan(table, tenant, prefix, after, limit)
    }

    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, Error> {
        self.inner.last(table, tenant)
    }

    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, Error> {
        self.inner.tenants(table)
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let disk = *self.disk.lock().unwrap();
        match disk {
            Disk::Full => return Err(Error::Full),
            Disk::Broken => return Err(Error::Conflict),
            Disk::Slow(time) => std::thread::sleep(time),
            Disk::Works => {}
        }
        self.inner.commit(batch)
    }
}
