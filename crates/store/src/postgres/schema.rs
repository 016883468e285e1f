//! The schema: its versions, its routines, and the proof that it keeps tenants apart.
//!
//! # Invariants
//!
//! - A version is applied whole or not at all, by one process at a time, and never changed once it was released.
//! - Every table has row-level security, forced also on its owner; what a session sees is the tenant that it has named.
//! - The role that serves owns nothing, and can become nobody who does. It is looked at whenever a connection is made.

use ::postgres::{Client, GenericClient};

use super::Error;
use crate::Table;

/// The tables that each version brings. A new [`Table`] is a new version.
const VERSIONS: &[&[Table]] = &[
    &[
        Table::Meta,
        Table::Keys,
        Table::Secrets,
        Table::Versions,
        Table::Grants,
        Table::Uses,
        Table::Revocations,
        Table::Policies,
        Table::Approvals,
        Table::Evidence,
        Table::Checkpoints,
        Table::Tenants,
        Table::ApiKeys,
        Table::Credentials,
    ],
    // Reads that name their tenant themselves.
    &[],
];

/// Whether our own conditions on the tenant stand in the statements. Only a test takes them out, to see that the database
/// holds without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// `tenant = $1`, as it always is.
    Tenant,
    /// Nothing: row-level security alone.
    #[cfg(test)]
    Nothing,
}

impl Where {
    /// The condition, on this parameter or variable.
    pub(super) fn condition(self, name: &str) -> String {
        match self {
            Self::Tenant => format!("tenant = {name}"),
            // It still names the parameter, so that the statement has the same ones.
            #[cfg(test)]
            Self::Nothing => format!("{name}::text IS NOT NULL"),
        }
    }
}

/// The latest version.
pub(super) fn latest() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// The version that is there; 0 where there is none that we may see.
pub(super) fn found(client: &mut impl GenericClient) -> Result<i64, ::postgres::Error> {
    let row = client.query_one(
        "SELECT c.oid IS NOT NULL AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
         FROM (VALUES ('doorward', 'schema')) AS wanted (space, name)
         LEFT JOIN pg_namespace n ON n.nspname = wanted.space
         LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name",
        &[],
    )?;
    if row.get::<_, Option<bool>>(0) != Some(true) {
        return Ok(0);
    }
    Ok(client.query_one("SELECT version FROM doorward.schema", &[])?.get(0))
}

/// Brings the schema to the latest version, as its owner, for a role that serves.
pub(super) fn migrate(owner: &mut Client, role: &str, own: Where) -> Result<(), crate::Error> {
    let refused = |error| crate::Error::from(Error::Refused(error));
    let mut transaction = owner.transaction().map_err(refused)?;
    // One at a time; given back with the transaction.
    transaction.execute("SELECT pg_advisory_xact_lock($1, 2)", &[&super::LOCKS]).map_err(refused)?;
    let found = found(&mut transaction).map_err(refused)?;
    if found > latest() {
        return Err(crate::Error::Newer { found, known: latest() });
    }
    let powers = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    if transaction.query_one(powers, &[]).map_err(refused)?.get(0) {
        let what = "its owner is a superuser or bypasses row-level security";
        return Err(Error::Unsafe(what.to_owned()).into());
    }
    let mut script = String::new();
    if found == 0 {
        script.push_str(BEGINNING);
    }
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for table in VERSIONS.iter().skip(done).flat_map(|version| version.iter()) {
        script.push_str(&for_table(TABLE, *table, own));
    }
    script.push_str(&format!("UPDATE doorward.schema SET version = {};", latest()));
    script.push_str(&routines(own));
    script.push_str(&GRANTS.replace("{role}", &quoted(role)));
    transaction.batch_execute(&script).map_err(refused)?;
    transaction.commit().map_err(refused)
}

/// Proof that this connection's role and this database keep tenants apart, and keep what they say they kept.
pub(super) fn check(client: &mut Client) -> Result<(), crate::Error> {
    let refused = |error| crate::Error::from(Error::Refused(error));
    let found = found(client).map_err(refused)?;
    if found > latest() {
        return Err(crate::Error::Newer { found, known: latest() });
    }
    if found < latest() {
        return Err(Error::Older { found, needed: latest() }.into());
    }
    let wrong = client.query(WRONG, &[]).map_err(refused)?;
    match wrong.first() {
        Some(row) => Err(Error::Unsafe(row.get(0)).into()),
        None => Ok(()),
    }
}

/// The routines, made anew with every version.
fn routines(own: Where) -> String {
    let mut script = String::new();
    let (mut steps, mut names) = (String::new(), Vec::new());
    for table in VERSIONS.iter().flat_map(|version| version.iter()) {
        script.push_str(&for_table(STEP, *table, own));
        script.push_str(&for_table(READ, *table, own));
        let name = table.as_str();
        steps.push_str(&format!(
            "WHEN '{name}' THEN done := doorward.step_{name}(p_deeds[n], p_tenants[n], p_keys[n], p_values[n], p_olds[n]);\n"
        ));
        names.push(format!("'{name}'"));
    }
    script.push_str(&COMMIT.replace("{steps}", &steps));
    script.push_str(&TENANTS.replace("{names}", &names.join(", ")));
    script.push_str(SLOTS);
    script
}

fn for_table(pattern: &str, table: Table, own: Where) -> String {
    pattern.replace("{table}", table.as_str()).replace("{own}", &own.condition("p_tenant"))
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What is there besides the tables: the version, who leads, and the slots of its connections. No row of a tenant.
const BEGINNING: &str = include_str!("sql/beginning.sql");
/// One table, its row-level security, and its two policies.
const TABLE: &str = include_str!("sql/table.sql");
/// What one step of a batch does to one table.
const STEP: &str = include_str!("sql/step.sql");
/// What is read from one table.
const READ: &str = include_str!("sql/read.sql");
/// A batch.
const COMMIT: &str = include_str!("sql/commit.sql");
/// The names of tenants, and nothing else of them.
const TENANTS: &str = include_str!("sql/tenants.sql");
/// Opening a slot, and finding out what became of a commit.
const SLOTS: &str = include_str!("sql/slots.sql");
/// What the role that serves may do.
const GRANTS: &str = include_str!("sql/grants.sql");
/// A row for everything that is wrong.
const WRONG: &str = include_str!("sql/wrong.sql");

#[cfg(test)]
mod tests;
