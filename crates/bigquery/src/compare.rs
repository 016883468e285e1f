//! What the table says of a tenant beside what the store says: the questions of whoever looks for what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use model::TenantName;
use serde::Serialize;
use store::{Storage, Table};

use crate::Remote;
use crate::marker::{Marker, OPEN, digest};
use crate::remote::{Seen, Which};
use crate::row::Facts;
use crate::view::{View, row_of};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The table.
    pub table: String,
    /// How many rows of the tenant it has.
    pub rows: usize,
    /// The columns that it lacks.
    pub missing_columns: Vec<&'static str>,
    /// The providers of which more than one row is active.
    pub several_active: Vec<String>,
    /// Rows that the store knows nothing of. Nothing of them is ever used.
    pub foreign: Vec<String>,
    /// Rows that are not what the store says, with the columns that differ.
    pub different: BTreeMap<String, Vec<&'static str>>,
    /// Credentials whose row is not there.
    pub absent: Vec<String>,
    /// Whether something is being written, or was begun and is brought in line with the next call.
    pub open: bool,
}

impl Found {
    /// Whether table and store say the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let Self { table: _, rows: _, missing_columns, several_active, foreign, different, absent, open: _ } =
            self;
        missing_columns.is_empty()
            && several_active.is_empty()
            && foreign.is_empty()
            && different.is_empty()
            && absent.is_empty()
    }
}

/// Compares them. `storage` is the home's own, not one with BigQuery beside it; nothing is written. Blocks.
///
/// # Errors
/// When one of them can't be read.
pub fn compare(
    storage: &dyn Storage,
    remote: &Remote,
    (house, tenant): (&TenantName, &TenantName),
) -> Result<Found, store::Error> {
    let (table, open_key) = (remote.place().to_string(), [OPEN, tenant.as_str().as_bytes()].concat());
    let missing = remote.missing()?;
    let there = missing.is_some();
    let missing_columns = missing.unwrap_or_default();
    let seen = if there && missing_columns.is_empty() {
        remote.seen(tenant.as_str(), &Which::All)?
    } else {
        Vec::new()
    };
    let view = View::read(storage, tenant)?;
    let known = view.all();
    let (mut different, mut absent) = (BTreeMap::new(), Vec::new());
    for (id, (row, facts)) in known.iter().filter(|_| missing_columns.is_empty()) {
        let kept = storage.get(Table::Versions, tenant, &row_of(&row.secret))?;
        let marker = kept.as_deref().map(Marker::read);
        // One that is kept in the store itself so far, or whose bytes are gone and that never was in the table.
        let wanted = match marker {
            Some(None) => continue,
            Some(Some(marker)) => marker.digest().to_owned(),
            None => digest(b""),
        };
        let mut rows = seen.iter().filter(|seen| seen.id == *id);
        match (rows.next(), rows.next()) {
            (None, _) if row.gone => {}
            (None, _) => absent.push(id.clone()),
            (Some(seen), None) => {
                let differing = differing(facts, seen, &wanted);
                if !differing.is_empty() {
                    different.insert(id.clone(), differing);
                }
            }
            (Some(_), Some(_)) => {
                different.insert(id.clone(), vec!["credential_id"]);
            }
        }
    }
    let foreign = seen.iter().filter(|seen| !known.contains_key(&seen.id) && !is_settled_empty(seen));
    Ok(Found {
        table,
        rows: seen.len(),
        several_active: several(&seen),
        foreign: foreign.map(|seen| seen.id.clone()).collect(),
        missing_columns,
        different,
        absent,
        open: storage.get(Table::Meta, house, &open_key)?.is_some(),
    })
}

/// A row that was begun and never settled: out of use and without bytes.
fn is_settled_empty(seen: &Seen) -> bool {
    !seen.active && seen.digest == digest(b"")
}

/// The columns in which a row is not what the store says. What stands beside a credential as JSON is not compared: BigQuery writes it its own way.
fn differing(facts: &Facts, seen: &Seen, wanted: &str) -> Vec<&'static str> {
    let Facts {
        id: _,
        provider,
        name,
        kind,
        status,
        validated,
        error,
        metadata: _,
        active,
        by: _,
        created,
        expires,
        ends,
    } = facts;
    let columns = [
        ("provider", *provider == seen.provider),
        ("encrypted_credential", wanted == seen.digest),
        ("credential_name", *name == seen.name),
        ("credential_type", *kind == seen.kind),
        ("validation_status", *status == seen.status),
        ("last_validated_at", *validated == seen.validated),
        ("last_error", *error == seen.error),
        ("is_active", *active == seen.active),
        ("created_at", Some(*created) == seen.created),
        ("expires_at", *expires == seen.expires),
        ("deactivation_scheduled_at", *ends == seen.ends),
    ];
    columns.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// The providers of which more than one row is active.
fn several(seen: &[Seen]) -> Vec<String> {
    let (mut once, mut more) = (BTreeSet::new(), BTreeSet::new());
    for row in seen.iter().filter(|row| row.active) {
        if !once.insert(row.provider.as_str()) {
            more.insert(row.provider.clone());
        }
    }
    more.into_iter().collect()
}
