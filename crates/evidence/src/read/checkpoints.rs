//! The signed checkpoints, for whoever keeps them elsewhere or compares what others were shown.

use model::TenantName;
use store::Table;

use super::{Reader, Signed, number, show};
use crate::checkpoint::Statement;
use crate::{Error, standing};

impl Reader {
    /// Checkpoints before a number, the newest first; their signatures are checked. The last one is written again within its minute.
    ///
    /// # Errors
    /// When the storage can't be read, or one was not signed with this key.
    pub fn checkpoints(&self, before: Option<u64>, limit: usize) -> Result<Vec<(Statement, String)>, Error> {
        let home = TenantName::local();
        let Some(newest) = self.storage.last(Table::Checkpoints, &home).map_err(Error::Read)? else {
            return Ok(Vec::new());
        };
        let end = number(&newest.key).saturating_add(1);
        let high = before.unwrap_or(end).min(end);
        let low = high.saturating_sub(u64::try_from(limit).unwrap_or(u64::MAX));
        let after = low.checked_sub(1).map(u64::to_be_bytes);
        let after = after.as_ref().map(<[u8; 8]>::as_slice);
        let rows = self.storage.scan(Table::Checkpoints, &home, b"", after, limit).map_err(Error::Read)?;
        let wanted = rows.iter().rev().filter(|row| number(&row.key) < high);
        let read = wanted.map(|row| standing::read(row, &self.key));
        read.map(|one| one.map(|one| (one.statement, one.note))).collect()
    }

    /// The last checkpoint with the proof of what it says of a tenant; `None` where the tenant has no evidence yet.
    ///
    /// # Errors
    /// When the storage can't be read, or what it holds does not fit.
    pub fn signed(&self, tenant: &TenantName) -> Result<Option<Signed>, Error> {
        show::signed(&*self.storage, tenant, &self.key)
    }
}
