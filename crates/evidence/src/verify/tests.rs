//! Tests of the module `verify`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{Batch, Embedded, Row, Storage, Table};

use super::*;
use crate::event::tests::{intent, refused};
use crate::log::tests::fake::{EVERY, Fake, Make, clock, done, key, open, run};
use crate::{Closed, Ending, Intent, Reader, Use, Wait};

/// Small and fast; the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

fn rounds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long a test runs is not a setting of the product")]
    let set = std::env::var("DOORWARD_ROUNDS");
    set.ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10_000)
}

fn tenants() -> [TenantName; 2] {
    ["acme", "local"].map(|name| name.parse().unwrap())
}

/// A home with several kinds of records, checkpoints over several minutes, and counted uses; closed cleanly.
fn home(make: Make, first: u64) -> Arc<Fake> {
    let (storage, clock) = (make(), clock());
    for round in first..first + 3 {
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            for n in round * 100..round * 100 + 4 {
                let tenants = tenants();
                let tenant = if n == 1 { &tenants[0] } else { &tenants[(n % 2) as usize] };
                let uses = vec![Use { id: [(n % 3) as u8; 16], most: 1_000 }];
                let receipt = lane.intend(Intent { uses, ..intent(tenant, n) }).await.unwrap();
                if n % 4 == 0 {
                    let stream = lane.settle_head(receipt, done(), Wait::Durable).await.unwrap();
                    lane.settle_close(stream, Closed::bare(Ending::Done)).await.unwrap();
                } else {
                    lane.settle(receipt, done(), Wait::Durable).await.unwrap();
                }
                clock.0.fetch_add(700, Ordering::SeqCst);
            }
            lane.refuse(refused(&tenants()[0], round)).await.unwrap();
        });
        clock.0.fetch_add(61_000, Ordering::SeqCst);
        log.close().unwrap();
    }
    storage
}

fn exported(storage: &Arc<Fake>, tenant: &TenantName) -> String {
    let mut out = Vec::new();
    Reader::new(storage.clone(), key().public()).export(tenant, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(export: &[u8]) -> Result<Report, Finding> {
    verify_export(&mut &*export, &key().public())
}

fn check_store(storage: &dyn Storage) -> Result<Report, Finding> {
    verify_store(storage, &key().public(), &mut |_, _| {})
}

#[test]
fn clean_evidence_gives_no_alarm() {
    for make in EVERY {
        for first in 0..20 {
            let storage = home(make, first);
            let report = check_store(&*storage).unwrap();
            let mut records = 0;
            for tenant in tenants() {
                let export = check(exported(&storage, &tenant).as_bytes()).unwrap();
                assert_eq!((export.unsigned, export.open.len()), (0, 0));
                records += export.records;
            }
            assert_eq!((report.records, report.unsigned), (records, 0));
            assert!(report.checkpoints >= 3);
        }
    }
}

#[test]
fn progress_and_open_intents_are_told() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        let receipt = run(lane.intend(intent(&TenantName::local(), 1))).unwrap();
        let mut seen = Vec::new();
        let report = verify_store(&*storage, &key().public(), &mut |done, of| seen.push((done, of))).unwrap();
        assert_eq!(seen.last().map(|(done, _)| *done), Some(report.records));
        assert_eq!(report.open, [(TenantName::local(), receipt.seq(), receipt.id())]);
        let export = check(exported(&storage, &TenantName::local()).as_bytes()).unwrap();
        assert_eq!(export.open, report.open);
        log.close().unwrap();
    }
}

#[test]
fn records_behind_the_last_checkpoint_are_counted_as_unsigned() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            for n in 0..3 {
                lane.refuse(refused(&TenantName::local(), n)).await.unwrap();
            }
            let report = check_store(&*storage).unwrap();
            assert!(report.unsigned > 0);
            let export = check(exported(&storage, &TenantName::local()).as_bytes()).unwrap();
            assert_eq!(export.unsigned, report.unsigned);
            // A second later each group brings its own signature.
            clock.0.fetch_add(1_000, Ordering::SeqCst);
            lane.refuse(refused(&TenantName::local(), 4)).await.unwrap();
            assert_eq!(check_store(&*storage).unwrap().unsigned, 0);
        });
        log.close().unwrap();
    }
}

