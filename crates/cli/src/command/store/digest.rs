//! What a table holds, as a number of rows and a digest.

use model::TenantName;
use store::{Row, Table};

use super::side::Side;
use crate::failure::Outcome;

/// How many rows, and a digest of all of them in order.
pub(super) struct Digest {
    hasher: crypto::Hasher,
    pub(super) rows: u64,
}

impl Digest {
    pub(super) fn new() -> Self {
        Self { hasher: crypto::Hasher::new(), rows: 0 }
    }

    pub(super) fn add(&mut self, tenant: &TenantName, row: &Row) {
        for part in [tenant.as_str().as_bytes(), &row.key, &row.value] {
            self.hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.hasher.update(part);
        }
        self.rows += 1;
    }

    pub(super) fn finish(self) -> (u64, String) {
        (self.rows, crypto::to_hex(&self.hasher.finish()))
    }
}

/// The digest of a table as it is kept. `seen` is told of every row.
pub(super) fn of(side: &Side, table: Table, seen: &mut dyn FnMut()) -> Outcome<(u64, String)> {
    let mut digest = Digest::new();
    for tenant in side.tenants(table)? {
        side.each(table, &tenant, &mut |row| {
            if !super::copy::is_last(table, &tenant, &row.key) {
                digest.add(&tenant, &row);
                seen();
            }
            Ok(())
        })?;
    }
    Ok(digest.finish())
}
