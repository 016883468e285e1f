//! Changing what is known of a credential that is there: what its provider said of it, what it is called.
//!
//! Time passes between the look at a row and its change, and a provider may take all of it. So what is changed is the row as it is now, and
//! only that of the credential that was meant: nothing comes back that was deleted or replaced meanwhile, and nothing is lost that others changed.

use model::{CredentialId, Refusal, Timestamp};
use store::{Batch, Row, Table};

use super::settling::too_fast;
use super::{ATTEMPTS, CredentialRow, Credentials, Status};
use crate::unreadable;

/// A row that was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Revised {
    /// As it is now.
    pub row: CredentialRow,
    /// The one whose place it took.
    pub replaced: Option<CredentialId>,
}

impl Credentials<'_> {
    /// Changes the row of a credential as it is now; `None` where it was replaced or deleted since it was looked at, and then nothing is
    /// written. Which one is in use stays, but for one that waited and works now: that takes the place for which it waited.
    ///
    /// # Errors
    /// When the rows can't be read or written, and whatever `change` gives. It is called anew for each attempt.
    pub fn revise<E: From<Refusal>>(
        &self,
        asked: CredentialId,
        now: Timestamp,
        change: &dyn Fn(&mut CredentialRow) -> Result<(), E>,
    ) -> Result<Option<Revised>, E> {
        for _ in 0..ATTEMPTS {
            let mut read = self.read()?;
            let found = read.rows.iter().find(|row| row.id == asked && row.is_kept());
            let Some(mut row) = found.cloned() else { return Ok(None) };
            change(&mut row)?;
            let before = read.in_place_of(&row);
            let (mut changed, mut replaced) = (vec![row.clone()], None);
            if row.status == Status::Valid && before.is_some() {
                replaced = before.as_ref().map(|before| before.id);
                changed.extend(read.left_behind(&row, now));
                changed.extend(self.replaced(&mut read, &row, before, now));
            }
            match self.storage.commit(&self.changed(Batch::new(), read, changed, now)?) {
                Ok(()) => return Ok(Some(Revised { row, replaced })),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error).into()),
            }
        }
        Err(too_fast().into())
    }

    /// The bytes of this one are gone.
    ///
    /// # Errors
    /// When the row can't be read or written.
    pub fn gone(&self, row: &CredentialRow, now: Timestamp) -> Result<(), Refusal> {
        let key = row.key().into_bytes();
        for _ in 0..ATTEMPTS {
            let raw = self.storage.get(Table::Credentials, self.tenant, &key);
            let Some(raw) = raw.map_err(|error| unreadable(&error))? else { return Ok(()) };
            let wrong =
                |source| unreadable(&store::Error::Row { table: Table::Credentials.as_str(), source });
            let known: CredentialRow = serde_json::from_slice(&raw).map_err(wrong)?;
            let ends = known.ends.or(Some(now));
            let value = serde_json::to_vec(&CredentialRow { gone: true, ends, ..known }).map_err(wrong)?;
            let row = Row { key: key.clone(), value };
            match self.storage.commit(&Batch::new().swap(Table::Credentials, self.tenant, raw, row)) {
                Ok(()) => return Ok(()),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(too_fast())
    }
}