/// One change of an export: bytes or lines flipped, cut, inserted, swapped, doubled, or taken from the export of another tenant, or
/// of another log with the same key.
fn tamper(clean: &str, others: &[String], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = clean.as_bytes().to_vec();
    let mut lines: Vec<&str> = clean.split_inclusive('\n').collect();
    let (at, to) = (dice.roll(lines.len()), dice.roll(lines.len()));
    match dice.roll(10) {
        0 => {
            let at = dice.roll(bytes.len());
            bytes[at] ^= 1 << dice.roll(8);
            return bytes;
        }
        1 => {
            let at = dice.roll(bytes.len());
            bytes.remove(at);
            return bytes;
        }
        2 => {
            let at = dice.roll(bytes.len() + 1);
            bytes.insert(at, u8::try_from(dice.roll(256)).unwrap());
            return bytes;
        }
        3 => {
            bytes.truncate(dice.roll(bytes.len()));
            return bytes;
        }
        4 => drop(lines.remove(at)),
        5 => lines.swap(at, to),
        6 => lines.insert(to, lines[at]),
        7 => lines.truncate(at),
        8 => {
            let other = &others[dice.roll(others.len())];
            let other: Vec<&str> = other.split_inclusive('\n').collect();
            lines[at] = other[dice.roll(other.len())];
            return lines.concat().into_bytes();
        }
        _ => return reseal(lines, at),
    }
    lines.concat().into_bytes()
}

/// What somebody does who knows the format: changes a record with its text, and chains all that follow anew.
fn reseal(lines: Vec<&str>, at: usize) -> Vec<u8> {
    let (mut out, mut last, mut changed) = (String::new(), None::<Digest>, false);
    for (nth, line) in lines.into_iter().enumerate() {
        let leaf = line.split("\"leaf\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let Some(mut bytes) = leaf.map(|leaf| crypto::from_base64(leaf).unwrap()) else {
            out.push_str(line);
            continue;
        };
        let tenant = usize::from(bytes[2]);
        if let (true, Some(last)) = (changed, last) {
            bytes[19 + tenant..51 + tenant].copy_from_slice(&last);
        }
        if nth >= at && !changed {
            // The time, so that the record stays readable.
            bytes[18 + tenant] ^= 1;
            changed = true;
        }
        last = Some(crate::leaf::hash(&bytes));
        let leaf = crate::Leaf::decode(&bytes).unwrap();
        out.push_str(&export::record(leaf.seq, &bytes, &leaf));
    }
    out.into_bytes()
}

/// The same lines with an end that counts them right.
fn recount(copy: Vec<u8>) -> Vec<u8> {
    let Ok(text) = String::from_utf8(copy.clone()) else { return copy };
    let kind = |begin: &str| text.lines().filter(|line| line.starts_with(begin)).count();
    let end = format!(
        "{{\"end\":{{\"records\":{},\"checkpoints\":{}}}}}\n",
        kind("{\"seq\":"),
        kind("{\"checkpoint\":")
    );
    let body: String = text.split_inclusive('\n').filter(|line| !line.starts_with("{\"end\":")).collect();
    (body + &end).into_bytes()
}

const TABLES: [Table; 4] = [Table::Evidence, Table::Checkpoints, Table::Uses, Table::Meta];

type Rows = Vec<(Table, TenantName, Row)>;

fn rows(storage: &dyn Storage) -> Rows {
    let mut rows = Vec::new();
    for table in TABLES {
        for tenant in storage.tenants(table).unwrap() {
            for row in storage.scan(table, &tenant, b"", None, 100_000).unwrap() {
                rows.push((table, tenant.clone(), row));
            }
        }
    }
    rows
}

fn storage_of(rows: &Rows) -> Embedded {
    let storage = Embedded::in_memory().unwrap();
    let mut batch = Batch::new();
    for (table, tenant, row) in rows {
        batch = batch.put(*table, tenant, &row.key, row.value.clone());
    }
    storage.commit(&batch).unwrap();
    storage
}

