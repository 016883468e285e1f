//! `doorward store copy`: everything that one place keeps, to an empty one.
//!
//! # Invariants
//!
//! - The row that makes a place a home is written last, behind all checks: a copy that was cut short is no home, and is begun anew.
//! - Counts and digests are taken of what was read, and again of what is kept there. The evidence is verified there from its first record.
//! - Nothing is written over: a target with rows of anything but an unfinished copy is refused.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use model::TenantName;
use serde_json::{Value, json};
use store::{Batch, Row, Step, Table};

use super::digest::{self, Digest};
use super::side::{Named, Side};
use crate::args::store::Copy;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::wire;

/// Copies, verifies, and says what was copied.
pub(super) fn run(context: &Context, args: &Copy) -> Outcome {
    let Copy { from, to, from_password, to_password, ca } = args;
    let from = Named::read(from, from_password.clone(), ca.clone())?;
    let to = Named::read(to, to_password.clone(), ca.clone())?;
    wire::private();
    let (source, target) = (from.source()?, to.target()?);
    empty(&target)?;
    let bar = bar();
    let mark = Batch::new().put(Table::Meta, &TenantName::local(), UNFINISHED, b"copy".to_vec());
    target.state.commit(&mark)?;
    let mut tables = Vec::new();
    for table in Table::ALL {
        bar.set_message(format!("copying {}", table.as_str()));
        let read = copied(&source, &target, table, &bar)?;
        bar.set_message(format!("verifying {}", table.as_str()));
        let kept = digest::of(&target, table, &mut || bar.inc(1))?;
        if read != kept {
            let message = format!(
                "the table `{}` differs: {} rows were read, {} are there",
                table.as_str(),
                read.0,
                kept.0
            );
            return Err(
                Failure::new(message).hint("look at the target, then begin again: nothing was made of it")
            );
        }
        tables.push(json!({ "table": table.as_str(), "rows": read.0, "sha256": read.1 }));
    }
    bar.set_message("verifying evidence");
    let key = secrets::evidence_public_key(&*source.state)?;
    let report = evidence::verify_store(&*target.evidence, &key, &mut |_, _| bar.tick());
    let report = report.map_err(|finding| {
        Failure::of(&finding).hint("see whether the source says the same: `doorward doctor --thorough`")
    })?;
    made(&source, &target)?;
    bar.finish_and_clear();
    let shown = (source.shown.clone(), target.shown.clone());
    drop((source, target));
    to.finish()?;
    told(context, &to, &shown, (&tables, report.records))
}

/// Whether this row is the one that makes a place a home, or the one that says that it is not yet.
pub(super) fn is_last(table: Table, tenant: &TenantName, key: &[u8]) -> bool {
    table == Table::Meta && *tenant == TenantName::local() && (key == HOME || key == UNFINISHED)
}

/// Refuses a target that keeps something; removes what an unfinished copy left.
fn empty(target: &Side) -> Outcome {
    let local = TenantName::local();
    let unfinished = target.state.get(Table::Meta, &local, UNFINISHED)?.is_some();
    if unfinished && target.state.get(Table::Meta, &local, HOME)?.is_none() {
        for table in Table::ALL {
            for tenant in target.tenants(table)? {
                cleared(target, table, &tenant)?;
            }
        }
    }
    for table in Table::ALL {
        if let Some(tenant) = target.tenants(table)?.first() {
            let message = format!(
                "`{}` is not empty: the table `{}` has rows of `{tenant}`",
                target.shown,
                table.as_str()
            );
            return Err(Failure::new(message).hint("copy to a folder or database without a home"));
        }
    }
    Ok(())
}

fn cleared(target: &Side, table: Table, tenant: &TenantName) -> Outcome {
    loop {
        let rows = target.state.scan(table, tenant, b"", None, PAGE)?;
        if rows.is_empty() {
            return Ok(());
        }
        let delete = |row: Row| Step::Delete(table, tenant.clone(), row.key);
        let mut batch = Batch::new();
        rows.into_iter().map(delete).for_each(|step| batch.push(step));
        target.state.commit(&batch)?;
    }
}