/// One change of the stored rows.
fn tamper_rows(clean: &Rows, other: &Rows, dice: &mut Dice) -> Rows {
    let mut rows = clean.clone();
    let (at, to) = (dice.roll(rows.len()), dice.roll(rows.len()));
    let same: Vec<usize> = (0..other.len()).filter(|n| other[*n].0 == rows[at].0).collect();
    let value = rows[at].2.value.clone();
    match dice.roll(8) {
        0 => {
            let byte = dice.roll(value.len());
            rows[at].2.value[byte] ^= 1 << dice.roll(8);
        }
        1 => drop(rows.remove(at)),
        2 => rows[at].2.value.truncate(dice.roll(value.len())),
        3 => {
            let byte = dice.roll(value.len() + 1);
            rows[at].2.value.insert(byte, u8::try_from(dice.roll(256)).unwrap());
        }
        4 => {
            rows[at].2.value = rows[to].2.value.clone();
            rows[to].2.value = value;
        }
        5 => rows[at].2.value.extend_from_slice(&value),
        6 => rows[at].2.value = other[same[dice.roll(same.len())]].2.value.clone(),
        _ => {
            let byte = dice.roll(rows[at].2.key.len());
            // The state of the log is looked for under one key; others in its table are not evidence.
            if rows[at].0 != Table::Meta {
                rows[at].2.key[byte] ^= 1 << dice.roll(8);
            }
        }
    }
    rows
}

#[test]
fn a_tenant_that_was_taken_away_whole_is_missed() {
    let mut rows = rows(&*home(Fake::embedded, 0));
    rows.retain(|(table, tenant, _)| *table == Table::Checkpoints || tenant.as_str() != "acme");
    let finding = check_store(&storage_of(&rows)).unwrap_err();
    assert_eq!(finding.to_string(), "tenant `acme`, record 0: records that were signed are missing");
}

#[test]
fn an_export_of_another_key_is_refused() {
    let export = exported(&home(Fake::embedded, 0), &TenantName::local());
    let other = crypto::SigningKey::from_seed([1; 32]).unwrap().public();
    let finding = verify_export(&mut export.as_bytes(), &other).unwrap_err();
    assert_eq!(finding.to_string(), "line 1: the signature does not fit");
}

/// What `cargo xtask torture tamper` does more often: it looks for tests whose path has this name.
mod torture_tamper {
    use super::*;

    #[test]
    fn every_change_of_the_evidence_is_found() {
        let (storage, other) = (home(Fake::embedded, 0), home(Fake::embedded, 7));
        let exports = tenants().map(|tenant| exported(&storage, &tenant));
        let foreign = tenants().map(|tenant| exported(&other, &tenant));
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut changed = 0;
        for round in 0..rounds() {
            let mine = usize::from(round % 2 == 0);
            let others = [exports[1 - mine].clone(), foreign[0].clone(), foreign[1].clone()];
            let mut copy = tamper(&exports[mine], &others, &mut dice);
            if dice.roll(3) == 0 {
                copy = recount(copy);
                // Cut at the end and counted anew it is what was exported once; only witnesses know better.
                let body = copy.windows(7).position(|at| at == b"{\"end\":").map(|end| &copy[..end]);
                if body.is_some_and(|body| exports[mine].as_bytes().starts_with(body)) {
                    continue;
                }
            }
            if copy == exports[mine].as_bytes() {
                continue;
            }
            changed += 1;
            assert!(check(&copy).is_err(), "round {round}:\n{}", String::from_utf8_lossy(&copy));
        }
        assert!(changed * 10 >= rounds() * 8);
    }

    #[test]
    fn every_change_of_the_stored_rows_is_found() {
        let (clean, other) = (rows(&*home(Fake::embedded, 0)), rows(&*home(Fake::embedded, 7)));
        check_store(&storage_of(&clean)).unwrap();
        let as_stored = |rows: &Rows| self::rows(&storage_of(rows));
        let clean = as_stored(&clean);
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        for round in 0..(rounds() / 10).max(1) {
            let changed = as_stored(&tamper_rows(&clean, &other, &mut dice));
            if changed != clean {
                assert!(check_store(&storage_of(&changed)).is_err(), "round {round}");
            }
        }
    }
}