/// Copies one table; answers what was read.
fn copied(source: &Side, target: &Side, table: Table, bar: &ProgressBar) -> Outcome<(u64, String)> {
    let mut digest = Digest::new();
    for tenant in source.tenants(table)? {
        let mut pending = Pending::default();
        source.each(table, &tenant, &mut |row| {
            if is_last(table, &tenant, &row.key) {
                return Ok(());
            }
            digest.add(&tenant, &row);
            bar.inc(1);
            pending.take(target, table, &tenant, row)
        })?;
        pending.write(target)?;
    }
    Ok(digest.finish())
}

/// Rows that are written together.
#[derive(Default)]
struct Pending {
    state: Batch,
    evidence: Batch,
    bytes: usize,
}

impl Pending {
    fn take(
        &mut self,
        target: &Side,
        table: Table,
        tenant: &TenantName,
        row: Row,
    ) -> Result<(), store::Error> {
        self.bytes += row.key.len() + row.value.len() + OVERHEAD;
        let room = target.room(table, &row.key);
        let batch = if room == super::side::Room::Evidence { &mut self.evidence } else { &mut self.state };
        batch.push(Step::Insert(table, tenant.clone(), row));
        if self.bytes > LARGEST { self.write(target) } else { Ok(()) }
    }

    fn write(&mut self, target: &Side) -> Result<(), store::Error> {
        for (room, batch) in [
            (super::side::Room::State, std::mem::take(&mut self.state)),
            (super::side::Room::Evidence, std::mem::take(&mut self.evidence)),
        ] {
            if !batch.is_empty() {
                target.storage(room).commit(&batch)?;
            }
        }
        self.bytes = 0;
        Ok(())
    }
}

/// Makes a home of what was copied.
fn made(source: &Side, target: &Side) -> Outcome {
    let local = TenantName::local();
    let home = source.state.get(Table::Meta, &local, HOME)?;
    let home = home.ok_or_else(|| Failure::new(format!("`{}` keeps no home that is whole", source.shown)))?;
    let batch = Batch::new().insert(Table::Meta, &local, HOME, home).delete(Table::Meta, &local, UNFINISHED);
    target.state.commit(&batch)?;
    secrets::provider_facts(&*target.state)?;
    Ok(())
}

fn told(
    context: &Context,
    to: &Named,
    (from, target): &(String, String),
    (tables, records): (&[Value], u64),
) -> Outcome {
    let place = match to {
        Named::Folder(folder) => folder.display().to_string(),
        Named::Server(_) => target.clone(),
    };
    let document =
        json!({ "status": "copied", "from": from, "to": place, "tables": tables, "records": records });
    context.printer.answer(&document, |_| {
        let rows: u64 = tables.iter().filter_map(|table| table.get("rows")?.as_u64()).sum();
        let next = match to {
            Named::Server(_) => format!(
                "Next: write it into `settings.toml` of the home, below `[store]`: `url = \"{place}\"`. What is in the folder is not read any more then."
            ),
            Named::Folder(_) => "Next: put the key file, `integrations`, `lists`, `policies` and the settings without `[store]` beside it.".to_owned(),
        };
        format!("Copied {rows} rows and verified {records} records of evidence. {next}")
    })
}

/// Where somebody looks.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {pos} rows {per_sec} {elapsed}");
    let bar =
        ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The row that makes a place a home: its key provider and public keys.
const HOME: &[u8] = b"home";
/// A row that is there as long as a copy is not finished.
const UNFINISHED: &[u8] = b"store/unfinished-copy";
const PAGE: usize = 500;
/// Bytes that are written at once, about.
const LARGEST: usize = 1 << 20;
/// What a row costs besides its bytes.
const OVERHEAD: usize = 64;
